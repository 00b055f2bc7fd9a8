"""Networks on a Dask cluster."""

import contextlib
import logging
import queue
from collections.abc import Iterator
from typing import Any

from cole_core.errors import InputError
from cole_core.evaluation.attempts import AnyEvaluator
from cole_core.evaluation.outcomes import Attempt
from cole_core.evaluation.parcels import pack
from flows.running.cluster import Cluster, dask_settings
from flows.running.cluster_networks import ClusterNetworks, Pools, Sent, died, gone, not_started
from flows.running.hosted import let_go, on_dask

_JOIN_SECONDS = 30.0  # within which a cluster has a worker


@contextlib.contextmanager
def dask_pools(cluster: Cluster) -> Iterator[Pools]:
    """Starts or joins Dask.

    Raises:
        InputError: It cannot be joined, or has no worker.
    """
    import distributed

    logging.getLogger(distributed.__name__).setLevel(logging.ERROR)
    place = f"the Dask cluster at {cluster.address}" if cluster.address else "the Dask cluster here"
    with contextlib.ExitStack() as stack:
        here = None
        if cluster.address is None:
            here = stack.enter_context(distributed.LocalCluster(**dask_settings(cluster)))
        try:
            client = distributed.Client(here or cluster.address, timeout=10, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"--address {cluster.address}: no Dask scheduler can be joined there "
                f"({type(error).__name__}): start one with 'dask scheduler'"
            ) from error
        stack.enter_context(client)
        try:
            client.wait_for_workers(1, timeout=_JOIN_SECONDS)
        except TimeoutError:
            raise InputError(
                f"{place} has no worker: start one with 'dask worker ADDRESS'"
            ) from None
        yield lambda evaluator: DaskNetworks(client, evaluator, place)


class DaskNetworks(ClusterNetworks[str]):
    """Networks on a Dask cluster. Use it as a context manager.

    Args:
        client: Of the cluster.
        evaluator: Goes to each worker once.
        place: What the cluster is called.
    """

    def __init__(self, client: Any, evaluator: AnyEvaluator, place: str) -> None:
        super().__init__()
        self._client = client
        self._place = place
        self._parcel = pack(evaluator)
        self._scattered = self._scatter()
        self._futures: dict[str, Any] = {}
        self._done: queue.SimpleQueue[str] = queue.SimpleQueue()

    def __enter__(self) -> "DaskNetworks":
        return self

    def __exit__(self, *_: object) -> None:
        if self._client.status == "running":
            self._client.cancel(list(self._futures.values()))
            self._client.run(let_go, on_error="ignore")

    @property
    def slots(self) -> int:
        return max(sum(self._client.nthreads().values()), 1)

    def _scatter(self) -> Any:
        return self._client.scatter(self._parcel, broadcast=True, hash=False)

    def _start(self, native: str, seed: int) -> str:
        about = (self._parcel.digest, native, seed)
        future = self._client.submit(on_dask, self._scattered, *about, pure=False)
        self._futures[future.key] = future
        future.add_done_callback(lambda done: self._done.put(done.key))
        return str(future.key)

    def _finished(self, timeout: float | None) -> list[str]:
        found: list[str] = []
        with contextlib.suppress(queue.Empty):
            found.append(self._done.get(timeout=timeout))
            while True:
                found.append(self._done.get_nowait())
        return found

    def _outcome(self, handle: str, sent: Sent) -> Attempt | None:
        import distributed

        future = self._futures.pop(handle)
        try:
            found: Attempt = future.result(timeout=60)
        except distributed.scheduler.KilledWorker as error:
            return died(sent, error)
        except (distributed.client.FutureCancelledError, OSError) as error:
            # The workers that had the parcel are gone, or the whole cluster is.
            if self._client.status != "running":
                raise gone(self._place) from error
            self._scattered = self._scatter()
            return None
        except RuntimeError as error:
            raise not_started(self._place, error) from error
        return found
