"""Recorded runs of small forms, a line of JSON each, and what has become slower since.

What is compared is not seconds but seconds times the matrix rate that was measured just before:
the operations that a core's matrix product would have done meanwhile. A slower moment of the same
processor has more seconds and a lower rate.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from cole_core.errors import InputError


@dataclass(frozen=True)
class Record:
    """One run of one benchmark's small form.

    Attributes:
        benchmark: Its name.
        processor: With its cores, threads and GPU; runs of others are not compared.
        date: When, in ISO 8601 and UTC.
        commit: Of the code; with a plus where files differed from it.
        load: Processes that wanted the processor over the last minute, before and after.
        versions: Of Python and the packages.
        float32: Matrix rate of a core before each round, operations a second.
        bfloat16: The same in that precision.
        seconds: Of each thing that is timed, a number for each round.
        slower: What was slower than in the run before, and nobody said that it may.
    """

    benchmark: str
    processor: str
    date: str
    commit: str
    load: tuple[float, ...]
    versions: dict[str, str]
    float32: tuple[float, ...]
    bfloat16: tuple[float, ...]
    seconds: dict[str, tuple[float, ...]]
    slower: tuple[str, ...] = ()

    def costs(self, what: str) -> np.ndarray:
        """Seconds of one thing times the matrix rate in float32, by round."""
        return np.array(self.seconds[what]) * np.array(self.float32)

    def with_rounds(self, more: "Record") -> "Record":
        """This run with the rounds of another one of the same benchmark."""
        return replace(
            self,
            load=self.load + more.load,
            float32=self.float32 + more.float32,
            bfloat16=self.bfloat16 + more.bfloat16,
            seconds={what: taken + more.seconds[what] for what, taken in self.seconds.items()},
        )


@dataclass(frozen=True)
class Comparison:
    """One thing that is timed, beside the last run.

    Attributes:
        what: Its name.
        seconds: Median of the rounds.
        cost: Seconds times the matrix rate, median of the rounds.
        spread: Half of what lies between the least and the highest cost, as a share of the median.
        ratio: Of the cost to that of the last run; None where there is none.
        last: That run.
        is_slower: Whether the ratio is above the bound, and every round above all of the last run.
    """

    what: str
    seconds: float
    cost: float
    spread: float
    ratio: float | None
    last: Record | None
    is_slower: bool


def compare(record: Record, records: Iterable[Record], bound: float) -> list[Comparison]:
    """Each thing that a run timed, beside the last run of the same processor that has it.

    Runs in which it was slower do not count: otherwise a second run would find nothing.

    Args:
        record: The run.
        records: Those before, in any order.
        bound: Ratio from which something may be slower.
    """
    before = sorted(
        (
            each
            for each in records
            if (each.benchmark, each.processor) == (record.benchmark, record.processor)
        ),
        key=lambda each: each.date,
    )
    return [_compare(what, record, before, bound) for what in record.seconds]


def _compare(what: str, record: Record, before: Sequence[Record], bound: float) -> Comparison:
    costs = record.costs(what)
    cost = float(np.median(costs))
    spread = float(np.ptp(costs)) / 2 / cost
    seconds = float(np.median(record.seconds[what]))
    fitting = [each for each in before if what in each.seconds and what not in each.slower]
    if not fitting:
        return Comparison(what, seconds, cost, spread, None, None, False)
    last = fitting[-1].costs(what)
    ratio = cost / float(np.median(last))
    is_slower = ratio > bound and float(costs.min()) > float(last.max())
    return Comparison(what, seconds, cost, spread, ratio, fitting[-1], is_slower)


def read(path: Path) -> list[Record]:
    """The runs in a file, which need not be there.

    Raises:
        InputError: It cannot be read, or a line is no run.
    """
    if not path.exists():
        return []
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}; name a file of recorded runs") from error
    return [_read(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _read(path: Path, number: int, line: str) -> Record:
    try:
        told = json.loads(line)
        many = {name: tuple(told[name]) for name in ("load", "float32", "bfloat16", "slower")}
        seconds = {what: tuple(taken) for what, taken in told["seconds"].items()}
        return Record(**told | many | {"seconds": seconds})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}, line {number} is no recorded run: remove it") from error


def append(path: Path, record: Record) -> None:
    """Writes a run behind those in a file, which is made where it is missing.

    Raises:
        InputError: Nothing can be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(record)) + "\n")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; name a file that can be written") from error
