"""Which sequences of operations lead from input to output (White et al., BANANAS, AAAI 2021)."""

from collections.abc import Sequence

import numpy as np

from cole_core.encodings.base import VectorEncoding
from cole_core.spaces.nasbench201 import OPERATIONS
from cole_core.spaces.nasbench201.encodings.operations import PATHS, operation_indices


class Path(VectorEncoding):
    """A dimension for each sequence of one to three operations: 5 + 25 + 125.

    As in NASLib, `none` is an operation like the others, so that each cell has its four paths
    (the two of length two may be one).
    """

    name = "path"

    def encode(self, natives: Sequence[str]) -> np.ndarray:
        operations = operation_indices(natives)
        choices = len(OPERATIONS)
        vectors = np.zeros((len(natives), choices + choices**2 + choices**3), dtype=np.float32)
        for path in PATHS:
            shorter = sum(choices**length for length in range(1, len(path)))
            digits = choices ** np.arange(len(path))
            vectors[np.arange(len(natives)), shorter + operations[:, path] @ digits] = 1
        return vectors
