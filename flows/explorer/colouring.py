"""Values as colours: a ramp for numbers, a few colours for names, each with its legend."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.report.charts import COLOURS, RAMP

UNKNOWN, ASIDE = 254, 255
"""Codes of what has no value, and of what a filter leaves out."""

_STEPS = 250  # of the ramp
_ROOM = 0.25
_NAMED = 11  # values with a colour of their own; the rest share one
_OTHER = "#8b93a1"


@dataclass(frozen=True)
class Colouring:
    """The colour of each architecture.

    Attributes:
        codes: (n,) uint8: a place in the palette, `UNKNOWN` or `ASIDE`.
        palette: Colours as #rrggbb.
        ends: Values at the two ends of the ramp; None for names.
        names: Each name with its colour and how many have it; empty for numbers.
    """

    codes: NDArray[np.uint8]
    palette: tuple[str, ...]
    ends: tuple[float, float] | None = None
    names: tuple[tuple[str, str, int], ...] = ()


def colour(values: pl.Series) -> Colouring:
    """Colours of some values: numbers on a ramp, anything else by name.

    The ramp spans nine tenths of them and a little more, so that a few dead cells do not take all
    of it.
    """
    if values.dtype.is_numeric() and values.drop_nulls().n_unique() > 2:
        return _ramp(values)
    return _names(values)


def _ramp(values: pl.Series) -> Colouring:
    numbers = values.cast(pl.Float64).to_numpy()
    known = np.isfinite(numbers)
    low, high = _ends(numbers[known])
    with np.errstate(invalid="ignore"):
        steps = np.clip((numbers - low) / ((high - low) or 1) * (_STEPS - 1), 0, _STEPS - 1)
    codes = np.where(known, steps, UNKNOWN).astype(np.uint8)
    return Colouring(codes, ramp(_STEPS), (low, high))


def _ends(numbers: NDArray[np.float64]) -> tuple[float, float]:
    """The tenths of the lowest and the highest, a quarter of their distance further out."""
    low, high = np.quantile(numbers, [0.1, 0.9])
    room = _ROOM * (high - low)
    ends = max(low - room, numbers.min()), min(high + room, numbers.max())
    return (float(ends[0]), float(ends[1])) if high > low else _all(numbers)


def _all(numbers: NDArray[np.float64]) -> tuple[float, float]:
    return float(numbers.min()), float(numbers.max())


def ramp(steps: int, colours: Sequence[str] = RAMP) -> tuple[str, ...]:
    """So many colours between those of a ramp."""
    corners = np.array([[int(each[i : i + 2], 16) for i in (1, 3, 5)] for each in colours])
    at = np.linspace(0, len(corners) - 1, steps)
    mixed = np.stack([np.interp(at, range(len(corners)), corners[:, c]) for c in range(3)], 1)
    return tuple("#" + "".join(f"{round(c):02x}" for c in each) for each in mixed)


def _names(values: pl.Series) -> Colouring:
    texts = values.cast(pl.String, strict=False) if not values.dtype.is_nested() else values
    if values.dtype.is_nested():
        texts = pl.Series([None if each is None else str(each) for each in values])
    counts = (
        texts.drop_nulls()
        .alias("name")
        .value_counts(sort=True)
        .sort("count", "name", descending=[True, False])
    )
    first = counts["name"].head(_NAMED).to_list()
    place = {name: code for code, name in enumerate(first)}
    codes = (
        texts.replace_strict(place, default=len(first), return_dtype=pl.Int64)
        if first
        else pl.Series([0] * len(texts), dtype=pl.Int64)
    )
    codes = pl.select(
        pl.when(texts.is_null()).then(UNKNOWN).otherwise(codes).cast(pl.UInt8)
    ).to_series()
    shown = [
        (name, COLOURS[code], count)
        for code, (name, count) in enumerate(counts.head(_NAMED).rows())
    ]
    rest = int(counts["count"].slice(_NAMED).sum())
    if rest:
        shown.append((f"{counts.height - _NAMED:,} others", _OTHER, rest))
    palette = (*COLOURS[: len(first)], _OTHER)
    return Colouring(codes.to_numpy(), palette, None, tuple(shown))
