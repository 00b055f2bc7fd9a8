"""Flow: the warehouse put in order."""

from datetime import timedelta
from typing import Any

from prefect import flow

from cole_core.errors import InputError
from flows.progress import track
from flows.runs import recorded_run
from warehouse import Warehouse
from warehouse.optimizing import INDEX_ABOVE, optimize_table

HOURS = 24.0


@flow(name="optimize")
def optimize(
    home: str, older_than_hours: float = HOURS, index_above: int = INDEX_ABOVE
) -> dict[str, Any]:
    """Compacts every vector table, drops old versions, keeps indices, checkpoints the catalog.

    Args:
        home: The warehouse.
        older_than_hours: Versions of vector tables older than that are dropped.
        index_above: Vectors from which on a table has an index.

    Raises:
        InputError: There is no warehouse, or a number is negative.
    """
    plan(home, older_than_hours, index_above)
    parameters = {"older_than_hours": older_than_hours, "index_above": index_above}
    tables: list[dict[str, Any]] = []
    with (
        recorded_run(home, "optimize", parameters) as run,
        run.warehouse.writer("cole optimize", run.run_id) as writer,
    ):
        store = run.warehouse.vectors
        spec_ids = store.spec_ids()
        with track("optimize · tables", len(spec_ids)) as advance:
            for spec_id in spec_ids:
                done = optimize_table(
                    store, spec_id, timedelta(hours=older_than_hours), index_above
                )
                tables.append({"spec_id": spec_id, **vars(done)})
                advance(1)
        writer.checkpoint()
        run.summary = {
            "tables": len(tables),
            "fragments_joined": sum(table["fragments"] for table in tables),
            "bytes_removed": sum(table["bytes_removed"] for table in tables),
            "indices": {table["spec_id"]: table["index"] for table in tables if table["index"]},
            "recall": {table["spec_id"]: table["recall"] for table in tables if table["index"]},
        }
    return run.summary


def plan(home: str, older_than_hours: float = HOURS, index_above: int = INDEX_ABOVE) -> None:
    """Checks the flow's arguments; its errors are the flow's."""
    warehouse = Warehouse(home)
    if not warehouse.has_catalog:
        raise InputError(f"no warehouse at {home}: name one with --home")
    if not 0 <= older_than_hours <= 24 * 365 * 100:
        raise InputError(f"--older-than {older_than_hours:g}: give hours, at least 0")
    if index_above < 1_000:
        raise InputError(f"--index-above {index_above}: give at least 1,000 vectors")
