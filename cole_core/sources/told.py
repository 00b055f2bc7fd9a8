"""What people say of a table's columns where headings do not: `--column`, `--skip`, `--dataset`.

    COLUMN=DATASET:SPLIT:METRIC

and after it, in any order and where they are known, the epochs (a number), the seed (`seed777`) and
whether higher or lower is better:

    val_accs=cifar10:valid:accuracy:200
    score=cifar10:valid:my_score:higher
    watts=cifar10:unknown:board_power[W]:lower

A unit stands in brackets behind the metric; of a share it is `[%]` or `[fraction]`.
"""

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cole_core.errors import InputError
from cole_core.sources.headings import SPLITS, UNKNOWN, Measured
from cole_core.sources.metrics import (
    DIRECTIONS,
    FRACTION,
    PERCENT,
    canonical_name,
    settled_direction,
    unit_of,
)

FORM = "COLUMN=DATASET:SPLIT:METRIC[:EPOCHS][:higher|:lower]"
_METRIC = re.compile(r"([A-Za-z]\w*)(?:\[([^\[\]:=]+)\])?", re.ASCII)
_SPLITS = ("train", "valid", "test", UNKNOWN)
_MOST = 2**31 - 1  # what the catalog holds


@dataclass(frozen=True)
class Told:
    """What is said of a table's columns.

    Attributes:
        columns: What each of some columns measures, as `--column` has it.
        skipped: Columns that are left out.
        dataset: The dataset where a heading names none.
        notation: How the architectures are written, where not as their space writes them.
        read: Tells the architecture that a string means, and as what it was read (None: as it
            is); None takes native strings alone.
    """

    columns: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    dataset: str | None = None
    notation: str | None = None
    read: Callable[[str], tuple[str, str | None]] | None = None

    @property
    def anything(self) -> bool:
        """Whether anything is said."""
        named = self.dataset is not None or self.notation is not None
        return bool(self.columns or self.skipped or named)

    def measured(self, headings: Sequence[str]) -> dict[str, Measured]:
        """What was said of each column.

        Args:
            headings: Those that there are.

        Raises:
            InputError: Something has not the form, or is said of a column that is not there, or
                twice.
        """
        said: dict[str, Measured] = {}
        for text in self.columns:
            column, measured = parse_column(text)
            check_heading("--column", column, headings)
            if column in said or column in self.skipped:
                raise InputError(
                    f"--column {text!r}: '{column}' is named twice, by --column or --skip: "
                    "say what it is once"
                )
            said[column] = measured
        for column in self.skipped:
            check_heading("--skip", column, headings)
        return said


NOTHING = Told()
"""Where nobody says anything."""


def check_heading(option: str, column: str, headings: Sequence[str]) -> None:
    """Checks that a column is there.

    Raises:
        InputError: It is not; names those that it may be meant for.
    """
    if column not in headings:
        close = difflib.get_close_matches(column, headings, n=3) or list(headings[:8])
        listed = ", ".join(f"'{heading}'" for heading in close)
        raise InputError(f"{option}: no column '{column}': choose from {listed}")


def parse_column(text: str) -> tuple[str, Measured]:
    """A column's heading, and what it measures.

    Raises:
        InputError: The text has not the form.
    """
    column, equals, said = text.rpartition("=")
    parts = [part.strip() for part in said.split(":")]
    if not equals or len(parts) < 3:
        raise InputError(f"--column {text!r}: give {FORM}, as 'val=cifar10:valid:accuracy:200'")
    dataset, split, named, *others = parts
    if dataset in ("", "DATASET"):
        raise InputError(f"--column {text!r}: the dataset is missing: name it, as in {FORM}")
    if SPLITS.get(split, split) not in _SPLITS:
        raise InputError(f"--column {text!r}: no split '{split}': choose from {', '.join(_SPLITS)}")
    match = _METRIC.fullmatch(named)
    if match is None:
        raise InputError(
            f"--column {text!r}: no metric '{named}': give a word, such as accuracy or my_score, "
            "and a unit behind it in brackets if it has one, as latency[ms]"
        )
    if match[1] == "METRIC":
        raise InputError(f"--column {text!r}: the metric is missing: name it, as in {FORM}")
    metric = canonical_name(match[1])
    epochs, seed, direction = _others(text, others)
    return column, Measured(
        dataset=dataset,
        metric=metric,
        split=SPLITS.get(split, split),
        epochs=epochs,
        seed=seed,
        unit=_checked_unit(text, metric, match[2]),
        direction=settled_direction(metric, direction),
    )


def _checked_unit(text: str, metric: str, unit: str | None) -> str | None:
    """The unit that was said; of a share one that it can have."""
    if unit is not None and unit_of(metric) == PERCENT and unit not in (PERCENT, FRACTION):
        raise InputError(
            f"--column {text!r}: {metric} is a share: its unit is [{PERCENT}] or [{FRACTION}]"
        )
    return unit


def _others(text: str, parts: Sequence[str]) -> tuple[int | None, int | None, str | None]:
    """Epochs, seed and direction, each at most once."""
    found: dict[str, str] = {}
    for part in parts:
        kind = "direction" if part in DIRECTIONS else ""
        kind = kind or ("epochs" if re.fullmatch(r"\d+", part, re.ASCII) else "")
        kind = kind or ("seed" if re.fullmatch(r"seed\d+", part, re.ASCII) else "")
        if not kind or kind in found:
            raise InputError(
                f"--column {text!r}: '{part}' is not understood: behind the metric stand its "
                "epochs (200), its seed (seed777) and higher or lower, each once"
            )
        found[kind] = part
    numbers = [
        int(found[kind].removeprefix("seed")) if kind in found else None
        for kind in ("epochs", "seed")
    ]
    for number in numbers:
        if number is not None and number > _MOST:
            raise InputError(f"--column {text!r}: {number} is too large: give at most {_MOST}")
    return numbers[0], numbers[1], found.get("direction")
