"""A derivation as straight-line code: what `build` runs, the code encodings write, costs count."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from cole_core.errors import InputError
from cole_core.spaces.einspace.grammar import BRANCHINGS, Operation
from cole_core.spaces.einspace.inference import do
from cole_core.spaces.einspace.shapes import Flow, State
from cole_core.spaces.einspace.tree import Module, walk

_MOST_CALLS = 100_000
"""Of a network: copies of copies grow exponentially."""


@dataclass(frozen=True)
class Step:
    """One operation on all copies of a value.

    Within `branching(4)` and `branching(8)` a value is as many tensors as there are copies of the
    branch, so that a program is as short as its derivation, however many copies there are.

    Attributes:
        operation: An operation of the grammar, or "convolution" with width, kernel, stride,
            padding.
        inputs: Numbers of the values it reads.
        outputs: Numbers of the values it makes: one, or the two parts of `group(2, d)`.
        copies: Tensors that each input has; an aggregation of 4 or 8 branches has so many of
            its output.
        before, after: State of (a tensor of) the first input and of the outputs.
    """

    operation: Operation
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    copies: int
    before: State
    after: State

    @property
    def attribute(self) -> str:
        """Name of the network's attribute that holds the step's weights."""
        name = "conv" if self.operation.name == "convolution" else self.operation.name
        return f"{name}{self.outputs[0]}"


@dataclass(frozen=True)
class Program:
    """Steps in order; value 0 is the input.

    Attributes:
        steps: The steps. Identities and `clone(2)` need none.
        output: Number of the value that the classifier gets.
        before, after: State of the input and of that value.
    """

    steps: tuple[Step, ...]
    output: int
    before: State
    after: State


def lower(root: Module, state: State) -> Program:
    """The program of a derivation, its convolutions recognised.

    Raises:
        InputError: Shapes do not fit; names the operation, its position and what it meets. Or
            copies of copies make more than 100,000 calls.
    """
    flow, value, values, copies, calls = Flow(state), 0, 0, 1, 0
    steps: list[Step] = []
    # For each open branching: what the second branch begins with, and what the first ended with.
    branches: list[tuple[int, int | None]] = []

    def emit(operation: Operation, inputs: tuple[int, ...], before: State, made: int = 1) -> int:
        nonlocal values, calls
        calls += copies
        outputs = tuple(range(values + 1, values + 1 + made))
        values += made
        steps.append(Step(operation, inputs, outputs, copies, before, flow.state))
        return outputs[0]

    for position, place in walk(root):
        kind, operation = place.parent.kind, place.child
        if calls > _MOST_CALLS:
            raise InputError(
                f"no einspace network: more than {_MOST_CALLS:,} calls up to character {position}"
            )
        if isinstance(operation, Module):
            flow = flow.enter(kind, place.nth)
            if kind is BRANCHINGS[2] and place.nth == 2:
                branch, _ = branches[-1]
                branches[-1], value = (branch, value), branch
            continue
        before, flow = flow.state, do(flow, position, place)
        nonterminal = place.slot.nonterminal
        if nonterminal.startswith("branching_fn"):
            if kind.copies > 1:
                value = emit(operation, (value,), before)
                copies *= kind.copies
                branches.append((value, None))
            elif operation.name == "clone":
                branches.append((value, None))
            else:
                value = emit(operation, (value,), before, made=2)
                branches.append((value + 1, None))
        elif nonterminal.startswith("aggregation_fn"):
            _, first = branches.pop()
            copies //= kind.copies
            value = emit(operation, (value,) if first is None else (first, value), before)
        elif operation.name != "identity":
            value = emit(operation, (value,), before)
    return _number(_fuse(steps), value, state, flow.state)


def _fuse(steps: list[Step]) -> list[Step]:
    """Makes im2col, linear and col2im in a row one convolution, unless others read in between."""
    reads = Counter(value for step in steps for value in step.inputs)
    fused: list[Step] = []
    for step in steps:
        fused.append(step)
        names = [step.operation.name for step in fused[-3:]]
        if names != ["im2col", "linear", "col2im"]:
            continue
        unfold, linear, _ = fused[-3:]
        in_a_row = linear.inputs == unfold.outputs and step.inputs == linear.outputs
        if in_a_row and reads[unfold.outputs[0]] == 1 and reads[linear.outputs[0]] == 1:
            numbers = (*linear.operation.numbers, *unfold.operation.numbers)
            convolution = Operation(
                "convolution", numbers, f"convolution({','.join(map(str, numbers))})"
            )
            fused[-3:] = [
                replace(step, operation=convolution, inputs=unfold.inputs, before=unfold.before)
            ]
    return fused


def _number(steps: list[Step], output: int, before: State, after: State) -> Program:
    """Numbers values in the order in which they are made."""
    number_of = {0: 0}
    for step in steps:
        for value in step.outputs:
            number_of[value] = len(number_of)
    renumbered = tuple(
        replace(
            step,
            inputs=tuple(number_of[value] for value in step.inputs),
            outputs=tuple(number_of[value] for value in step.outputs),
        )
        for step in steps
    )
    return Program(renumbered, number_of[output], before, after)
