"""A prototype: the warehouse with its catalog on PostgreSQL, as a DuckLake or as plain tables.

Everything above the catalog is the warehouse's own: its reader, its writer, its statements. What
differs stands here: how the catalog is opened, that a commit which lost against another one is
done again, and that nobody holds the writer lock. A DuckLake has no keys, so `INSERT OR IGNORE`
becomes an anti-join; plain tables keep theirs, and their views are made on each connection.
"""

import contextlib
import functools
import importlib.util
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import duckdb
import polars as pl

from cole_core.errors import InputError
from warehouse import Warehouse
from warehouse.catalog import Catalog, _migrations, _views
from warehouse.queries import query
from warehouse.tables import KEYS
from warehouse.writer import Writer

EXTENSIONS = ("ducklake", "postgres_scanner")
_KEY_OF_A_COLUMN = re.compile(r"\s+PRIMARY KEY(?! \()")
_KEY_OF_A_TABLE = re.compile(r",\s*PRIMARY KEY \([^)]*\)")
_OR_IGNORE = re.compile(
    r"INSERT OR IGNORE INTO store\.(\w+) BY NAME\s+SELECT \* FROM incoming", re.ASCII
)
_LOST = ("conflict", "duplicate key", "could not serialize", "maximum retry count")
_TRIES = 50


class Layout(StrEnum):
    """Where the catalog is."""

    DUCKLAKE = "ducklake"  # rows of small commits in PostgreSQL, of larger ones in Parquet files
    DUCKLAKE_FILES = "ducklake-files"  # all rows in Parquet files
    DUCKLAKE_LOCKED = "ducklake-locked"  # as the first, one commit at a time
    POSTGRES = "postgres"  # tables of PostgreSQL, with their keys


@dataclass(frozen=True)
class Place:
    """One shared catalog.

    Attributes:
        layout: What it is.
        database: What libpq connects with.
        files: The folder of a DuckLake's Parquet files.
    """

    layout: Layout
    database: str
    files: Path


class SharedCatalog(Catalog):
    """Connections to a shared catalog: they shut nobody out, so a process keeps two.

    Args:
        place: Where it is.
    """

    def __init__(self, place: Place) -> None:
        super().__init__(place.files)
        self._place = place

    @functools.cached_property
    def _reader(self) -> duckdb.DuckDBPyConnection:
        connection = _attached(self._place, read_only=True)
        # A DuckLake reads its own files; nothing else is opened for what people write.
        connection.execute(f"SET allowed_directories = ['{self._place.files}/']")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET python_enable_replacements = false")
        return connection

    @functools.cached_property
    def _writer(self) -> duckdb.DuckDBPyConnection:
        return _attached(self._place, read_only=False)

    @functools.cached_property
    def _lock(self) -> duckdb.DuckDBPyConnection:
        connection = _loaded()
        connection.execute(f"ATTACH '{self._place.database}' AS lock (TYPE postgres)")
        return connection

    @contextlib.contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The reading connection."""
        yield self._reader

    attached = read

    @contextlib.contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction, committed at the end and rolled back on an error.

        Raises:
            duckdb.Error: Another commit was in the way, among others.
        """
        with self._alone(), self._transaction(self._writer) as connection:
            yield connection

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """PostgreSQL drops the lock with the connection of whoever holds it."""
        if self._place.layout is not Layout.DUCKLAKE_LOCKED:
            yield
            return
        with self._transaction(self._lock) as connection:
            connection.execute(
                "FROM postgres_query('lock', 'SELECT pg_advisory_xact_lock(1)::text AS held')"
            ).fetchall()
            yield

    @contextlib.contextmanager
    def _transaction(
        self, connection: duckdb.DuckDBPyConnection
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        connection.execute("BEGIN")
        with contextlib.ExitStack() as stack:
            stack.callback(_roll_back, connection)
            yield connection
            stack.pop_all()
        connection.execute("COMMIT")


class SharedWriter(Writer):
    """Writes beside other writers: a commit that lost against another one is done again.

    Attributes:
        conflicts: How often that was.
    """

    conflicts = 0

    def _insert(self, statements: list[str], rows: pl.DataFrame) -> int:
        for _ in range(_TRIES):
            try:
                return self._insert_once(statements, rows)
            except duckdb.Error as error:
                if not any(word in str(error).lower() for word in _LOST):
                    raise
                self.conflicts += 1
        raise RuntimeError(f"another commit was in the way {_TRIES} times: {statements}")

    def _insert_once(self, statements: Sequence[str], rows: pl.DataFrame) -> int:
        inserted = 0
        incoming = rows.with_columns(run_id=pl.lit(self._run_id)).to_arrow()
        with self._catalog.write() as connection:
            connection.register("incoming", incoming)
            for statement in statements:
                row = connection.execute(_without_keys(statement)).fetchone()
                inserted = int(row[0]) if row else 0
        return inserted


class SharedWarehouse(Warehouse):
    """A warehouse whose catalog is shared. Its vectors are where they always are.

    Args:
        home: The directory of vectors and artifacts.
        place: The catalog.
    """

    def __init__(self, home: Path, place: Place) -> None:
        super().__init__(home)
        self.catalog: Catalog = SharedCatalog(place)

    @contextlib.contextmanager
    def writer(self, purpose: str, run_id: str) -> Iterator[SharedWriter]:
        """Writes, without a lock that lasts."""
        yield SharedWriter(self.catalog, self.vectors, self.artifacts, run_id)


def make(place: Place) -> None:
    """Makes an empty catalog from the warehouse's migrations."""
    place.files.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(_attached(place, read_only=False, views=False)) as connection:
        if place.layout is Layout.POSTGRES:
            _make_tables(connection)
            return
        for script in _migrations():
            connection.execute(_KEY_OF_A_TABLE.sub("", _KEY_OF_A_COLUMN.sub("", script)))
        connection.execute(_views())


def tidy(place: Place) -> None:
    """What a DuckLake asks to be done from time to time: rows out of PostgreSQL into files, small
    files into larger ones, and what only old snapshots name removed."""
    with contextlib.closing(_attached(place, read_only=False)) as connection:
        for call in (
            "ducklake_flush_inlined_data('catalog')",
            "ducklake_merge_adjacent_files('catalog')",
            "ducklake_expire_snapshots('catalog', older_than => now())",
            "ducklake_cleanup_old_files('catalog', cleanup_all => true)",
        ):
            connection.execute(f"CALL {call}")


def refusals(place: Place) -> dict[str, list[str]]:
    """Which statements of the migrations, as they are, a new catalog refuses, by its words."""
    place.files.mkdir(parents=True, exist_ok=True)
    refused: dict[str, list[str]] = {}
    with contextlib.closing(_attached(place, read_only=False, views=False)) as connection:
        for statement in _statements([*_migrations(), _views()]):
            try:
                connection.execute(statement)
            except duckdb.Error as error:
                words = str(error).splitlines()[0]
                refused.setdefault(words, []).append(statement)
                with contextlib.suppress(duckdb.Error):  # what comes later wants the table
                    connection.execute(_KEY_OF_A_TABLE.sub("", _KEY_OF_A_COLUMN.sub("", statement)))
    return refused


def _make_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """The tables that the migrations come to, each with its key: PostgreSQL knows other names of
    types than they use when they alter one. JSON is text there, since no two JSON values are ever
    equal to PostgreSQL, and statements compare them."""
    with contextlib.closing(duckdb.connect()) as own:
        for script in _migrations():
            own.execute(script)
        connection.execute("CREATE SCHEMA store")
        for table, key in KEYS.items():
            columns = own.execute(f"DESCRIBE store.{table}").fetchall()
            kind = "PRIMARY KEY" if table != "evaluations" else "UNIQUE"  # epochs may be null
            described = ", ".join(
                f'"{name}" {of.replace("JSON", "VARCHAR")}{" NOT NULL" if null == "NO" else ""}'
                for name, of, null, *_ in columns
            )
            connection.execute(
                f"CREATE TABLE store.{table} ({described}, {kind} ({', '.join(key)}))"
            )


def _attached(place: Place, read_only: bool, views: bool = True) -> duckdb.DuckDBPyConnection:
    connection = _loaded()
    only = ", READ_ONLY" if read_only else ""
    if place.layout is Layout.POSTGRES:
        connection.execute(f"ATTACH '{place.database}' AS catalog (TYPE postgres{only})")
    else:
        rows = 0 if place.layout is Layout.DUCKLAKE_FILES else 10  # the usual number
        connection.execute(
            f"ATTACH 'ducklake:postgres:{place.database}' AS catalog "
            f"(DATA_PATH '{place.files}/', DATA_INLINING_ROW_LIMIT {rows}{only})"
        )
    connection.execute("USE catalog")
    if views and place.layout is Layout.POSTGRES:
        connection.execute(_views().replace("OR REPLACE VIEW", "OR REPLACE TEMP VIEW"))
    return connection


def _loaded() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")  # which goes to standard output
    for name in EXTENSIONS:
        connection.execute(f"LOAD '{_file_of(name)}'")
    return connection


def check_extensions() -> None:
    """Checks that DuckDB loads the extensions.

    Raises:
        InputError: It does not; names the packages.
    """
    try:
        _loaded().close()
    except duckdb.Error as error:
        raise InputError(f"{str(error).splitlines()[0]}: {_remedy()}") from error


@functools.cache
def _file_of(name: str) -> Path:
    found = importlib.util.find_spec(f"duckdb_extension_{name}")
    for folder in (found.submodule_search_locations or []) if found else []:
        for file in Path(folder).rglob(f"{name}.duckdb_extension"):
            return file
    raise InputError(f"DuckDB's extension {name} is not installed: {_remedy()}")


def _remedy() -> str:
    packages = " ".join(f"duckdb-extension-{name.replace('_', '-')}" for name in EXTENSIONS)
    return f"pip install {packages}, of one version, which brings the DuckDB that they are for"


def _statements(scripts: Sequence[str]) -> list[str]:
    parse: Callable[[str], list[duckdb.Statement]] = duckdb.extract_statements
    return [statement.query for script in scripts for statement in parse(script)]


def _without_keys(name: str) -> str:
    """A statement that needs no key to leave out what is there already."""
    # The writer knows which vectors are promised only as long as nobody else writes.
    name = "import_embeddings" if name == "insert_embeddings" else name
    return _OR_IGNORE.sub(_anti_join, query(name))


def _anti_join(found: re.Match[str]) -> str:
    table = found[1]
    key = ", ".join(KEYS[table])
    return (
        f"INSERT INTO store.{table} BY NAME "
        f"SELECT * FROM incoming ANTI JOIN store.{table} USING ({key})"
    )


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    with contextlib.suppress(duckdb.Error):  # the connection may be what was lost
        connection.execute("ROLLBACK")
