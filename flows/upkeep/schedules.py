"""Prefect deployments of what keeps a warehouse current."""

import importlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cole_core.errors import InputError
from flows.resolve.requests import to_plain

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Schedule

NEVER = "never"
_EVERY = re.compile(r"every (\d+) ?(seconds?|minutes?|hours?|days?|s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True)
class Deployed:
    """One flow and when it runs.

    Attributes:
        name: Of the deployment.
        flow: The flow, as `module:name`.
        request: What it is asked to do.
        schedule: A cron line, as "every 6 hours", or "never".
        description: What it does.
    """

    name: str
    flow: str
    request: Any
    schedule: str
    description: str


def parse_schedule(text: str) -> "Schedule":
    """A schedule from a cron line or from words as "every 30 minutes".

    Raises:
        InputError: It is neither.
    """
    from prefect.schedules import Cron, Interval

    if found := _EVERY.fullmatch(text.strip()):
        seconds = int(found[1]) * _SECONDS[found[2][0]]
        if seconds < 1:
            raise InputError(f"schedule '{text}' never ends: give at least a second")
        return Interval(seconds)
    from prefect.client.schemas.schedules import CronSchedule

    try:
        CronSchedule(cron=text)
    except ValueError as error:
        raise InputError(
            f"schedule '{text}': give a cron line, as '0 3 * * *', or 'every 6 hours', or '{NEVER}'"
        ) from error
    return Cron(text)


def make_deployments(deployed: list[Deployed]) -> list["RunnerDeployment"]:
    """Prefect's deployments of those that ever run, with their schedules and limits.

    A deployment that fires while its last run still goes on lets it pass: the next one does all
    that is missing. `serving.serve` holds all deployments together to one run at a time.

    Raises:
        InputError: A schedule is not one, or there is nothing to deploy.
    """
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.deployments.runner import EntrypointType

    one = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    made = [
        load_flow(entry.flow).to_deployment(
            name=entry.name,
            schedule=parse_schedule(entry.schedule),
            parameters={"request": to_plain(entry.request) | {"home": str(entry.request.home)}},
            description=entry.description,
            tags=["cole"],
            concurrency_limit=one,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        for entry in deployed
        if entry.schedule != NEVER
    ]
    if not made:
        raise InputError("every schedule is 'never': nothing to deploy")
    return made


def load_flow(flow: str) -> Any:
    """The flow at `module:name`."""
    module, _, name = flow.partition(":")
    return getattr(importlib.import_module(module), name)
