"""The DuckDB catalog: opened for one read or one commit, then let go.

An open writer shuts readers in other processes out and the other way round, so nobody keeps a
connection: each use connects, retrying for a moment while another process is in the way.
"""

import contextlib
import functools
import itertools
import re
import threading
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from cole_core.errors import InputError
from cole_core.hashing import hash_text
from warehouse.errors import raise_full_disk
from warehouse.queries import query

_RETRY_SECONDS = 30.0
_names = itertools.count()  # of catalogs, each time that one is looked at
_MIGRATION = re.compile(r"(\d{4})_\w+\.sql")


class OutdatedCatalogError(Exception):
    """The catalog or its views are of an earlier version: the next write migrates it."""


class Catalog:
    """Connections to one catalog file.

    Args:
        path: The DuckDB file. It is made by the first `write`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._one_at_a_time = _lock_of(path.resolve())

    @contextlib.contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection without access to files, network or extensions.

        Raises:
            InputError: There is no catalog, or it is of a newer version.
            OutdatedCatalogError: It is of an earlier version.
        """
        with (
            self._there(),
            self._one_at_a_time,
            contextlib.closing(self._connect(read_only=True)) as connection,
        ):
            self._check_version(connection)
            connection.execute("SET enable_external_access = false")
            connection.execute("SET python_enable_replacements = false")
            yield connection

    @contextlib.contextmanager
    def attached(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """As `read`, for statements of our own that set nothing: three times as quick to open.

        Starting DuckDB costs more than opening a file in it, so one is kept, and the file is in it
        for as long as the block.

        Raises:
            InputError: There is no catalog, or it is of a newer version.
            OutdatedCatalogError: It is of an earlier version.
        """
        name = f"catalog_{next(_names)}"
        with (
            self._there(),
            self._one_at_a_time,
            contextlib.closing(_engine().cursor()) as connection,
        ):
            self._retrying(lambda: connection.execute(_attach(self.path, name)))
            try:
                connection.execute(f"USE {name}")
                self._check_version(connection)
                yield connection
            finally:
                connection.execute(f"USE memory; DETACH {name}")

    @contextlib.contextmanager
    def _there(self) -> Iterator[None]:
        """Refuses, where it is opened in the block, a file that is not there or is no catalog."""
        if not self.path.exists():
            raise InputError(
                f"no warehouse at {self.path.parent}: make one with 'cole run SPACE', "
                "or name another with --home"
            )
        try:
            yield
        except duckdb.IOException as error:
            if "not a valid DuckDB" not in str(error):
                raise
            raise InputError(
                f"{self.path} is no catalog, or is damaged: see 'cole doctor', or name "
                "another with --home"
            ) from error

    @contextlib.contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction, committed at the end and rolled back on an error.

        The caller holds the writer lock. An old catalog is migrated first.

        Raises:
            OSError: The disk is full (errno ENOSPC).
        """
        try:
            with (
                self._one_at_a_time,
                contextlib.closing(self._connect(read_only=False)) as connection,
            ):
                self._migrate(connection)
                connection.execute("BEGIN")
                yield connection  # an error closes the connection, which rolls back
                connection.execute("COMMIT")
        except duckdb.Error as error:
            raise_full_disk(error)
            raise

    def _connect(self, read_only: bool) -> duckdb.DuckDBPyConnection:
        return self._retrying(lambda: duckdb.connect(self.path, read_only=read_only))

    def _retrying(
        self, opened: Callable[[], duckdb.DuckDBPyConnection]
    ) -> duckdb.DuckDBPyConnection:
        """Waits a moment while another process is in the way."""
        deadline = time.monotonic() + _RETRY_SECONDS
        while True:
            try:
                return opened()
            except duckdb.IOException as error:
                if "lock" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _version(self, connection: duckdb.DuckDBPyConnection) -> int:
        """Number of migrations applied; 0 for a new file."""
        try:
            row = connection.execute("SELECT max(version) FROM schema_version").fetchone()
        except duckdb.CatalogException:  # no such table yet
            return 0
        return int(row[0]) if row else 0

    def _check_version(self, connection: duckdb.DuckDBPyConnection) -> None:
        found, newest = self._version(connection), len(_migrations())
        if found > newest:
            raise InputError(
                f"{self.path} has version {found}, this program knows {newest}: "
                "install a newer cole-warehouse"
            )
        if found < newest or not self._has_views(connection):
            raise OutdatedCatalogError

    def _has_views(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Whether the catalog's views are those of this program."""
        found = connection.execute(query("views_hash")).fetchone()
        return found is not None and found[0] == _views_hash()

    def checkpoint(self) -> None:
        """Folds the write-ahead log into the file; the caller holds the writer lock."""
        with self._one_at_a_time, contextlib.closing(self._connect(read_only=False)) as connection:
            connection.execute(query("checkpoint"))

    def make(self, version: int) -> None:
        """Makes an empty catalog as the program of an earlier version would have left it."""
        with contextlib.closing(self._connect(read_only=False)) as connection:
            self._migrate(connection, _migrations()[:version])

    def version(self) -> int:
        """The version of the file, whatever it is; 0 where nothing was ever written.

        Raises:
            duckdb.Error: The file is no catalog.
        """
        with self._one_at_a_time, contextlib.closing(self._connect(read_only=True)) as connection:
            return self._version(connection)

    def _migrate(
        self, connection: duckdb.DuckDBPyConnection, migrations: list[str] | None = None
    ) -> None:
        newest = migrations is None
        migrations = _migrations() if migrations is None else migrations
        version = self._version(connection)
        if version == len(migrations) and (not newest or self._has_views(connection)):
            return
        if version > len(migrations):
            self._check_version(connection)
        connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)")
        # One transaction each: DuckDB commits none that alters a table, fills the new column and
        # alters the table again. A run that is killed in between goes on from there.
        for number, script in enumerate(migrations[version:], start=version + 1):
            connection.execute("BEGIN")
            connection.execute(script)
            connection.execute("INSERT INTO schema_version VALUES (?)", [number])
            connection.execute("COMMIT")
        if newest:
            connection.execute("BEGIN")
            connection.execute(_views())
            connection.execute(query("mark_views").format(hash=_views_hash()))
            connection.execute("COMMIT")


def frame(
    connection: duckdb.DuckDBPyConnection, statement: str, parameters: dict[str, Any] | None = None
) -> pl.DataFrame:
    """The rows of one statement."""
    relation = connection.sql(statement, params=parameters)
    if relation is None:
        raise ValueError("a statement without rows")
    return pl.DataFrame(pl.from_arrow(relation.to_arrow_table()))


def newest_version() -> int:
    """The version that this program knows and writes."""
    return len(_migrations())


@functools.cache
def _engine() -> duckdb.DuckDBPyConnection:
    """A DuckDB without a file, in which catalogs are looked at."""
    engine = duckdb.connect()
    engine.execute("SET python_enable_replacements = false")
    return engine


def _attach(path: Path, name: str) -> str:
    quoted = str(path).replace("'", "''")
    return f"ATTACH '{quoted}' AS {name} (READ_ONLY)"


@functools.cache
def _lock_of(path: Path) -> threading.RLock:
    """The one lock of a file: within a process DuckDB refuses two connections to it of different
    configuration, whoever holds them."""
    return threading.RLock()


@functools.cache
def _views() -> str:
    return resources.files("warehouse").joinpath("views.sql").read_text()


@functools.cache
def _views_hash() -> str:
    return hash_text(_views())


def _migrations() -> list[str]:
    """The scripts in their order, numbered from 1 without a gap."""
    files = sorted(
        (entry.name, entry)
        for entry in resources.files("warehouse").joinpath("migrations").iterdir()
        if _MIGRATION.fullmatch(entry.name)
    )
    return [entry.read_text() for _, entry in files]
