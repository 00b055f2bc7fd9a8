"""Which node each reads and which operation it is, one-hot (White et al., NeurIPS 2020)."""

from collections.abc import Sequence

import numpy as np

from cole_core.encodings.base import VectorEncoding
from cole_core.spaces.nasbenchgraph import NODES, OPERATIONS, parse

# Node 1 reads the input in every cell; node 2 reads one of two, node 3 one of three.
_LINKS = [node * (node - 1) // 2 - 1 for node in range(NODES + 1)]
_OPERATIONS = NODES * (NODES + 1) // 2 - 1


class Adjacency(VectorEncoding):
    """Nine places for the links, four times nine for the operations: 45 dimensions."""

    name = "adjacency"

    def encode(self, natives: Sequence[str]) -> np.ndarray:
        width = _OPERATIONS + NODES * len(OPERATIONS)
        vectors = np.zeros((len(natives), width), dtype=np.float32)
        for vector, native in zip(vectors, natives, strict=True):
            cell = parse(native)
            for node, link in enumerate(cell.links[1:], start=2):
                vector[_LINKS[node] + link] = 1
            for place, name in enumerate(cell.operations):
                vector[_OPERATIONS + place * len(OPERATIONS) + OPERATIONS.index(name)] = 1
        return vectors
