"""The normal form: one text for all programs that compute the same network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from cole_core.encodings.base import RenderingError
from cole_core.encodings.normal_form.class_writer import weights_of, write_class
from cole_core.encodings.normal_form.expression import Written, write_expression
from cole_core.encodings.normal_form.graph import Graph
from cole_core.encodings.normal_form.inputs import Input
from cole_core.encodings.normal_form.ordering import digest, ordered
from cole_core.encodings.normal_form.simplifying import simplified, without_learned_shifts

if TYPE_CHECKING:
    from torch import nn

FX, EXPORT, SOURCE = "fx", "export", "source"
"""The ways to a text, in the order in which they are tried."""


@dataclass(frozen=True)
class NormalForm:
    """A network as plain data and as texts.

    Attributes:
        path: How it was read: `fx`, traced with symbols; `export`, traced for inputs of one size;
            `source`, its source alone.
        reason: Why no earlier path; empty for `fx`.
        graph: What it computes, with all that decides it, dropout among it, in an order of its own;
            None for `source`.
        source: Normalised source, where there is one.
    """

    path: str
    reason: str
    graph: Graph | None
    source: str | None = field(default=None, compare=False)

    @property
    def bare(self) -> str:
        """The expression alone, with the lines before it where it needs some."""
        return self.write_bare()

    @property
    def expression(self) -> str:
        """The expression within a class."""
        return self.write_expression()

    @property
    def class_text(self) -> str:
        """A class that runs, see `write_class`."""
        return self.write_class()

    @cached_property
    def digest(self) -> str:
        """Hash of all that decides the network: its graph, or its source if there is no other."""
        return digest(self._traced) if self.graph is not None else ""

    def write_bare(self, *, dropout: bool = False) -> str:
        """The expression alone."""
        written = self._written(dropout)
        return "\n".join([*written.lines, written.value])

    def write_expression(self, name: str = "Network", *, dropout: bool = False) -> str:
        """The expression within a class.

        Args:
            name: Of the class.
            dropout: Write dropout, too.
        """
        written = self._written(dropout)
        inputs = ", ".join(["self", *written.inputs])
        return "\n        ".join(
            [
                f"class {name}(nn.Module):\n    def forward({inputs}):",
                *written.lines,
                f"return {written.value}",
            ]
        )

    def write_class(self, name: str = "Network", *, dropout: bool = False) -> str:
        """A class that runs, with its imports.

        With the weights that `weights` names it gives the outputs of the traced module, in
        evaluation mode.

        Args:
            name: Of the class.
            dropout: Write dropout, too.

        Raises:
            RenderingError: The network was not traced.
        """
        return write_class(simplified(self._traced, dropout=dropout), name)

    @property
    def weights(self) -> dict[str, str]:
        """What each parameter and buffer of the class is called in the module that was traced."""
        return weights_of(simplified(self._traced))

    def _written(self, dropout: bool) -> Written:
        return write_expression(without_learned_shifts(simplified(self._traced, dropout=dropout)))

    @property
    def _traced(self) -> Graph:
        if self.graph is None:
            raise RenderingError(f"it was not traced: {self.reason}")
        return self.graph


def normal_form(
    make: Callable[[], nn.Module],
    inputs: Sequence[Input] | None = None,
    source: str | None = None,
) -> NormalForm:
    """The normal form of a network.

    Args:
        make: Makes it; called on the meta device, and again on the CPU where that fails.
        inputs: What it is given; inferred from its first layer where that is needed.
        source: Its source; by default what Python knows of its class.
    """
    from cole_core.encodings.normal_form.tracing import FOREIGN_ERRORS, construct, export, trace

    module = construct(make)
    try:
        return NormalForm(FX, "", ordered(trace(module)), source)
    except FOREIGN_ERRORS as error:
        reason = _in_one_line(error)
    return NormalForm(EXPORT, reason, ordered(export(module, inputs)), source)


def _in_one_line(error: Exception) -> str:
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
