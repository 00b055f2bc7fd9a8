"""einspace's encodings: the class runs as `build` does, the expression says the same in less."""

import ast
import re

import numpy as np
import pytest
import torch
from torch import nn

from cole_core.encodings import TextEncoding, VectorEncoding
from cole_core.errors import InputError
from cole_core.spaces import get_space
from cole_core.spaces.einspace import Einspace
from cole_core.spaces.einspace.tree import depth_of, modules_of, parse

SPACE = Einspace()
SMALL = Einspace((1, 8, 8), classes=4)
CONVOLUTION = "routing[im2col(3,1,1), computation<linear(64)>, col2im]"
STRIDED = "routing[im2col(3,2,1), computation<linear(16)>, col2im]"
RELU = "computation<relu>"
RESIDUAL = (
    f"sequential(sequential({CONVOLUTION}, computation<norm>), branching(2){{clone(2), "
    f"computation<identity>, sequential({CONVOLUTION}, {RELU}), add(2)}})"
)
COPIES = f"branching(4){{group(4,2), branching(8){{clone(8), {STRIDED}, add(8)}}, cat(4,2)}}"
TEXTS = ("code.class", "code.expression", "code.bare", "derivation", "derivation.canonical")


def text_encoding(name: str, space: Einspace = SPACE) -> TextEncoding:
    encoding = space.encoding(name)
    assert isinstance(encoding, TextEncoding)
    return encoding


def vector_encoding(name: str, space: Einspace = SPACE) -> VectorEncoding:
    encoding = space.encoding(name)
    assert isinstance(encoding, VectorEncoding)
    return encoding


def samples(space: Einspace, number: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(number)]


def test_the_class_of_a_residual_network() -> None:
    assert text_encoding("code.class").render(RESIDUAL) == (
        "class Network(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.conv1 = nn.Conv2d(3, 64, kernel_size=3, padding=1)\n"
        "        self.norm2 = nn.BatchNorm2d(64)\n"
        "        self.conv3 = nn.Conv2d(64, 64, kernel_size=3, padding=1)\n"
        "        self.classifier = nn.Linear(64, 10)\n"
        "\n"
        "    def forward(self, x0):\n"
        "        x1 = self.conv1(x0)\n"
        "        x2 = self.norm2(x1)\n"
        "        x3 = self.conv3(x2)\n"
        "        x4 = F.leaky_relu(x3)\n"
        "        x5 = x2 + x4\n"
        "        return self.classifier(x5.mean(dim=(2, 3)))"
    )


def test_the_class_of_copies() -> None:
    assert text_encoding("code.class", Einspace(classes=7)).render(COPIES) == (
        "class Network(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.conv3 = nn.ModuleList([nn.Conv2d(3, 16, kernel_size=3, stride=2, padding=1)"
        " for _ in range(32)])\n"
        "        self.classifier = nn.Linear(16, 7)\n"
        "\n"
        "    def forward(self, x0):\n"
        "        x1 = x0.chunk(4, dim=2)\n"
        "        x2 = [x for x in x1 for _ in range(8)]\n"
        "        x3 = [layer(x) for layer, x in zip(self.conv3, x2)]\n"
        "        x4 = [sum(x3[i : i + 8]) for i in range(0, len(x3), 8)]\n"
        "        x5 = torch.cat(x4, dim=2)\n"
        "        return self.classifier(x5.mean(dim=(2, 3)))"
    )


def test_expressions() -> None:
    expression = text_encoding("code.expression")
    start = "class Network(nn.Module):\n    def forward(self, x):\n        "
    assert expression.render(RESIDUAL) == (
        start + "return self.norm(self.conv3x3_64(x)) + "
        "F.leaky_relu(self.conv3x3_64(self.norm(self.conv3x3_64(x))))"
    )
    assert expression.render(COPIES) == (
        start + "return torch.cat([sum(self.conv3x3_stride2_16(x) for x in [x] * 8)"
        " for x in x.chunk(4, dim=2)], dim=2)"
    )
    assert expression.render(
        f"branching(2){{group(2,2), {RELU}, computation<norm>, cat(2,2)}}"
    ) == (
        start + "a, b = x.chunk(2, dim=2)\n        "
        "return torch.cat([F.leaky_relu(a), self.norm(b)], dim=2)"
    )
    long = f"sequential({RESIDUAL}, {RESIDUAL})"
    assert expression.render(long) == (
        start + "a = self.norm(self.conv3x3_64(self.norm(self.conv3x3_64(x)) + "
        "F.leaky_relu(self.conv3x3_64(self.norm(self.conv3x3_64(x))))))\n        "
        "return a + F.leaky_relu(self.conv3x3_64(a))"
    )


def test_the_bare_expression_is_the_body_of_the_expression() -> None:
    expression, bare = text_encoding("code.expression"), text_encoding("code.bare")
    long = f"sequential({RESIDUAL}, {RESIDUAL})"
    assert bare.render(long) == (
        "a = self.norm(self.conv3x3_64(self.norm(self.conv3x3_64(x)) + "
        "F.leaky_relu(self.conv3x3_64(self.norm(self.conv3x3_64(x))))))\n"
        "a + F.leaky_relu(self.conv3x3_64(a))"
    )
    for native in [long, COPIES, *samples(SPACE, 200), *SPACE.starting_points().values()]:
        whole = ast.parse(expression.render(native)).body[0]
        assert isinstance(whole, ast.ClassDef)
        function = whole.body[0]
        assert isinstance(function, ast.FunctionDef)
        *names, value = ast.parse(bare.render(native)).body
        *named, returned = function.body
        assert isinstance(value, ast.Expr)
        assert isinstance(returned, ast.Return)
        assert list(map(ast.dump, names)) == list(map(ast.dump, named))
        assert returned.value is not None
        assert ast.dump(value.value) == ast.dump(returned.value)


def run_class(space: Einspace, native: str) -> None:
    """Compares the executed text with the built network, with the same weights."""
    names: dict = {"torch": torch, "nn": nn, "F": nn.functional}
    exec(text_encoding("code.class", space).render(native), names)
    written, built = names["Network"](), space.build(native)
    with torch.no_grad():
        for weight in built.parameters():  # positional encodings begin as zeros
            weight.add_(0.1 * torch.randn_like(weight))
    written.load_state_dict(built.state_dict())
    images = torch.randn(2, *space.input_shape)
    torch.testing.assert_close(written(images), built(images), equal_nan=True)


def test_the_class_runs_as_the_network_does() -> None:
    torch.manual_seed(0)
    for native in [RESIDUAL, COPIES, *samples(SPACE, 50)]:
        run_class(SPACE, native)
    for native in samples(SMALL, 100):
        run_class(SMALL, native)


@pytest.mark.slow
def test_a_thousand_classes_run_as_the_networks_do() -> None:
    torch.manual_seed(0)
    for native in samples(SPACE, 1_000, seed=5):
        run_class(SPACE, native)


@pytest.mark.slow
def test_the_classes_of_the_starting_points_run() -> None:
    torch.manual_seed(0)
    for space in (SPACE, SMALL):
        for native in space.starting_points().values():
            run_class(space, native)


@pytest.mark.parametrize("name", ["code.class", "code.expression", "code.bare"])
def test_every_text_is_python_and_knows_its_names(name: str) -> None:
    for space in (SPACE, SMALL):
        for native in [*samples(space, 200), *space.starting_points().values()]:
            text = text_encoding(name, space).render(native)
            compile(text, name, "exec")
            assert text == text.strip()
            names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
            assert not re.findall(r"= x\d+$", text, re.MULTILINE)
            if name != "code.class":
                known = {"nn", "self", "x", "F", "torch", "sum"}
                made = set(re.findall(r"\b([a-z]\d*)\b(?=, [a-z]\d* (?:=|in)| =| in )", text))
                assert names <= known | made


def test_canonical_twins_share_their_expression() -> None:
    expression = text_encoding("code.expression")
    for native in samples(SPACE, 100):
        assert expression.render(native) == expression.render(SPACE.canonical_form(native))


def test_the_derivation_is_the_native_string() -> None:
    for native in samples(SPACE, 20):
        assert text_encoding("derivation").render(native) == native
        assert text_encoding("derivation.canonical").render(native) == SPACE.canonical_form(native)


@pytest.mark.parametrize("name", [*TEXTS, "counts", "ngram"])
def test_deep_networks_have_all_encodings(name: str) -> None:
    deep = 5_000
    trees = (
        f"sequential({RELU}, " * deep + "computation<norm>" + ")" * deep,
        "branching(2){clone(2), " * deep + RELU + ", computation<norm>, add(2)}" * deep,
    )
    for native in trees:
        encoding = SMALL.encoding(name)
        if isinstance(encoding, VectorEncoding):
            assert np.isfinite(encoding.encode([native])).all()
            continue
        text = encoding.render(native)
        assert len(text) < 150 * deep
        if name in ("code.expression", "code.bare"):
            ast.parse(text)


@pytest.mark.parametrize("name", get_space("einspace").encoding_names)
def test_what_is_no_network_has_no_encoding(name: str) -> None:
    encoding = get_space("einspace").encoding(name)
    for native in ("conv3x3", f"routing[identity, {RELU}, col2im]"):
        is_vector = isinstance(encoding, VectorEncoding)
        with pytest.raises(InputError, match="no einspace"):
            encoding.encode([native]) if is_vector else encoding.render(native)


def test_counts() -> None:
    natives = [RESIDUAL, COPIES, *samples(SPACE, 50)]
    vectors = vector_encoding("counts").encode(natives)
    assert vectors.dtype == np.float32
    assert vectors.shape == (52, 6 + 4 * 3 + 6 + 4 * 2 + 14 + 8 + 13 + 5)
    for native, vector in zip(natives, vectors, strict=True):
        cost = SPACE.cost(native)
        sizes = [cost.parameters, cost.flops, cost.activations, cost.operations]
        np.testing.assert_allclose(vector[-4:], np.log1p(sizes), rtol=1e-6)
        assert vector[-5] == depth_of(parse(native))
        assert vector[0] == native.count("sequential(")
        operations = re.findall(r"\w+(?:\([\w,]*\))?(?=[,}\]>])", native)
        assert vector[:-5].sum() == len(operations) + modules_of(parse(native))


def test_ngrams_count_the_words_of_the_expression() -> None:
    natives = samples(SPACE, 20)
    vectors = vector_encoding("ngram").encode(natives)
    assert vectors.shape == (20, 1024)
    for native, vector in zip(natives, vectors, strict=True):
        text = text_encoding("code.expression").render(native)
        tokens = len(re.findall(r"[\w.]+|[^\w\s]", text))
        assert vector.sum() == 3 * tokens - 3
    assert vector_encoding("ngram").encode([]).shape == (0, 1024)


def test_onnx_has_a_node_for_each_copy() -> None:
    pytest.importorskip("onnxslim", reason="needs the extra onnx")
    text = text_encoding("onnx").render(RESIDUAL)
    assert text.count("Conv(") == 2  # the norm is folded into the first
    assert text.count("Gemm(") == 1
    assert "w[64, 3, 3, 3]" in text
    assert text_encoding("onnx").render(COPIES).count("Conv(") == 32


@pytest.mark.slow
def test_onnx_computes_what_the_network_does() -> None:
    onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
    from onnx.reference import ReferenceEvaluator

    from cole_core.encodings.onnx_text import simplified_graph

    for native in samples(SMALL, 40):
        graph = simplified_graph(lambda native=native: SMALL.build(native), (1, 8, 8), native)
        torch.manual_seed(0)
        network = SMALL.build(native).eval()
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)])
        image = torch.randn(1, 1, 8, 8)
        (value,) = ReferenceEvaluator(model).run(None, {"x": image.numpy()})
        np.testing.assert_allclose(value, network(image).detach().numpy(), atol=1e-4, rtol=1e-3)
