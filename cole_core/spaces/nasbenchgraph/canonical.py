"""Which cells are the same network, and the one of each group that the benchmark trained.

The package `nas-bench-graph` says it: the order in which nodes are written changes nothing, and a
skip changes nothing where something reads it (its readers may as well read what it reads), where it
alone reads its source, or where it passes on the input, which never is part of the output. What is
left is a tree. The trained cell of a tree has skips before it, as many as were taken away, and of
all orders of its nodes the least.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations, product

from cole_core.errors import InputError
from cole_core.spaces.nasbenchgraph.cell import LINKS, NODES, OPERATIONS, SKIP, Cell, read

_INDICES = {operation: index for index, operation in enumerate(OPERATIONS)}


@dataclass(frozen=True)
class Node:
    """An operation, and the nodes that read it; a node that none reads is part of the output."""

    operation: str
    readers: tuple[Node, ...] = ()

    def write(self) -> str:
        """Such as `gcn(cheb, gin(fc))`: what is done to what the operation gives."""
        readers = ", ".join(reader.write() for reader in self.readers)
        return f"{self.operation}({readers})" if readers else self.operation


Tree = tuple[Node, ...]
"""The nodes that read the input."""


def parse(native: str) -> Cell:
    """Reads a native string strictly: it is that of a trained cell.

    Raises:
        InputError: The string is not a cell (says where it breaks), or is one that the benchmark
            writes otherwise (says how).
    """
    cell = read(native)
    trained = representative(cell)
    if cell != trained:
        raise InputError(f"{native!r} is in NAS-Bench-Graph as {trained.format()!r}: write that")
    return cell


def tree(cell: Cell) -> Tree:
    """What a cell computes, once skips that change nothing are gone, in a fixed order.

    Raises:
        InputError: Nothing is left: all four operations are skips.
    """
    made = _readers(cell, 0, of_input=True)
    if not made:
        raise InputError(f"{cell.format()!r} has skips alone: give it another operation")
    return made


def _readers(cell: Cell, source: int, of_input: bool) -> Tree:
    """The nodes that read one, those behind a skip among them."""
    found: list[Node] = []
    leaves = 0  # skips that none reads: part of the output, beside others that read the same
    for node, (link, operation) in enumerate(zip(cell.links, cell.operations, strict=True), 1):
        if link != source:
            continue
        if operation != SKIP:
            found.append(Node(operation, _readers(cell, node, of_input=False)))
        elif node in cell.links:
            passed = _readers(cell, node, of_input)
            # A skip after a skip is a leaf of the same source; alone it was taken for its end.
            found += passed or (Node(SKIP),) * (not of_input)
        else:
            leaves += not of_input
    found += [Node(SKIP)] * leaves
    if found == [Node(SKIP)]:
        return ()
    return tuple(sorted(found, key=_order))


def _order(node: Node) -> tuple[int, str]:
    return _INDICES[node.operation], node.write()


@cache
def canonical_form(cell: Cell) -> str:
    """The string that two cells share if and only if they are the same network: their tree."""
    return ", ".join(node.write() for node in tree(cell))


@cache
def representative(cell: Cell) -> Cell:
    """The cell of the same network that the benchmark trained.

    Raises:
        InputError: All four operations are skips.
    """
    links: list[int] = []
    operations: list[str] = []

    def add(node: Node, source: int) -> None:
        links.append(source)
        operations.append(node.operation)
        place = len(links)
        for reader in node.readers:
            add(reader, place)

    nodes = tree(cell)
    skips = NODES - sum(map(_size, nodes))
    for place in range(skips):
        add(Node(SKIP), place)
    for node in nodes:
        add(node, skips)
    return _least(Cell(tuple(links), tuple(operations)))


def _size(node: Node) -> int:
    return 1 + sum(map(_size, node.readers))


def _least(cell: Cell) -> Cell:
    """The cell with its nodes in the order whose links, then operations, are the least."""
    links, orders = _least_orders(cell.links)
    operations = [_INDICES[operation] for operation in cell.operations]
    least = min(tuple(operations[node] for node in order) for order in orders)
    return Cell(links, tuple(OPERATIONS[index] for index in least))


@cache
def _least_orders(links: tuple[int, ...]) -> tuple[tuple[int, ...], list[tuple[int, ...]]]:
    """The least links that an order of the nodes gives, and all orders that give them."""
    found: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for order in permutations(range(NODES)):
        places = {0: 0} | {node + 1: place for place, node in enumerate(order, start=1)}
        written = tuple(places[links[node]] for node in order)
        if written in LINKS:
            found.setdefault(written, []).append(order)
    least = min(found)
    return least, found[least]


SHAPES = tuple(links for links in LINKS if _least_orders(links)[0] == links)
"""The nine link lists of trained cells."""


@cache
def trained_cells() -> tuple[Cell, ...]:
    """All 26,206 cells of the benchmark: by links, then by operations."""
    cells = (
        Cell(links, operations)
        for links in SHAPES
        for operations in product(OPERATIONS, repeat=NODES)
    )
    return tuple(cell for cell in cells if is_trained(cell))


def is_trained(cell: Cell) -> bool:
    """Whether the benchmark has the cell, written as it is."""
    if _least(cell) != cell or set(cell.operations) == {SKIP}:
        return False
    return SKIP not in cell.operations or representative(cell) == cell
