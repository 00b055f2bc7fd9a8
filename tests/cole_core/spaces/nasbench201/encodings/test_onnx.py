"""The `onnx` text: its operators are the cell's own, and nothing but the text is left behind."""

import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from cole_core.encodings import RenderingError, TextEncoding
from cole_core.errors import InputError
from cole_core.spaces import get_space
from cole_core.spaces.nasbench201 import NASBench201, parse
from cole_core.spaces.nasbench201.encodings import onnx as module
from cole_core.spaces.nasbench201.network import CellModule

onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
pytest.importorskip("onnxslim", reason="needs the extra onnx")

EXAMPLE = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|"
    "+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
)
# No `none`, so no edge is dead, and no two pools of the same node.
ALIVE = [
    EXAMPLE,
    "|avg_pool_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|nor_conv_1x1~0|skip_connect~1|avg_pool_3x3~2|",
    "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|",
    "|nor_conv_1x1~0|+|nor_conv_1x1~0|nor_conv_1x1~1|+|nor_conv_1x1~0|nor_conv_1x1~1|nor_conv_1x1~2|",
]


def encoding() -> TextEncoding:
    made = get_space("nasbench201").encoding("onnx")
    assert isinstance(made, TextEncoding)
    return made


def calls(text: str) -> Counter[str]:
    return Counter(re.findall(r"= (\w+)\(", text))


@pytest.mark.parametrize("native", ALIVE)
def test_operators_are_those_of_the_cell(native: str) -> None:
    text, operations = encoding().render(native), Counter(parse(native).operations)
    assert calls(text)["Conv"] == operations["nor_conv_3x3"] + operations["nor_conv_1x1"]
    assert calls(text)["AveragePool"] == operations["avg_pool_3x3"]
    assert text.count("w[16, 16, 3, 3]") == operations["nor_conv_3x3"]
    assert text.count("w[16, 16, 1, 1]") == operations["nor_conv_1x1"]


@pytest.mark.parametrize("context", ["none", "network"])
def test_every_input_was_made_before(context: str) -> None:
    known = {"x"}
    *lines, last = encoding().render(EXAMPLE, context).splitlines()
    for line in lines:
        made, _, call = line.partition(" = ")
        used = set(re.findall(r"\bv\d+", call))
        assert used <= known
        known |= set(made.split(", "))
    assert last == f"return {made}"


def test_dead_operations_are_gone() -> None:
    dead = "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|avg_pool_3x3~0|none~1|none~2|"
    text = encoding().render(dead)
    assert (calls(text)["Conv"], calls(text)["AveragePool"]) == (0, 1)


def test_a_cell_without_operations_has_a_text() -> None:
    text = encoding().render("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    assert "x" not in re.findall(r"\b\w+\b", text.replace("x =", ""))
    assert text.splitlines()[-1].startswith("return ")


def test_network_has_the_cell_in_each_stage() -> None:
    """3 cells of 3 convolutions; stem 1, and 3 in each of two residual blocks."""
    count = calls(encoding().render(EXAMPLE, "network"))
    assert count["Conv"] == 3 * 3 + 1 + 2 * 3
    assert count["Gemm"] == 1


def test_the_simplified_graph_computes_what_the_network_does() -> None:
    from onnx.reference import ReferenceEvaluator

    space, rng = NASBench201(), np.random.default_rng(0)
    natives = [EXAMPLE, *(space.sample(rng) for _ in range(3))]
    for native in natives:
        torch.manual_seed(0)
        cell = CellModule(parse(native), module.CHANNELS).eval()
        x = torch.randn(1, module.CHANNELS, module.SIZE, module.SIZE)
        graph = module.simplified_graph(native, whole=False)
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)])
        (value,) = ReferenceEvaluator(model).run(None, {"x": x.numpy()})
        np.testing.assert_allclose(value, cell(x).detach().numpy(), atol=1e-4)


def test_text_is_the_same_every_time_and_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = encoding().render(EXAMPLE)
    torch.manual_seed(7)
    assert encoding().render(EXAMPLE) == first
    before = torch.random.get_rng_state()
    encoding().render(EXAMPLE)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_export_names_the_architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no symbolic function\nfor this")

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(RenderingError, match="no symbolic function for this") as error:
        encoding().render(EXAMPLE)
    assert EXAMPLE in str(error.value)


def test_the_extra_is_named_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxslim", None)
    with pytest.raises(InputError, match=r"install cole-warehouse\[onnx\]"):
        encoding().render(EXAMPLE)
