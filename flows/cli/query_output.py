"""The rows of a query as a table, CSV, JSON or Parquet: on standard output or in a file."""

import contextlib
import json
import math
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, cast

import polars as pl
import pyarrow as pa

from cole_core.errors import InputError
from flows.cli.printing import Printer
from warehouse import Warehouse
from warehouse.results import Texts

FORMATS = ("table", "csv", "json", "parquet")

_TEXTS = {
    "table": Texts.DATES,
    "csv": Texts.DATES | Texts.NESTED,
    "json": Texts.DATES,
    "parquet": Texts.NONE,
}


def choose_format(asked: str | None, output: Path | None, as_json: bool) -> str:
    """The format that was named, or that the file's name tells; a table without either.

    Raises:
        InputError: It is unknown, or does not go where it should.
    """
    if as_json and asked not in (None, "json"):
        raise InputError(f"--format {asked} and --json: give one of the two")
    suffix = "" if output is None else output.suffix.lower().removeprefix(".")
    form = "json" if as_json else asked or (suffix if output else "table")
    if form not in FORMATS:
        named = f"--format {asked}" if asked else f"--output {output}"
        raise InputError(f"{named}: choose --format csv, json or parquet, or table without a file")
    if form == "parquet" and output is None:
        raise InputError("--format parquet is for a file: give --output FILE")
    if form == "table" and output is not None:
        raise InputError(f"--format table is for a terminal: choose csv or parquet for {output}")
    return form


def check_output(output: Path | None, home: Path) -> None:
    """Checks that a file can be written there and is none of the warehouse's own.

    Raises:
        InputError: It cannot, or is.
    """
    if output is None:
        return
    if output.is_dir() or not output.parent.is_dir():
        raise InputError(f"--output {output}: name a file in a directory that is there")
    if output.resolve().is_relative_to(home.resolve()):
        raise InputError(f"--output {output} is inside the warehouse: name a place outside {home}")


def print_query(
    warehouse: Warehouse, statement: str, form: str, output: Path | None
) -> dict[str, Any] | None:
    """Runs a query and writes its rows.

    Args:
        warehouse: Where to ask.
        statement: The query.
        form: One of `FORMATS`.
        output: The file; None writes on standard output.

    Returns:
        What was written, where that is a file.

    Raises:
        InputError: The query is not accepted.
    """
    with warehouse.query(statement, _TEXTS[form]) as rows:
        if output is None:
            if form == "table":
                Printer(as_json=False).frame(_frame(rows.read_all()))
            else:
                _write(rows, form, sys.stdout)
            return None
        with _whole_file(output) as part:
            if form == "parquet":
                count = _write_parquet(rows, part)
            else:
                with part.open("w", encoding="utf-8", newline="") as file:
                    count = _write(rows, form, file)
    return {"rows": count, "output": str(output), "format": form}


def _frame(rows: pa.Table | pa.RecordBatch) -> pl.DataFrame:
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
    return cast(pl.DataFrame, pl.from_arrow(table))


def _write(rows: pa.RecordBatchReader, form: str, file: IO[str]) -> int:
    """Writes CSV, or one JSON object, block by block; returns the number of rows."""
    count = 0
    if form == "csv":
        file.write(_frame(rows.schema.empty_table()).write_csv())
    else:
        file.write(f'{{"columns": {json.dumps(rows.schema.names)}, "rows": [')
    for batch in rows:
        frame = _frame(batch)
        if form == "csv":
            file.write(frame.write_csv(include_header=False))
        else:
            for row in frame.iter_rows(named=True):
                file.write((", " if count else "") + _json(row))
                count += 1
            continue
        count += frame.height
    if form == "json":
        file.write("]}\n")
    return count


def _json(row: dict[str, Any]) -> str:
    try:
        return json.dumps(row, default=_plain, allow_nan=False)
    except ValueError:  # JSON has no number that is not finite
        return json.dumps(_finite(row), default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_parquet(rows: pa.RecordBatchReader, path: Path) -> int:
    import pyarrow.parquet as pq

    count = 0
    with pq.ParquetWriter(path, rows.schema, compression="zstd") as writer:
        for batch in rows:
            writer.write_batch(batch)
            count += len(batch)
    return count


@contextlib.contextmanager
def _whole_file(output: Path) -> Iterator[Path]:
    """A path to write to, which becomes the file only if everything was written."""
    part = output.with_name(output.name + ".part")
    try:
        yield part
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
