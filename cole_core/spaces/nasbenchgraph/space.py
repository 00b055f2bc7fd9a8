"""The search space: what the other rooms see of NAS-Bench-Graph."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, NoReturn

import numpy as np

from cole_core.encodings.proxies import PROXIES
from cole_core.errors import InputError
from cole_core.spaces.base import Roles, SearchSpace
from cole_core.spaces.nasbenchgraph.canonical import (
    SHAPES,
    canonical_form,
    is_trained,
    parse,
    representative,
    trained_cells,
)
from cole_core.spaces.nasbenchgraph.cell import NODES, OPERATIONS, SKIP, Cell
from cole_core.spaces.nasbenchgraph.macro import DATASET, macro_of

if TYPE_CHECKING:
    from torch import nn

    from cole_core.encodings.normal_form import NormalForm

_EDITABLE = 2 * NODES - 1  # node 1 can read the input alone


class NASBenchGraph(SearchSpace):
    """The 26,206 graph neural networks of NAS-Bench-Graph."""

    name = "nasbenchgraph"
    title = "NAS-Bench-Graph"
    encodings: ClassVar = {
        name: f"cole_core.spaces.nasbenchgraph.encodings.{place}"
        for name, place in {
            "code.expression": "expression:Expression",
            "code.bare": "expression:Bare",
            "code.class": "classes:Class",
            "adjacency": "adjacency:Adjacency",
        }.items()
    }
    lacks = frozenset(("onnx", PROXIES))  # which are of networks that take images
    roles = Roles(
        reference="code.expression",
        renderings=("code.bare", "code.class"),
        runnable="code.class",
        rival="adjacency",
        classic="adjacency",
        controls=("graf", "counts", "ngram"),
    )
    default_source = "nas-bench-graph"
    default_dataset = DATASET

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NASBenchGraph)

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def size(self) -> int:
        return 26_206

    def validate(self, native: str) -> None:
        parse(native)

    def enumerate(self) -> Iterator[str]:
        return (cell.format() for cell in trained_cells())

    def sample(self, rng: np.random.Generator) -> str:
        while True:
            links = SHAPES[rng.integers(len(SHAPES))]
            chosen = rng.integers(len(OPERATIONS), size=NODES)
            cell = Cell(links, tuple(OPERATIONS[index] for index in chosen))
            if is_trained(cell):
                return cell.format()

    def mutate(self, native: str, rng: np.random.Generator, edits: int = 1) -> str:
        """Gives exactly `edits` of the operations and links another value.

        What comes of it is written as the benchmark writes it; where it is the same network again,
        or none, other edits are drawn.

        Raises:
            InputError: `edits` is not between 1 and the number of operations and links.
        """
        if not 1 <= edits <= _EDITABLE:
            raise InputError(f"{edits} edits are not possible: choose 1 to {_EDITABLE}")
        cell = parse(native)
        while True:
            mutant = _edited(cell, rng, edits)
            if set(mutant.operations) != {SKIP} and representative(mutant) != cell:
                return representative(mutant).format()

    def canonical_form(self, native: str) -> str:
        return canonical_form(parse(native))

    def build(self, native: str, dataset: str = DATASET, dropout: float = 0.0) -> nn.Module:
        """The network that the benchmark trained on a dataset, with fresh weights.

        Args:
            native: The cell.
            dataset: Whose features, classes and widths it has.
            dropout: Share of features that operations do not see in training.

        Returns:
            A module from node features (nodes, features) and edges (2, edges) to scores (nodes,
            classes).

        Raises:
            InputError: The native string or the dataset is unknown, or PyTorch Geometric is not
                installed.
        """
        cell, macro = parse(native), macro_of(dataset)
        if importlib.util.find_spec("torch_geometric") is None:
            raise InputError(
                f"networks of {self.name} need PyTorch Geometric: pip install torch-geometric"
            )
        from cole_core.spaces.nasbenchgraph.network import Network  # torch takes seconds to import

        return Network(cell, macro, dropout)

    def normal_form(self, native: str) -> NormalForm:
        """That of the cell: the network around it is the same for all.

        Its graph is made from the native string and not traced, since message passing is an
        operation here and not what PyTorch Geometric does for it.
        """
        from cole_core.spaces.nasbenchgraph.graph import normal_form

        return normal_form(parse(native))

    def parameter_count(self, native: str, dataset: str = DATASET) -> int:
        return macro_of(dataset).parameters(parse(native))

    @classmethod
    def for_task(
        cls, input_shape: tuple[int, int, int], classes: int, bounds: Mapping[str, int]
    ) -> NoReturn:
        """Refuses: what is trained here is trained on images.

        Raises:
            InputError: Always.
        """
        raise InputError(
            f"networks of {cls.name} take graphs, and a dataset has images: take measured values "
            f"in with 'cole ingest {cls.name} {cls.default_source}'"
        )

    def draw(self, native: str) -> str:
        from cole_core.spaces.nasbenchgraph.drawing import draw

        return draw(native)


def _edited(cell: Cell, rng: np.random.Generator, edits: int) -> Cell:
    """A cell with other values at some places, written as they come."""
    links, operations = list(cell.links), list(cell.operations)
    for place in rng.choice(_EDITABLE, size=edits, replace=False):
        if place < NODES:
            others = [name for name in OPERATIONS if name != operations[place]]
            operations[place] = others[rng.integers(len(others))]
        else:
            node = int(place) - NODES + 1
            nodes = [each for each in range(node + 1) if each != links[node]]
            links[node] = nodes[rng.integers(len(nodes))]
    return Cell(tuple(links), tuple(operations))
