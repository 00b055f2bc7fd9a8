"""The running network, against a plain recursive interpreter, and costs against counters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cole_core.spaces.einspace import Einspace
from cole_core.spaces.einspace.grammar import Operation
from cole_core.spaces.einspace.tree import Module, parse

SPACE = Einspace()
SMALL = Einspace((1, 8, 8), classes=4)
CONVOLUTION = "routing[im2col(3,2,1), computation<linear(16)>, col2im]"
RELU = "computation<relu>"
BY_HAND = (
    CONVOLUTION,
    "routing[im2col(4,4,0), sequential(computation<linear(64)>, computation<norm>), identity]",
    f"branching(8){{clone(8), {CONVOLUTION}, add(8)}}",
    f"branching(4){{group(4,2), branching(8){{clone(8), {CONVOLUTION}, cat(8,1)}}, cat(4,3)}}",
    "branching(4){clone(4), branching(2){group(2,3), computation<pos_enc>, "
    "computation<linear(16)>, add(2)}, cat(4,2)}",
    "routing[im2col(1,1,0), branching(2){clone(2), computation<linear(32)>, "
    "routing[identity, computation<linear(32)>, perm(0,2,1)], dot_product(scaled)}, identity]",
    "branching(2){clone(2), computation<norm>, routing[perm(0,1,3,2), computation<softmax>, "
    "identity], dot_product}",
    # Two readers of the same patches: these are no convolution.
    "routing[im2col(3,1,1), branching(2){clone(2), routing[identity, computation<linear(16)>, "
    "col2im], routing[identity, computation<linear(16)>, col2im], add(2)}, identity]",
)


def samples(space: Einspace, number: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(number)]


def weights_in_order(network: nn.Module) -> Iterator[list]:
    """Weights in the order of the derivation, with a list of copies for each operation."""
    held = {**dict(network.named_children()), **dict(network.named_parameters(recurse=False))}
    del held["classifier"]
    for name in sorted(held, key=lambda name: int(re.search(r"\d+$", name).group())):  # type: ignore[union-attr]
        own = held[name]
        yield list(own) if isinstance(own, nn.ModuleList | nn.ParameterList) else [own]


@dataclass
class Interpreter:
    """Runs a derivation as it is defined, branch by branch and without convolutions."""

    weights: dict[int, list]

    @classmethod
    def of(cls, root: Module, network: nn.Module) -> "Interpreter":
        weights = weights_in_order(network)
        found = {}

        def visit(node: Module) -> None:
            for child in node.children:
                if isinstance(child, Module):
                    visit(child)
                elif child.name in ("linear", "norm", "pos_enc"):
                    found[id(node)] = next(weights)

        visit(root)
        assert list(weights) == []
        return cls(found)

    def run(self, node: Module, x: torch.Tensor, folded: tuple, copy: int = 0) -> tuple:
        """The output and the sizes to fold back to."""
        children = node.children
        if node.kind.name == "sequential":
            return self.run(children[1], *self.run(children[0], x, folded, copy), copy)
        if node.kind.name == "routing":
            x, folded = self.run(children[1], *route(children[0], x, folded), copy)
            return route(children[2], x, folded)
        if node.kind.name == "computation":
            return self.compute(node, children[0], x, copy), folded
        split, *inner, join = children
        branches = int(node.kind.name[-2])
        if split.name == "clone":
            parts = [x] * branches
        else:
            size = x.shape[split.numbers[1]] // branches
            parts = [x.narrow(split.numbers[1], i * size, size) for i in range(branches)]
        if branches == 2:
            ends = [self.run(inner[i], parts[i], folded, copy) for i in range(2)]
        else:
            ends = [
                self.run(inner[0], part, folded, copy * branches + i)
                for i, part in enumerate(parts)
            ]
        ends_x = [x for x, _ in ends]
        folded = ends[0][1] if ends[0][1] == ends[-1][1] else None
        if join.name == "add":
            return sum(ends_x[1:], ends_x[0]), folded
        if join.name == "cat":
            return torch.cat(ends_x, join.numbers[1]), folded
        product = torch.einsum("...ij,...jk->...ik", *ends_x)
        scale = ends_x[0].shape[-1] ** 0.5 if join.name.startswith("scaled") else 1
        return product / scale, folded

    def compute(self, node: Module, operation: Operation, x: torch.Tensor, copy: int):
        if operation.name == "identity":
            return x
        if operation.name == "relu":
            return torch.where(x > 0, x, 0.01 * x)
        if operation.name == "softmax":
            return x.exp() / x.exp().sum(-1, keepdim=True)
        own = self.weights[id(node)][copy]
        if operation.name == "pos_enc":
            return x + own
        if operation.name == "linear":
            return x @ own.weight.flatten(1).T + own.bias
        dims = (0, 2, 3) if x.ndim == 4 else (-1,)
        assert isinstance(own, nn.BatchNorm2d if x.ndim == 4 else nn.LayerNorm)
        view = (1, -1, 1, 1) if x.ndim == 4 else (-1,)
        mean, variance = x.mean(dims, keepdim=True), x.var(dims, keepdim=True, unbiased=False)
        scaled = (x - mean) / (variance + 1e-5).sqrt()
        return scaled * own.weight.view(view) + own.bias.view(view)


def route(operation: Operation, x: torch.Tensor, folded: tuple) -> tuple:
    if operation.name == "perm":
        axes = "abcd"[: x.ndim]
        moved = "".join(axes[axis] for axis in operation.numbers)
        return torch.einsum(f"{axes}->{moved}", x), folded
    if operation.name == "im2col":
        kernel, stride, padding = operation.numbers
        x = nn.functional.pad(x, [padding] * 4)
        patches = x.unfold(2, kernel, stride).unfold(3, kernel, stride)  # b c h w k k
        folded = (patches.shape[2], patches.shape[3])
        return patches.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2), folded
    if operation.name == "col2im":
        return x.permute(0, 2, 1).reshape(x.shape[0], x.shape[2], *folded), None
    return x, folded


def randomize(network: nn.Module) -> None:
    """Weights of which none is zero or one."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.1 * torch.randn_like(weight))


@pytest.mark.parametrize("space", [SPACE, SMALL], ids=["32", "8"])
def test_a_network_computes_what_its_derivation_says(space: Einspace) -> None:
    torch.manual_seed(0)
    drawn = samples(space, 150 if space is SMALL else 50)
    for native in drawn if space is SMALL else [*BY_HAND, *drawn]:
        network, root = space.build(native).double(), parse(native)
        randomize(network)
        images = torch.randn(3, *space.input_shape, dtype=torch.float64)
        value, _ = Interpreter.of(root, network).run(root, images, ())
        assert tuple(value.shape[1:]) == space.program(native).after.shape
        mean = value.mean((2, 3)) if value.ndim == 4 else value.mean(1)
        expected = network.get_submodule("classifier")(mean)
        assert expected.shape == (3, space.classes)
        torch.testing.assert_close(network(images), expected, rtol=1e-6, atol=1e-6)


def test_a_convolution_is_one() -> None:
    def layers(native: str) -> list[str]:
        return [type(layer).__name__ for layer in SPACE.build(native).children()]

    assert layers(BY_HAND[0]) == ["Conv2d", "Linear"]
    assert layers(BY_HAND[-1]) == ["Linear", "Linear", "Linear"]
    assert layers(f"sequential({CONVOLUTION}, {RELU})") == ["Conv2d", "Linear"]
    inner = "sequential(computation<identity>, computation<linear(16)>)"
    assert layers(f"routing[im2col(3,2,1), {inner}, col2im]") == ["Conv2d", "Linear"]


def test_costs_are_what_pytorch_counts() -> None:
    for native in [*BY_HAND, *samples(SPACE, 150), *SPACE.starting_points().values()]:
        with torch.device("meta"):
            network = SPACE.build(native)
            images = torch.zeros(2, 3, 32, 32)
        cost = SPACE.cost(native)
        assert cost.parameters == sum(weight.numel() for weight in network.parameters())
        with FlopCounterMode(display=False) as counter:
            logits = network(images)
        assert logits.shape == (2, 10)
        assert counter.get_total_flops() == 2 * 2 * cost.flops  # two images; multiply and add


def test_activations_and_calls_of_a_residual_block() -> None:
    native = (
        "branching(2){clone(2), sequential(routing[im2col(3,1,1), computation<linear(16)>, "
        "col2im], computation<relu>), routing[im2col(1,1,0), computation<linear(16)>, col2im], "
        "add(2)}"
    )
    cost = SPACE.cost(native)
    assert cost.activations == 4 * 16 * 32 * 32  # two convolutions, relu, sum
    assert cost.operations == 4
    inner = "branching(4){group(4,1), computation<relu>, cat(4,1)}"
    patches = f"routing[im2col(3,1,1), {inner}, identity]"
    assert SPACE.cost(patches).activations == 3 * 27 * 32 * 32  # im2col, relu, cat
    assert SPACE.cost(patches).operations == 1 + 1 + 4 + 1


def test_networks_learn() -> None:
    torch.manual_seed(0)
    for native in samples(SMALL, 100, seed=1):
        network = SMALL.build(native)
        network(torch.randn(2, 1, 8, 8)).sum().backward()
        dead = [name for name, weight in network.named_parameters() if weight.grad is None]
        assert dead == []


def tie(network: nn.Module) -> None:
    """Gives all weights of one shape the same values, a convolution those of its linear map."""
    with torch.no_grad():
        for weight in network.parameters():
            shape = weight.flatten(1).shape if weight.ndim == 4 else weight.shape
            rng = np.random.default_rng(list(shape))
            weight.copy_(torch.tensor(rng.normal(size=shape) * 0.3).view(weight.shape))


@pytest.mark.parametrize("space", [SPACE, SMALL], ids=["32", "8"])
def test_canonical_forms_preserve_the_function(space: Einspace) -> None:
    torch.manual_seed(0)
    changed = 0
    for native in samples(space, 120, seed=2):
        canonical = space.canonical_form(native)
        one, other = space.build(native).double(), space.build(canonical).double()
        tie(one)
        tie(other)
        images = torch.randn(3, *space.input_shape, dtype=torch.float64)
        torch.testing.assert_close(one(images), other(images), rtol=1e-6, atol=1e-6)
        changed += native != canonical
    assert changed > 30


def test_the_order_of_two_added_branches_is_that_of_their_weights() -> None:
    """Branches that change places take their weights along: the function is the same."""
    torch.manual_seed(0)
    inner = "computation<linear(64)>"
    native = f"branching(2){{clone(2), sequential({RELU}, {inner}), {inner}, add(2)}}"
    one, other = SPACE.build(native), SPACE.build(SPACE.canonical_form(native))
    first, second, classifier = one.children()
    for layer, source in zip(other.children(), (second, first, classifier), strict=True):
        layer.load_state_dict(source.state_dict())
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(one(images), other(images))


def test_a_deep_network_runs_forward_and_backward() -> None:
    deep = 5_000
    native = f"sequential({RELU}, " * deep + "computation<pos_enc>" + ")" * deep
    network = SMALL.build(native)
    network(torch.randn(2, 1, 8, 8)).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())
    nested = "branching(2){clone(2), " * 1_000 + RELU + f", {RELU}, add(2)}}" * 1_000
    with torch.device("meta"):
        assert SMALL.build(nested)(torch.zeros(2, 1, 8, 8)).shape == (2, 4)


@pytest.mark.slow
def test_ten_thousand_networks_build_without_memory() -> None:
    natives = set(samples(SPACE, 10_000, seed=3))
    with torch.device("meta"):
        images = torch.zeros(2, 3, 32, 32)
        for native in natives:
            assert parse(native).text == native
            assert SPACE.build(native)(images).shape == (2, 10)


@pytest.mark.slow
def test_a_thousand_networks_run_forward_and_backward() -> None:
    for native in samples(SPACE, 1_000, seed=4):
        network = SPACE.build(native)
        network(torch.randn(2, 3, 32, 32)).sum().backward()
        assert all(weight.grad is not None for weight in network.parameters())
