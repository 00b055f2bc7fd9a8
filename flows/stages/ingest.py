"""Stage: measured values into the warehouse."""

from dataclasses import dataclass, field
from typing import Any

import polars as pl
from prefect import flow

from cole_core.sources import read_evaluations
from cole_core.spaces.base import SearchSpace
from flows.resolve.origins import file_of
from flows.resolve.requests import HOME, Home, request
from flows.resolve.spaces import find_space
from flows.running.progress import track
from flows.running.runs import recorded_run
from flows.running.stage import planned
from flows.tasks.architectures import add_architectures
from warehouse import Warehouse


@request
class IngestRequest:
    """The measured values of a benchmark or a table.

    Attributes:
        space: The search space that the native strings are of.
        origin: A known source, such as analog-nasbench; or a file or folder: a CSV or Parquet
            table, or what a benchmark publishes.
        home: The warehouse's directory.
        source: What to call the source; by default the file's name.
    """

    space: str = field(kw_only=False)
    origin: str = field(kw_only=False)
    home: Home = HOME
    source: str | None = None


@dataclass(frozen=True)
class IngestPlan:
    """The evaluations that will be stored, checked: rows as `Writer.add_evaluations` takes them.

    Attributes:
        file: What they were read from, see `file_of`.
    """

    space: SearchSpace
    rows: pl.DataFrame
    file: dict[str, Any]


def plan(request: IngestRequest) -> IngestPlan:
    """Resolves and checks a request.

    Raises:
        InputError: The origin cannot be read, a row is not right, or a value changed.
    """
    warehouse = Warehouse(request.home)
    space = find_space(warehouse, request.space)
    rows = read_evaluations(request.origin, space)
    natives = rows["native"].unique()
    ids = pl.Series([space.architecture_id(native) for native in natives], dtype=pl.String)
    rows = rows.with_columns(architecture_id=pl.col("native").replace_strict(natives, ids))
    if request.source is not None:
        rows = rows.with_columns(source=pl.lit(request.source))
    warehouse.check_evaluations(rows)
    return IngestPlan(space, rows, file_of(request.origin))


@flow(name="ingest")
def ingest(request: IngestRequest) -> dict[str, Any]:
    """Stores measured values; architectures that are new come with them.

    Raises:
        InputError: As `plan`.
    """
    made = planned(plan, request)
    with (
        recorded_run(request.home, "ingest", request) as run,
        run.warehouse.writer("cole ingest", run.run_id) as writer,
    ):
        natives = made.rows["native"].unique(maintain_order=True).to_list()
        new = add_architectures(run.warehouse, writer, made.space, natives)
        with track("ingest · evaluations", made.rows.height) as advance:
            added = writer.add_evaluations(made.rows)
            advance(made.rows.height)
        done = {
            "evaluations": added,
            "skipped": made.rows.height - added,
            "new_architectures": new,
        }
        run.summary = done | made.file
    return done
