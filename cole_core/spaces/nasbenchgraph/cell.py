"""The cell of NAS-Bench-Graph and its native string."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from cole_core.errors import InputError

OPERATIONS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip")
"""In the order in which the benchmark numbers them."""

SKIP = "skip"

NODES = 4
"""Node 0 is the input; these are computed."""

LINKS = tuple(product(*(range(node) for node in range(1, NODES + 1))))
"""All 24 link lists: each node reads one before it."""


@dataclass(frozen=True)
class Cell:
    """A cell: each node is an operation on one earlier node; those that none reads are its output.

    Attributes:
        links: Which node each of the four reads, 0 for the input.
        operations: The operation of each.
    """

    links: tuple[int, ...]
    operations: tuple[str, ...]

    @property
    def outputs(self) -> tuple[int, ...]:
        """The nodes that none reads, counted from 1."""
        return tuple(node for node in range(1, NODES + 1) if node not in self.links)

    @property
    def reads_input(self) -> tuple[bool, ...]:
        """Whether each of the four reads the input, through skips or at once."""
        is_input = [True]
        for link, operation in zip(self.links, self.operations, strict=True):
            is_input.append(is_input[link] and operation == SKIP)
        return tuple(is_input[link] for link in self.links)

    def format(self) -> str:
        """The native string, such as `0,1,1,2|gcn,cheb,gin,fc`."""
        return f"{','.join(map(str, self.links))}|{','.join(self.operations)}"


def read(native: str) -> Cell:
    """Reads a cell, in whatever order its nodes are written.

    Raises:
        InputError: The string is not a cell; says where it breaks.
    """

    def error(what: str) -> InputError:
        return InputError(
            f"{native!r} is no NAS-Bench-Graph cell: {what}; write link,link,link,link|op,op,op,op"
        )

    links, bar, operations = native.partition("|")
    if not bar:
        raise error("no '|' stands between links and operations")
    sources, names = links.split(","), operations.split(",")
    for what, found in (("links", sources), ("operations", names)):
        if len(found) != NODES:
            raise error(f"{what} are {NODES}, not {len(found)}")
    for node, source in enumerate(sources, start=1):
        if source not in map(str, range(node)):
            raise error(f"node {node} reads {source!r}, but can read 0 to {node - 1}")
    for name in names:
        if name not in OPERATIONS:
            raise error(f"unknown operation {name!r} (choose one of {', '.join(OPERATIONS)})")
    return Cell(tuple(map(int, sources)), tuple(names))
