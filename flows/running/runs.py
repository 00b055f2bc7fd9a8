"""What every flow run leaves behind: its id, its parameters, the versions it ran with."""

import contextlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cole_core.registry import plugin_packages
from flows.resolve.requests import to_plain
from flows.running.results import leave_result
from warehouse import Warehouse

_PACKAGES = (
    "cole-warehouse",
    "torch",
    "transformers",
    "tokenizers",
    "numpy",
    "scikit-learn",
    "xgboost",
    "duckdb",
    "lancedb",
    "pylance",
    "prefect",
    "polars",
)


@dataclass
class Run:
    """One flow run at work.

    Attributes:
        warehouse: Where it reads and writes.
        run_id: Prefect's flow run id.
        summary: What the flow did, filled by the flow; plain values.
    """

    warehouse: Warehouse
    run_id: str
    summary: dict[str, Any] = field(default_factory=dict)


@contextlib.contextmanager
def recorded_run(home: Path, flow: str, request: Any) -> Iterator[Run]:
    """Records a flow run in the catalog, from its start to its end.

    A run that fails or is killed keeps no end time: that is how it is told from one that ended.

    Args:
        home: The warehouse.
        flow: What runs.
        request: What it was asked to do: a request, or a mapping of plain values.
    """
    from prefect.runtime import flow_run

    warehouse = Warehouse(home)
    run = Run(warehouse, flow_run.get_id() or str(uuid.uuid4()))
    parameters = request if isinstance(request, Mapping) else to_plain(request)
    with warehouse.writer(f"cole {flow}", run.run_id) as writer:
        writer.start_run(flow, parameters, versions())
    yield run
    with warehouse.writer(f"cole {flow}", run.run_id) as writer:
        writer.finish_run(run.summary)
    leave_result(home, flow, parameters, run.summary)


def versions() -> dict[str, str]:
    """Versions of the packages that results depend on, those with plug-ins among them."""
    return {package: _version(package) for package in _PACKAGES} | dict(plugin_packages())


def _version(package: str) -> str:
    """The version of a package, which may be here as its build for processors alone."""
    try:
        return version(f"{package}-cpu")
    except PackageNotFoundError:
        return version(package)
