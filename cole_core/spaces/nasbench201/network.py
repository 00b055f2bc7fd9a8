"""The benchmark's macro-architecture (Dong & Yang 2020, section 2.1) in PyTorch."""

from functools import reduce
from operator import add

import torch
from torch import nn

from cole_core.spaces.nasbench201.cell import EDGES, NODES, Cell


class ReLUConvBN(nn.Sequential):
    """ReLU, convolution, batch norm: the space's only operation with weights.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        kernel: Width of the (square, odd) kernel.
        stride: Step of the convolution.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
        )


class Zero(nn.Module):
    """The operation `none`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(x)


def make_operation(name: str, channels: int) -> nn.Module:
    """The module of an operation that keeps the number of channels."""
    if name == "none":
        return Zero()
    if name == "skip_connect":
        return nn.Identity()
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return ReLUConvBN(channels, channels, kernel={"nor_conv_1x1": 1, "nor_conv_3x3": 3}[name])


class CellModule(nn.Module):
    """A cell with weights; the operation on the edge (0, 1) is the child `op_0_1`."""

    def __init__(self, cell: Cell, channels: int) -> None:
        super().__init__()
        for (source, target), name in zip(EDGES, cell.operations, strict=True):
            self.add_module(f"op_{source}_{target}", make_operation(name, channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        nodes = [x]
        for target in range(1, NODES):
            edges = [
                self.get_submodule(f"op_{source}_{target}")(nodes[source])
                for source in range(target)
            ]
            nodes.append(reduce(add, edges))
        return nodes[-1]


class ResidualBlock(nn.Module):
    """Halves height and width and changes the number of channels, between two stages."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ReLUConvBN(inputs, outputs, kernel=3, stride=2), ReLUConvBN(outputs, outputs, kernel=3)
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, kernel_size=1, bias=False)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.shortcut(x) + self.body(x)


class Network(nn.Module):
    """Stem, three stages of cells with residual blocks between them, classifier."""

    def __init__(
        self, cell: Cell, channels: int, cells: int, classes: int, inputs: int = 3
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(inputs, channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )
        layers: list[nn.Module] = []
        for width in (channels, 2 * channels, 4 * channels):
            if width > channels:
                layers.append(ResidualBlock(width // 2, width))
            layers += [CellModule(cell, width) for _ in range(cells)]
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(width, classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.layers(self.stem(x)))
