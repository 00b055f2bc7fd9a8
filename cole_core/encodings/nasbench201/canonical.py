"""Structural encodings that cannot tell canonical twins apart."""

from collections.abc import Sequence

import numpy as np

from cole_core.encodings.base import VectorEncoding
from cole_core.spaces.nasbench201 import parse, representative


class OnCanonicalCells(VectorEncoding):
    """Another encoding, computed on one cell for each canonical form.

    Args:
        encoding: The other encoding.
    """

    def __init__(self, encoding: VectorEncoding) -> None:
        self.name = f"{encoding.name}.canonical"
        self._encoding = encoding

    def encode(self, natives: Sequence[str]) -> np.ndarray:
        return self._encoding.encode([representative(parse(native)).format() for native in natives])
