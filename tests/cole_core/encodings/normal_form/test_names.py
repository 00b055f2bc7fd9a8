"""One name for one thing, and one thing for each name."""

from collections.abc import Callable
from itertools import combinations

import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from cole_core.encodings.normal_form import NormalForm, normal_form


class Applied(nn.Module):
    """A function of a convolution's output, with what it needs."""

    def __init__(self, function: Callable[..., Tensor], *modules: nn.Module) -> None:
        super().__init__()
        self.function = function
        self.modules_ = nn.ModuleList(modules)
        self.stem = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return self.function(self.stem(x), *self.modules_)


def form(function: Callable[..., Tensor], *modules: Callable[[], nn.Module]) -> NormalForm:
    return normal_form(lambda: Applied(function, *(make() for make in modules)))


SAME = {
    "relu": [
        form(lambda x, m: m(x), nn.ReLU),
        form(lambda x, m: m(x), lambda: nn.ReLU(inplace=True)),
        form(functional.relu),
        form(torch.relu),
        form(lambda x: x.relu()),
        form(lambda x: x.relu_()),
        form(lambda x: functional.relu(x, inplace=True)),
        form(functional.relu_),
    ],
    "flatten": [
        form(lambda x, m: m(x), nn.Flatten),
        form(lambda x: x.flatten(1)),
        form(lambda x: x.flatten(start_dim=1)),
        form(lambda x: torch.flatten(x, 1)),
        form(lambda x: x.view(x.size(0), -1)),
        form(lambda x: x.view(x.shape[0], -1)),
        form(lambda x: x.reshape(x.size()[0], -1)),
        form(lambda x: x.contiguous().reshape((x.size(dim=0), -1))),
    ],
    "sum": [
        form(lambda x, m: x + m(x), nn.Tanh),
        form(lambda x, m: m(x) + x, nn.Tanh),
        form(lambda x, m: torch.add(x, m(x)), nn.Tanh),
        form(lambda x, m: m(x).add(x), nn.Tanh),
        form(lambda x, m: m(x).add_(x), nn.Tanh),
        form(lambda x, m: sum([x, torch.tanh(x)]), nn.Tanh),
        form(lambda x, m: x + x.tanh() + torch.zeros_like(x), nn.Tanh),
        form(lambda x, m: x + x.tanh() + x * 0, nn.Tanh),
        form(lambda x, m: 1.0 * x + x.tanh() / 1, nn.Tanh),
    ],
    "concatenation": [
        form(lambda x: torch.cat([x, x.tanh()], 1)),
        form(lambda x: torch.cat((x, torch.tanh(x)), dim=1)),
        form(lambda x: torch.concat([x, x.tanh()], dim=-3)),
        form(lambda x: torch.cat(tensors=[x, x.tanh()], dim=1)),
    ],
    "global average": [
        form(lambda x: x.mean((2, 3))),
        form(lambda x: x.mean([-1, -2])),
        form(lambda x: torch.mean(x, dim=(2, 3))),
        form(lambda x: functional.adaptive_avg_pool2d(x, 1).flatten(1)),
        form(lambda x, m: m(x).view(x.size(0), -1), lambda: nn.AdaptiveAvgPool2d((1, 1))),
        form(lambda x, m: m(x), lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())),
        form(lambda x: x.mean((2, 3), keepdim=True).flatten(1)),
    ],
    "max pool": [
        form(lambda x, m: m(x), lambda: nn.MaxPool2d(2)),
        form(lambda x, m: m(x), lambda: nn.MaxPool2d((2, 2), stride=2)),
        form(lambda x: functional.max_pool2d(x, 2)),
        form(lambda x: functional.max_pool2d(x, kernel_size=2, stride=(2, 2), padding=0)),
        form(lambda x: torch.max_pool2d(x, 2)),
    ],
    "softmax": [
        form(lambda x, m: m(x), lambda: nn.Softmax(dim=1)),
        form(lambda x: functional.softmax(x, 1)),
        form(lambda x: x.softmax(-3)),
        form(lambda x: torch.softmax(x, dim=1)),
    ],
    "dropout": [
        form(lambda x: x),
        form(lambda x, m: m(x), nn.Dropout),
        form(lambda x, m: m(x), nn.Identity),
        form(lambda x: functional.dropout2d(x, 0.3, training=False)),
    ],
    "transposition": [
        form(lambda x: x.transpose(1, 2)),
        form(lambda x: torch.transpose(x, 2, 1)),
        form(lambda x: x.swapaxes(1, 2)),
    ],
    "matrix product": [
        form(lambda x: x @ x.transpose(2, 3)),
        form(lambda x: torch.matmul(x, x.transpose(3, 2))),
        form(lambda x: x.matmul(x.transpose(2, 3))),
    ],
    "upsampling": [
        form(lambda x, m: m(x), lambda: nn.Upsample(scale_factor=2)),
        form(lambda x: functional.interpolate(x, scale_factor=2.0, mode="nearest")),
    ],
    "dead code": [
        form(lambda x: x.exp()),
        form(lambda x, m: (m(x), x.exp())[1], lambda: nn.Conv2d(8, 8, 1)),
        form(lambda x, m: x.exp(), lambda: nn.Linear(3, 3)),
    ],
    "linear": [
        form(lambda x, m: m(x.mean((2, 3))), lambda: nn.Linear(8, 4)),
        form(
            lambda x, m: functional.linear(x.mean((2, 3)), m.weight, m.bias),
            lambda: nn.Linear(8, 4),
        ),
    ],
    "convolution": [
        form(lambda x, m: m(x), lambda: nn.Conv2d(8, 16, 3, padding="same", groups=2)),
        form(
            lambda x, m: functional.conv2d(x, m.weight, m.bias, padding="same", groups=2),
            lambda: nn.Conv2d(8, 16, 3, groups=2),
        ),
    ],
    "padding that keeps the size": [
        form(lambda x, m: m(x), lambda: nn.Conv2d(8, 8, 3, padding=1)),
        form(lambda x, m: m(x), lambda: nn.Conv2d(8, 8, 3, padding="same")),
        form(
            lambda x, m: functional.conv2d(x, m.weight, m.bias, padding="same"),
            lambda: nn.Conv2d(8, 8, 3),
        ),
    ],
    "padding of another kernel": [
        form(lambda x, m: m(x), lambda: nn.Conv2d(8, 8, (3, 5), padding=(1, 4), dilation=(1, 2))),
        form(lambda x, m: m(x), lambda: nn.Conv2d(8, 8, (3, 5), padding="same", dilation=(1, 2))),
    ],
    "no padding": [
        form(lambda x, m: m(x), lambda: nn.Conv2d(8, 8, 3)),
        form(lambda x, m: m(x), lambda: nn.Conv2d(8, 8, 3, padding="valid")),
    ],
    "batch norm": [
        form(lambda x, m: m(x), lambda: nn.BatchNorm2d(8)),
        form(
            lambda x, m: functional.batch_norm(
                x, m.running_mean, m.running_var, m.weight, m.bias, False
            ),
            lambda: nn.BatchNorm2d(8),
        ),
    ],
}


@pytest.mark.parametrize("name", SAME)
def test_synonyms_have_one_text(name: str) -> None:
    assert {each.path for each in SAME[name]} == {"fx"}
    assert len({each.bare for each in SAME[name]}) == 1, {each.bare for each in SAME[name]}


DIFFERENT = [
    *(
        form(lambda x, m: m(x), make)
        for make in (
            lambda: nn.Conv2d(8, 8, 3, padding=1),
            lambda: nn.Conv2d(8, 8, 3, padding=1, bias=False),
            lambda: nn.Conv2d(8, 8, 3),
            lambda: nn.Conv2d(8, 8, 3, padding=1, groups=8),
            lambda: nn.Conv2d(8, 8, 3, padding=1, groups=2),
            lambda: nn.Conv2d(8, 8, 3, padding=2, dilation=2),
            lambda: nn.Conv2d(8, 8, 4, padding="same"),
            lambda: nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"),
            lambda: nn.Conv2d(8, 8, (1, 3), padding=(0, 1)),
            lambda: nn.Conv2d(8, 8, 3, stride=2, padding=1),
            lambda: nn.Conv2d(8, 8, 3, stride=3),
            lambda: nn.Conv2d(8, 8, 3, stride=3, padding=1),
            lambda: nn.Conv2d(8, 16, 3, padding=1),
            lambda: nn.Conv2d(8, 8, 1),
            lambda: nn.ConvTranspose2d(8, 8, 2, 2),
            lambda: nn.ConvTranspose2d(8, 8, 3, 2, 1, output_padding=1),
            lambda: nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)),
            lambda: nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8)),
            lambda: nn.Sequential(
                nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()
            ),
            lambda: nn.Sequential(
                nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
            ),
            lambda: nn.Sequential(
                nn.ReLU(),
                nn.Conv2d(8, 8, 3, padding=1, bias=False),
                nn.BatchNorm2d(8, affine=False),
            ),
            lambda: nn.Sequential(nn.ReLU(), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 3, padding=1)),
            lambda: nn.Sequential(
                nn.GELU(), nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
            ),
            lambda: nn.BatchNorm2d(8),
            lambda: nn.InstanceNorm2d(8),
            lambda: nn.GroupNorm(2, 8),
            lambda: nn.GroupNorm(4, 8),
            lambda: nn.AvgPool2d(3, 1, 1, count_include_pad=False),
            lambda: nn.AvgPool2d(3, 1, 1),
            lambda: nn.AvgPool2d(3, 2, 1),
            lambda: nn.AvgPool2d(2),
            lambda: nn.MaxPool2d(2),
            lambda: nn.MaxPool2d(3, 1, 1),
            lambda: nn.AdaptiveAvgPool2d(1),
            lambda: nn.AdaptiveAvgPool2d(2),
            lambda: nn.AdaptiveMaxPool2d(2),
            nn.ReLU,
            nn.ReLU6,
            nn.GELU,
            lambda: nn.GELU("tanh"),
            nn.SiLU,
            nn.LeakyReLU,
            lambda: nn.LeakyReLU(0.2),
            nn.PReLU,
        )
    ),
    form(lambda x: torch.cat([x, x.tanh()], 1)),
    form(lambda x: torch.cat([x.tanh(), x], 1)),
    form(lambda x: torch.cat([x, x.tanh()], 2)),
    form(lambda x: x - x.tanh()),
    form(lambda x: x.tanh() - x),
    form(lambda x: x * x.tanh()),
    form(lambda x: x + x.tanh()),
    form(lambda x: x + x + x.tanh()),
    form(lambda x: x.mean((2, 3))),
    form(lambda x: x.mean(1)),
    form(lambda x: x.mean(2)),
    form(lambda x: x.flatten(2)),
    form(lambda x: x.flatten(1)),
]


def test_different_things_have_different_texts_and_digests() -> None:
    for one, other in combinations(DIFFERENT, 2):
        assert one.bare != other.bare
        assert one.digest != other.digest


def test_a_block_of_any_width_has_one_text_and_a_digest_of_its_own() -> None:
    def block(width: int) -> NormalForm:
        return normal_form(
            lambda: nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width))
        )

    assert block(8).bare == block(64).bare
    assert block(8).digest != block(64).digest


def test_dropout_is_in_the_digest_and_in_texts_that_ask_for_it() -> None:
    def network(rate: float) -> NormalForm:
        return normal_form(lambda: nn.Sequential(nn.Linear(4, 4), nn.Dropout(rate)))

    assert network(0.1).bare == network(0.5).bare == "self.linear(x)"
    assert network(0.1).digest != network(0.5).digest
    assert network(0.1).write_bare(dropout=True) == "dropout(self.linear(x), 0.1)"
    again = normal_form(executed_class(network(0.1).write_class(dropout=True)))
    assert again.digest == network(0.1).digest


def executed_class(text: str) -> type[nn.Module]:
    from tests.cole_core.encodings.normal_form.running import executed

    return executed(text)


def test_shared_weights_are_in_the_digest_and_the_class() -> None:
    class Twice(nn.Module):
        def __init__(self, shared: bool) -> None:
            super().__init__()
            self.one = nn.Linear(4, 4)
            self.two = self.one if shared else nn.Linear(4, 4)

        def forward(self, x):
            return self.two(torch.tanh(self.one(x)))

    shared, apart = normal_form(lambda: Twice(True)), normal_form(lambda: Twice(False))
    assert shared.bare == apart.bare
    assert shared.digest != apart.digest
    assert "self.linear1(F.tanh(self.linear1(x)))" in shared.class_text
    assert "self.linear2(F.tanh(self.linear1(x)))" in apart.class_text


def test_equal_blocks_in_a_row_are_written_once_with_their_number() -> None:
    def network(depth: int) -> str:
        block = [nn.Linear(8, 8), nn.LayerNorm(8), nn.GELU()]
        return normal_form(
            lambda: nn.Sequential(nn.Linear(4, 8), *block * depth, nn.Linear(8, 2))
        ).bare

    assert network(1) == "self.linear2(gelu(self.layer_norm(self.linear(self.linear8(x)))))"
    assert network(12) == (
        "x = self.linear8(x)\n"
        "for _ in range(12):\n"
        "    x = gelu(self.layer_norm(self.linear(x)))\n"
        "self.linear2(x)"
    )
    assert len({network(depth) for depth in range(1, 8)}) == 7


def test_a_convolution_in_place_changes_what_is_read_later() -> None:
    """An activation in place changes its input for whoever reads that afterwards."""
    in_place = form(lambda x, m: m(x) + x, lambda: nn.ReLU(inplace=True))
    apart = form(lambda x, m: m(x) + x, nn.ReLU)
    assert in_place.bare == "x = relu(self.conv2d_3x3_8_padding0(x))\nx + x"
    assert apart.bare != in_place.bare
