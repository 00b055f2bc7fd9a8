"""Shapes are worked out before an ONNX graph is simplified, so that a network has one text."""

import numpy as np
import pytest

from cole_core.encodings import TextEncoding
from cole_core.spaces import parse_space

onnx = pytest.importorskip("onnx")

SPACE = parse_space("einspace:1x8x8:10")


def render(native: str) -> str:
    encoding = SPACE.encoding("onnx")
    assert isinstance(encoding, TextEncoding)
    return encoding.render(native)


def drawn(count: int) -> list[str]:
    rng = np.random.default_rng(3)
    found: list[str] = []
    while len(found) < count:
        native = SPACE.sample(rng)
        if "group" in native or "im2col" in native:
            found.append(native)
    return found


@pytest.mark.parametrize("native", drawn(4))
def test_a_network_has_one_text(native: str) -> None:
    assert len({render(native) for _ in range(4)}) == 1


@pytest.mark.parametrize("native", drawn(4))
def test_no_arithmetic_on_shapes_is_left(native: str) -> None:
    operators = {line.split("= ")[1].partition("(")[0] for line in render(native).splitlines()[:-1]}
    assert not operators & {"Shape", "Mod", "Range"}


def test_folded_models_compute_the_same() -> None:
    import torch
    from onnx.reference import ReferenceEvaluator

    from cole_core.encodings.onnx_folding import fold_constants
    from cole_core.encodings.onnx_text import _export

    image = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 1, 8, 8)).astype("float32"))
    for native in drawn(2):
        network = SPACE.build(native).eval()
        folded = fold_constants(onnx.load_from_string(_export(network, image)))
        [got] = ReferenceEvaluator(folded).run(None, {"x": image.numpy()})
        np.testing.assert_allclose(got, network(image).detach().numpy(), atol=1e-4)
