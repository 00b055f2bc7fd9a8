"""What the code encodings have in common: the text around the cell."""

from abc import abstractmethod

from cole_core.encodings.base import NO_CONTEXT, TextEncoding
from cole_core.spaces.nasbench201 import Cell, parse

COMMENT = '''\
"""Cell of a NAS-Bench-201 network for image classification on CIFAR-10, CIFAR-100 or
ImageNet16-120.

Network: 3x3 convolution to 16 channels, then three stages of five such cells with 16, 32 and 64
channels. A residual block with stride 2 joins two stages. Global average pooling and a linear
classifier end it.
Training: 200 epochs of SGD with Nesterov momentum 0.9, weight decay 0.0005 and batch size 256,
learning rate 0.1 with cosine annealing, random horizontal flip and random crop.
"""'''

IMPORTS = """\
import torch
import torch.nn as nn
import torch.nn.functional as F"""

RESIDUAL_BLOCK = """\
class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.body = nn.Sequential(
            {first},
            {second},
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2),
            nn.Conv2d(inputs, outputs, kernel_size=1, bias=False),
        )

    def forward(self, x):
        return self.shortcut(x) + self.body(x)"""

_NETWORK = """\
class Network(nn.Module):
    def __init__(self, {parameters}):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d({inputs}, channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.layers = nn.Sequential(
            *[Cell(channels) for _ in range(cells)],
            ResidualBlock(channels, 2 * channels),
            *[Cell(2 * channels) for _ in range(cells)],
            ResidualBlock(2 * channels, 4 * channels),
            *[Cell(4 * channels) for _ in range(cells)],
        )
        self.classifier = nn.Sequential(
            nn.BatchNorm2d(4 * channels),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4 * channels, classes),
        )

    def forward(self, x):
        {pad}return self.classifier(self.layers(self.stem(x)))"""
NETWORK = _NETWORK.format(parameters="channels=16, cells=5, classes=10", inputs="3", pad="")


def spell_out(inputs: str, outputs: str, kernel: int, stride: int = 1) -> str:
    """ReLU, convolution and batch norm as an expression that needs only `nn`."""
    step = f", stride={stride}" if stride > 1 else ""
    padding = f", padding={kernel // 2}" if kernel > 1 else ""
    return (
        f"nn.Sequential(nn.ReLU(), nn.Conv2d({inputs}, {outputs}, "
        f"kernel_size={kernel}{step}{padding}, bias=False), nn.BatchNorm2d({outputs}))"
    )


class CodeEncoding(TextEncoding):
    """A cell as Python code, alone or in a context.

    The context `network` puts what the cell needs before it and the class of the whole network
    after it; `comment` puts a docstring on task, macro-architecture and training before it.
    """

    contexts = (NO_CONTEXT, "comment", "network")

    helper = ""
    """What stands before the cell's class in each context."""

    @abstractmethod
    def cell(self, cell: Cell) -> str:
        """The class `Cell`."""

    def convolution(self, inputs: str, outputs: str, kernel: int, stride: int = 1) -> str:
        """The expression that makes a ReLU-Conv-BN."""
        return spell_out(inputs, outputs, kernel, stride)

    def _render(self, native: str, context: str) -> str:
        if context == "network":
            return self._whole(parse(native), NETWORK, "\n\n")
        parts = [self.helper, self.cell(parse(native))]
        if context == "comment":
            parts = [COMMENT, *parts]
        return "\n\n".join(part for part in parts if part)

    def whole(
        self, native: str, inputs: int, padding: tuple[int, int] = (0, 0), **sizes: int
    ) -> str:
        """A module whose class `Network` makes the whole network, with other sizes as its defaults.

        Args:
            native: The cell.
            inputs: Channels of the images.
            padding: Columns and rows of zeros behind each image.
            sizes: channels, cells and classes.
        """
        defaults = {**dict.fromkeys(("channels", "cells", "classes"), 0), **sizes, "inputs": inputs}
        pad = f"x = F.pad(x, (0, {padding[0]}, 0, {padding[1]}))\n        " if any(padding) else ""
        network = _NETWORK.format(
            parameters=", ".join(f"{name}={value}" for name, value in defaults.items()),
            inputs="inputs",
            pad=pad,
        )
        return self._whole(parse(native), network, "\n\n\n") + "\n"

    def _whole(self, cell: Cell, network: str, between: str) -> str:
        block = RESIDUAL_BLOCK.format(
            first=self.convolution("inputs", "outputs", kernel=3, stride=2),
            second=self.convolution("outputs", "outputs", kernel=3),
        )
        parts = [IMPORTS, self.helper, block, self.cell(cell), network]
        return between.join(part for part in parts if part)
