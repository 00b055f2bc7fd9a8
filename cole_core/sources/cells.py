"""The cells of a column as numbers: what is missing, what is a deviation, what is a fraction."""

from dataclasses import dataclass

import polars as pl

from cole_core.errors import InputError
from cole_core.sources.headings import Measured, quoted
from cole_core.sources.metrics import FRACTION, PERCENT, metric_named
from cole_core.sources.numbers import MISSING, NUMBER

_CELL = rf"^({NUMBER})\s*(%?)(?:\s*(±|\+/-|\+-)\s*{NUMBER}\s*%?)?$"


@dataclass(frozen=True)
class Cells:
    """A column's cells as numbers.

    Attributes:
        numbers: Null where a value is missing, or is no number.
        missing: How many are missing.
        deviations: Whether a deviation stands behind each value (`93.1 ± 0.2`).
        percent: Whether each value is written with a percent sign.
        wrong: The first that is neither a number nor missing: its row from 0, and what it is.
    """

    numbers: pl.Series
    missing: int
    deviations: bool = False
    percent: bool = False
    wrong: tuple[int, str] | None = None


def read_cells(column: pl.Series) -> Cells:
    """A column's cells as numbers.

    Args:
        column: Of any type; booleans, dates and the like are no numbers.
    """
    if column.dtype == pl.String:
        return _from_text(column)
    if not (column.dtype.is_numeric() or column.dtype == pl.Null):
        held = column.is_not_null().arg_true()
        wrong = None if held.is_empty() else (int(held[0]), str(column[int(held[0])]))
        numbers = pl.repeat(None, len(column), dtype=pl.Float64, eager=True)
        return Cells(numbers, column.null_count(), wrong=wrong)
    numbers = column.cast(pl.Float64).fill_nan(None)
    endless = numbers.is_infinite().arg_true()
    wrong = None if endless.is_empty() else (int(endless[0]), str(numbers[int(endless[0])]))
    return Cells(numbers, numbers.null_count(), wrong=wrong)


def _from_text(column: pl.Series) -> Cells:
    text = column.str.strip_chars()
    missing = text.is_null() | text.str.to_lowercase().is_in(MISSING)
    numbers = text.str.extract(_CELL, 1).cast(pl.Float64)
    odd = (~missing & ~numbers.is_finite().fill_null(False)).arg_true()
    there = ~missing & numbers.is_not_null()
    signs = (text.str.extract(_CELL, 2) == PERCENT).filter(there)
    if odd.is_empty() and signs.any() and not signs.all():
        odd = there.arg_true().filter(~signs)  # 93.1 beside 70.2 %
    return Cells(
        numbers=numbers.set(missing, None),
        missing=int(missing.sum()),
        deviations=bool(text.str.extract(_CELL, 3).filter(there).is_not_null().any()),
        percent=bool(len(signs)) and bool(signs.all()),
        wrong=None if odd.is_empty() else (int(odd[0]), str(column[int(odd[0])])),
    )


def are_fractions(numbers: pl.Series, measured: Measured, column: str, source: str) -> bool:
    """Whether values are fractions of 1, which are stored as percentages; decided once per column.

    Args:
        numbers: The values, null where they are missing.
        measured: What they are; where it has a unit, that decides.
        column: Their heading, for messages.
        source: The file, for messages.

    Raises:
        InputError: Fractions stand beside percentages, all values are 0 or 1, or all are errors up
            to 1: half a per cent of an easy dataset, or half of all.
    """
    metric = metric_named(measured.metric)
    if metric is None or not metric.is_percentage:
        return False
    if measured.unit is not None:
        return measured.unit == FRACTION
    inside = ((numbers > 0) & (numbers < 1)).fill_null(False).arg_true()
    above = (numbers > 1).fill_null(False).arg_true()
    where = f"{source}: column '{column}'"
    said = f"{column}={measured.dataset}:{measured.split}:{measured.metric}"
    say = f"say --column {quoted(f'{said}[{PERCENT}]')} or {quoted(f'{said}[{FRACTION}]')}"
    if len(inside) and len(above):
        one, other = int(inside[0]), int(above[0])
        raise InputError(
            f"{where} mixes fractions and percentages: row {one + 1} is {numbers[one]:g}, row "
            f"{other + 1} is {numbers[other]:g}: correct them, or {say}"
        )
    if metric.direction == "lower" and len(inside):
        raise InputError(f"{where} holds errors up to 1 alone, percentages or fractions: {say}")
    if not len(above) and not len(inside) and (numbers == 1).any():
        raise InputError(f"{where} holds 0 and 1 alone, percentages or fractions: {say}")
    return bool(len(inside))


def check_range(numbers: pl.Series, measured: Measured, fractions: bool, where: str) -> None:
    """Checks that there can be such values.

    Args:
        numbers: The values, null where they are missing.
        measured: What they are.
        fractions: Whether they are fractions of 1.
        where: The file and the column, for messages.

    Raises:
        InputError: There cannot; names the first.
    """
    metric = metric_named(measured.metric)
    if metric is None or metric.least is None:
        return
    most = 1 if fractions else metric.most
    wrong = numbers < metric.least if most is None else ~numbers.is_between(metric.least, most)
    rows = wrong.fill_null(False).arg_true()
    if len(rows):
        row = int(rows[0])
        limits = "a fraction from 0 to 1" if fractions else metric.limits
        raise InputError(
            f"{where}: row {row + 1} is {numbers[row]}, and {measured.metric} is {limits}: correct "
            "the value, or leave it empty where it is missing"
        )
