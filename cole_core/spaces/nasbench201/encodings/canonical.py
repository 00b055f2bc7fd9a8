"""Structural encodings that cannot tell canonical twins apart."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from cole_core.encodings.base import VectorEncoding
from cole_core.spaces.nasbench201 import NASBench201, canonical_form, parse, representative
from cole_core.spaces.nasbench201.cell import all_cells
from cole_core.spaces.nasbench201.encodings.adjacency import Adjacency
from cole_core.spaces.nasbench201.encodings.graf import GraphFeatures
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


class TwinGraphFeatures(VectorEncoding):
    """`graf`, mean over all cells with the same canonical form.

    What twins compute is the same, so what their features differ in says nothing. The mean keeps
    what they share and depends on none of them, as a mean over a group's elements is its
    invariant, where a representative keeps the accidents of one.
    """

    name = "graf.twins"

    def encode(self, natives: Sequence[str]) -> np.ndarray:
        places, means = _twin_means(self.space)
        return means[[places[canonical_form(parse(native))] for native in natives]]


@cache
def _twin_means(space: NASBench201) -> tuple[dict[str, int], np.ndarray]:
    """Row of each canonical form, and mean features of its cells, shape (forms, d)."""
    cells = list(all_cells())
    places: dict[str, int] = {}
    of_cell = [places.setdefault(canonical_form(cell), len(places)) for cell in cells]
    features = GraphFeatures(space).encode([cell.format() for cell in cells])
    sums = np.zeros((len(places), features.shape[1]))
    np.add.at(sums, of_cell, features)
    return places, (sums / np.bincount(of_cell)[:, None]).astype(np.float32)
