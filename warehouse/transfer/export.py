"""A warehouse, or the part of it that a query names, as Parquet files."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cole_core.errors import InputError
from warehouse.catalog import newest_version
from warehouse.queries import query
from warehouse.tables import KEYS
from warehouse.transfer.manifest import Manifest, describe_file
from warehouse.warehouse import Warehouse

_ROWS = 50_000  # in memory at once
_VECTOR_ROWS = 8_192


def export_warehouse(warehouse: Warehouse, folder: Path, statement: str | None = None) -> Manifest:
    """Writes one Parquet file per table, the vectors and the artifacts, and a manifest.

    It holds the writer lock, so that what it writes fits together.

    Args:
        warehouse: What is exported.
        folder: Made, or empty. It is renamed into place when everything is there.
        statement: A query with a column `architecture_id`: export what is known of those
            architectures (texts, vectors, evaluations) and nothing else.

    Raises:
        InputError: The folder has content, or the query is none or has no such column.
    """
    check_target(folder)
    wanted = None if statement is None else _wanted(warehouse, statement)
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)  # of an export that was killed
    with warehouse.writer("cole export", run_id="export"):
        part.mkdir(parents=True)
        paths = [*_tables(warehouse, part, wanted), *_vectors(warehouse, part, wanted is not None)]
        if wanted is None:
            paths += _artifacts(warehouse, part)
        manifest = Manifest(
            newest_version(), statement, tuple(describe_file(part, path) for path in paths)
        )
        manifest.write(part)
        with contextlib.suppress(FileNotFoundError):
            folder.rmdir()
        part.replace(folder)
    return manifest


def export_rows(warehouse: Warehouse, path: Path, statement: str) -> int:
    """Writes the rows of a query into one Parquet file.

    Returns:
        How many there are.

    Raises:
        InputError: The file is there, or the query is none.
    """
    if path.exists() or not path.parent.is_dir():
        problem = "is there already" if path.exists() else "has no folder to be in"
        raise InputError(f"{path} {problem}: name a new file in a folder that is there")
    rows = warehouse.sql(statement)
    part = path.with_name(path.name + ".part")
    rows.write_parquet(part)
    part.replace(path)
    return rows.height


def check_target(folder: Path) -> None:
    """Checks that nothing would be overwritten.

    Raises:
        InputError: There is a file, or a folder with content.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already: name a new folder")


def _wanted(warehouse: Warehouse, statement: str) -> pl.DataFrame:
    rows = warehouse.sql(statement)
    if "architecture_id" not in rows.columns:
        raise InputError(
            f"the query has the columns {', '.join(rows.columns)}: select architecture_id, whose "
            "texts, vectors and evaluations are exported; for its rows alone name a file, as "
            "out.parquet"
        )
    return rows.select(pl.col("architecture_id").unique())


def _tables(warehouse: Warehouse, part: Path, wanted: pl.DataFrame | None) -> Iterator[str]:
    (part / "tables").mkdir()
    warehouse.migrate()
    with warehouse.catalog.read() as connection:
        if wanted is not None:
            connection.register("wanted", wanted.to_arrow())
        for table in KEYS:
            rows = _rows(connection, table, wanted is not None)
            if rows is not None:
                path = f"tables/{table}.parquet"
                _write(part / path, rows.to_arrow_reader(_ROWS))
                yield path


def _rows(
    connection: duckdb.DuckDBPyConnection, table: str, partly: bool
) -> duckdb.DuckDBPyRelation | None:
    """The rows of a table that are exported; None for a table that a part has nothing of."""
    if not partly:
        return connection.table(f"store.{table}")
    try:
        statement = query(f"part_{table}")
    except KeyError:
        return None
    return connection.sql(statement)


def _vectors(warehouse: Warehouse, part: Path, partly: bool) -> Iterator[str]:
    (part / "vectors").mkdir()
    promised = pq.read_table(part / "tables/embeddings.parquet", columns=["spec_id", "text_hash"])
    for spec_id in warehouse.vectors.spec_ids():
        dataset = warehouse.vectors.dataset(spec_id)
        if dataset is None:
            continue
        batches = dataset.scanner(batch_size=_VECTOR_ROWS).to_reader()
        if partly:
            of_spec = pc.equal(promised["spec_id"], spec_id)
            hashes = promised.filter(of_spec)["text_hash"].combine_chunks()
            if not len(hashes):
                continue
            batches = pa.RecordBatchReader.from_batches(batches.schema, _filtered(batches, hashes))
        path = f"vectors/{spec_id}.parquet"
        _write(part / path, batches)
        yield path


def _filtered(batches: pa.RecordBatchReader, hashes: pa.Array) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch.filter(pc.is_in(batch["text_hash"], value_set=hashes))


def _artifacts(warehouse: Warehouse, part: Path) -> Iterator[str]:
    for source in sorted(warehouse.artifacts.rglob("*")):
        if source.is_file() and source.suffix != ".part":
            path = f"artifacts/{source.relative_to(warehouse.artifacts).as_posix()}"
            (part / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, part / path)
            yield path


def _write(path: Path, batches: pa.RecordBatchReader) -> None:
    with pq.ParquetWriter(path, batches.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
