"""Random derivations: depth first, with backtracking."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import NamedTuple

import numpy as np

from cole_core.spaces.einspace.cost import parameters_of
from cole_core.spaces.einspace.grammar import (
    BRANCHINGS,
    MODULES,
    OPERATIONS,
    Kind,
    Operation,
)
from cole_core.spaces.einspace.shapes import Flow, ShapeError

_MISFITS = 8
"""So many second branches may fail before the branching is given up."""

_STEPS_PER_MODULE = 10
"""A draw that takes more steps than this times the limit of modules is given up."""


@dataclass(frozen=True)
class Bounds:
    """What a drawn derivation must not exceed.

    Attributes:
        modules: Its modules.
        parameters: Trainable parameters.
        activations: Values that its operations make for one image.
        operations: Calls.
    """

    modules: int
    parameters: int
    activations: int
    operations: int

    def admit(self, size: Bounds) -> bool:
        """Whether a derivation of that size keeps all bounds."""
        return all(mine >= its for mine, its in zip(astuple(self), astuple(size), strict=True))

    def widened(self, size: Bounds) -> Bounds:
        """The bounds that a derivation of that size keeps, too."""
        return Bounds(*map(max, astuple(self), astuple(size)))


class _Due(NamedTuple):
    """A slot that has to be filled.

    Attributes:
        nonterminal: What may stand there.
        kind, nth: The module whose slot it is, and which; no module for the first.
        branching: That module's record, if it has two different branches.
    """

    nonterminal: str
    kind: Kind | None = None
    nth: int = 0
    branching: _Branching | None = None


class _Point(NamedTuple):
    """A partial derivation. Lists are linked pairs, so that it can be gone back to.

    Attributes:
        agenda: What is due, texts and slots.
        text: What was written, last first.
        flow: What is known where it ends.
        modules: Those that there are and those that are due.
        copies: How many times the next module or operation will be made.
        parameters, activations, operations: What there surely is of them.
        within: The innermost branching whose second branch is being drawn.
    """

    agenda: tuple | None
    text: tuple | None
    flow: Flow
    modules: int
    copies: int = 1
    parameters: int = 0
    activations: int = 0
    operations: int = 0
    within: _Branching | None = None


@dataclass
class _Branching:
    """A module with two different branches, which may turn out not to fit each other.

    Attributes:
        begin: The derivation when its kind was chosen.
        options: The other kinds that could have been.
        second: The derivation when the second branch was due.
        failures: Second branches that did not fit the first, or the bounds.
    """

    begin: _Point
    options: list[tuple[Kind, float]]
    second: _Point | None = None
    failures: int = 0


def draw(
    nonterminal: str,
    flow: Flow,
    modules: int,
    copies: int,
    bounds: Bounds,
    rng: np.random.Generator,
) -> str | None:
    """Derives a string.

    Slots are filled from left to right, each with an option that fits the shapes. There always is
    one, but for the aggregation of two different branches. Where none fits, or the second branch
    exceeds a bound, that branch is drawn again; after eight failures the branching is taken back,
    and another kind of module is drawn in its place.

    Args:
        nonterminal: What to derive: "network", "module" or a key of `OPERATIONS`.
        flow: What is known where it begins.
        modules: Modules that there are besides; a module to be derived counts itself.
        copies: How many times it will be made.
        bounds: What must not be exceeded. A computation is forced where the limit of modules
            leaves no room for another kind.
        rng: Decides.

    Returns:
        The string; None where it would exceed the bounds, took too long or fits nothing.
    """
    point: _Point | None = _Point((_Due(nonterminal), None), None, flow, modules + 1, copies)
    for _ in range(_STEPS_PER_MODULE * bounds.modules):
        assert point is not None
        while point.agenda is not None and isinstance(point.agenda[0], str):
            literal, rest = point.agenda
            point = point._replace(agenda=rest, text=(literal, point.text))
        if point.agenda is None:
            return _join(point.text)
        due: _Due = point.agenda[0]
        if due.nonterminal in MODULES:
            point = _begin_module(point, due, bounds, rng)
        else:
            point = _do_operation(point, due, rng) or _take_back(due.branching, rng)
        if point is not None and (
            point.parameters > bounds.parameters
            or point.activations > bounds.activations
            or point.operations > bounds.operations
        ):
            point = _take_back(point.within, rng)
        if point is None:
            return None
    return None


def _begin_module(point: _Point, due: _Due, bounds: Bounds, rng: np.random.Generator) -> _Point:
    """The point after a kind was chosen for the module that is due."""
    assert point.agenda is not None
    _, agenda = point.agenda
    if due.branching is not None and due.nth == 2:
        due.branching.second = point
        point = point._replace(within=due.branching)
    room = bounds.modules - point.modules
    options = [option for option in MODULES[due.nonterminal].items() if option[0].modules <= room]
    flow = point.flow if due.kind is None else point.flow.enter(due.kind, due.nth)
    return _choose_kind(point._replace(agenda=agenda, flow=flow), options, rng)


def _choose_kind(
    point: _Point, options: list[tuple[Kind, float]], rng: np.random.Generator
) -> _Point:
    """The point after one of the kinds was chosen: its slots are due."""
    rest = rng.random() * sum(weight for _, weight in options)
    chosen = 0
    while chosen < len(options) - 1 and rest >= options[chosen][1]:
        rest -= options[chosen][1]
        chosen += 1
    kind, _ = options.pop(chosen)
    branching = _Branching(point, options) if kind is BRANCHINGS[2] else None
    agenda, nth = point.agenda, len(kind.slots)
    for part in reversed(kind.parts):
        if isinstance(part, str):
            agenda = (part, agenda)
        else:
            nth -= 1
            agenda = (_Due(part.nonterminal, kind, nth, branching), agenda)
    return point._replace(agenda=agenda, modules=point.modules + kind.modules)


def _do_operation(point: _Point, due: _Due, rng: np.random.Generator) -> _Point | None:
    """The point after an operation that fits, at random; None if none does."""
    assert point.agenda is not None
    options = list(OPERATIONS[due.nonterminal])
    while options:
        operation = options.pop(int(rng.random() * len(options)))
        try:
            flow = point.flow.do(due.nonterminal, operation)
        except ShapeError:
            continue
        return _add(point._replace(agenda=point.agenda[1]), due, operation, flow)
    return None


def _take_back(branching: _Branching | None, rng: np.random.Generator) -> _Point | None:
    """The point to go on from when a second branch failed; None if there is none."""
    if branching is None:
        return None
    branching.failures += 1
    if branching.failures < _MISFITS:
        return branching.second
    return _choose_kind(branching.begin, branching.options, rng) if branching.options else None


def _add(point: _Point, due: _Due, operation: Operation, flow: Flow) -> _Point:
    """The point after an operation was chosen, with what it surely costs.

    Patches do not count: with a linear map and col2im they may turn out to be a convolution.
    """
    copies = point.copies
    activations = point.activations
    operations = point.operations
    parameters = point.parameters
    within = point.within
    if due.nonterminal == "computation_fn":
        if operation.name != "identity":
            parameters += copies * parameters_of(operation, point.flow.state)
            activations += copies * flow.state.size
            operations += copies
    elif due.kind is not None and due.nonterminal.startswith("branching_fn"):
        copies *= due.kind.copies
    elif due.kind is not None and due.nonterminal.startswith("aggregation_fn"):
        copies //= due.kind.copies
        within = within if due.branching is None else due.branching.begin.within
        activations += copies * flow.state.size
        operations += copies
    return point._replace(
        text=(operation.text, point.text),
        flow=flow,
        copies=copies,
        parameters=parameters,
        activations=activations,
        operations=operations,
        within=within,
    )


def _join(text: tuple | None) -> str:
    parts = []
    while text is not None:
        part, text = text
        parts.append(part)
    return "".join(reversed(parts))
