"""Flows of upkeep: the warehouse put in order, copied, its heads and comparisons renewed."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from prefect import flow

from cole_core.errors import InputError
from flows.choices import Measured, Vectors
from flows.progress import track
from flows.runs import recorded_run
from warehouse import Warehouse
from warehouse.optimizing import INDEX_ABOVE, optimize_table
from warehouse.transfer.backup import back_up, check_backup

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


@flow(name="backup")
def backup(home: str, folder: str, keep: int | None = None) -> dict[str, Any]:
    """Copies the warehouse, see `warehouse.transfer.backup`.

    Args:
        home: The warehouse.
        folder: Where backups are kept.
        keep: How many are left there; None leaves all.

    Raises:
        InputError: There is no warehouse, or the folder is inside it.
    """
    check_backup(Warehouse(home), Path(folder), keep)
    with recorded_run(home, "backup", {"folder": folder, "keep": keep}) as run:
        copy, removed = back_up(run.warehouse, Path(folder), keep)
        run.summary = {"backup": str(copy), "removed": removed}
    return run.summary


@flow(name="retrain-heads")
def retrain_heads(home: str) -> dict[str, Any]:
    """Trains every head that `cole train` ever trained on the labels and vectors of today.

    Where nothing is new, the trials are stored already and nothing is trained.

    Args:
        home: The warehouse.
    """
    from flows.training import train

    trained: list[dict[str, Any]] = []
    with recorded_run(home, "retrain-heads", {}) as run:
        for row in run.warehouse.trained_heads().iter_rows(named=True):
            surrogate = json.loads(row["surrogate"])
            made = train(
                home,
                row["space"],
                Measured(**json.loads(row["target"])),
                Vectors(row["encoding"], row["spec_id"] or "", row["context"]),
                row["head"],
                {"loss": surrogate["head__loss"]} if row["head"] == "mlp" else None,
                row["sizes"],
                row["draws"],
                row["seed"],
            )
            trained.append({**{name: row[name] for name in _HEAD}, "trials": made["trials"]})
        run.summary = {
            "trials": sum(entry["trials"] for entry in trained),
            "heads": len(trained),
            "of": trained,
        }
    return run.summary


_HEAD = ["space", "encoding", "context", "spec_id", "head", "target"]


@flow(name="nightly-comparison")
def nightly_comparison(
    home: str, space: str, experiment: str, measured: dict[str, Any]
) -> dict[str, Any]:
    """A named comparison of predictors on what is there today; stored trials are not run again.

    Args:
        home: The warehouse.
        space: The search space.
        experiment: A name that `cole compare predictors` knows.
        measured: Which measured values, by the fields of `Measured`.

    Raises:
        InputError: As `cole compare predictors`.
    """
    from flows.comparing import compare_predictors

    made = compare_predictors(home, space, Measured(**measured), experiment)
    return {"trials": made["trials"], "skipped": made["skipped"], "finding": made["finding"]}
