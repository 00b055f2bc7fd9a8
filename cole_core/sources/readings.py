"""What each column of a table was taken for, in words; and the refusal of what is not clear."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cole_core.errors import InputError
from cole_core.sources.headings import Heading, Measured, quoted

_NAMED = 5  # more columns that a refusal names


class UnclearColumnsError(InputError):
    """Columns whose headings do not say what they are."""


@dataclass(frozen=True)
class Reading:
    """What a column was taken for: values, nothing, or something that is not understood.

    Attributes:
        column: Its heading.
        measured: What its values are.
        nothing: What it is instead, or why it is left out.
        unclear: What its heading says, where that is not enough.
        missing: Cells without a value.
        notes: How the values were written, where they are not stored as they stand.
    """

    column: str
    measured: Measured | None = None
    nothing: str | None = None
    unclear: Heading | None = None
    missing: int = 0
    notes: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """All of it in one line."""
        if self.measured is None:
            words = self.nothing if self.unclear is None else self.unclear.line
            return f"{self.column} → {words}"
        missing = [f"{self.missing:,} missing"] if self.missing else []
        return "; ".join([f"{self.column} → {self.measured.line}", *self.notes, *missing])


@dataclass(frozen=True)
class Taken:
    """What is in a source.

    Attributes:
        rows: Its measured values, as `cole_core.sources.base.checked` gives them; none where no
            column was understood.
        readings: What each column was taken for.
        said: How the file was read, where it is not plain: "columns are separated by ';'".
        listed: The space's official list, in its order, where the source brings it.
    """

    rows: pl.DataFrame
    readings: tuple[Reading, ...]
    said: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """All of it, a line each."""
        return [*self.said, *(reading.line for reading in self.readings)]


def refuse_unclear(readings: Sequence[Reading], source: str) -> None:
    """Checks that every column was understood.

    Raises:
        UnclearColumnsError: Some were not; shows the options that say what they are.
    """
    unclear = [(each.column, each.unclear) for each in readings if each.unclear is not None]
    if not unclear:
        return
    (column, heading), *others = unclear
    say = f"--column {quoted(f'{column}={heading.said}')}"
    if heading.dataset is None and heading.metric is not None and not heading.unclear:
        say += ", or with --dataset DATASET"
    more = ""
    if others:
        named = ", ".join(f"'{name}'" for name, _ in others[:_NAMED])
        more = f"; not understood either: {named}" + (", …" if len(others) > _NAMED else "")
        more += " (--dry-run lists all)"
    raise UnclearColumnsError(
        f"{source}: {column} → {heading.line} with {say}, or leave it out with --skip "
        f"{quoted(column)}{more}"
    )
