"""Cells as arrays: where the structural encodings begin."""

from collections.abc import Sequence

import numpy as np

from cole_core.spaces.nasbench201 import EDGES, OPERATIONS, parse

PATHS = tuple(
    tuple(EDGES.index(edge) for edge in edges)
    for edges in (((0, 3),), ((0, 1), (1, 3)), ((0, 2), (2, 3)), ((0, 1), (1, 2), (2, 3)))
)
"""The four paths from input to output, as indices of edges."""

_INDICES = {operation: index for index, operation in enumerate(OPERATIONS)}


def operation_indices(natives: Sequence[str]) -> np.ndarray:
    """The operation of each edge as an index into `OPERATIONS`.

    Returns:
        Array (n, 6) of int64.

    Raises:
        InputError: A string is not a cell.
    """
    rows = [[_INDICES[operation] for operation in parse(native).operations] for native in natives]
    return np.array(rows, dtype=np.int64).reshape(len(natives), len(EDGES))
