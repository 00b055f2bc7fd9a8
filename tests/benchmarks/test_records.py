"""What counts as slower, over made-up runs; and what a file of runs says again."""

from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from benchmarks.records import Comparison, Record, append, compare, read
from cole_core.errors import InputError

RUN = Record(
    benchmark="reading",
    processor="A, cores 2, threads 2",
    date="2026-01-01T00:00:00+00:00",
    commit="0000001",
    load=(0.5, 1.0),
    versions={"python": "3.11.0"},
    float32=(100e9, 110e9, 90e9),
    bfloat16=(200e9, 200e9, 200e9),
    seconds={"whole": (1.0, 0.9, 1.2)},
)


def later(*seconds: float, rate: float = 1.0, **changes: object) -> Record:
    """A run of the day after, on a machine that is `rate` times as fast then."""
    float32 = tuple(rate * each for each in RUN.float32[: len(seconds)])
    changed = replace(RUN, date="2026-01-02T00:00:00+00:00", float32=float32)
    return replace(changed, seconds={"whole": seconds}, **changes)  # type: ignore[arg-type]


def compared(record: Record, *before: Record, bound: float = 1.25) -> Comparison:
    [found] = compare(record, before, bound)
    return found


def test_the_ratio_is_that_of_seconds_by_the_matrix_rate() -> None:
    found = compared(later(1.3, 1.1, 1.4), RUN)
    costs = [1.3 * 100e9, 1.1 * 110e9, 1.4 * 90e9]  # 130, 121, 126
    before = [1.0 * 100e9, 0.9 * 110e9, 1.2 * 90e9]  # 100, 99, 108
    assert found.cost == pytest.approx(median(costs))
    assert found.ratio == pytest.approx(median(costs) / median(before)) == pytest.approx(1.26)
    assert found.spread == pytest.approx((130 - 121) / 2 / 126)
    assert found.seconds == 1.3
    assert found.last is RUN


def test_slower_is_what_is_above_the_bound_and_beyond_noise() -> None:
    assert compared(later(1.5, 1.4, 1.8), RUN).is_slower
    assert not compared(later(1.5, 1.4, 1.8), RUN, bound=1.6).is_slower
    assert not compared(later(1.5, 0.9, 1.8), RUN).is_slower  # a round as fast as one before
    assert not compared(later(0.5, 0.45, 0.6), RUN).is_slower


def test_a_slower_moment_of_the_machine_is_no_slower_code() -> None:
    found = compared(later(2.0, 1.8, 2.4, rate=0.5), RUN)
    assert found.ratio == pytest.approx(1)
    assert not found.is_slower


@pytest.mark.parametrize(
    "other",
    [{"processor": "B, cores 2, threads 2"}, {"benchmark": "growth"}, {"seconds": {"part": (9,)}}],
)
def test_other_runs_are_left_out(other: dict[str, object]) -> None:
    found = compared(later(9.0, 9.0, 9.0), replace(RUN, **other))  # type: ignore[arg-type]
    assert (found.ratio, found.last, found.is_slower) == (None, None, False)


def test_the_last_run_counts_in_which_it_was_not_slower() -> None:
    second = later(2.0, 1.8, 2.4)
    third = later(4.0, 3.6, 4.8, slower=("whole",))
    third = replace(third, date="2026-01-03T00:00:00+00:00")
    new = replace(second, date="2026-01-04T00:00:00+00:00")
    assert compared(new, second, RUN, third).last is second
    assert compared(new, second, RUN, third).ratio == pytest.approx(1)
    assert compared(new, RUN, replace(second, slower=("whole",))).is_slower


def test_rounds_of_two_processes_are_judged_together() -> None:
    both = later(1.5, 1.4, 1.8).with_rounds(later(1.0, 1.0, 1.0))
    assert both.seconds == {"whole": (1.5, 1.4, 1.8, 1.0, 1.0, 1.0)}
    assert len(both.costs("whole")) == 6
    assert not compared(both, RUN).is_slower


def test_a_file_says_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "runs.jsonl"
    assert read(path) == []
    runs = [RUN, later(2.0, 2.0, 2.0, slower=("whole",))]
    for run in runs:
        append(path, run)
    assert read(path) == runs


@pytest.mark.parametrize("line", ["{}", "[1]", "no JSON", '{"seconds": 3}'])
def test_a_line_that_is_no_run_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "runs.jsonl"
    append(path, RUN)
    with path.open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(InputError, match=r"runs\.jsonl, line 2 is no recorded run"):
        read(path)


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="name a file"):
        append(tmp_path / "file" / "runs.jsonl", RUN)
    with pytest.raises(InputError, match="name a file"):
        read(tmp_path)
