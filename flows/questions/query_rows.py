"""The rows of a query as CSV, JSON or Parquet, block by block."""

import json
import math
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, cast

import polars as pl
import pyarrow as pa

from warehouse.results import Texts

TEXTS = {
    "table": Texts.DATES,
    "csv": Texts.DATES | Texts.NESTED,
    "json": Texts.DATES,
    "parquet": Texts.NONE,
}
"""Which types come as text, by the form that rows are written in."""


def rows_frame(rows: pa.Table | pa.RecordBatch) -> pl.DataFrame:
    """Rows as a frame."""
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
    return cast(pl.DataFrame, pl.from_arrow(table))


def write_text(rows: pa.RecordBatchReader, form: str, file: IO[str]) -> int:
    """Writes CSV, or one JSON object, block by block; returns the number of rows."""
    count = 0
    if form == "csv":
        file.write(rows_frame(rows.schema.empty_table()).write_csv())
    else:
        file.write(f'{{"columns": {json.dumps(rows.schema.names)}, "rows": [')
    for batch in rows:
        frame = rows_frame(batch)
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


def write_parquet(rows: pa.RecordBatchReader, path: Path) -> int:
    """Writes a Parquet file, block by block; returns the number of rows."""
    import pyarrow.parquet as pq

    count = 0
    with pq.ParquetWriter(path, rows.schema, compression="zstd") as writer:
        for batch in rows:
            writer.write_batch(batch)
            count += len(batch)
    return count
