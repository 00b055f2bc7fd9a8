"""The commands of upkeep: watches, schedules, the doctor, and warehouses on the move."""

import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from cyclopts import App, Parameter
from pydantic import Field

from cole_core.encodings.vectors import USUAL
from cole_core.errors import InputError
from cole_core.experiments.predictors import EXPERIMENTS
from flows.cli import next_steps
from flows.cli.layout import Page
from flows.cli.options import HOME, InHome, Json
from flows.cli.printing import Printer
from flows.cli.words import whole
from flows.resolve.requests import DEFAULT_SPACE, Home, Measured, one_of, request
from flows.running.left_servers import check_servers
from flows.running.runs import recorded_run
from flows.running.stage import run_stage
from flows.stages.compare_predictors import ComparePredictorsRequest
from flows.upkeep.maintenance import (
    BackupRequest,
    OptimizeRequest,
    RetrainHeadsRequest,
    optimize,
    plan,
)
from flows.upkeep.schedules import NEVER, Deployed, make_deployments
from flows.upkeep.serving import serve
from flows.upkeep.watches import KeepCurrentRequest, Watch, add_watch, remove_watch
from warehouse import Warehouse
from warehouse.health import examine
from warehouse.transfer.backup import back_up
from warehouse.transfer.export import export_rows, export_warehouse
from warehouse.transfer.importing import import_export, open_export

SICK = 1  # exit code where something is wrong still

watch = App(name="watch", help="Embedding specifications that 'cole deploy' keeps up to date.")


@watch.command
def add(request: Watch = Watch(), *, home: InHome = HOME, as_json: Json = False) -> None:
    """Keeps an embedding specification up to date, on all renderings or some."""
    path = Path(request.options.lm)
    if path.is_dir():  # read from elsewhere later
        options = replace(request.options, lm=str(path.resolve()))
        request = replace(request, options=options)
    following = partial(next_steps.command, home, "deploy")
    Printer(as_json).summary("watch add", add_watch(home, request), following)


@watch.command(name="list")
def list_(*, home: InHome = HOME, as_json: Json = False) -> None:
    """Lists what is kept up to date."""

    def of(name: str) -> pl.Expr:
        return pl.col("arguments").str.json_path_match(f"$.{name}")

    any_ = pl.lit("any")
    watches = Warehouse(home).watches()
    following = ("watch", "add", "--lm", USUAL["lm"]) if watches.is_empty() else ("deploy",)
    Printer(as_json).frame(
        watches.select(
            of("name_or_path").alias("language_model"),
            of("pooling").alias("pooling"),
            of("precision").alias("precision"),
            pl.col("space").fill_null(any_),
            pl.col("encoding").fill_null(any_),
            pl.col("context").fill_null(any_),
            "spec_id",
            "watch_id",
        ),
        partial(next_steps.command, home, *following),
        flowing=True,
    )


@watch.command
def remove(name: str, *, home: InHome = HOME, as_json: Json = False) -> None:
    """Keeps a specification up to date no longer; its vectors stay.

    Args:
        name: A language model, or the beginning of a watch_id or spec_id.
    """
    following = partial(next_steps.command, home, "watch", "list")
    Printer(as_json).summary("watch remove", remove_watch(home, name), following)


@request
class Schedules:
    """When what runs; a schedule is a cron line, as '0 3 * * *' (UTC), 'every 30 minutes', or
    'never'.

    Attributes:
        home: The warehouse's directory.
        embeddings: When watched specifications are brought up to date.
        heads: When heads are trained on new labels.
        comparison: When the comparison runs.
        optimize: When the tables are compacted.
        backup: When the warehouse is copied to --backups; by default '0 5 * * *'.
        backups: Where the copies go; without it there are none.
        keep: How many copies are left there.
        space: Of the comparison.
        dataset: Dataset that it predicts.
        metric: Metric that it predicts.
        source: Source of the values.
        port: Of Prefect's page, on this machine alone.
    """

    home: Home = HOME
    embeddings: str = "0 * * * *"
    heads: str = "0 2 * * *"
    comparison: str = "0 3 * * *"
    optimize: str = "0 4 * * *"
    backup: str | None = None
    backups: Path | None = None
    keep: Annotated[int, Field(ge=1)] = 7
    space: str = DEFAULT_SPACE
    experiment: Annotated[str, one_of(EXPERIMENTS, "Which comparison")] = "primitives"
    dataset: str | None = None
    metric: str | None = None
    source: str | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = 4200

    def deployed(self) -> list[Deployed]:
        """What is served.

        Raises:
            InputError: There is no warehouse, or a name is unknown.
        """
        if not Warehouse(self.home).has_catalog:
            raise InputError(f"no warehouse at {self.home}: make one with 'cole run SPACE'")
        if self.backup is not None and self.backups is None:
            raise InputError(
                f"--backup '{self.backup}': name with --backups FOLDER where copies go"
            )
        if self.experiment not in EXPERIMENTS:
            raise InputError(
                f"no experiment '{self.experiment}': choose one of {', '.join(EXPERIMENTS)}"
            )
        home = self.home.resolve()  # runs start elsewhere
        measured = Measured(dataset=self.dataset, metric=self.metric, source=self.source)
        folder = (self.backups or Path()).resolve()
        return [
            Deployed(
                "embeddings",
                "flows.upkeep.watches:keep_embeddings_current",
                KeepCurrentRequest(home=home),
                self.embeddings,
                "Every watched specification over every new rendering.",
            ),
            Deployed(
                "heads",
                "flows.upkeep.maintenance:retrain_heads",
                RetrainHeadsRequest(home=home),
                self.heads,
                "Every head on the labels of today.",
            ),
            Deployed(
                "comparison",
                "flows.upkeep.maintenance:nightly_comparison",
                ComparePredictorsRequest(
                    experiment=self.experiment, space=self.space, home=home, measured=measured
                ),
                self.comparison,
                f"The comparison '{self.experiment}' on {self.space}.",
            ),
            Deployed(
                "optimize",
                "flows.upkeep.maintenance:optimize",
                OptimizeRequest(home=home),
                self.optimize,
                "Tables compacted, old versions dropped, indices refreshed.",
            ),
            Deployed(
                "backup",
                "flows.upkeep.maintenance:backup",
                BackupRequest(home=home, folder=folder, keep=self.keep),
                NEVER if self.backups is None else self.backup or "0 5 * * *",
                "A copy of the warehouse.",
            ),
        ]


def deploy(request: Schedules = Schedules()) -> None:
    """Serves the schedules, until it is interrupted: one run at a time, seen in Prefect's page.

    Prints the page's address, when each schedule is due next, and a line for each run as it ends.
    A schedule is a cron line ('0 3 * * *', UTC), 'every 30 minutes', or 'never'. Where
    PREFECT_API_URL names a server the deployments appear there.
    """
    serve(make_deployments(request.deployed()), request.port)


def doctor(
    *,
    home: InHome = HOME,
    repair: Annotated[
        bool, Parameter(help="Put right what can be; damaged files are set aside.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Looks for everything that may be wrong; says what is lost and how to put it right."""
    found, repaired = examine(Warehouse(home), repair)
    found += check_servers(repair)
    if as_json:
        print(
            json.dumps(
                {
                    "stage": "doctor",
                    "findings": [{"kind": f.kind, "line": f.line} for f in found],
                    "repaired": [{"kind": f.kind, "line": f.line} for f in repaired],
                }
            )
        )
    else:
        page = Page()
        for finding in repaired:
            page.say(finding.line, title="put right: ")
        for finding in found:
            page.say(finding.line, title="note: " if finding.harmless else "wrong: ")
        if not found:
            page.say(f"{whole(str(home))} is in order")
    if not all(finding.harmless for finding in found):
        sys.exit(SICK)


def optimize_(request: OptimizeRequest = OptimizeRequest(), *, as_json: Json = False) -> None:
    """Compacts the vector tables, drops old versions, makes and refreshes indices."""
    following = partial(next_steps.command, request.home, "doctor")
    Printer(as_json).summary("optimize", run_stage(optimize, plan, request), following)


def export(
    target: Path, *, home: InHome = HOME, query: str | None = None, as_json: Json = False
) -> None:
    """Writes the warehouse, or what a query names, as Parquet; cole import reads the folder.

    Args:
        target: A new folder; or, with --query, a file such as out.parquet.
        query: Into a file: the rows of this SELECT. Into a folder: all that is known of the
            architectures in its column architecture_id.
    """
    warehouse = Warehouse(home)
    if target.resolve().is_relative_to(home.resolve()):
        raise InputError(f"{target} is inside the warehouse: name a place outside {home}")
    if target.suffix == ".parquet":
        if query is None:
            raise InputError(f"{target} is a file: name a folder, or give --query")
        summary: dict[str, Any] = {
            "rows": export_rows(warehouse, target, query),
            "file": str(target),
        }
    else:
        manifest = export_warehouse(warehouse, target, query)
        summary = {
            "files": len(manifest.files),
            "bytes": sum(file.size for file in manifest.files),
            "folder": str(target),
        }
    Printer(as_json).summary("export", summary)


def import_(folder: Path, *, home: InHome = HOME, as_json: Json = False) -> None:
    """Adds an export to the warehouse, after checking its hashes, ids and paths.

    Args:
        folder: What cole export wrote.
    """
    with (
        open_export(folder) as incoming,
        recorded_run(home, "import", {"folder": str(folder)}) as run,
    ):
        run.summary = dict(import_export(run.warehouse, incoming, run.run_id))
    Printer(as_json).summary(
        "import",
        {name: count for name, count in run.summary.items() if count} or {"rows": 0},
        partial(next_steps.command, home, "status"),
    )


def backup(
    folder: Path,
    *,
    home: InHome = HOME,
    keep: int | None = None,
    as_json: Json = False,
) -> None:
    """Copies the warehouse; the copy is one too: name it with --home, or copy it back.

    Args:
        folder: Where backups are kept, outside the warehouse.
        keep: Remove all but so many of the latest backups there.
    """
    copy, removed = back_up(Warehouse(home), folder, keep)
    following = partial(next_steps.command, copy, "status")
    Printer(as_json).summary("backup", {"backup": str(copy), "removed": removed}, following)
