"""CONTRIBUTING.md says what is so: its commands run, its files are there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
COMMANDS = [
    line.strip().partition("  #")[0].strip()
    for line in PAGE.splitlines()
    if line.startswith("    ") and re.match(r"(make|\.venv/bin/\S+|cole) ", line.strip())
]
# These run this suite, so that here is seen that they would; `.ci/run` runs them.
WHOLE = ("make check", "make test", "make test-slow", "make docs")


def test_the_commands_are_found() -> None:
    assert set(WHOLE) < set(COMMANDS)
    assert len(COMMANDS) >= 6


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_runs(command: str, tmp_path: Path) -> None:
    if command in WHOLE:
        words = ["make", "--dry-run", "--always-make", *shlex.split(command)[1:]]
    else:
        words = [sys.executable, *shlex.split(command)[1:]]
        words = [str(tmp_path) if word == "dist" else word for word in words]
        if "pytest" in words:
            words += ["--collect-only"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_continuous_integration_runs_the_checks_and_the_suite() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert {"make check", "make test"} <= set(script.splitlines())


def test_the_map_shows_the_rooms_that_there_are() -> None:
    shown = set(re.findall(r"^ {4,6}(\w+)/(?:<\w+>/)? ", PAGE, flags=re.MULTILINE))
    for place in ("cole_core", "flows"):
        rooms = {path.parent.name for path in (ROOT / place).glob("*/__init__.py")}
        assert rooms <= shown, f"{place}: {rooms - shown} are not on the map"


def test_the_files_to_copy_are_there() -> None:
    named = re.findall(r"`([\w/.-]+\.py|\.ci/run|[\w/-]+/cole-tiny)`", PAGE)
    assert len(named) > 8
    for path in named:
        assert (ROOT / path).exists() or (ROOT / "cole_core" / path).exists(), path
