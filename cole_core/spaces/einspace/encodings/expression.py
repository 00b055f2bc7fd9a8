"""What the network computes, as compact as possible: `code.expression` and `code.bare`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from cole_core.encodings.base import TextEncoding
from cole_core.spaces.einspace.encodings.code import write_function, write_layer, write_pair
from cole_core.spaces.einspace.grammar import Operation
from cole_core.spaces.einspace.program import Program, Step

_LONGEST_SHARED = 60
"""A value that is read twice and takes more characters than this has a name."""

_DEEPEST = 40
"""Calls within calls; a value that takes more has a name."""


@dataclass(frozen=True)
class _Text:
    """A value as an expression.

    Attributes:
        text: The expression.
        depth: Calls within calls.
        binds: Whether it binds as tightly as a name.
    """

    text: str
    depth: int = 0
    binds: bool = True

    @property
    def tight(self) -> str:
        return self.text if self.binds else f"({self.text})"


@dataclass
class _Scope:
    """A function's body, or that of a comprehension over the copies of a branch.

    Attributes:
        copies: What the comprehension runs over; None for the function.
        bindings: Names and what they stand for, in order.
    """

    copies: _Text | None = None
    bindings: list[tuple[str, str]] = field(default_factory=list)

    def bind(self, names: Iterator[str], text: str, values: int = 1) -> list[_Text]:
        """Gives a name to each value of an expression."""
        made = [next(names) for _ in range(values)]
        self.bindings.append((", ".join(made), text))
        return [_Text(name) for name in made]


class Expression(TextEncoding):
    """The canonical form as one expression; values that are read twice and are long have names.

    It parses and is not meant to run: layers are called by what they are ("linear64",
    "conv3x3_64" with 64 channels out), so two of them may share a name. The copies of a branch
    are a comprehension, in which `for a in [...]` names a value. Averaging and classifier are
    the same in each network and left out.
    """

    name = "code.expression"

    def _render(self, native: str, context: str) -> str:
        *lines, value = _lines(self.space.program(self.space.canonical_form(native)))
        return "\n        ".join(
            ["class Network(nn.Module):\n    def forward(self, x):", *lines, f"return {value}"]
        )


class Bare(TextEncoding):
    """The expression of `code.expression` alone, below the lines that name what it reads."""

    name = "code.bare"

    def _render(self, native: str, context: str) -> str:
        return "\n".join(_lines(self.space.program(self.space.canonical_form(native))))


def _lines(program: Program) -> list[str]:
    """A line for each name and what it stands for, and what the network returns."""
    scope, value = _write(program)
    return [*(f"{names} = {text}" for names, text in scope.bindings), value.text]


def _write(program: Program) -> tuple[_Scope, _Text]:
    """The function's body and the value that it returns."""
    reads = Counter(number for step in program.steps for number in step.inputs)
    values = {0: _Text("x")}
    scopes = [_Scope()]
    names = _names()
    for step in program.steps:
        for number in step.inputs:
            value = values[number]
            if (reads[number] > 1 and len(value.text) > _LONGEST_SHARED) or value.depth > _DEEPEST:
                (values[number],) = scopes[-1].bind(names, value.text)
        inputs = [values[number] for number in step.inputs]
        if len(step.outputs) == 2:
            made = scopes[-1].bind(names, _copies(step.operation, inputs[0]).text, values=2)
        elif step.operation.name in ("clone", "group"):
            scopes.append(_Scope(_copies(step.operation, inputs[0])))
            made = [_Text("x")]
        elif len(inputs) == 1 and step.operation.name in ("add", "cat"):
            made = [_over_copies(step.operation, inputs[0], scopes.pop())]
        elif len(inputs) == 2:
            made = [_pair(step, *inputs)]
        else:
            made = [_call(step, inputs[0])]
        values.update(zip(step.outputs, made, strict=True))
    return scopes[0], values[program.output]


def _names() -> Iterator[str]:
    """a, b, … without x, which is the input; then a1, b1, …"""
    letters = "abcdefghijklmnopqrstuvwyz"
    yield from letters
    for number in count(1):
        yield from (f"{letter}{number}" for letter in letters)


def _copies(operation: Operation, value: _Text) -> _Text:
    """The inputs of all branches."""
    if operation.name == "clone":
        return _Text(f"[{value.text}] * {operation.numbers[0]}", value.depth + 1, binds=False)
    parts, dimension = operation.numbers
    return _Text(f"{value.tight}.chunk({parts}, dim={dimension})", value.depth + 1)


def _over_copies(operation: Operation, body: _Text, scope: _Scope) -> _Text:
    """The aggregation of all copies of a branch."""
    assert scope.copies is not None
    clauses = "".join(f" for {names} in [{text}]" for names, text in scope.bindings)
    branches = f"{body.text} for x in {scope.copies.text}{clauses}"
    depth = max(body.depth, scope.copies.depth) + 2
    if operation.name == "add":
        return _Text(f"sum({branches})", depth)
    return _Text(f"torch.cat([{branches}], dim={operation.numbers[1]})", depth)


def _pair(step: Step, first: _Text, second: _Text) -> _Text:
    """The aggregation of two branches."""
    depth = max(first.depth, second.depth) + 1
    if step.operation.name == "cat":
        return _Text(write_pair(step, first.text, second.text), depth)
    if step.operation.name == "add":  # a sum or a product within a sum needs no brackets
        return _Text(f"{first.text} + {second.text}", depth, binds=False)
    return _Text(write_pair(step, first.tight, second.tight), depth, binds=False)


def _call(step: Step, value: _Text) -> _Text:
    """An operation with one input."""
    operation = step.operation
    if write_layer(step) is None:
        method = operation.name in ("softmax", "perm", "col2im")
        x = value.tight if method else value.text
        return _Text(write_function(step, x), value.depth + 1)
    called = operation.name
    if operation.name == "linear":
        called = f"linear{operation.numbers[0]}"
    elif operation.name == "convolution":
        width, kernel, stride, _ = operation.numbers
        called = f"conv{kernel}x{kernel}{f'_stride{stride}' if stride > 1 else ''}_{width}"
    return _Text(f"self.{called}({value.text})", value.depth + 1)
