"""The running network, against published counts and plain functional code."""

import numpy as np
import pytest
import torch
from torch import nn

from cole_core.spaces.nasbench201 import NASBench201, build, parameter_count, parse
from cole_core.spaces.nasbench201.network import CellModule

ALL = "|{0}~0|+|{0}~0|{0}~1|+|{0}~0|{0}~1|{0}~2|"
EXAMPLE = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|"
    "+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
)


@pytest.mark.parametrize(
    ("operation", "millions"),
    [("nor_conv_3x3", 1.531546), ("skip_connect", 0.073306)],  # the benchmark's most and least
)
def test_published_parameter_counts(operation: str, millions: float) -> None:
    native = ALL.format(operation)
    built = sum(weight.numel() for weight in build(native).parameters())
    assert built == parameter_count(native) == round(millions * 1e6)


def test_parameter_count_of_other_sizes() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        native = NASBench201().sample(rng)
        channels, cells, classes = (int(rng.integers(1, high)) for high in (9, 4, 121))
        built = build(native, channels, cells, classes)
        assert sum(weight.numel() for weight in built.parameters()) == parameter_count(
            native, channels, cells, classes
        )


def apply(operation: str, module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """An operation by plain functions; `module` lends the weights of a convolution."""
    if operation == "none":
        return 0 * x
    if operation == "skip_connect":
        return x
    if operation == "avg_pool_3x3":  # the mean of the pixels that are there
        ones = torch.ones(x.shape[1], 1, 3, 3)
        total = nn.functional.conv2d(x, ones, padding=1, groups=x.shape[1])
        return total / nn.functional.conv2d(torch.ones_like(x), ones, padding=1, groups=x.shape[1])
    weights = dict(module.named_parameters())
    kernel = 3 if operation == "nor_conv_3x3" else 1
    assert weights["1.weight"].shape[2:] == (kernel, kernel)
    x = nn.functional.conv2d(nn.functional.relu(x), weights["1.weight"], padding=kernel // 2)
    mean = x.mean(dim=(0, 2, 3), keepdim=True)
    variance = x.var(dim=(0, 2, 3), keepdim=True, unbiased=False)
    scale, shift = (weights[f"2.{name}"].view(1, -1, 1, 1) for name in ("weight", "bias"))
    return (x - mean) / torch.sqrt(variance + 1e-5) * scale + shift


def test_a_cell_adds_its_edges() -> None:
    rng = np.random.default_rng(1)
    torch.manual_seed(0)
    images = torch.randn(3, 4, 7, 7)
    for native in [EXAMPLE, *(NASBench201().sample(rng) for _ in range(30))]:
        module = CellModule(parse(native), channels=4)
        op = dict(zip(["01", "02", "12", "03", "13", "23"], parse(native).operations, strict=True))

        def edge(name: str, x: torch.Tensor, module: nn.Module = module, op: dict = op):
            return apply(op[name], module.get_submodule(f"op_{name[0]}_{name[1]}"), x)

        node1 = edge("01", images)
        node2 = edge("02", images) + edge("12", node1)
        node3 = edge("03", images) + edge("13", node1) + edge("23", node2)
        torch.testing.assert_close(module(images), node3, rtol=1e-4, atol=1e-4)


def test_a_network_halves_its_images_twice_and_learns() -> None:
    torch.manual_seed(0)
    network = NASBench201().build(EXAMPLE, channels=8, cells=1, classes=7)
    images = torch.randn(4, 3, 32, 32)
    assert network.get_submodule("layers")(network.get_submodule("stem")(images)).shape == (
        4,
        32,
        8,
        8,
    )
    logits = network(images)
    assert logits.shape == (4, 7)
    logits.sum().backward()
    dead = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert dead == []


def test_a_cell_without_edges_is_zero() -> None:
    images = torch.randn(2, 3, 32, 32)
    cell = CellModule(parse(ALL.format("none")), channels=3)
    assert not cell(images).any()
    assert build(ALL.format("none"), channels=4, cells=1)(images).isfinite().all()
