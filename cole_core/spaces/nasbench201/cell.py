"""The cell of NAS-Bench-201 and its native string."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from cole_core.errors import InputError

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")

NODES = 4
"""Node 0 is the input, node 3 the output."""

EDGES = tuple((source, target) for target in range(1, NODES) for source in range(target))
"""The six edges (source, target), in the order of the native string."""


@dataclass(frozen=True)
class Cell:
    """A cell: each node is the sum of its incoming edges, each edge an operation on its source.

    Attributes:
        operations: The operation of each edge, in the order of `EDGES`.
    """

    operations: tuple[str, ...]

    def edges_into(self, target: int) -> Iterator[tuple[int, str]]:
        """Source and operation of the edges into a node, in the order of their sources."""
        for (source, node), operation in zip(EDGES, self.operations, strict=True):
            if node == target:
                yield source, operation

    def format(self) -> str:
        """The native string, such as `|none~0|+|none~0|none~1|+|none~0|none~1|none~2|`."""
        return "+".join(
            "|" + "".join(f"{operation}~{source}|" for source, operation in self.edges_into(target))
            for target in range(1, NODES)
        )


def parse(native: str) -> Cell:
    """Reads a native string strictly.

    Raises:
        InputError: The string is not a cell; says where it breaks.
    """

    def error(what: str) -> InputError:
        return InputError(
            f"{native!r} is no NAS-Bench-201 cell: {what}; "
            "write |op~0|+|op~0|op~1|+|op~0|op~1|op~2|"
        )

    nodes = native.split("+")
    if len(nodes) != NODES - 1:
        raise error(f"nodes joined by '+' are {NODES - 1}, not {len(nodes)}")
    operations = []
    for target, node in enumerate(nodes, start=1):
        if len(node) < 2 or node[0] != "|" or node[-1] != "|":
            raise error(f"node {target} ({node!r}) does not begin and end with '|'")
        edges = node[1:-1].split("|")
        for expected, edge in enumerate(edges):
            operation, tilde, source = edge.partition("~")
            if not tilde:
                raise error(f"edge {edge!r} of node {target} is not of the form operation~source")
            if operation not in OPERATIONS:
                raise error(
                    f"unknown operation {operation!r} (choose one of {', '.join(OPERATIONS)})"
                )
            if source in {str(later) for later in range(target, NODES)}:
                raise error(
                    f"edge {edge!r} makes node {target} read node {source}, which is not before it"
                )
            if expected == target:
                raise error(f"edge {edge!r} of node {target} is one too many")
            if source != str(expected):
                raise error(
                    f"edge {edge!r} of node {target} stands where one from node {expected} is due"
                )
            operations.append(operation)
        if len(edges) != target:
            raise error(f"edges into node {target} are {target}, not {len(edges)}")
    return Cell(tuple(operations))


def all_cells() -> Iterator[Cell]:
    """All 5^6 cells; the last edge varies fastest, operations in the order of `OPERATIONS`."""
    return (Cell(operations) for operations in product(OPERATIONS, repeat=len(EDGES)))
