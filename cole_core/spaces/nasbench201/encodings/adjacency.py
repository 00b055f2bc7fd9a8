"""The operation of each edge, one-hot (White et al., NeurIPS 2020, section 3)."""

from collections.abc import Sequence

import numpy as np

from cole_core.encodings.base import VectorEncoding
from cole_core.spaces.nasbench201 import EDGES, OPERATIONS
from cole_core.spaces.nasbench201.encodings.operations import operation_indices


class Adjacency(VectorEncoding):
    """Six edges of five operations: 30 dimensions."""

    name = "adjacency"

    def encode(self, natives: Sequence[str]) -> np.ndarray:
        one_hot = np.eye(len(OPERATIONS), dtype=np.float32)
        return one_hot[operation_indices(natives)].reshape(
            len(natives), len(EDGES) * len(OPERATIONS)
        )
