"""The search space: what the other rooms see of NAS-Bench-201."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cole_core.errors import InputError
from cole_core.spaces.base import Roles, SearchSpace, Task
from cole_core.spaces.nasbench201.canonical import canonical_form
from cole_core.spaces.nasbench201.cell import EDGES, OPERATIONS, Cell, all_cells, parse
from cole_core.spaces.nasbench201.notations import NOTATIONS

if TYPE_CHECKING:
    from torch import nn

    from cole_core.encodings.normal_form import NormalForm


class NASBench201(SearchSpace):
    """All 15,625 cells of NAS-Bench-201."""

    name = "nasbench201"
    title = "NAS-Bench-201"
    encodings: ClassVar = {
        name: f"cole_core.spaces.nasbench201.encodings.{place}"
        for name, place in {
            "code.bare": "expression:Bare",
            "code.expression": "expression:Expression",
            "code.exclude_helper": "classes:ExcludeHelper",
            "code.helper": "classes:Helper",
            "code.inline": "classes:Inline",
            "arch_str": "arch_str:ArchStr",
            "onnx": "onnx:Onnx",
            "adjacency": "adjacency:Adjacency",
            "adjacency.canonical": "canonical:CanonicalAdjacency",
            "path": "path:Path",
            "path.canonical": "canonical:CanonicalPath",
            "graf": "graf:GraphFeatures",
            "graf.twins": "canonical:TwinGraphFeatures",
            "ngram": "ngram:Ngram",
        }.items()
    }
    roles = Roles(
        reference="code.bare",
        former="code.expression",
        renderings=("code.exclude_helper", "code.helper", "code.inline", "code.expression"),
        runnable="code.helper",
        native="arch_str",
        exported="onnx",
        rival="graf",
        classic="path",
        structural=("adjacency",),
        controls=("ngram",),
        canonical=("path.canonical", "adjacency.canonical"),
    )
    default_source = "analog-nasbench"
    default_dataset = "cifar10"
    class_name = "Cell"
    notations = NOTATIONS
    published = Path(__file__).with_name("published.toml")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NASBench201)

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def size(self) -> int:
        return len(OPERATIONS) ** len(EDGES)

    def validate(self, native: str) -> None:
        parse(native)

    def enumerate(self) -> Iterator[str]:
        return (cell.format() for cell in all_cells())

    def sample(self, rng: np.random.Generator) -> str:
        choices = rng.integers(len(OPERATIONS), size=len(EDGES))
        return Cell(tuple(OPERATIONS[choice] for choice in choices)).format()

    def mutate(self, native: str, rng: np.random.Generator, edits: int = 1) -> str:
        """Gives exactly `edits` edges another operation.

        Raises:
            InputError: `edits` is not between 1 and the number of edges.
        """
        if not 1 <= edits <= len(EDGES):
            raise InputError(f"{edits} edits are not possible: choose 1 to {len(EDGES)}")
        operations = list(parse(native).operations)
        for edge in rng.choice(len(EDGES), size=edits, replace=False):
            others = [name for name in OPERATIONS if name != operations[edge]]
            operations[edge] = others[rng.integers(len(others))]
        return Cell(tuple(operations)).format()

    def canonical_form(self, native: str) -> str:
        return canonical_form(parse(native))

    def build(
        self, native: str, channels: int = 16, cells: int = 5, classes: int = 10
    ) -> nn.Module:
        return build(native, channels, cells, classes)

    def normal_form(self, native: str) -> NormalForm:
        """That of the cell with 16 channels: the network around it is the same for all.

        Its expression is, in a class `Cell`, the text of `code.expression`.
        """
        from cole_core.encodings.normal_form import normal_form
        from cole_core.spaces.nasbench201.network import CellModule

        cell = parse(native)
        return normal_form(lambda: CellModule(cell, channels=16))

    def parameter_count(self, native: str) -> int:
        return parameter_count(native)

    def runnable(self, native: str, task: Task | None = None) -> str:
        """The whole network of `code.helper`, with the sizes as its defaults."""
        from cole_core.spaces.nasbench201.encodings.classes import Helper

        if task is None:
            return Helper(self).whole(native, inputs=3, channels=16, cells=5, classes=10)
        inputs, height, width = task.input_shape
        sizes = {"inputs": inputs, "classes": task.classes, **task.macro}
        return Helper(self).whole(native, padding=(-width % 4, -height % 4), **sizes)

    def draw(self, native: str) -> str:
        from cole_core.spaces.nasbench201.drawing import draw

        return draw(native)

    def macro_architecture(self, given: Mapping[str, int]) -> dict[str, int]:
        """`channels` of the first stage (8) and `cells` of each stage (1), unless given."""
        sizes = {"channels": 8, "cells": 1, **given}
        if len(sizes) > 2 or min(sizes.values()) < 1:
            raise InputError(
                f"{self.name} takes channels and cells, 1 or more, not {dict(given)}: give those"
            )
        return sizes

    def build_for(
        self,
        native: str,
        input_shape: tuple[int, int, int],
        classes: int,
        macro: Mapping[str, int],
    ) -> nn.Module:
        """The architecture between a stem and a classifier that fit a task.

        Zeros make height and width multiples of four, which the two residual blocks halve.
        """
        from torch import nn

        inputs, height, width = input_shape
        network = build(native, classes=classes, inputs=inputs, **macro)
        if height % 4 == 0 and width % 4 == 0:
            return network
        return nn.Sequential(nn.ZeroPad2d((0, -width % 4, 0, -height % 4)), network)


def build(
    native: str, channels: int = 16, cells: int = 5, classes: int = 10, inputs: int = 3
) -> nn.Module:
    """The architecture in the benchmark's macro-architecture, with fresh weights.

    Args:
        native: The cell.
        channels: Width of the first stage; each later stage doubles it.
        cells: Cells per stage.
        classes: Outputs of the classifier.
        inputs: Channels of the images.

    Returns:
        A module from images (batch, inputs, height, width) to logits (batch, classes).
    """
    from cole_core.spaces.nasbench201.network import Network  # torch takes seconds to import

    return Network(parse(native), channels, cells, classes, inputs)


def parameter_count(native: str, channels: int = 16, cells: int = 5, classes: int = 10) -> int:
    """Number of trainable parameters of `build(native, channels, cells, classes)`, by arithmetic.

    Convolutions that the output does not reach count, as they do in the benchmark.
    """

    def convolution(kernel: int, inputs: int, outputs: int) -> int:
        return kernel**2 * inputs * outputs + 2 * outputs  # no bias; scale and shift of the norm

    operations = parse(native).operations
    total = convolution(3, 3, channels)
    for stage in range(3):
        width = channels * 2**stage
        per_cell = operations.count("nor_conv_3x3") * convolution(3, width, width)
        per_cell += operations.count("nor_conv_1x1") * convolution(1, width, width)
        total += cells * per_cell
        if stage > 0:
            half = width // 2
            total += convolution(3, half, width) + convolution(3, width, width) + half * width
    return total + 2 * width + (width + 1) * classes
