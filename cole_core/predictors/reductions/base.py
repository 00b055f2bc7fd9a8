"""The contract of a reduction."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np


class Reduction(ABC):
    """A map of feature vectors that is learned without targets.

    Attributes:
        name: What it is called.
        weight: How much its features count beside those of other encodings, as long as nothing is
            learned of it.
    """

    name: str
    weight: float = 1.0

    @abstractmethod
    def fit(self, X: np.ndarray) -> "Reduction":
        """Learns the map from vectors, shape (n, d)."""

    @abstractmethod
    def transform(self, X: np.ndarray) -> np.ndarray:
        """Maps vectors, shape (m, d), to features, shape (m, k)."""

    @abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """What was learned, as arrays."""

    @abstractmethod
    def restore(self, state: Mapping[str, np.ndarray]) -> "Reduction":
        """Takes back what `state` gave."""
