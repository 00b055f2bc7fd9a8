"""How operations are written as Python: operators, functions and methods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cole_core.encodings.normal_form.graph import Ref, Slice, Symbol, Value

OPERATORS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "matmul": "@",
    "pow": "**",
    "floordiv": "//",
    "floor_divide": "//",
    "mod": "%",
    "and": "&",
    "and_": "&",
    "or": "|",
    "or_": "|",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
}

_FIRST = {
    *("kernel_size", "dim", "start_dim", "output_size", "dims", "shape", "chunks", "p"),
    *("dim0", "negative_slope", "exponent", "pad", "split_size", "size"),
}
"""Options that are written without their name where they come first."""


@dataclass(frozen=True)
class Text:
    """A value as an expression.

    Attributes:
        text: The expression.
        depth: Calls within calls.
        binds: Whether it binds as tightly as a name.
        terms: The terms, where it is a sum.
    """

    text: str
    depth: int = 0
    binds: bool = True
    terms: tuple[str, ...] = ()

    @property
    def tight(self) -> str:
        """The expression as a part of another."""
        return self.text if self.binds else f"({self.text})"


def in_order(texts: Sequence[str]) -> list[str]:
    """Terms in the order in which sums are written: short ones first."""
    return sorted(texts, key=lambda text: (len(text), text))


def write_value(value: Value, look_up: Callable[[int], Text], *, tight: bool = False) -> str:
    """A value as Python has it."""

    def write(part: Value) -> str:
        return write_value(part, look_up)

    if isinstance(value, Ref):
        found = look_up(value.number)
        return found.tight if tight else found.text
    if isinstance(value, Symbol):
        return value.name
    if isinstance(value, Slice):
        start, stop = ("" if part is None else write(part) for part in (value.start, value.stop))
        step = "" if value.step is None else f":{write(value.step)}"
        return f"{start}:{stop}{step}"
    if isinstance(value, list):
        return f"[{', '.join(map(write, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(write, value))}{',' if len(value) == 1 else ''})"
    if value is ...:
        return "..."
    if (isinstance(value, float) and value != value) or value in (float("inf"), float("-inf")):
        return f"float('{value}')"
    text = repr(value)
    return f"({text})" if tight and text.startswith("-") else text


def write_index(value: Value, look_up: Callable[[int], Text]) -> str:
    """What stands in the brackets of an index."""
    if not isinstance(value, tuple) or not value:
        return write_value(value, look_up)
    parts = ", ".join(write_value(part, look_up) for part in value)
    return f"{parts}," if len(value) == 1 else parts


def write_options(
    options: Sequence[tuple[str, Value]], look_up: Callable[[int], Text], *, short: bool
) -> list[str]:
    """Options as the arguments of a call.

    Args:
        options: Names and values.
        look_up: Gives the texts of nodes.
        short: Leave the first name out where it is plain.
    """
    written = []
    for place, (name, value) in enumerate(options):
        text = write_value(value, look_up)
        plain = short and place == 0 and name in _FIRST
        written.append(text if plain else f"{name}={text}")
    return written
