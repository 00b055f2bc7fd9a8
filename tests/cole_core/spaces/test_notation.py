"""What resembles an architecture of a space: everything that is damaged, and no sentence."""

import numpy as np
import pytest

from cole_core.errors import InputError
from cole_core.spaces import get_space
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.notation import notation_of, read_native

SENTENCES = [
    "a residual block of two convolutions",
    "Is there a cell with fewer pools (and no shortcut)?",
    "depth-wise separable, then squeeze-and-excitation; see section 3.2",
    "the best network of CIFAR-10: 94.37 % after 200 epochs",
    "conv -> norm -> relu",
    "std::vector<int> sizes[3] {64, 128}",
    "something with attention & a gate, 3x3 kernels",
]


@pytest.fixture(scope="module", params=["nasbench201", "einspace"])
def space(request: pytest.FixtureRequest) -> SearchSpace:
    return get_space(request.param)


def drawn(space: SearchSpace, count: int) -> list[str]:
    rng = np.random.default_rng(3)
    return [space.sample(rng) for _ in range(count)]


def is_valid(space: SearchSpace, native: str) -> bool:
    try:
        space.validate(native)
    except InputError:
        return False
    return True


def test_an_architecture_is_read_whatever_its_blanks(space: SearchSpace) -> None:
    for native in drawn(space, 20):
        assert read_native(space, native) == native
        assert read_native(space, f"\t{native} \n") == native
        assert read_native(space, native.replace(" ", "")) == native
        for mark in "|+,(>":
            assert read_native(space, native.replace(mark, f" {mark} ")) == native


def test_what_lost_a_letter_resembles_and_is_not_read(space: SearchSpace) -> None:
    notation = notation_of(space)
    for native in drawn(space, 10):
        for at in range(len(native)):
            damaged = native[:at] + native[at + 1 :]
            if native[at] == " " or is_valid(space, damaged):  # linear64 may become linear6
                continue
            assert read_native(space, damaged) is None
            assert notation.resembles(damaged), damaged


def test_sentences_resemble_nothing(space: SearchSpace) -> None:
    notation = notation_of(space)
    assert [text for text in SENTENCES if notation.resembles(text)] == []
    assert is_valid(space, notation.example)
