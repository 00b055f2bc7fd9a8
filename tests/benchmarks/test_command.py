"""`python -m benchmarks`: every benchmark has a small form, and the command runs them."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from inspect import isgeneratorfunction
from pathlib import Path

import pytest

from benchmarks.records import append, read
from benchmarks.small_forms import names

ROOT = Path(__file__).resolve().parents[2]
CODE = "".join(path.read_text("utf-8") for path in (ROOT / "benchmarks").glob("*.py"))
NAMED = set(re.findall(r"python -m benchmarks\.(\w+)", CODE))


def run(*words: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "benchmarks", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_all_that_say_how_they_are_run_are_benchmarks() -> None:
    assert set(names()) == NAMED
    assert len(NAMED) > 10


@pytest.mark.parametrize("name", names())
def test_each_has_a_small_form(name: str) -> None:
    assert isgeneratorfunction(import_module(f"benchmarks.{name}").small)


def test_a_run_is_recorded_and_compared_with(tmp_path: Path) -> None:
    record = tmp_path / "runs.jsonl"
    options = ("--only", "reading", "--rounds", 2, "--record", record)
    done = run(*options, "--accept")
    assert done.returncode == 0, done.stderr
    [first] = read(record)
    assert first.benchmark == "reading"
    assert {len(taken) for taken in first.seconds.values()} == {2} == {len(first.float32)}
    # As if it had taken a thousandth, and tomorrow.
    fast = {what: tuple(each / 1e3 for each in taken) for what, taken in first.seconds.items()}
    append(record, replace(first, seconds=fast, date="9999-01-01T00:00:00+00:00"))
    done = run(*options)
    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if line.startswith("reading")]
    assert len(lines) == len(first.seconds)
    assert all(line.endswith("SLOWER") for line in lines)
    assert set(read(record)[-1].slower) == set(first.seconds)
    assert {len(taken) for taken in read(record)[-1].seconds.values()} == {4}  # measured again


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--only", "nothing"), "no benchmark 'nothing': choose among cluster, "),
        (("--rounds", 1), "--rounds 1: "),
        (("--bound", 0.5), "--bound 0.5: "),
        (("--record", ROOT), "name a file"),
    ],
)
def test_bad_input_is_one_line(words: tuple[object, ...], said: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_all_of_them_run(tmp_path: Path) -> None:
    """Each gives figures, or says in one line what it lacks."""
    record = tmp_path / "runs.jsonl"
    done = run("--rounds", 2, "--accept", "--record", record)
    assert done.returncode == 0, done.stdout + done.stderr
    left_out = set(re.findall(r"^(\w+) +left out: \S", done.stdout, flags=re.MULTILINE))
    assert left_out <= {"cluster", "committee", "explorer", "nasbenchgraph", "transfer"}
    assert {each.benchmark for each in read(record)} == set(names()) - left_out
    for line in record.read_text().splitlines():
        assert all(min(taken) > 0 for taken in json.loads(line)["seconds"].values())
