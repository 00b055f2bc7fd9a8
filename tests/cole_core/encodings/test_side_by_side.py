"""What a surrogate is told of encodings that stand side by side."""

import numpy as np
import pytest

from cole_core.encodings.side_by_side import is_structural, parts, surrogate_kind
from cole_core.encodings.vectors import ArchitectureVectors, VectorSource
from cole_core.errors import InputError
from cole_core.spaces import get_space

SPACE = get_space("nasbench201")
NATIVE = next(SPACE.enumerate())


def kind(encoding: str, spec_id: str | None, width: int) -> dict[str, object]:
    source = VectorSource(encoding, "none", spec_id, None)
    vectors = np.zeros((1, width), np.float32)
    return surrogate_kind(SPACE, source, ArchitectureVectors(["id"], [NATIVE], ["id"], vectors))


def test_parts_are_joined_by_a_plus() -> None:
    assert parts("code.expression + graf") == ["code.expression", "graf"]
    assert parts("path") == ["path"]


def test_only_what_needs_no_language_model_is_structural() -> None:
    assert is_structural(SPACE, "path")
    assert is_structural(SPACE, "path+graf")
    assert not is_structural(SPACE, "code.expression+graf")
    with pytest.raises(InputError, match=r"'graf\+path\+graf' has a part twice: name each once"):
        is_structural(SPACE, "graf+path+graf")
    with pytest.raises(InputError, match="unknown encoding of nasbench201 'tree': choose one of"):
        is_structural(SPACE, "graf+tree")


def test_one_encoding_is_structural_or_not() -> None:
    assert kind("path", None, 155) == {"structural": True}
    assert kind("code.expression", "spec", 384) == {"structural": False}


def test_of_several_each_block_is_told_with_its_width() -> None:
    assert kind("adjacency+path", None, 30 + 155) == {"blocks": ((30, True), (155, True))}
    assert kind("graf+code.expression", "spec", 191 + 384) == {
        "blocks": ((191, True), (384, False))
    }
    assert kind("code.expression+graf+code.inline", "spec", 2 * 384 + 191) == {
        "blocks": ((384, False), (191, True), (384, False))
    }
