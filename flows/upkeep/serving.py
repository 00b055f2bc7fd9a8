"""The process that serves deployments, and what it says of them: when they run, how runs end."""

import asyncio
import warnings
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from flows.running.left_servers import another_server
from flows.running.server import LocalServer

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun
    from prefect.client.schemas.responses import DeploymentResponse
    from prefect.deployments.runner import RunnerDeployment

_LOOK_SECONDS = 1  # between two looks for runs that have ended
_LATE = timedelta(minutes=5)  # that the end of a run may be written down later than it was


def serve(deployments: list["RunnerDeployment"], port: int) -> None:
    """Serves deployments until it is interrupted, one flow run at a time.

    Args:
        deployments: What to serve.
        port: Of Prefect's server and its page, on loopback; a server that `PREFECT_API_URL` names
            is used instead.
    """
    # What Prefect's runner says of itself when it is told to end.
    warnings.filterwarnings("ignore", message="coroutine 'Runner.astop' was never awaited")
    with LocalServer(port=port, ui=True) as server, server.ready():
        asyncio.run(_serve(deployments, server))


async def _serve(deployments: list["RunnerDeployment"], server: LocalServer) -> None:
    from prefect.client.orchestration import get_client
    from prefect.runner import Runner

    runner = Runner(limit=1)
    async with get_client() as client:
        made = [
            await client.read_deployment(await runner.aadd_deployment(deployment))
            for deployment in deployments
        ]
        # On another's, or beside another's on one database, they may be at work elsewhere.
        if server.is_own and not another_server():
            await _give_up_left_runs(client, [each.id for each in made])
        _say(f"Page: {server.page}")
        for deployment in made:
            _say(f"{deployment.name}: {await _schedule(deployment)}")
        # Neither ends, but by a fault or a signal, which end both.
        await asyncio.gather(
            runner.start(), _tell_runs(client, {each.id: each.name for each in made})
        )


async def _give_up_left_runs(client: "PrefectClient", ids: list[UUID]) -> None:
    """Runs that were ended together with their server count as running, in its database.

    Each would keep the place of the one run that its deployment may have.
    """
    from prefect.client.schemas.filters import (
        DeploymentFilter,
        DeploymentFilterId,
        FlowRunFilter,
    )
    from prefect.states import Crashed

    left = await client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=ids)),
        flow_run_filter=FlowRunFilter.model_validate(
            {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}}
        ),
    )
    for run in left:
        await client.set_flow_run_state(run.id, Crashed(message="Ended with its server."), True)


async def _schedule(deployment: "DeploymentResponse") -> str:
    """A schedule and its next time, as the server will reckon it."""
    from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule

    (kept,) = deployment.schedules
    fields = kept.schedule.model_dump()
    if "cron" in fields:
        cron = CronSchedule.model_validate(fields)
        words, dates = f"'{cron.cron}' ({cron.timezone or 'UTC'})", await cron.get_dates(1)
    else:
        interval = IntervalSchedule.model_validate(fields)
        words, dates = f"every {interval.interval}", await interval.get_dates(1)
    return f"{words}, next {_time(dates[0])}" if dates else f"{words}, never"


async def _tell_runs(client: "PrefectClient", names: dict[UUID, str]) -> None:
    """Says of each run of some deployments how it ended, as it ends; for ever.

    A server that fails for a moment is asked again, as Prefect's own loops do.
    """
    from prefect.client.schemas.filters import (
        DeploymentFilter,
        DeploymentFilterId,
        FlowRunFilter,
    )
    from prefect.client.schemas.sorting import FlowRunSort
    from prefect.utilities.services import critical_service_loop

    since, told = datetime.now(UTC), set[UUID]()
    of_these = DeploymentFilter(id=DeploymentFilterId(any_=list(names)))

    async def look() -> None:
        nonlocal since, told
        ended = await client.read_flow_runs(
            deployment_filter=of_these,
            flow_run_filter=FlowRunFilter.model_validate({"end_time": {"after_": since}}),
            sort=FlowRunSort.END_TIME_DESC,
        )
        for run in reversed(ended):
            if run.id not in told and run.deployment_id is not None:
                _say(_ended(names[run.deployment_id], run))
        told = {run.id for run in ended}
        since = max(since, datetime.now(UTC) - _LATE)

    await critical_service_loop(look, _LOOK_SECONDS, backoff=3)


def _ended(name: str, run: "FlowRun") -> str:
    assert run.state is not None
    assert run.state.name is not None
    seconds = run.total_run_time.total_seconds()
    line = f"{_time(run.state.timestamp)} {name}: {run.state.name.lower()} after {seconds:.1f} s"
    if run.state.is_completed():
        return line
    return f"{line}: {' '.join((run.state.message or 'nothing said').split())}"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _say(line: str) -> None:
    """At once, also where a log reads it."""
    print(line, flush=True)
