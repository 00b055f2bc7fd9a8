"""A process for foreign code: what goes wrong in it is one line here."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cole_core.errors import InputError
from cole_core.foreign_code import RunFailed, RunLimits, Runner
from tests.cole_core.foreign_code import misbehaving


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(RunLimits(seconds=2.0, mebibytes=256)) as runner:
        yield runner


def failure(runner: Runner, function: object, *arguments: object) -> tuple[str, str]:
    with pytest.raises(RunFailed) as raised:
        runner.call(function, *arguments)  # type: ignore[arg-type]
    assert "\n" not in raised.value.message
    return raised.value.kind, raised.value.message


def test_one_process_runs_the_calls(runner: Runner) -> None:
    first, here = runner.call(misbehaving.add, 2, 3)
    second, there = runner.call(misbehaving.add, 4, 5)
    assert (first, second) == (5, 9)
    assert here == there != os.getpid()


def test_what_is_raised_is_told_with_its_place(runner: Runner) -> None:
    kind, message = failure(runner, misbehaving.fail, "two\nlines")
    assert kind == "raised"
    assert message.startswith("KeyError: 'two\\nlines' (misbehaving.py, line ")
    with pytest.raises(InputError, match="give another"):
        runner.call(misbehaving.refuse, "give another")
    kind, message = failure(runner, misbehaving.leave)
    assert (kind, message[:36]) == ("raised", "it ends the process: exit(3) (misbeh")


def test_a_loop_without_end_is_killed_in_time(runner: Runner) -> None:
    runner.call(misbehaving.add, 1, 1)
    begin = time.monotonic()
    assert failure(runner, misbehaving.hang) == ("timed_out", "not done after 2 s")
    assert time.monotonic() - begin < 6
    assert runner.call(misbehaving.add, 2, 3)[0] == 5  # by the next process


def test_memory_has_an_end(runner: Runner) -> None:
    for function in (misbehaving.hoard, misbehaving.hoard_tensors):
        assert failure(runner, function)[0] == "memory"
    assert runner.call(misbehaving.add, 2, 3)[0] == 5


def test_a_crash_is_told(runner: Runner) -> None:
    assert failure(runner, misbehaving.die) == (
        "crashed",
        "its process ended with exit code 7",
    )
    assert runner.call(misbehaving.add, 2, 3)[0] == 5


def test_what_is_printed_is_not_mixed_into_ours(
    runner: Runner, capfd: pytest.CaptureFixture[str]
) -> None:
    assert runner.call(misbehaving.talk) == "done"
    assert capfd.readouterr() == ("", "")


def test_only_plain_values_come_back(runner: Runner) -> None:
    kind, message = failure(runner, misbehaving.an_object)
    assert kind == "raised"
    assert "misbehaving.Odd is no plain value" in message
    assert failure(runner, misbehaving.a_lambda)[0] == "raised"
    assert runner.call(misbehaving.add, 2, 3)[0] == 5


def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    told = tmp_path / "child"
    with Runner(RunLimits(seconds=2.0)) as runner:
        assert failure(runner, misbehaving.hang_with_child, str(told))[0] == "timed_out"
    child = int(told.read_text())
    deadline = time.monotonic() + 10
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.05)


def test_limits_are_positive() -> None:
    for limits in (RunLimits(seconds=0), RunLimits(mebibytes=0), RunLimits(seconds=float("inf"))):
        with pytest.raises(InputError, match="give positive ones"):
            Runner(limits)
