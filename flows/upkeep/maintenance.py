"""Flows of upkeep: the warehouse put in order, copied, its heads and comparisons renewed."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from prefect import flow
from pydantic import Field

from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from flows.resolve.requests import HOME, Home, Measured, request
from flows.resolve.spaces import known_space
from flows.resolve.vectors import needs_file
from flows.running.names import run_name
from flows.running.progress import track
from flows.running.runs import recorded_run
from flows.running.stage import planned
from flows.stages.compare_predictors import ComparePredictorsRequest, compare_predictors
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from warehouse import Warehouse
from warehouse.optimizing import INDEX_ABOVE, optimize_table
from warehouse.transfer.backup import back_up, check_backup


@request
class OptimizeRequest:
    """How the vector tables are kept.

    Attributes:
        home: The warehouse's directory.
        older_than: Hours after which old versions of vector tables are dropped.
        index_above: Vectors from which on a table has an approximate index.
    """

    home: Home = HOME
    older_than: Annotated[float, Field(ge=0, le=24 * 365 * 100)] = 24.0
    index_above: Annotated[int, Field(ge=1_000)] = INDEX_ABOVE


def plan(request: OptimizeRequest) -> Warehouse:
    """Checks a request.

    Raises:
        InputError: There is no warehouse.
    """
    warehouse = Warehouse(request.home)
    if not warehouse.has_catalog:
        raise InputError(f"no warehouse at {request.home}: name one with --home")
    return warehouse


@flow(name="optimize", flow_run_name=run_name("home"))
def optimize(request: OptimizeRequest) -> dict[str, Any]:
    """Compacts every vector table, drops old versions, keeps indices, checkpoints the catalog.

    Raises:
        InputError: As `plan`.
    """
    planned(plan, request)
    tables: list[dict[str, Any]] = []
    with (
        recorded_run(request.home, "optimize", request) as run,
        run.warehouse.writer("cole optimize", run.run_id) as writer,
    ):
        store = run.warehouse.vectors
        spec_ids = store.spec_ids()
        age = timedelta(hours=request.older_than)
        with track("optimize · tables", len(spec_ids)) as advance:
            for spec_id in spec_ids:
                done = optimize_table(store, spec_id, age, request.index_above)
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


@request
class BackupRequest:
    """Where copies of the warehouse go.

    Attributes:
        folder: Where backups are kept, outside the warehouse.
        home: The warehouse's directory.
        keep: How many are left there; by default all.
    """

    folder: Path
    home: Home = HOME
    keep: int | None = None


@flow(name="backup", flow_run_name=run_name("home"))
def backup(request: BackupRequest) -> dict[str, Any]:
    """Copies the warehouse, see `warehouse.transfer.backup`.

    Raises:
        InputError: There is no warehouse, or the folder is inside it.
    """
    check_backup(Warehouse(request.home), request.folder, request.keep)
    with recorded_run(request.home, "backup", request) as run:
        copy, removed = back_up(run.warehouse, request.folder, request.keep)
        run.summary = {"backup": str(copy), "removed": removed}
    return run.summary


@request
class RetrainHeadsRequest:
    """Every head that `cole train` ever trained.

    Attributes:
        home: The warehouse's directory.
    """

    home: Home = HOME


@flow(name="retrain-heads", flow_run_name=run_name("home"))
def retrain_heads(request: RetrainHeadsRequest) -> dict[str, Any]:
    """Trains every head that was ever trained on the labels and vectors of today.

    Where nothing is new, the trials are stored already and nothing is trained.
    """
    trained: list[dict[str, Any]] = []
    with recorded_run(request.home, "retrain-heads", request) as run:
        for row in run.warehouse.trained_heads().iter_rows(named=True):
            if needs_file(known_space(run.warehouse, row["space"]), row["encoding"]):
                continue  # somebody's file runs when it is named, and no warehouse names one
            vectors = Vectors(encoding=row["encoding"], lm=row["spec_id"], context=row["context"])
            made = fit_heads(
                FitHeadsRequest(
                    space=row["space"],
                    home=request.home,
                    measured=Measured(**json.loads(row["target"])),
                    vectors=vectors,
                    head=row["head"],
                    head_parameter=_as_given(json.loads(row["surrogate"])),
                    sizes=tuple(row["sizes"]),
                    draws=row["draws"],
                    seed=row["seed"],
                )
            )
            trained.append({**{name: row[name] for name in _HEAD}, "trials": made["trials"]})
        run.summary = {
            "trials": sum(entry["trials"] for entry in trained),
            "heads": len(trained),
            "of": trained,
        }
    return run.summary


def _as_given(surrogate: dict[str, Any]) -> tuple[str, ...]:
    """Every setting of a surrogate as it would be given; what follows from the vectors is not."""
    derived = ("head", "head__seed", "head__structural", "blocks")
    return tuple(
        f"{name.removeprefix('head__')}={json.dumps(value)}"
        for name, value in surrogate.items()
        if name not in derived and value is not None
    )


_HEAD = ["space", "encoding", "context", "spec_id", "head", "target"]


@flow(name="nightly-comparison", flow_run_name=run_name("space", "experiment"))
def nightly_comparison(request: ComparePredictorsRequest) -> dict[str, Any]:
    """A named comparison of predictors on what is there today; stored trials are not run again.

    Raises:
        InputError: As `cole compare predictors`.
    """
    made = compare_predictors(request)
    return {"trials": made["trials"], "skipped": made["skipped"], "finding": made["finding"]}
