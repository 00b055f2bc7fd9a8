"""The vector tables: whether they can be read, and whether they and the catalog agree."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lance
import polars as pl

from warehouse.catalog import frame
from warehouse.health.finding import Finding, set_aside
from warehouse.queries import query
from warehouse.warehouse import Warehouse
from warehouse.writer import Writer

_ROWS = 65_536


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
    for spec_id in warehouse.vectors.spec_ids():
        if spec_id not in named:
            yield from _unknown(warehouse, spec_id)
    for spec_id, row in named.items():
        yield from _check(warehouse, spec_id, row)


def _check(warehouse: Warehouse, spec_id: str, row: dict[str, Any]) -> Iterator[Finding]:
    name = f"vector table {spec_id} ({row['language_model']}, {row['pooling']}, {row['precision']})"
    folder = Path(warehouse.vectors.uri) / f"{spec_id}.lance"
    try:
        table = _read(spec_id, warehouse)
    except ValueError as error:  # what Lance raises for a table whose own files are damaged
        yield _unreadable(warehouse, name, folder, spec_id, error)
        return
    if table is not None and table.damaged:
        yield _damaged(warehouse, name, spec_id, table)
        return  # what else is wrong is told when that is repaired
    yield from _agree(warehouse, name, spec_id, row, table)


def _read(spec_id: str, warehouse: Warehouse) -> _Table | None:
    """Reads every value of every fragment; None where there is no table.

    Raises:
        ValueError: Not even the list of fragments can be read.
    """
    if not (Path(warehouse.vectors.uri) / f"{spec_id}.lance" / "_versions").is_dir():
        return None
    # Not through the store, whose session remembers files as they were.
    dataset = lance.dataset(f"{warehouse.vectors.uri}/{spec_id}.lance")
    damaged, keys = [], []
    for fragment in dataset.get_fragments():
        try:
            blocks = [
                pl.DataFrame(pl.from_arrow(batch.select(["text_hash", "_rowid"])))
                for batch in fragment.to_batches(batch_size=_ROWS, with_row_id=True)
            ]
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


def _unreadable(
    warehouse: Warehouse, name: str, folder: Path, spec_id: str, error: ValueError
) -> Finding:
    message, *_ = " ".join(str(error).split()).split(", /")  # Lance adds where in its source
    return Finding(
        "damaged table",
        f"the {name} cannot be opened: {message[:120]}",
        "the vectors since its last readable version, or all; they are made again from their texts",
        "'cole doctor --repair' goes back to the last readable version, setting the others aside; "
        "then 'cole embed' as before embeds just what is missing",
        lambda writer: _go_back(warehouse, writer, folder, spec_id),
    )


def _unknown(warehouse: Warehouse, spec_id: str) -> Iterator[Finding]:
    yield Finding(
        "unknown table",
        f"the catalog does not know the vector table {spec_id}",
        "what its specification was; the table is kept",
        f"restore the catalog from a backup, or remove {warehouse.vectors.uri}/{spec_id}.lance",
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
    path = f"{warehouse.vectors.uri}/{spec_id}.lance"
    dataset = lance.dataset(path)
    ids = [id_ for id_, _, _ in table.damaged]
    operation = lance.LanceOperation.Delete(
        updated_fragments=[], deleted_fragment_ids=ids, predicate="false"
    )
    lance.LanceDataset.commit(path, operation, read_version=dataset.version)
    for _, _, files in table.damaged:
        for file in files:
            if (Path(path) / file).exists():
                set_aside(warehouse.home, Path(path) / file)
    writer.recover_embeddings(spec_id)


def _go_back(warehouse: Warehouse, writer: Writer, folder: Path, spec_id: str) -> None:
    """Sets manifests aside from the newest on, until the table opens; all of it if none does."""
    hint = folder / "_versions" / "latest_version_hint.json"
    for manifest in _newest_first(folder):
        try:
            lance.dataset(str(folder))
            break
        except ValueError:
            set_aside(warehouse.home, manifest)
            hint.unlink(missing_ok=True)  # only a shortcut, made anew by the next commit
    else:
        set_aside(warehouse.home, folder)
    writer.recover_embeddings(spec_id)


def _newest_first(folder: Path) -> list[Path]:
    """The manifests; Lance counts names down from 2^64 so that the newest sorts first."""
    manifests = sorted((folder / "_versions").glob("*.manifest"))
    return manifests if manifests and len(manifests[0].stem) == 20 else manifests[::-1]


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
