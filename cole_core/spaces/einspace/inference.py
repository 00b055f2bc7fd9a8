"""States throughout a derivation."""

from __future__ import annotations

from typing import NamedTuple

from cole_core.errors import InputError
from cole_core.spaces.einspace.grammar import Operation
from cole_core.spaces.einspace.shapes import Flow, ShapeError, State
from cole_core.spaces.einspace.tree import Module, Place, walk


class Site(NamedTuple):
    """A module or operation within a derivation.

    Attributes:
        nonterminal: What it was derived from.
        start, end: Where it stands in the derivation string.
        before, after: The flow when it begins and when it is done.
        copies: How many times it is made: the branches of all branchings around it.
    """

    nonterminal: str
    start: int
    end: int
    before: Flow
    after: Flow
    copies: int


def sites(root: Module, state: State) -> list[Site]:
    """All modules and operations of a derivation, the root first, parents before children.

    Raises:
        InputError: Shapes do not fit.
    """
    flow, end = Flow(state), 0
    found = [Site("network", 0, len(root.text), flow, flow, 1)]
    unfinished = [(0, root)]  # index in the list, and the module

    def finish() -> None:
        nonlocal end
        index, module = unfinished.pop()
        end += len(module.kind.parts[-1])  # type: ignore[arg-type] # each kind ends with a bracket
        found[index] = found[index]._replace(end=end, after=flow)

    for position, place in walk(root):
        while unfinished[-1][1] is not place.parent:
            finish()
        copies = found[unfinished[-1][0]].copies
        if isinstance(place.child, Operation):
            before, flow = flow, do(flow, position, place)
            end = position + len(place.child.text)
            found.append(Site(place.slot.nonterminal, position, end, before, flow, copies))
        else:
            flow = flow.enter(place.parent.kind, place.nth)
            unfinished.append((len(found), place.child))
            copies *= place.parent.kind.copies
            found.append(Site("module", position, position, flow, flow, copies))
    while unfinished:
        finish()
    return found


def do(flow: Flow, position: int, place: Place) -> Flow:
    """The flow after the operation in a place.

    Raises:
        InputError: It does not fit; names the operation, its position and what it meets.
    """
    assert isinstance(place.child, Operation)
    try:
        return flow.do(place.slot.nonterminal, place.child)
    except ShapeError as error:
        raise InputError(
            f"no einspace network: {place.child.text} at character {position + 1} {error}"
        ) from None
