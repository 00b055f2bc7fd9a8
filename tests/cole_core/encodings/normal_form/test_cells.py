"""Cells of NAS-Bench-201 have the words of its own texts; they and einspace's run as classes."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import nn

from cole_core.encodings.normal_form import Input, normal_form
from cole_core.spaces.einspace import Einspace
from cole_core.spaces.nasbench201 import NASBench201
from tests.cole_core.encodings.normal_form.running import (
    executed,
    outputs,
    unlike_fresh,
    with_weights_of,
)

CELLS = NASBench201()
SAMPLE = random.Random(13).sample(list(CELLS.enumerate()), 500)
EINSPACE = Einspace((3, 16, 16), 10)


def check_words_and_class(natives: Sequence[str]) -> None:
    expression, bare = CELLS.encoding("code.expression"), CELLS.encoding("code.bare")
    for native in natives:
        form = CELLS.normal_form(native)
        assert form.write_expression("Cell") == expression.render(native), native
        assert form.bare == bare.render(native), native
        again = normal_form(executed(form.class_text))
        assert (again.bare, again.class_text) == (form.bare, form.class_text), native


def check_class_of_einspace(networks: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(networks):
        native = EINSPACE.sample(rng)
        form = EINSPACE.normal_form(native)
        again = normal_form(executed(form.class_text))
        assert form.path == again.path == "fx"
        assert (again.bare, again.class_text) == (form.bare, form.class_text), native


def test_a_traced_cell_has_byte_for_byte_the_text_of_the_space_and_its_class_does() -> None:
    check_words_and_class(SAMPLE[:100])


@pytest.mark.slow
def test_so_do_five_hundred() -> None:
    check_words_and_class(SAMPLE)


@pytest.mark.slow
def test_every_traced_cell_has_the_text_of_the_space() -> None:
    expression = CELLS.encoding("code.expression")
    for native in CELLS.enumerate():
        assert CELLS.normal_form(native).write_expression("Cell") == expression.render(native)


def test_the_class_of_an_einspace_network_has_its_normal_form() -> None:
    check_class_of_einspace(40, seed=12)


@pytest.mark.slow
def test_so_do_two_hundred_of_einspace() -> None:
    check_class_of_einspace(200, seed=13)


def test_the_classes_of_einspace_networks_give_their_outputs() -> None:
    rng = np.random.default_rng(14)
    for _ in range(30):
        native = EINSPACE.sample(rng)
        module = unlike_fresh(lambda n=native: EINSPACE.build(n))  # type: ignore[misc]
        made = with_weights_of(EINSPACE.normal_form(native), module)
        inputs = [Input((2, 3, 16, 16))]
        torch.testing.assert_close(
            outputs(made, inputs), outputs(module, inputs), atol=1e-3, rtol=1e-3, equal_nan=True
        )


def relu_conv_bn(channels: int) -> list[nn.Module]:
    return [
        nn.ReLU(),
        nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
    ]


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.conv_a, self.conv_b = (nn.Conv2d(16, 16, 3, padding=1, bias=False) for _ in range(2))
        self.bn_a, self.bn_b = nn.BatchNorm2d(16), nn.BatchNorm2d(16)

    def forward(self, x):
        out = self.bn_a(self.conv_a(self.relu(x)))
        return x + self.bn_b(self.conv_b(self.relu(out)))


class Functional(Plain):
    def forward(self, x):
        out = self.bn_a(self.conv_a(nn.functional.relu(x)))
        out = self.bn_b(self.conv_b(torch.relu(out)))
        out += x
        return out


class Nested(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(*relu_conv_bn(32), nn.Sequential(*relu_conv_bn(32)))
        self.never_called = nn.Conv2d(32, 32, 3)

    def forward(self, x):
        unused = self.body[0](x).mean()  # noqa: F841
        return torch.add(self.body(x), x)


class Loop(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(relu_conv_bn(64) + relu_conv_bn(64))
        self.drop = nn.Dropout(0.2)

    def forward(self, x):
        out = x.clone()
        for layer in self.layers:
            out = layer(out)
        return nn.Identity()(self.drop(out)) + x


@pytest.mark.parametrize("network", [Plain, Functional, Nested, Loop])
def test_a_residual_block_is_one_text_however_it_is_written(network: type[nn.Module]) -> None:
    """And that of the cell with the same block."""
    cell = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"
    form = normal_form(network)
    assert form.write_expression("Cell") == CELLS.encoding("code.expression").render(cell)
