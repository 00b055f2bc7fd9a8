"""A space of one's own, as somebody would write it."""

import enum
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from annotated_types import Interval
from torch import nn


class Activation(enum.Enum):
    RELU = "relu"
    GELU = "gelu"


@dataclass
class Stem:
    kernel: Literal[1, 3]
    bias: bool


class Net(nn.Module):
    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 10,
        *,
        depth: Annotated[int, Interval(ge=1, le=3)] = 2,
        width: Literal[4, 8] = 8,
        activation: Activation = Activation.RELU,
        stem: Stem = Stem(3, True),  # noqa: B008 - frozen by nobody, changed by nobody
        pools: tuple[bool, Literal["max", "mean"]] = (False, "max"),
        dropout: Annotated[float, Interval(ge=0.01, le=0.5), "log"] | None = None,
        verbose=False,
    ):
        super().__init__()
        layers = [nn.Conv2d(in_channels, width, stem.kernel, padding="same", bias=stem.bias)]
        for _ in range(depth):
            layers.append(nn.Conv2d(width, width, 3, padding=1))
            layers.append(nn.ReLU() if activation is Activation.RELU else nn.GELU())
        if pools[0]:
            layers.append({"max": nn.MaxPool2d, "mean": nn.AvgPool2d}[pools[1]](2))
        if dropout is not None:
            layers.append(nn.Dropout(dropout))
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layers(x).mean((2, 3)))
