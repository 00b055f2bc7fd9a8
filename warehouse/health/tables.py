"""The vector tables: whether they can be read, and whether they and the catalog agree."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import lance
import polars as pl

from cole_core.errors import InputError
from warehouse.catalog import frame
from warehouse.health.finding import Finding
from warehouse.health.table_files import (
    check_left_files,
    manifests_of,
    open_table,
    put_aside,
    put_table_aside,
)
from warehouse.object_storage import storage_options
from warehouse.queries import query
from warehouse.store_faults import told
from warehouse.warehouse import Warehouse
from warehouse.writer import Writer

_ROWS = 65_536
_HINT = "_versions/latest_version_hint.json"


@dataclass(frozen=True)
class _Table:
    """A vector table as far as it can be read.

    Attributes:
        keys: text_hash and _rowid of every readable row.
        damaged: Fragments that cannot be read: id, rows, files.
    """

    keys: pl.DataFrame
    damaged: list[tuple[int, int, list[str]]]


def check_tables(warehouse: Warehouse) -> Iterator[Finding]:
    """Every table of the catalog and every table on disk."""
    with warehouse.catalog.read() as connection:
        named = {
            row["spec_id"]: row
            for row in frame(connection, query("specifications")).iter_rows(named=True)
        }
    tables = warehouse.vectors.spec_ids()
    for spec_id in tables:
        if spec_id in named:
            continue
        if manifests_of(warehouse.vectors, spec_id):
            yield from _unknown(warehouse, spec_id)
        else:
            yield from check_left_files(warehouse, spec_id)
    for spec_id, row in named.items():
        yield from _check(warehouse, spec_id, row)


def _check(warehouse: Warehouse, spec_id: str, row: dict[str, Any]) -> Iterator[Finding]:
    name = f"vector table {spec_id} ({row['language_model']}, {row['pooling']}, {row['precision']})"
    try:
        table = _read(spec_id, warehouse)
    except InputError:  # the object store's, which says nothing of the table
        raise
    except ValueError as error:  # what Lance raises for a table whose own files are damaged
        yield _unreadable(warehouse, name, spec_id, error)
        return
    if table is not None and table.damaged:
        yield _damaged(warehouse, name, spec_id, table)
        return  # what else is wrong is told when that is repaired
    yield from _agree(warehouse, name, spec_id, row, table)
    yield from check_left_files(warehouse, spec_id)


def _read(spec_id: str, warehouse: Warehouse) -> _Table | None:
    """Reads every value of every fragment; None where there is no table.

    Raises:
        ValueError: Not even the list of fragments can be read.
    """
    if not manifests_of(warehouse.vectors, spec_id):
        return None
    dataset = open_table(warehouse.vectors, spec_id)
    damaged, keys = [], []
    for fragment in dataset.get_fragments():
        try:
            with told(warehouse.vectors.uri):
                blocks = [
                    pl.DataFrame(pl.from_arrow(batch.select(["text_hash", "_rowid"])))
                    for batch in fragment.to_batches(batch_size=_ROWS, with_row_id=True)
                ]
        except InputError:
            raise
        except (ValueError, OSError):  # truncated, or gone
            files = [f"data/{file.path}" for file in fragment.data_files()]
            damaged.append((fragment.fragment_id, fragment.physical_rows, files))
        else:
            keys += blocks
    empty = pl.DataFrame(schema={"text_hash": pl.String, "_rowid": pl.UInt64})
    return _Table(pl.concat([empty, *keys]), damaged)


def _agree(
    warehouse: Warehouse, name: str, spec_id: str, row: dict[str, Any], table: _Table | None
) -> Iterator[Finding]:
    """What of a readable table and the catalog differs."""
    with warehouse.catalog.read() as connection:
        promised = frame(connection, query("promised_embeddings"), {"spec_id": spec_id})
        texts = frame(connection, query("text_hashes"))
        command = _embed_command(connection, spec_id, row)
    keys = pl.DataFrame(schema={"text_hash": pl.String}) if table is None else table.keys
    missing = promised.join(keys, on="text_hash", how="anti").height
    if missing:
        what = f"{missing:,} of {promised.height:,} promised vectors of the {name} are not there"
        if table is None:
            what = f"the {name} is gone, the catalog promises {missing:,} vectors of it"
        yield Finding(
            "deleted table" if table is None else "missing vectors",
            what,
            f"{missing:,} vectors, which are made again from their texts",
            f"'cole doctor --repair' withdraws the promises, then '{command}' embeds just these",
            lambda writer: _recover(writer, spec_id),
        )
    unpromised = keys.join(promised, on="text_hash", how="anti").unique("text_hash")
    if not unpromised.is_empty():
        yield Finding(
            "unpromised vectors",
            f"{unpromised.height:,} vectors of the {name} are not in the catalog: a run was killed "
            "between vectors and catalog",
            "nothing",
            "'cole doctor --repair' adopts them, as the next 'cole embed' would",
            lambda writer: _recover(writer, spec_id),
        )
    unknown = keys.join(texts, on="text_hash", how="anti").unique("text_hash").height
    if unknown:
        yield Finding(
            "vectors without text",
            f"{unknown:,} vectors of the {name} are of texts that the catalog does not have",
            "the texts; the vectors are kept",
            "render the space again, or import the texts from a backup's export",
            harmless=True,
        )
    extra = keys.height - keys["text_hash"].n_unique()
    if extra and table is not None:
        yield Finding(
            "duplicate vectors",
            f"{extra:,} vectors of the {name} are there twice",
            "nothing",
            "'cole doctor --repair' keeps the first of each text",
            lambda writer: _deduplicate(warehouse, spec_id, table.keys),
        )


def _damaged(warehouse: Warehouse, name: str, spec_id: str, table: _Table) -> Finding:
    rows = sum(rows for _, rows, _ in table.damaged)
    files = [file for _, _, files in table.damaged for file in files]
    with warehouse.catalog.read() as connection:
        row = frame(connection, query("specifications")).row(
            by_predicate=pl.col("spec_id") == spec_id, named=True
        )
        command = _embed_command(connection, spec_id, row)
    return Finding(
        "damaged table",
        f"{len(files)} files of the {name} cannot be read, as {files[0]}",
        f"{rows:,} of {rows + table.keys.height:,} vectors, which are made again from their texts",
        "'cole doctor --repair' sets the files aside and withdraws their promises, then "
        f"'{command}' embeds just these",
        lambda writer: _drop(warehouse, writer, spec_id, table),
    )


def _unreadable(warehouse: Warehouse, name: str, spec_id: str, error: ValueError) -> Finding:
    message, *_ = " ".join(str(error).split()).split(", /")  # Lance adds where in its source
    return Finding(
        "damaged table",
        f"the {name} cannot be opened: {message[:120]}",
        "the vectors since its last readable version, or all; they are made again from their texts",
        "'cole doctor --repair' goes back to the last readable version, setting the others aside; "
        "then 'cole embed' as before embeds just what is missing",
        lambda writer: _go_back(warehouse, writer, spec_id),
    )


def _unknown(warehouse: Warehouse, spec_id: str) -> Iterator[Finding]:
    yield Finding(
        "unknown table",
        f"the catalog does not know the vector table {spec_id}",
        "what its specification was; the table is kept",
        f"restore the catalog from a backup, or remove {warehouse.vectors.path(spec_id)}",
        harmless=True,
    )


def _recover(writer: Writer, spec_id: str) -> None:
    writer.recover_embeddings(spec_id)


def _deduplicate(warehouse: Warehouse, spec_id: str, keys: pl.DataFrame) -> None:
    extra = keys.filter(~pl.col("text_hash").is_first_distinct())["_rowid"]
    dataset = warehouse.vectors.dataset(spec_id)
    assert dataset is not None
    dataset.delete(f"_rowid IN ({', '.join(map(str, extra))})")


def _drop(warehouse: Warehouse, writer: Writer, spec_id: str, table: _Table) -> None:
    """A version without the damaged fragments, their files set aside, their promises withdrawn."""
    dataset = open_table(warehouse.vectors, spec_id)
    ids = [id_ for id_, _, _ in table.damaged]
    operation = lance.LanceOperation.Delete(
        updated_fragments=[], deleted_fragment_ids=ids, predicate="false"
    )
    lance.LanceDataset.commit(
        warehouse.vectors.path(spec_id),
        operation,
        read_version=dataset.version,
        storage_options=storage_options(warehouse.vectors.uri),
    )
    put_aside(warehouse, spec_id, [file for _, _, files in table.damaged for file in files])
    writer.recover_embeddings(spec_id)


def _go_back(warehouse: Warehouse, writer: Writer, spec_id: str) -> None:
    """Sets manifests aside from the newest on, until the table opens; all of it if none does."""
    for manifest in manifests_of(warehouse.vectors, spec_id):
        try:
            open_table(warehouse.vectors, spec_id)
            break
        except InputError:
            raise
        except ValueError:
            # The hint is only a shortcut, made anew by the next commit.
            put_aside(warehouse, spec_id, [manifest, _HINT])
    else:
        put_table_aside(warehouse, spec_id)
    writer.recover_embeddings(spec_id)


def _embed_command(connection: Any, spec_id: str, row: dict[str, Any]) -> str:
    """A command that embeds under the specification, for the first rendering that has texts of
    it."""
    found = frame(connection, query("renderings_of_specification"), {"spec_id": spec_id})
    space, encoding, context = ("SPACE", "ENCODING", "none") if found.is_empty() else found.row(0)
    return (
        f"cole embed {space} --encoding {encoding}"
        + (f" --context {context}" if context != "none" else "")
        + f" --lm {row['language_model']} --pooling {row['pooling']} --precision {row['precision']}"
    )
