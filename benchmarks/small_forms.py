"""The small form of every benchmark: what it times, within a minute and as often as is asked.

A benchmark is a module of this folder that has a `main`. It has a `small` as well:

    def small() -> Rounds

which makes ready what is timed and then yields, without end, the seconds that each thing took, by
name: of the processor where all is in one process, since others' work changes these little. Where
something that it needs is missing it raises `MissingError`.
"""

import re
from collections.abc import Generator, Mapping
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
Rounds = Generator[Mapping[str, float], None, None]


class MissingError(Exception):
    """What a benchmark needs and is not here, in one line."""


def names() -> list[str]:
    """The benchmarks, in the alphabet's order."""
    modules = sorted(path for path in FOLDER.glob("*.py") if not path.stem.startswith("__"))
    return [
        path.stem for path in modules if re.search(r"^def main\(", path.read_text("utf-8"), re.M)
    ]


def measure(name: str, rounds: int) -> dict[str, Any]:
    """Runs a small form in this process.

    Args:
        name: The benchmark.
        rounds: How often, after a first round that warms up; a core's matrix rate is measured
            before each.

    Returns:
        `missing`, where something is; otherwise the `processor`, its rates in `float32` and
        `bfloat16`, and the `seconds` of each thing, a number for each round.
    """
    import torch

    from benchmarks.machine import core_rate, processor

    found: dict[str, Any] = {"processor": processor()}
    rates: dict[str, list[float]] = {"float32": [], "bfloat16": []}
    seconds: dict[str, list[float]] = {}
    threads = torch.get_num_threads()
    form: Rounds = import_module(f"benchmarks.{name}").small()
    try:
        with closing(form):
            next(form)
            for _ in range(rounds):
                torch.set_num_threads(threads)  # a benchmark of one core takes the others away
                for dtype, measured in rates.items():
                    measured.append(core_rate(getattr(torch, dtype)))
                for what, taken in next(form).items():
                    seconds.setdefault(what, []).append(taken)
    except MissingError as missing:
        return {"missing": str(missing)}
    return found | rates | {"seconds": seconds}
