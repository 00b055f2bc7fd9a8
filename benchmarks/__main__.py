"""All benchmarks, each in its small form, beside their last recorded run on the same processor.

    python -m benchmarks [--list] [--only NAME ...] [--rounds N] [--bound RATIO] [--record FILE]
                         [--accept]

Each runs in a process of its own; before each of its rounds the matrix rate of a core is measured.
What is compared is seconds times that rate, in operations of the matrix product. Something is
slower where the median is above that of the last run by more than the bound, and every round is
above all rounds of that run; then the benchmark is run again in a new process, and all rounds are
judged together.

The last run is that in FILE, or in `benchmarks/recorded.jsonl` where that one is newer. Runs are
written into FILE, what was slower with that mark, and is not compared with.

Exit code 1: something is slower, or does not run. 2: bad input.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import commit, versions
from benchmarks.records import Comparison, Record, append, compare, read
from benchmarks.small_forms import FOLDER, MissingError, measure, names
from cole_core.errors import InputError

RECORDED = FOLDER / "recorded.jsonl"
"""Runs that are kept with the code, of several processors."""
OWN = FOLDER.parent / "build" / "benchmarks.jsonl"
BOUND, ROUNDS = 1.25, 3
HEADING = (
    f"{'benchmark':<16}{'what is timed':<32}{'seconds':>10}{'GFLOP':>10}{'±':>7}{'ratio':>7}"
    "  to the run of"
)


class BrokenError(Exception):
    """A benchmark that does not run."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what is asked for and prints the table; 1 if something is slower or does not run."""
    options = _parser().parse_args(arguments)
    if options.child:
        print(json.dumps(measure(options.child, options.rounds)))
        return 0
    try:
        return _run(options)
    except InputError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    chosen = _chosen(options.only)
    if options.rounds < 2:
        raise InputError(f"--rounds {options.rounds}: ask for 2 or more, or no noise can be seen")
    if not options.bound >= 1:
        raise InputError(f"--bound {options.bound:g}: give a ratio of at least 1, such as {BOUND}")
    if options.list:
        print("\n".join(chosen))
        return 0
    before = read(RECORDED) + read(options.record)
    bound = float("inf") if options.accept else options.bound
    code, packages, right = commit(), versions(), True
    done: list[Record] = []
    print(HEADING)
    for name in chosen:
        try:
            record = _measured(name, options.rounds, code, packages)
            if any(each.is_slower for each in compare(record, before, bound)):
                record = record.with_rounds(_measured(name, options.rounds, code, packages))
        except MissingError as missing:
            print(f"{name:<16}left out: {missing}", flush=True)
            continue
        except BrokenError as error:
            print(f"{name:<16}DOES NOT RUN: {error}", flush=True)
            right = False
            continue
        done.append(record)
        found = compare(record, before, bound)
        slower = tuple(each.what for each in found if each.is_slower)
        append(options.record, replace(record, slower=slower))
        print("\n".join(_line(name, each) for each in found), flush=True)
        right &= not slower
    if done:
        print(f"\n{_machine(done)}\nwritten into {options.record}")
    return 0 if right else 1


def _chosen(asked: Sequence[str] | None) -> list[str]:
    known = names()
    for name in asked or ():
        if name not in known:
            raise InputError(f"no benchmark '{name}': choose among {', '.join(known)}")
    return [name for name in known if not asked or name in asked]


def _measured(name: str, rounds: int, code: str, packages: dict[str, str]) -> Record:
    """What a process of its own measures of one benchmark."""
    load = os.getloadavg()[0]
    command = [sys.executable, "-m", "benchmarks", "--child", name, "--rounds", str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise BrokenError(said[-1])
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if "missing" in told:
        raise MissingError(told["missing"])
    return Record(
        benchmark=name,
        processor=told["processor"],
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=code,
        load=(load, os.getloadavg()[0]),
        versions=packages,
        float32=tuple(told["float32"]),
        bfloat16=tuple(told["bfloat16"]),
        seconds={what: tuple(taken) for what, taken in told["seconds"].items()},
    )


def _line(name: str, found: Comparison) -> str:
    line = f"{name:<16}{found.what:<32}{found.seconds:>10.4g}{found.cost / 1e9:>10.4g}"
    line += f"{found.spread:>7.0%}"
    if found.last is None or found.ratio is None:
        return f"{line}  no run before"
    word = "SLOWER" if found.is_slower else ""
    return (
        f"{line}{found.ratio:>7.2f}  {found.last.date[:10]} {found.last.commit:<10}{word}".rstrip()
    )


def _machine(records: Sequence[Record]) -> str:
    """The processor, its matrix rates and how busy it was, from the least to the most."""
    said = [records[0].processor]
    for name, unit in (("float32", 1e9), ("bfloat16", 1e9), ("load", 1)):
        measured = [value / unit for record in records for value in getattr(record, name)]
        said.append(f"{name} {min(measured):.3g} to {max(measured):.3g}")
    return f"{said[0]}; a core's GFLOP/s: {', '.join(said[1:3])}; {said[3]}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--list", action="store_true", help="names the benchmarks, and runs none")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these benchmarks alone")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="measurements of each thing")
    parser.add_argument("--bound", type=float, default=BOUND, help="ratio from which it is slower")
    parser.add_argument("--record", type=Path, default=OWN, metavar="FILE", help="gets the run")
    parser.add_argument("--accept", action="store_true", help="slower is meant: compare with this")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
