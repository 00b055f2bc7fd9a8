"""Where tasks run: in this process, or in the processes of a Ray or Dask cluster.

The engines are Prefect's own task runners, and what they know of dead workers is their own: both
run a task again whose worker died, a few times, so that only a task that kills every worker ends
the flow.
"""

import contextlib
import importlib.util
import logging
import os
import socket
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar
from urllib.parse import urlsplit

from prefect import Task
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from cole_core.errors import InputError
from flows.resolve.requests import request

RUNNERS = ("local", "ray", "dask")
ANSWER_SECONDS = 5.0  # within which a cluster takes a connection
_ENCRYPTED = ("tls:", "wss:", "ucx:")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

Call = TypeVar("Call")


@request
class Cluster:
    """Where tasks run.

    Attributes:
        runner: local, or the processes of a cluster: ray or dask.
        workers: Processes of a cluster on this machine; by default one per core.
        address: A cluster that runs already, such as ray://head:10001.
    """

    runner: str = "local"
    workers: int | None = None
    address: str | None = None

    def check(self, reports: bool = True) -> None:
        """Checks that work can run there.

        Args:
            reports: Whether the workers tell a Prefect server of it, as those of tasks do.

        Raises:
            InputError: They cannot; says what to change.
        """
        if self.runner not in RUNNERS:
            raise InputError(f"--runner {self.runner}: choose one of {', '.join(RUNNERS)}")
        options = {"--workers": self.workers, "--address": self.address}
        given = [name for name, value in options.items() if value is not None]
        if self.runner == "local":
            if given:
                raise InputError(f"{given[0]} is of a cluster: add --runner ray or --runner dask")
            return
        if len(given) == 2:
            raise InputError("--workers starts a cluster and --address joins one: give one of them")
        if self.workers is not None and self.workers < 1:
            raise InputError(f"--workers {self.workers}: give at least 1")
        if importlib.util.find_spec(f"prefect_{self.runner}") is None:
            raise InputError(
                f"--runner {self.runner} needs prefect-{self.runner}: "
                f"pip install 'cole-warehouse[{self.runner}]'"
            )
        if self.address is None or self.address == "auto":
            return
        if reports and not PREFECT_API_URL.value() and not self._is_here():
            raise InputError(
                f"the machines of {self.address} report to a Prefect server: start one that they "
                "reach with 'prefect server start', and set PREFECT_API_URL"
            )
        check_answers(self.address, self.runner)

    @property
    def threads(self) -> int | None:
        """Threads of each worker, so that together they have the machine's cores.

        None: the worker decides. Ray and Dask give a worker that they start elsewhere one.
        """
        if self.runner == "local" or self.address is not None:
            return None
        return max(_cores() // self.processes, 1)

    @property
    def processes(self) -> int:
        """Of a cluster that is started on this machine."""
        return self.workers or _cores()

    def _is_here(self) -> bool:
        return _place(self.address or "")[0] in _LOOPBACK

    @contextlib.contextmanager
    def start(self, device: str) -> Iterator["Workers"]:
        """Starts or joins the workers, inside a flow run.

        Args:
            device: What the tasks ask for: auto, cpu or cuda.
        """
        with contextlib.ExitStack() as stack:
            match self.runner:
                case "ray":
                    workers = _ray(self, device, stack)
                case "dask":
                    workers = _dask(self, stack)
                case _:
                    one = ThreadPoolTaskRunner[Any](max_workers=1)
                    workers = Workers(stack.enter_context(one), 1)
            yield workers


class Workers:
    """Runs the calls of a task, some at once.

    Args:
        runner: A started task runner.
        slots: Calls that it runs at once.
    """

    def __init__(self, runner: TaskRunner[Any], slots: int) -> None:
        self._runner = runner
        self._slots = slots

    def map(
        self, task: Task[..., Any], calls: Iterable[tuple[Call, dict[str, Any]]]
    ) -> Iterator[tuple[Call, Any]]:
        """The results of a task in the order of its calls, while later ones run.

        Args:
            task: Runs on the workers.
            calls: What to give back with the result, and the task's parameters. Taken from as
                results are, so that never more than twice as many wait as run.
        """
        running: deque[tuple[Call, Any]] = deque()
        for call, parameters in calls:
            running.append((call, self._runner.submit(task, parameters)))
            if len(running) > 2 * self._slots:
                call, future = running.popleft()
                yield call, future.result()
        while running:
            call, future = running.popleft()
            yield call, future.result()


def ray_settings(cluster: Cluster) -> dict[str, Any]:
    """What `ray.init` is told beside an address."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if cluster.address is None:
        about = {"num_cpus": cluster.processes, "include_dashboard": False}
        settings |= {"address": "local", **about}
    return settings


def dask_settings(cluster: Cluster) -> dict[str, Any]:
    """What `distributed.LocalCluster` is told."""
    return {
        "n_workers": cluster.processes,
        "threads_per_worker": 1,
        "dashboard_address": "127.0.0.1:0",
    }


def check_answers(address: str, runner: str) -> None:
    """Checks that a cluster listens where one is said to be.

    Engines try for a minute and more before they give up. Schedulers of Ray and Dask speak first,
    unless the connection is encrypted.

    Raises:
        InputError: Nobody does, or the address has no port.
    """
    host, port = _place(address)
    if not host or port is None:
        raise InputError(f"--address {address}: give host and port, such as ray://head:10001")
    try:
        with socket.create_connection((host, port), timeout=ANSWER_SECONDS) as connection:
            speaks = address.startswith(_ENCRYPTED) or bool(connection.recv(1))
    except TimeoutError:
        speaks = False
    except OSError as error:
        raise InputError(
            f"--address {address}: nobody answers there ({error.strerror or error}): start the "
            "cluster, or correct the address"
        ) from None
    if not speaks:
        raise InputError(
            f"--address {address}: what answers there is no {runner} cluster: correct the address"
        )


def _place(address: str) -> tuple[str | None, int | None]:
    """Host and port; of a port that is no number, neither."""
    found = urlsplit(address if "://" in address else f"//{address}")
    try:
        return found.hostname, found.port
    except ValueError:
        return None, None


def _ray(cluster: Cluster, device: str, stack: contextlib.ExitStack) -> Workers:
    settings = ray_settings(cluster)
    import ray
    from prefect_ray import RayTaskRunner
    from prefect_ray.context import remote_options

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="lance is not fork-safe")  # Ray's forks exec
        runner = stack.enter_context(RayTaskRunner(address=cluster.address, init_kwargs=settings))
    _report_here(stack)
    resources = ray.cluster_resources()
    if device.startswith("cuda") or (device == "auto" and resources.get("GPU", 0) >= 1):
        stack.enter_context(remote_options(num_gpus=1))  # Ray hides GPUs that nobody asks for
        return Workers(runner, max(int(resources.get("GPU", 0)), 1))
    return Workers(runner, max(int(resources["CPU"]), 1))


def _dask(cluster: Cluster, stack: contextlib.ExitStack) -> Workers:
    import distributed
    from prefect_dask import DaskTaskRunner

    logging.getLogger(distributed.__name__).setLevel(logging.WARNING)
    settings = (
        {"cluster_kwargs": dask_settings(cluster)}
        if cluster.address is None
        else {"address": cluster.address}
    )
    runner = stack.enter_context(DaskTaskRunner(**settings))
    _report_here(stack)
    return Workers(runner, max(sum(runner.client.nthreads().values()), 1))


def _report_here(stack: contextlib.ExitStack) -> None:
    """Tells the workers of this flow run's server; otherwise each would start one of its own."""
    if not PREFECT_API_URL.value():
        url = str(get_client(sync_client=True).api_url)
        stack.enter_context(temporary_settings({PREFECT_API_URL: url}))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
