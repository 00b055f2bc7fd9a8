"""Stage: the architectures of a space into the warehouse."""

from dataclasses import dataclass
from typing import Any

from prefect import flow

from cole_core.spaces.base import SearchSpace
from cole_core.spaces.sampling import sample_distinct
from flows.resolve.requests import InWarehouse, Seed, request
from flows.resolve.spaces import find_space, with_arguments
from flows.running.names import run_name
from flows.running.runs import recorded_run
from flows.running.stage import planned
from flows.tasks.architectures import add_architectures
from warehouse import Warehouse


@request
class EnumerateRequest(InWarehouse):
    """All architectures of a space, or a number of them at random.

    Attributes:
        samples: Draw so many at random instead of all.
        seed: Seed of the draw.
        arguments: Of the constructor of FILE.py:CLASS, those that all networks share, as JSON.
    """

    samples: int | None = None
    seed: Seed = 0
    arguments: str | None = None


@dataclass(frozen=True)
class EnumeratePlan:
    """The architectures that will be stored."""

    space: SearchSpace
    natives: list[str]


def plan(request: EnumerateRequest) -> EnumeratePlan:
    """Resolves and checks a request.

    Raises:
        InputError: The space is unknown, open-ended, or has fewer architectures than samples.
    """
    space = find_space(Warehouse(request.home), with_arguments(request.space, request.arguments))
    if request.samples is None:
        natives = list(space.enumerate())
    else:
        natives = sample_distinct(space, request.samples, request.seed)
    space.prepare(natives)  # before anybody waits for the lock
    space.check_makeable(natives)
    return EnumeratePlan(space, natives)


@flow(name="enumerate", flow_run_name=run_name("space"))
def enumerate_architectures(request: EnumerateRequest) -> dict[str, Any]:
    """Stores the architectures that are not there yet.

    Raises:
        InputError: As `plan`.
    """
    made = planned(plan, request)
    with (
        recorded_run(request.home, "enumerate", request) as run,
        run.warehouse.writer("cole enumerate", run.run_id) as writer,
    ):
        added = add_architectures(run.warehouse, writer, made.space, made.natives)
        run.summary = {"architectures": added, "skipped": len(made.natives) - added}
    return run.summary
