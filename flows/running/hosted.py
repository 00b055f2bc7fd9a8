"""What workers of a cluster run: as little is imported there as networks need."""

import os
from typing import Any

from cole_core.evaluation.hosting import HOST
from cole_core.evaluation.outcomes import Attempt
from cole_core.evaluation.parcels import Parcel

TRIMMING = "MALLOC_TRIM_THRESHOLD_"
"""What the C library reads at a process's start."""


def on_ray(parcel: list[Any], digest: str, native: str, seed: int) -> Attempt:
    """Runs a network in a worker of Ray.

    Args:
        parcel: One reference, to what no process here may have yet.
        digest: Of the parcel.
        native: The network.
        seed: Of its weights and of the order of images.
    """
    import ray

    return HOST.run(digest, lambda: ray.get(parcel[0]), native, seed)


def on_dask(parcel: Parcel, digest: str, native: str, seed: int) -> Attempt:
    """Runs a network in a worker of Dask, which has the parcel already."""
    # Dask has the memory of its workers given back at every turn, and their children inherit that:
    # an epoch, which needs the same again at every step, takes a third longer.
    os.environ.pop(TRIMMING, None)
    return HOST.run(digest, lambda: parcel, native, seed)


def let_go() -> None:
    """Ends the processes of a worker that have no network now."""
    HOST.close_idle(0.0)
