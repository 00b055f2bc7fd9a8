"""Distinct architectures at random."""

import numpy as np

from cole_core.errors import InputError
from cole_core.spaces.base import SearchSpace


def sample_distinct(space: SearchSpace, samples: int, seed: int) -> list[str]:
    """Distinct architectures, drawn one by one.

    Raises:
        InputError: `samples` is not positive, or more than the space has.
    """
    if samples < 1 or (space.size is not None and samples > space.size):
        raise InputError(
            f"--samples {samples}: {space.name} has {space.size or 'any number of'} "
            "architectures, ask for at least 1 and at most that"
        )
    rng = np.random.default_rng(seed)
    drawn: dict[str, None] = {}
    while len(drawn) < samples:
        drawn[space.sample(rng)] = None
    return list(drawn)
