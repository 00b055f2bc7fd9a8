"""Queries that people write: their first rows on the page, all of them in a file."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cole_core.errors import InputError
from flows.questions.query_rows import TEXTS, rows_frame, write_parquet, write_text
from warehouse import Warehouse

ROWS = 500
"""That are shown."""
SECONDS = 20.0
"""After which a query is given up: for as long as it runs, nobody else can write."""
FORMS = ("csv", "parquet", "json")

_LONGEST = 300  # characters of a cell


@dataclass(frozen=True)
class Answer:
    """The first rows of a query.

    Attributes:
        columns: Their names.
        numbers: Which columns hold numbers.
        rows: Their cells as texts, None where a cell is null.
        more: Whether there are further rows.
        seconds: How long it took.
    """

    columns: tuple[str, ...]
    numbers: tuple[bool, ...]
    rows: tuple[tuple[str | None, ...], ...]
    more: bool
    seconds: float


def ask(warehouse: Warehouse, statement: str) -> Answer:
    """Runs one query over the views.

    Raises:
        InputError: It is none, or takes too long.
    """
    if not statement.strip():
        raise InputError("there is no query: write one SELECT")
    started = time.monotonic()
    blocks: list[pl.DataFrame] = []
    with warehouse.query(_plain(statement), TEXTS["csv"], SECONDS) as rows:
        empty = rows_frame(rows.schema.empty_table())
        for batch in rows:
            blocks.append(rows_frame(batch))
            if sum(block.height for block in blocks) > ROWS:
                break
    frame = pl.concat([empty, *blocks])
    return Answer(
        columns=tuple(frame.columns),
        numbers=tuple(dtype.is_numeric() for dtype in frame.dtypes),
        rows=tuple(tuple(map(_cell, row)) for row in frame.head(ROWS).iter_rows()),
        more=frame.height > ROWS,
        seconds=time.monotonic() - started,
    )


def write_answer(warehouse: Warehouse, statement: str, form: str, folder: Path) -> Path:
    """Writes all rows of a query into a file.

    Args:
        warehouse: Where it is asked.
        statement: The query.
        form: One of `FORMS`.
        folder: Where the file is made.

    Raises:
        InputError: It is no query, or takes too long.
    """
    if form not in FORMS:
        raise InputError(f"no format {form}: choose {', '.join(FORMS)}")
    path = folder / f"rows-{time.monotonic_ns()}.{form}"
    with warehouse.query(_plain(statement), TEXTS[form], SECONDS) as rows:
        if form == "parquet":
            write_parquet(rows, path)
        else:
            with path.open("w", encoding="utf-8", newline="") as file:
                write_text(rows, form, file)
    return path


def _plain(statement: str) -> str:
    """A query without the semicolon that people are used to."""
    return statement.strip().removesuffix(";")


def _cell(value: Any) -> str | None:
    if value is None:
        return None
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
