"""The catalog: whether it opens, whether its rows fit together, which runs did not end."""

from collections.abc import Iterator

import duckdb

from warehouse.catalog import frame, newest_version
from warehouse.health.finding import Finding
from warehouse.queries import query
from warehouse.tables import KEYS
from warehouse.warehouse import Warehouse

# The tables without a key of their own: the writer keeps their rows apart.
_UNKEYED = ("embeddings", "evaluations", "search_comparisons", "search_regrets")


def check_catalog(warehouse: Warehouse) -> Iterator[Finding]:
    """Whether it opens in this version; an earlier one is migrated, as by any reader."""
    path = warehouse.catalog.path
    if not path.exists():
        yield Finding(
            "no catalog",
            f"{path} is not there, {len(warehouse.vectors.spec_ids())} vector tables are",
            "all that is not vectors, unless there is a backup",
            "copy catalog.duckdb back from a backup, 'cole doctor' then adopts newer vectors",
        )
        return
    try:
        version = warehouse.catalog.version()
        if version <= newest_version():
            warehouse.migrate()
    except duckdb.Error as error:
        message = " ".join(str(error).split())[:200]
        yield Finding(
            "damaged catalog",
            f"{path} cannot be read: {message}",
            "all that is not vectors, unless there is a backup",
            "set the file aside and copy catalog.duckdb back from a backup, 'cole doctor' then "
            "adopts newer vectors",
        )
        return
    if version > newest_version():
        yield Finding(
            "newer catalog",
            f"{path} has version {version}, this program knows {newest_version()}",
            "nothing: it is left alone",
            "install a newer cole-warehouse",
        )


def check_rows(warehouse: Warehouse) -> Iterator[Finding]:
    """Whether keys are unique and references lead somewhere."""
    with warehouse.catalog.read() as connection:
        duplicates = {
            table: int(frame(connection, query(f"duplicate_{table}")).item()) for table in _UNKEYED
        }
        dangling = frame(connection, query("dangling_rows")).rows(named=True)
    for table, count in duplicates.items():
        if count:
            yield Finding(
                "duplicate rows",
                f"{count:,} rows of {table} are there twice (same {', '.join(KEYS[table])})",
                "nothing",
                "'cole doctor --repair' keeps one of each",
                lambda writer, table=table: _deduplicate(warehouse, table),  # type: ignore[misc]
            )
    for row in dangling:
        if row["rows"]:
            yield Finding(
                "dangling rows",
                f"{row['rows']:,} rows of {row['table']} have a {row['column']} that nothing has",
                "what they referred to",
                "'cole export' a backup's part and 'cole import' it; the rows are left alone",
            )


def check_runs(warehouse: Warehouse) -> Iterator[Finding]:
    """Runs that did not end and were not repeated to their end since."""
    with warehouse.catalog.read() as connection:
        runs = frame(connection, query("unfinished_runs"))
    if not runs.is_empty():
        flows = ", ".join(f"{row['flow']} ({row['runs']})" for row in runs.iter_rows(named=True))
        yield Finding(
            "unfinished runs",
            f"runs that were killed or failed and not repeated since: {flows}",
            "nothing that was committed",
            "run the same command again, it does what is missing",
            harmless=True,
        )


def _deduplicate(warehouse: Warehouse, table: str) -> None:
    with warehouse.catalog.write() as connection:
        connection.execute(query(f"deduplicate_{table}"))
