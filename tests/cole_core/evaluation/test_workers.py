"""Processes that evaluate networks: results, crashes, hangs."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cole_core.evaluation import workers
from cole_core.evaluation.outcomes import CRASHED, OK, TIMED_OUT, Attempt
from cole_core.evaluation.settings import Limits
from cole_core.evaluation.workers import Workers


@dataclass(frozen=True)
class Scripted:
    """Does what the name of a network says, and keeps a diary of the names."""

    diary: Path
    limits: Limits = field(default_factory=Limits)

    def __call__(self, native: str, seed: int) -> Attempt:
        with self.diary.open("a") as diary:
            diary.write(f"{native}\n")
        done = Counter(self.diary.read_text().split())[native]
        if native.startswith("crash") or (native.startswith("unlucky") and done == 1):
            os._exit(3)
        if native.startswith("hang"):
            time.sleep(600)
        return Attempt(native, seed, OK, None, 0.0, parameters=os.getpid())


def tried(diary: Path) -> Counter[str]:
    return Counter(diary.read_text().split())


def test_every_network_is_evaluated_once(tmp_path: Path) -> None:
    names = [f"fine{i}" for i in range(20)]
    with Workers(Scripted(tmp_path / "diary"), 2) as pool:
        attempts = list(pool.run((name, 7) for name in names))
        assert sorted(attempt.native for attempt in attempts) == sorted(names)
        assert {(attempt.status, attempt.seed) for attempt in attempts} == {(OK, 7)}
        processes = {attempt.parameters for attempt in attempts}
        assert os.getpid() not in processes
        # The same processes serve the next networks.
        assert {attempt.parameters for attempt in pool.run([("more", 0)])} <= processes
    assert tried(tmp_path / "diary") == Counter([*names, "more"])


def test_a_death_costs_one_network_an_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_GRACE_SECONDS", 1.0)
    names = ["fine1", "crash", "fine2", "unlucky", "hang", "fine3"]
    scripted = Scripted(tmp_path / "diary", Limits(seconds=0.5))
    with Workers(scripted, 2) as pool:
        status = {a.native: (a.status, a.error) for a in pool.run((name, 0) for name in names)}
    assert status == {
        **dict.fromkeys(["fine1", "fine2", "unlucky", "fine3"], (OK, None)),
        "crash": (CRASHED, "its process died 2 times, with exit code 3"),
        "hang": (TIMED_OUT, "not done after 0.5 s"),
    }
    expected = dict.fromkeys(names, 1) | {"crash": 2, "unlucky": 2}
    assert tried(tmp_path / "diary") == Counter(expected)


def test_no_process_outlives_the_block(tmp_path: Path) -> None:
    with Workers(Scripted(tmp_path / "diary"), 1) as pool:
        (attempt,) = pool.run([("fine", 0)])
        os.kill(int(attempt.parameters or 0), 0)  # is there
    with pytest.raises(ProcessLookupError):
        os.kill(int(attempt.parameters or 0), 0)


@dataclass(frozen=True)
class Unloadable(Scripted):
    """Kills the process that receives it."""

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (5,)


def test_workers_that_do_not_start_end_the_run(tmp_path: Path) -> None:
    with (
        Workers(Unloadable(tmp_path / "diary"), 1) as pool,
        pytest.raises(RuntimeError, match="does not start: exit code 5"),
    ):
        list(pool.run([("fine", 0)]))


SCRIPT = """
from dataclasses import dataclass

from cole_core.evaluation.settings import Limits
from cole_core.evaluation.workers import Workers


@dataclass
class Large:
    limits: Limits
    dataset: bytes


list(Workers(Large(Limits(), bytes(10_000_000)), 1).run([("fine", 0)]))
"""


def test_a_process_that_dies_before_it_has_its_dataset_ends_the_run(tmp_path: Path) -> None:
    # As multiprocessing has it, each process runs a script that does not ask for its own name.
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 1
    assert "a worker process does not start: exit code 1" in done.stderr


def test_a_worker_that_died_idle_is_replaced(tmp_path: Path) -> None:
    with Workers(Scripted(tmp_path / "diary"), 1) as pool:
        [first] = pool.run([("fine1", 0)])
        assert first.parameters is not None
        os.kill(first.parameters, signal.SIGKILL)
        [second] = pool.run([("fine2", 0)])
    assert second.status == OK
    assert second.parameters != first.parameters
