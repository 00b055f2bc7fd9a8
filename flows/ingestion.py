"""Flow: measured accuracies into the warehouse."""

from typing import Any

import polars as pl
from prefect import flow

from cole_core.evaluation import read_evaluations
from flows.enumeration import add_architectures
from flows.progress import track
from flows.runs import recorded_run
from flows.spaces import find_space
from warehouse import Warehouse


@flow(name="ingest")
def ingest(home: str, space: str, origin: str, source: str | None = None) -> dict[str, Any]:
    """Stores the accuracies of a benchmark or a table; architectures that are new come with them.

    Args:
        home: The warehouse.
        space: The search space that the native strings are of.
        origin: A known name such as analog-nasbench, or a file or folder.
        source: What the evaluations' source is called; None takes it from the origin.

    Raises:
        InputError: The origin cannot be read, a row is not right, or a value changed.
    """
    search_space = find_space(Warehouse(home), space)
    rows = plan(home, space, origin, source)
    parameters = {"space": space, "origin": origin, "source": source}
    with (
        recorded_run(home, "ingest", parameters) as run,
        run.warehouse.writer("cole ingest", run.run_id) as writer,
    ):
        natives = rows["native"].unique(maintain_order=True).to_list()
        new = add_architectures(run.warehouse, writer, search_space, natives)
        with track("ingest · evaluations", rows.height) as advance:
            added = writer.add_evaluations(rows)
            advance(rows.height)
        run.summary = {
            "evaluations": added,
            "skipped": rows.height - added,
            "new_architectures": new,
        }
    return run.summary


def plan(home: str, space: str, origin: str, source: str | None = None) -> pl.DataFrame:
    """The evaluations that the flow will store, checked; arguments and errors are the flow's."""
    warehouse = Warehouse(home)
    search_space = find_space(warehouse, space)
    rows = read_evaluations(origin, search_space)
    natives = rows["native"].unique()
    ids = pl.Series([search_space.architecture_id(native) for native in natives], dtype=pl.String)
    rows = rows.with_columns(architecture_id=pl.col("native").replace_strict(natives, ids))
    if source is not None:
        rows = rows.with_columns(source=pl.lit(source))
    warehouse.check_evaluations(rows)
    return rows
