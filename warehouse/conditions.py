"""Conditions that people write in SQL over columns of architectures: what fits them."""

import re
from collections.abc import Sequence

import duckdb
import polars as pl

from cole_core.errors import InputError
from warehouse.guard import check_query
from warehouse.queries import query
from warehouse.warehouse import Warehouse


def mentioned(where: str) -> set[str]:
    """The words of a condition, in lower case: columns that are none of them need not be there."""
    return {word.lower() for word in re.findall(r"\w+", where)}


def fitting(
    warehouse: Warehouse,
    known: pl.DataFrame,
    where: str,
    columns: Sequence[str],
    example: str,
    statement: str = "known",
) -> pl.DataFrame:
    """The rows that fit a condition; one that lacks a value which it speaks of does not fit.

    Args:
        warehouse: Whose views the condition may read as well.
        known: The rows, with the columns that the condition mentions and `position`.
        where: The condition.
        columns: What it may speak of, for the message.
        example: A right one, for the message.
        statement: The named statement that selects from `known`.

    Returns:
        The columns of `known`, in the order of `position`.

    Raises:
        InputError: It is no condition, reads what a query may not, or a column is unknown.
    """
    with warehouse.asking() as connection:
        connection.register("known", known.to_arrow())
        try:
            check_query(connection, f"SELECT * FROM known WHERE ({where}\n)")
            rows = connection.sql(query(statement))
            fits = rows.filter(where)
            [kind] = rows.project(f"({where}\n) AS fits").types
            if str(kind) not in ("BOOLEAN", '"NULL"'):
                raise InputError(f"it is {kind}, neither true nor false")
            kept = fits.project(", ".join(f'"{name}"' for name in known.columns))
            return pl.DataFrame(pl.from_arrow(kept.to_arrow_table())).sort("position")
        except (duckdb.Error, InputError) as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f'--where "{where}" is no condition: {reason}; write one such as "{example}" on '
                f"{', '.join(columns)}"
            ) from error
