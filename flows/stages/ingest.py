"""Stage: measured values into the warehouse."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from prefect import flow

from cole_core.sources import take
from cole_core.sources.base import with_nature
from cole_core.sources.readings import refuse_unclear
from cole_core.sources.told import Told
from cole_core.spaces.base import SearchSpace
from flows.resolve.origins import file_of
from flows.resolve.requests import HOME, Home, repeatable, request
from flows.resolve.spaces import find_space
from flows.resolve.written import read_written
from flows.running.names import run_name
from flows.running.progress import track
from flows.running.runs import recorded_run
from flows.running.stage import planned
from flows.tasks.architectures import add_architectures
from warehouse import Warehouse


@request
class IngestRequest:
    """The measured values of a benchmark or a table.

    Attributes:
        space: The search space that the native strings are of; or corpus:NAME.
        origin: A known source, such as analog-nasbench; or a file or folder: a CSV or Parquet
            table, or what a benchmark publishes; of a corpus its files or its table.
        home: The warehouse's directory.
        source: What to call the source; by default the file's name.
        column: What a table's column measures, as COLUMN=DATASET:SPLIT:METRIC and behind it, where
            they are known, epochs, seed and higher or lower for which is better:
            'val_accs=cifar10:valid:accuracy:200', 'x=cifar10:test:my_score[points]:higher'; may be
            repeated.
        skip: A column that is left out; may be repeated.
        dataset: The dataset of the columns whose heading names none.
        notation: How the architectures of a table are written, where not as their space writes
            them, such as naslib or index.
    """

    space: str = field(kw_only=False)
    origin: str = field(kw_only=False)
    home: Home = HOME
    source: str | None = None
    column: Annotated[tuple[str, ...], repeatable("--column")] = ()
    skip: Annotated[tuple[str, ...], repeatable("--skip")] = ()
    dataset: str | None = None
    notation: str | None = None

    def told(self, warehouse: Warehouse, space: SearchSpace) -> Told:
        """What is said of a table's columns, and how its architectures are read."""

        def read(text: str) -> tuple[str, str | None]:
            found = read_written(warehouse, space, text, self.notation)
            if found is None:  # as its space says what is wrong with it
                space.validate(text)
                return text, None
            return found.native, found.read_as

        return Told(self.column, self.skip, self.dataset, self.notation, read)


@dataclass(frozen=True)
class IngestPlan:
    """The evaluations that will be stored, checked.

    Attributes:
        space: Of the architectures.
        rows: As `Writer.add_evaluations` takes them.
        columns: What each column was taken for, a line each.
        file: What they were read from, see `file_of`.
        listed: The space's official list, where the source brings it.
    """

    space: SearchSpace
    rows: pl.DataFrame
    columns: list[str]
    file: dict[str, Any]
    listed: tuple[str, ...] = ()


def plan(request: IngestRequest, tell: Callable[[list[str]], None] | None = None) -> IngestPlan:
    """Resolves and checks a request.

    Args:
        request: What is asked for.
        tell: Is told what each column is taken for, a line each, those among them that are not
            understood, before anything is refused for it.

    Raises:
        InputError: The origin cannot be read, a column is not understood, a row is not right, or a
            value changed.
    """
    warehouse = Warehouse(request.home)
    space = find_space(warehouse, request.space)
    taken = take(request.origin, space, request.told(warehouse, space))
    if tell is not None:
        tell(taken.lines)
    refuse_unclear(taken.readings, Path(request.origin).name)
    rows = with_nature(taken.rows)
    natives = rows["native"].unique()
    ids = pl.Series([space.architecture_id(native) for native in natives], dtype=pl.String)
    rows = rows.with_columns(architecture_id=pl.col("native").replace_strict(natives, ids))
    if request.source is not None:
        rows = rows.with_columns(source=pl.lit(request.source))
    warehouse.check_evaluations(rows)
    return IngestPlan(space, rows, taken.lines, file_of(request.origin), taken.listed)


@flow(name="ingest", flow_run_name=run_name("space", "origin"))
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
            writer.say_natures(made.rows)
            added = writer.add_evaluations(made.rows)
            if made.listed:
                writer.add_list(made.space.name, made.rows["source"][0], made.listed)
            advance(made.rows.height)
        done = {
            "evaluations": added,
            "skipped": made.rows.height - added,
            "new_architectures": new,
        }
        run.summary = done | made.file
    return done | {"columns": made.columns}
