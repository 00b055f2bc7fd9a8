"""Random derivations: depth first, with backtracking."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import NamedTuple, TypeVar

import numpy as np

from cole_core.spaces.einspace.cost import parameters_of
from cole_core.spaces.einspace.grammar import MODULES, OPERATIONS, Kind, Operation
from cole_core.spaces.einspace.shapes import Flow, ShapeError

_DEAD_ENDS = 16
"""So often a branching's aggregation may fail before the branching itself is given up."""

_STEPS_PER_MODULE = 50
"""A draw that takes more steps than this times the limit of modules is given up."""

T = TypeVar("T")


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


class _Attempts:
    """Failures of one branching's aggregation.

    Attributes:
        height: Number of choices when the branching was chosen, that choice included.
        failures: Failures so far.
    """

    def __init__(self, height: int) -> None:
        self.height = height
        self.failures = 0


class _Due(NamedTuple):
    """A slot that has to be filled.

    Attributes:
        nonterminal: What may stand there.
        kind, nth: The module whose slot it is, and which; no module for the first.
        attempts: Of that module.
    """

    nonterminal: str
    kind: Kind | None
    nth: int
    attempts: _Attempts | None


class _Point(NamedTuple):
    """A partial derivation. Lists are linked pairs, so that a choice can be taken back."""

    agenda: tuple | None
    text: tuple | None
    flow: Flow
    modules: int
    copies: int = 1
    parameters: int = 0
    activations: int = 0
    operations: int = 0


def draw(
    nonterminal: str,
    flow: Flow,
    modules: int,
    copies: int,
    bounds: Bounds,
    rng: np.random.Generator,
) -> str | None:
    """Derives a string.

    Slots are filled from left to right, each with an option that fits the shapes. Where none does
    (only the aggregation of two different branches can fail) the last choices are taken back one
    by one; after 16 failures the branching is, and another kind of module is drawn in its place.

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
    point = _Point((_Due(nonterminal, None, 0, None), None), None, flow, modules + 1, copies)
    choices: list[tuple[_Point, _Due, list]] = []  # where, what and the options that are left
    for _ in range(_STEPS_PER_MODULE * bounds.modules):
        while point.agenda is not None and isinstance(point.agenda[0], str):
            literal, rest = point.agenda
            point = point._replace(agenda=rest, text=(literal, point.text))
        if point.agenda is None:
            return _join(point.text)
        due, rest = point.agenda
        if due.nonterminal in MODULES:
            if due.kind is not None:
                point = point._replace(flow=point.flow.enter(due.kind, due.nth))
            room = bounds.modules - point.modules
            options: list = [
                option for option in MODULES[due.nonterminal].items() if option[0].modules <= room
            ]
        else:
            options = list(OPERATIONS[due.nonterminal])
        choices.append((point._replace(agenda=rest), due, options))
        found = _choose(choices, rng)
        if found is None:
            return None
        point = found
        if (
            point.parameters > bounds.parameters
            or point.activations > bounds.activations
            or point.operations > bounds.operations
        ):
            return None
    return None


def _choose(choices: list[tuple[_Point, _Due, list]], rng: np.random.Generator) -> _Point | None:
    """Makes the last choice that has an option which fits; None where there is none."""
    while choices:
        point, due, options = choices[-1]
        while options:
            if due.nonterminal in MODULES:
                return _open(point, _take_weighted(options, rng), len(choices))
            operation = options.pop(int(rng.random() * len(options)))
            try:
                flow = point.flow.do(due.nonterminal, operation)
            except ShapeError:
                continue
            return _add(point, due, operation, flow)
        choices.pop()
        if due.nonterminal.startswith("aggregation_fn") and due.attempts is not None:
            due.attempts.failures += 1
            if due.attempts.failures >= _DEAD_ENDS:
                del choices[due.attempts.height :]
    return None


def _open(point: _Point, kind: Kind, height: int) -> _Point:
    """The point after a kind was chosen: its slots are due."""
    attempts = _Attempts(height)
    agenda = point.agenda
    index = len(kind.slots)
    for part in reversed(kind.parts):
        if isinstance(part, str):
            agenda = (part, agenda)
        else:
            index -= 1
            agenda = (_Due(part.nonterminal, kind, index, attempts), agenda)
    return point._replace(agenda=agenda, modules=point.modules + kind.modules)


def _add(point: _Point, due: _Due, operation: Operation, flow: Flow) -> _Point:
    """The point after an operation was chosen, with what it surely costs.

    Patches do not count: with a linear map and col2im they may turn out to be a convolution.
    """
    copies = point.copies
    activations = point.activations
    operations = point.operations
    parameters = point.parameters
    if due.nonterminal == "computation_fn":
        if operation.name != "identity":
            parameters += copies * parameters_of(operation, point.flow.state)
            activations += copies * flow.state.size
            operations += copies
    elif due.kind is not None and due.nonterminal.startswith("branching_fn"):
        copies *= due.kind.copies
    elif due.kind is not None and due.nonterminal.startswith("aggregation_fn"):
        copies //= due.kind.copies
        activations += copies * flow.state.size
        operations += copies
    return point._replace(
        text=(operation.text, point.text),
        flow=flow,
        copies=copies,
        parameters=parameters,
        activations=activations,
        operations=operations,
    )


def _take_weighted(options: list[tuple[T, float]], rng: np.random.Generator) -> T:
    """Removes one of the options, at random by their weights."""
    rest = rng.random() * sum(weight for _, weight in options)
    chosen = 0
    while chosen < len(options) - 1 and rest >= options[chosen][1]:
        rest -= options[chosen][1]
        chosen += 1
    return options.pop(chosen)[0]


def _join(text: tuple | None) -> str:
    parts = []
    while text is not None:
        part, text = text
        parts.append(part)
    return "".join(reversed(parts))
