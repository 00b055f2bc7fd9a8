"""Structural encodings that cannot tell canonical twins apart."""

from collections.abc import Sequence

import numpy as np

from cole_core.encodings.base import VectorEncoding
from cole_core.spaces.nasbench201 import parse, representative
from cole_core.spaces.nasbench201.encodings.adjacency import Adjacency
from cole_core.spaces.nasbench201.encodings.path import Path


class OnCanonicalCells(VectorEncoding):
    """Another encoding, computed on one cell for each canonical form."""

    of: type[VectorEncoding]

    def encode(self, natives: Sequence[str]) -> np.ndarray:
        cells = [representative(parse(native)).format() for native in natives]
        return self.of(self.space).encode(cells)


class CanonicalAdjacency(OnCanonicalCells):
    """`adjacency` on canonical cells."""

    name = "adjacency.canonical"
    of = Adjacency


class CanonicalPath(OnCanonicalCells):
    """`path` on canonical cells."""

    name = "path.canonical"
    of = Path
