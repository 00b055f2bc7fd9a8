"""Networks on a Ray cluster."""

import contextlib
from collections.abc import Iterator
from typing import Any

from cole_core.errors import InputError
from cole_core.evaluation.attempts import AnyEvaluator
from cole_core.evaluation.outcomes import Attempt
from cole_core.evaluation.parcels import pack
from flows.running.cluster import Cluster, ray_settings
from flows.running.cluster_networks import ClusterNetworks, Pools, Sent, died, gone, not_started
from flows.running.hosted import on_ray

_RETRIES = 3  # of a network whose worker or node died


@contextlib.contextmanager
def ray_pools(cluster: Cluster, gpus: float) -> Iterator[Pools]:
    """Starts or joins Ray.

    Args:
        cluster: Which.
        gpus: For each network.

    Raises:
        InputError: It cannot be joined, or has not the GPUs.
    """
    settings = ray_settings(cluster)
    import ray

    place = f"the Ray cluster at {cluster.address}" if cluster.address else "the Ray cluster here"
    try:
        ray.init(**{"address": cluster.address, **settings})
    except (ConnectionError, RuntimeError, TimeoutError, ValueError) as error:
        if cluster.address is None:
            raise  # nothing that was said is wrong
        raise InputError(
            f"--address {cluster.address}: no Ray cluster can be joined there "
            f"({type(error).__name__}): start one with 'ray start --head', and set "
            "RAY_AUTH_MODE=token where it asks for a token"
        ) from error
    with contextlib.ExitStack() as stack:
        stack.callback(ray.shutdown)
        most = max((node["Resources"].get("GPU", 0.0) for node in _nodes()), default=0.0)
        if gpus > most:
            raise InputError(
                f"--gpus-per-network {gpus:g}: no node of {place} has more than {most:g}"
            )
        yield lambda evaluator: contextlib.nullcontext(RayNetworks(evaluator, gpus, place))


class RayNetworks(ClusterNetworks[Any]):
    """Networks on the Ray cluster that this process has joined.

    Args:
        evaluator: Goes to each node once.
        gpus: For each network.
        place: What the cluster is called.
    """

    def __init__(self, evaluator: AnyEvaluator, gpus: float, place: str) -> None:
        super().__init__()
        import ray

        parcel = pack(evaluator)
        self._digest = parcel.digest
        self._parcel = [ray.put(parcel)]  # in a list Ray leaves it to a worker to fetch it
        self._task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=_RETRIES)(on_ray)
        self._gpus = gpus
        self._place = place

    @property
    def slots(self) -> int:
        import ray

        resources = ray.cluster_resources()
        room = resources.get("CPU", 0.0)
        if self._gpus:
            room = min(room, resources.get("GPU", 0.0) / self._gpus)
        return max(int(room), 1)

    def _start(self, native: str, seed: int) -> Any:
        return self._task.remote(self._parcel, self._digest, native, seed)

    def _finished(self, timeout: float | None) -> list[Any]:
        import ray

        sent = list(self._sent)
        done, others = ray.wait(sent, num_returns=1, timeout=timeout)
        if done and others:
            done += ray.wait(others, num_returns=len(others), timeout=0)[0]
        return done

    def _outcome(self, handle: Any, sent: Sent) -> Attempt | None:
        import ray
        from ray.exceptions import RayError, RayTaskError

        try:
            found: Attempt = ray.get(handle)
        except RayTaskError as error:
            raise not_started(self._place, error) from error
        except RayError as error:
            if not _nodes():
                raise gone(self._place) from error
            return died(sent, error)
        return found


def _nodes() -> list[dict[str, Any]]:
    import ray

    return [node for node in ray.nodes() if node["Alive"]]
