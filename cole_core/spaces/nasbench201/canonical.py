"""What a cell computes once dead code is gone, and the string that equal cells share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import permutations

from cole_core.spaces.nasbench201.cell import NODES, Cell, all_cells

_NAMES = {"nor_conv_1x1": "conv1x1", "nor_conv_3x3": "conv3x3", "avg_pool_3x3": "pool3x3"}


@dataclass(frozen=True)
class Term:
    """A summand: an operation applied to a sum of terms.

    Attributes:
        operation: The operation's name in the native string.
        edge: The edge (source, target) that it stands on.
        argument: What it is applied to.
    """

    operation: str
    edge: tuple[int, int]
    argument: Sum


@dataclass(frozen=True)
class Sum:
    """The value of a node: some operations, and the cell's input so many times."""

    inputs: int
    terms: tuple[Term, ...] = ()

    @property
    def is_zero(self) -> bool:
        return self.inputs == 0 and not self.terms

    def operations(self) -> Iterator[Term]:
        """All terms, inner ones too, as often as they occur once shared nodes are written out."""
        for term in self.terms:
            yield term
            yield from term.argument.operations()

    def write(self, name: Callable[[Term], str], zero: str) -> str:
        """The sum as text, flat and in an order of its own: short terms first.

        Args:
            name: What a term's operation is called.
            zero: The text of a sum without terms.
        """
        texts = ["x"] * self.inputs
        texts += [f"{name(term)}({term.argument.write(name, zero)})" for term in self.terms]
        return " + ".join(sorted(texts, key=lambda text: (len(text), text))) or zero


def output(cell: Cell) -> Sum:
    """What the cell's output is made of.

    A `none` edge and an operation on zero give nothing (the shift that a batch norm learns is
    ignored), a skip passes the terms of its source on.
    """
    nodes = [Sum(inputs=1)]
    for target in range(1, NODES):
        inputs = 0
        terms: list[Term] = []
        for source, operation in cell.edges_into(target):
            value = nodes[source]
            if operation == "none" or value.is_zero:
                continue
            if operation == "skip_connect":
                inputs += value.inputs
                terms += value.terms
            else:
                terms.append(Term(operation, (source, target), value))
        nodes.append(Sum(inputs, tuple(terms)))
    return nodes[-1]


@cache
def canonical_form(cell: Cell) -> str:
    """The string that two cells share if and only if they compute the same function.

    It is the output as an expression. Two calls of one convolution share their weights, calls of
    two convolutions do not: a convolution that occurs more than once carries a number. Of the
    ways to number them the least text counts, so the numbers do not depend on the edges.
    Average pools have no weights: those of equal inputs are one, and need no number.
    """
    value = output(cell)
    uses = Counter(term.edge for term in value.operations() if term.operation != "avg_pool_3x3")
    shared = [edge for edge, count in uses.items() if count > 1]

    def write(numbers: dict[tuple[int, int], int]) -> str:
        def name(term: Term) -> str:
            number = numbers.get(term.edge)
            return _NAMES[term.operation] + (f"#{number}" if number else "")

        return value.write(name, zero="0")

    return min(
        write(dict(zip(order, range(1, len(order) + 1), strict=True)))
        for order in permutations(shared)
    )


@cache
def _representatives() -> dict[str, Cell]:
    first: dict[str, Cell] = {}
    for cell in all_cells():
        first.setdefault(canonical_form(cell), cell)
    return first


def representative(cell: Cell) -> Cell:
    """The first cell, in the order of enumeration, that has the same canonical form."""
    return _representatives()[canonical_form(cell)]
