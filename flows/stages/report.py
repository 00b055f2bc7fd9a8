"""Stage: what the warehouse knows of a space, as one HTML file."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from cole_core.evaluation.target import Target
from cole_core.hashing import hash_json
from cole_core.spaces.base import SearchSpace
from flows.resolve.requests import InWarehouse, Measured, request
from flows.resolve.spaces import find_space, stored_name
from flows.resolve.values import latest_target
from flows.running.names import run_name
from flows.running.runs import recorded_run, versions
from flows.running.stage import planned
from warehouse import Warehouse

PAGE = 2
"""Counted up where a page of the same data says something else: then it is written again."""


@request
class ReportRequest(InWarehouse):
    """A space and the measured values that the report is about.

    Attributes:
        measured: Which; where several fit, those of the latest search or training.
    """

    measured: Measured = Measured()


@dataclass(frozen=True)
class ReportPlan:
    """What the report is about."""

    space: SearchSpace
    target: Target


def plan(request: ReportRequest) -> ReportPlan:
    """Resolves and checks a request.

    Raises:
        InputError: The space is unknown, nothing was measured, or nobody said which values are the
            better ones.
    """
    warehouse = Warehouse(request.home)
    space = find_space(warehouse, request.space)
    target = latest_target(warehouse, space, request.measured)
    _ = target.sign  # a better that nobody said is told now
    return ReportPlan(space, target)


@flow(name="report", flow_run_name=run_name("space", "measured.dataset"))
def report(request: ReportRequest) -> dict[str, Any]:
    """Writes what is known of a space into one HTML file, unless nothing is new.

    Raises:
        InputError: As `plan`.
    """
    made = planned(plan, request)
    with recorded_run(request.home, "report", request) as run:
        about = {
            "target": made.target.to_json(),
            "inputs": inputs_hash(run.warehouse, made.space, made.target),
        }
        latest = run.warehouse.latest_summary(made.space, "report") or {}
        same = all(latest.get(name) == value for name, value in about.items())
        if same and Path(latest["report"]).exists():
            run.summary = latest | {"reports": 0, "skipped": 1}
            return run.summary
        html, said = compose(run.warehouse, made.space, made.target)
        with run.warehouse.writer("cole report", run.run_id) as writer:
            path = writer.add_report(stored_name(request.space).replace(":", "-"), html)
        run.summary = {
            "reports": 1,
            "skipped": 0,
            "report": str(path),
            "bytes": len(html.encode()),
            "findings": said,
            **about,
        }
    return run.summary


def inputs_hash(warehouse: Warehouse, space: SearchSpace, target: Target) -> str:
    """Content hash of what a report can show: everything but the runs that changed nothing."""
    status = warehouse.status()
    counts = {name: value for name, value in status.items() if name not in ("home", "runs")}
    compared = warehouse.search_comparisons_of(space, target)
    thresholds = compared.select("comparison_id", "position", "threshold", "evaluations").rows()
    shown = {"thresholds": thresholds, "page": PAGE}
    return hash_json(counts | versions() | shown)


@task(
    name="compose report",
    task_run_name="compose report · {target.dataset}",
    cache_policy=NO_CACHE,
    persist_result=False,
)
def compose(
    warehouse: Warehouse, space: SearchSpace, target: Target
) -> tuple[str, list[dict[str, Any]]]:
    """Gathers what the report shows and renders it; with what it says first of searches."""
    from flows.report.gather import gather
    from flows.report.page import render_report, said_of_searches

    data = gather(warehouse, space, target)
    return render_report(data), [asdict(each) for each in said_of_searches(data)]
