"""Frames as the rows of tables."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl

Record = dict[str, Any]


class TableRow(NamedTuple):
    """One row of a table that has a column for each size, threshold, ….

    Attributes:
        key: What the row is of, by name.
        cells: A record for each column; None where there is none.
    """

    key: Record
    cells: list[Record | None]


def records(frame: pl.DataFrame | None) -> list[Record]:
    """The rows of a frame that may be absent."""
    return [] if frame is None else frame.to_dicts()


def spread(
    frame: pl.DataFrame, by: Sequence[str], column: str, values: Sequence[Any]
) -> list[TableRow]:
    """A frame's records, one column's values side by side.

    Args:
        frame: One record for each row and value.
        by: The columns that tell rows apart; rows are in the order of their first records.
        column: The column whose values stand side by side.
        values: Its values, in their order.
    """
    made = []
    for key, group in frame.group_by(by, maintain_order=True):
        by_value = {record[column]: record for record in group.iter_rows(named=True)}
        cells = [by_value.get(value) for value in values]
        made.append(TableRow(dict(zip(by, key, strict=True)), cells))
    return made
