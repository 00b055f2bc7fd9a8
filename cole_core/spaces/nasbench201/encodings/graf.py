"""GRAF, features of the cell's graph (Kadlecová et al., ICML 2024, section 3)."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from cole_core.encodings.base import VectorEncoding
from cole_core.spaces.nasbench201 import EDGES, OPERATIONS
from cole_core.spaces.nasbench201.cell import NODES
from cole_core.spaces.nasbench201.encodings.operations import PATHS, operation_indices

_SUBSETS = tuple(
    subset
    for size in range(1, len(OPERATIONS) + 1)
    for subset in combinations(range(len(OPERATIONS)), size)
)


class GraphFeatures(VectorEncoding):
    """Counts of the operations and, for each of their 31 subsets, paths and degrees.

    For a subset: the lengths of the shortest and the longest path from input to output that uses
    only its operations (without such a path: one more than any path has, and zero), the most of
    its operations that a path of any kind has, the input's out-degree, the output's in-degree and
    the average degree, counting the subset's edges.
    """

    name = "graf"

    def encode(self, natives: Sequence[str]) -> np.ndarray:
        operations = operation_indices(natives)
        columns = [(operations == index).sum(axis=1) for index in range(len(OPERATIONS))]
        leaves_input = [edge for edge, (source, _) in enumerate(EDGES) if source == 0]
        enters_output = [edge for edge, (_, target) in enumerate(EDGES) if target == NODES - 1]
        lengths = np.array([len(path) for path in PATHS])
        for subset in _SUBSETS:
            allowed = np.isin(operations, subset)
            on_path = np.stack([allowed[:, path].sum(axis=1) for path in PATHS], axis=1)
            is_path = on_path == lengths
            columns += [
                np.where(is_path, lengths, NODES).min(axis=1),
                np.where(is_path, lengths, 0).max(axis=1),
                on_path.max(axis=1),
                allowed[:, leaves_input].sum(axis=1),
                allowed[:, enters_output].sum(axis=1),
                allowed.mean(axis=1) * len(EDGES) / NODES,
            ]
        return np.stack(columns, axis=1).astype(np.float32)
