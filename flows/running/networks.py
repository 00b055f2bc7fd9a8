"""Where networks run: in processes of this machine, or on a Ray or Dask cluster."""

import contextlib
from collections.abc import Iterator

from cole_core.errors import InputError
from cole_core.evaluation.workers import Workers
from flows.resolve.network_training import NetworkOptions
from flows.running.cluster import Cluster
from flows.running.cluster_networks import Pools


def check_place(networks: NetworkOptions) -> None:
    """Checks where networks are asked to run, without starting anything.

    Raises:
        InputError: They cannot; says what to change.
    """
    _cluster(networks).check(reports=False)
    gpus = networks.gpus_per_network
    if gpus is None:
        return
    if networks.runner != "ray":
        raise InputError(f"--gpus-per-network {gpus:g} is for a Ray cluster: add --runner ray")
    if not gpus > 0 or (gpus > 1 and gpus != int(gpus)):
        raise InputError(f"--gpus-per-network {gpus:g}: give a share of one, or a whole number")


@contextlib.contextmanager
def pools(networks: NetworkOptions, device: str = "auto") -> Iterator[Pools]:
    """Starts or joins what networks run on.

    Args:
        networks: Where, and how many at a time.
        device: What they ask for: auto, cpu or cuda.

    Raises:
        InputError: The cluster cannot be joined, or has not the GPUs.
    """
    match networks.runner:
        case "ray":
            from flows.running.ray_networks import ray_pools

            gpus = networks.gpus_per_network
            if gpus is None and device.startswith("cuda"):
                gpus = 1.0  # Ray hides GPUs that nobody asks for
            with ray_pools(_cluster(networks), gpus or 0.0) as found:
                yield found
        case "dask":
            from flows.running.dask_networks import dask_pools

            with dask_pools(_cluster(networks)) as found:
                yield found
        case _:
            yield lambda evaluator: Workers(evaluator, networks.processes)


def _cluster(networks: NetworkOptions) -> Cluster:
    workers = None if networks.runner == "local" else networks.workers
    return Cluster(runner=networks.runner, workers=workers, address=networks.address)
