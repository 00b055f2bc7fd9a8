"""An export back into a warehouse: checked as a whole first, then what is not there yet."""

import contextlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from cole_core.errors import InputError
from cole_core.hashing import hash_bytes, hash_json, hash_text
from cole_core.language_models import EmbeddingSpecification
from cole_core.spaces.corpus.natives import native_of
from warehouse.catalog import Catalog, frame, newest_version
from warehouse.queries import query
from warehouse.tables import KEYS
from warehouse.transfer.manifest import Manifest, check_file, read_manifest
from warehouse.warehouse import Warehouse

_BLOCK = 50_000
_VECTOR_BLOCK = 65_536
_VECTOR_COLUMNS = {"text_hash": pa.string(), "n_tokens": pa.int32(), "truncated": pa.bool_()}


@dataclass(frozen=True)
class Incoming:
    """A checked export.

    Attributes:
        folder: Where it is.
        manifest: What it holds.
        catalog: Its tables, migrated to the version of this program.
        dimensions: The length of a vector of each specification.
    """

    folder: Path
    manifest: Manifest
    catalog: Catalog
    dimensions: dict[str, int]

    def vector_files(self) -> Iterator[tuple[str, Path]]:
        """Specifications and the files of their vectors."""
        for file in self.manifest.files:
            path = PurePosixPath(file.path)
            if path.parts[0] == "vectors":
                yield path.stem, self.folder / path

    def artifacts(self) -> Iterator[str]:
        """The artifacts' paths below `artifacts/`."""
        for file in self.manifest.files:
            path = PurePosixPath(file.path)
            if path.parts[0] == "artifacts":
                yield path.relative_to("artifacts").as_posix()


@contextlib.contextmanager
def open_export(folder: Path) -> Iterator[Incoming]:
    """Reads an export and checks everything in it; it lasts as long as the block.

    Raises:
        InputError: It is no export, of a newer version, damaged, or an id is not the hash of what
            it names.
    """
    manifest = read_manifest(folder)
    if manifest.schema_version > newest_version():
        raise InputError(
            f"{folder} has version {manifest.schema_version}, this program knows "
            f"{newest_version()}: install a newer cole-warehouse"
        )
    for file in manifest.files:
        check_file(folder, file)
    with tempfile.TemporaryDirectory() as scratch:
        catalog = Catalog(Path(scratch) / "staged.duckdb")
        _stage(catalog, folder, manifest)
        with catalog.read() as connection:
            _check_references(folder, connection)
            _check_ids(folder, connection)
            dimensions = dict(
                frame(connection, query("staged_specifications"))
                .select("spec_id", "dimension")
                .iter_rows()
            )
        incoming = Incoming(folder, manifest, catalog, dimensions)
        _check_vectors(incoming)
        _check_artifacts(incoming)
        yield incoming


def import_export(warehouse: Warehouse, incoming: Incoming, run_id: str) -> dict[str, int]:
    """Adds what is not there yet; a second time that is nothing.

    Vectors come first, then artifacts, then all rows in one transaction: what a killed import
    leaves behind is found and adopted by the next run of anything.

    Args:
        warehouse: Where to; made if it is not there.
        incoming: What.
        run_id: The run that imports.

    Returns:
        How many rows of each table were new, and vectors and artifacts.

    Raises:
        InputError: A value differs from the one that is stored under the same key, or its metric
            has another unit or direction there.
    """
    added: dict[str, int] = {}
    with warehouse.writer("cole import", run_id) as writer:
        _check_conflicts(warehouse, incoming)
        added["vectors"] = sum(
            _add_vectors(warehouse, spec_id, path) for spec_id, path in incoming.vector_files()
        )
        added["artifacts"] = sum(
            writer.add_artifact(name, incoming.folder / "artifacts" / name)
            for name in incoming.artifacts()
        )
        with incoming.catalog.read() as staged, warehouse.catalog.write() as connection:
            for table in KEYS:
                connection.register("incoming", staged.table(f"store.{table}").to_arrow_reader())
                row = connection.execute(query(f"import_{table}")).fetchone()
                added[table] = int(row[0]) if row else 0
        for spec_id in incoming.dimensions:
            writer.recover_embeddings(spec_id)
    return added


def _stage(catalog: Catalog, folder: Path, manifest: Manifest) -> None:
    """Loads the tables into a catalog of their version, then migrates that."""
    catalog.make(manifest.schema_version)
    for file in manifest.files:
        path = PurePosixPath(file.path)
        kind = path.parts[0]
        if kind not in ("tables", "vectors", "artifacts") or len(path.parts) < 2:
            raise InputError(f"{folder} has {file.path}, which belongs to no export")
        if kind == "tables":
            if path.stem not in KEYS:
                raise InputError(f"{folder} has {file.path}, and there is no such table")
            _load(catalog, path.stem, folder / file.path)
    with catalog.write():
        pass  # opening to write migrates


def _load(catalog: Catalog, table: str, path: Path) -> None:
    try:
        file = pq.ParquetFile(path)
        with contextlib.closing(duckdb.connect(catalog.path)) as connection:
            columns = connection.table(f"store.{table}").columns
            schema = pa.schema([file.schema_arrow.field(column) for column in columns])
            if len(file.schema_arrow) != len(schema):
                raise InputError(f"{path} has columns that the table does not have")
            batches = (batch.select(columns) for batch in file.iter_batches(_BLOCK))
            reader = pa.RecordBatchReader.from_batches(schema, batches)
            connection.from_arrow(reader).insert_into(f"store.{table}")
    except (duckdb.Error, pa.ArrowException, KeyError) as error:
        message = " ".join(str(error).split())
        raise InputError(f"{path} does not fit the table {table}: {message}") from error


def _check_references(folder: Path, connection: duckdb.DuckDBPyConnection) -> None:
    for row in frame(connection, query("dangling_rows")).iter_rows(named=True):
        if row["rows"]:
            raise InputError(
                f"{folder}: {row['rows']} rows of {row['table']} have a {row['column']} that the "
                "export does not have"
            )


def _check_ids(folder: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Every id is the hash of what it names: nothing can come in under another's name."""

    def check(kind: str, id_: str, expected: str) -> None:
        if id_ != expected:
            raise InputError(f"{folder}: {kind} {id_!r} is not the hash of its content")

    for id_, space, parameters, native in _iterate(connection, "staged_architectures"):
        named = {"space": space, **json.loads(parameters), "native": native}
        check("architecture_id", id_, hash_json(named))
    for id_, code in _iterate(connection, "staged_codes"):
        check("code_hash", id_, hash_text(code))
    for row in _iterate(connection, "staged_members"):
        native, name, class_name, code_hash, arguments, canonical, canonical_id = row
        check("member", native, native_of(name, class_name, code_hash, json.loads(arguments)))
        check("canonical_id", canonical_id, hash_text(canonical))
    for id_, text in _iterate(connection, "staged_texts"):
        check("text_hash", id_, hash_text(text))
    for id_, specification, dimension in _iterate(connection, "staged_specifications"):
        try:
            found = EmbeddingSpecification.from_json(specification)
        except (TypeError, KeyError, ValueError) as error:
            raise InputError(f"{folder}: specification {id_!r} cannot be read: {error}") from error
        check("spec_id", id_, found.spec_id)
        if found.dimensions != dimension:
            raise InputError(f"{folder}: specification {id_!r} has not {dimension} dimensions")
    for id_, configuration, n, draw in _iterate(connection, "staged_trials"):
        check("trial_id", id_, hash_json(json.loads(configuration) | {"n": n, "draw": draw}))


def _iterate(connection: duckdb.DuckDBPyConnection, name: str) -> Iterator[tuple]:
    for batch in connection.sql(query(name)).to_arrow_reader(_BLOCK):
        yield from pl.DataFrame(pl.from_arrow(batch)).iter_rows()


def _check_vectors(incoming: Incoming) -> None:
    """The vectors are of a specification that came along, as long as it says, and finite."""
    for spec_id, path in incoming.vector_files():
        if spec_id not in incoming.dimensions:
            raise InputError(f"{path} has vectors of a specification that the export lacks")
        try:
            file = pq.ParquetFile(path)
        except pa.ArrowException as error:
            raise InputError(f"{path} is not Parquet: {error}") from error
        wanted = pa.list_(pa.float32(), incoming.dimensions[spec_id])
        fields = {field.name: field.type for field in file.schema_arrow}
        if fields != _VECTOR_COLUMNS | {"vector": wanted}:
            raise InputError(f"{path} has not the columns of {wanted.list_size}-vectors")
        for batch in file.iter_batches(_VECTOR_BLOCK):
            if not np.isfinite(batch["vector"].flatten().to_numpy(zero_copy_only=False)).all():
                raise InputError(f"{path} has vectors that are not finite")


def _check_artifacts(incoming: Incoming) -> None:
    """The heads' files are there, inside `artifacts/`, and are what the catalog says."""
    here = set(incoming.artifacts())
    with incoming.catalog.read() as connection:
        heads = list(_iterate(connection, "staged_heads"))
    for head_id, artifact, artifact_hash in heads:
        if artifact not in here:  # so a path that leads elsewhere is refused too
            raise InputError(f"{incoming.folder} lacks the file {artifact!r} of head {head_id}")
        content = (incoming.folder / "artifacts" / artifact).read_bytes()
        if hash_bytes(content) != artifact_hash:
            raise InputError(f"{incoming.folder}: {artifact} is not what head {head_id} says")


def _check_conflicts(warehouse: Warehouse, incoming: Incoming) -> None:
    if not warehouse.has_catalog:
        return
    warehouse.migrate()
    with incoming.catalog.read() as staged, warehouse.catalog.read() as connection:
        evaluations = staged.table("store.evaluations")
        connection.register("incoming", evaluations.to_arrow_reader())
        conflict = connection.execute(query("staged_conflicting_evaluation")).fetchone()
        connection.register("incoming", evaluations.to_arrow_reader())  # read once each
        nature = connection.execute(query("conflicting_natures")).fetchone()
    if conflict is not None:
        architecture_id, dataset, metric, new, old = conflict
        raise InputError(
            f"{dataset} {metric} of architecture {architecture_id} is stored as {old:g} and comes "
            f"as {new:g} from {incoming.folder}: import it into another warehouse"
        )
    if nature is not None:
        dataset, metric, source, new_nature, old_nature = nature
        raise InputError(
            f"{dataset} {metric} of {source} is stored as {old_nature} and comes as {new_nature} "
            f"from {incoming.folder}: import it into another warehouse"
        )


def _add_vectors(warehouse: Warehouse, spec_id: str, path: Path) -> int:
    """Appends the vectors that are not there, the first of each text."""
    stored = set(warehouse.vectors.keys(spec_id)["text_hash"])
    before = len(stored)
    for batch in pq.ParquetFile(path).iter_batches(_VECTOR_BLOCK):
        new = []
        for row, text_hash in enumerate(batch["text_hash"].to_pylist()):
            if text_hash not in stored:
                stored.add(text_hash)
                new.append(row)
        if new:
            rows = pa.Table.from_batches([batch.take(pa.array(new))])
            warehouse.vectors.append(spec_id, rows.cast(_lance_schema(rows.schema)))
    return len(stored) - before


def _lance_schema(schema: pa.Schema) -> pa.Schema:
    """Without what Parquet added: its field ids and its name for a list's items."""
    columns = {name: schema.field(name).type for name in _VECTOR_COLUMNS}
    size = schema.field("vector").type.list_size
    return pa.schema(
        {name: columns.get(name, pa.list_(pa.float32(), size)) for name in schema.names}
    )
