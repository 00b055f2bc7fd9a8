"""The catalog: whether it opens, whether its rows fit together, which runs did not end."""

from collections.abc import Iterator

import duckdb

from cole_core.sources.metrics import metric_named
from warehouse.catalog import frame, newest_version
from warehouse.health.finding import Finding
from warehouse.queries import query
from warehouse.tables import KEYS
from warehouse.warehouse import Warehouse

_NAMED = 8  # kinds of values that a finding names
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


def check_metrics(warehouse: Warehouse) -> Iterator[Finding]:
    """Values of which nobody said whether higher or lower is better; zero-cost proxies are so by
    nature. Earlier versions took any column for an accuracy: where names speak against that, no
    direction was set."""
    with warehouse.catalog.read() as connection:
        rows = frame(connection, query("values_without_direction")).rows(named=True)
    doubtful = [row for row in rows if not _has_none_by_nature(row["metric"])]
    if doubtful:
        listed = "; ".join(
            f"{row['dataset']} {row['metric']} of {row['source']} ({row['values']:,})"
            for row in doubtful[:_NAMED]
        )
        more = f"; and {len(doubtful) - _NAMED} more kinds" if len(doubtful) > _NAMED else ""
        metric = doubtful[0]["metric"]
        yield Finding(
            "unknown direction",
            f"values of which nobody said what they are or which is better: {listed}{more}",
            "nothing: they are kept, and 'cole best', train, search and compare ask",
            "take the file in again with --source NAME and --column for what each column is, or "
            f"ask with --metric {metric}:higher or --metric {metric}:lower",
            harmless=True,
        )


def _has_none_by_nature(name: str) -> bool:
    metric = metric_named(name)
    return metric is not None and metric.direction is None


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
