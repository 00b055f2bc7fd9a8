"""Acquisition functions by name."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cole_core.registry import Registry

# Takes mean (n,), std (n,), the best known score, the exploration weight and a generator; gives
# what each candidate is worth (n,).
Acquisition = Callable[[np.ndarray, np.ndarray, float, float, np.random.Generator], np.ndarray]

acquisitions: Registry[Any] = Registry(
    "acquisition function",
    "cole.acquisitions",
    {
        "its": "cole_core.search.acquisition:independent_thompson_sampling",
        "ucb": "cole_core.search.acquisition:upper_confidence_bound",
        "ei": "cole_core.search.acquisition:expected_improvement",
        "exploit": "cole_core.search.acquisition:exploit",
    },
)


WITHOUT_BEST = frozenset({"its", "ucb", "exploit"})
"""Those that do not read the best known score, which costs predictions; it is not finite then."""


def get_acquisition(name: str) -> Acquisition:
    """An acquisition function by name.

    Raises:
        InputError: The name is unknown.
    """
    return acquisitions.load(name)
