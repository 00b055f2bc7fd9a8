"""Sixty cells with the vectors of a structural encoding and values made up from them."""

import numpy as np

from cole_core.encodings import VectorEncoding
from cole_core.encodings.vectors import ArchitectureVectors, LabelledVectors, VectorSource, label
from cole_core.evaluation.target import Target
from cole_core.hashing import hash_text
from cole_core.spaces import get_space

SPACE = get_space("nasbench201")
NATIVES = list(SPACE.enumerate())[::261]
TARGET = Target("cifar10", "accuracy", "test", 200, "made up")
VALUES = {
    SPACE.architecture_id(native): 70 + 4 * native.count("conv_3x3") + row % 7 / 3
    for row, native in enumerate(NATIVES)
}


def source(encoding: str) -> VectorSource:
    """A structural encoding needs no language model."""
    return VectorSource(encoding, "none", None, None)


def vectors(encoding: str) -> ArchitectureVectors:
    made = SPACE.encoding(encoding)
    assert isinstance(made, VectorEncoding)
    return ArchitectureVectors(
        architecture_ids=[SPACE.architecture_id(native) for native in NATIVES],
        natives=NATIVES,
        canonical_ids=[hash_text(SPACE.canonical_form(native)) for native in NATIVES],
        vectors=made.encode(NATIVES),
    )


def labelled(encoding: str) -> LabelledVectors:
    return label(vectors(encoding), VALUES)


def plain_top_recall(predicted: np.ndarray, true: np.ndarray) -> float:
    """Of the best tenth, rounded up; no two predictions may be alike."""
    k = -(-len(true) // 10)
    best = sorted(range(len(true)), key=lambda i: -true[i])[:k]
    found = sorted(range(len(true)), key=lambda i: -predicted[i])[:k]
    return len(set(best) & set(found)) / k
