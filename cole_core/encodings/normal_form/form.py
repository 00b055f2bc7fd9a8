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
from cole_core.encodings.normal_form.ordering import digest
from cole_core.encodings.normal_form.simplifying import (
    DROPOUT,
    reduced,
    simplified,
    without_learned_shifts,
)
from cole_core.encodings.normal_form.source import normalised, source_digest, source_of
from cole_core.errors import FOREIGN_ERRORS

if TYPE_CHECKING:
    from torch import nn

FX, EXPORT, SOURCE = "fx", "export", "source"
"""The ways to a text, in the order in which they are tried."""

_LONGEST = 120  # letters of an error's message


@dataclass(frozen=True)
class NormalForm:
    """A network as plain data and as texts.

    Attributes:
        path: How it was read: `fx`, traced with symbols; `export`, traced for inputs of one size;
            `source`, its source alone.
        reason: Why no earlier path; empty for `fx`.
        graph: What it computes, with all that decides it and without dead code and synonyms, in an
            order of its own. Dropout and identities are in it, and not in texts. None for `source`.
        source: Normalised source, where it was given or is all there is.
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
        if self.graph is not None:
            return digest(self.graph)
        return source_digest(self._source)

    def write_bare(self, *, dropout: bool = False) -> str:
        """The expression alone; where the network was not traced, its source."""
        if self.graph is None:
            return self._source
        written = self._written(dropout)
        return "\n".join([*written.lines, written.value])

    def write_expression(self, name: str = "Network", *, dropout: bool = False) -> str:
        """The expression within a class; where the network was not traced, its source.

        Args:
            name: Of the class.
            dropout: Write dropout, too.
        """
        if self.graph is None:
            return self._source
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
        return write_class(self._reduced(dropout), name)

    @property
    def weights(self) -> dict[str, str]:
        """What each parameter and buffer of the class is called in the module that was traced."""
        return weights_of(self.simplified)

    def build(self) -> nn.Module:
        """The module that the class makes, with fresh weights.

        Only what the traced graph says is run, whatever the network's own source says.

        Raises:
            RenderingError: The network was not traced.
        """
        namespace: dict[str, type[nn.Module]] = {}
        exec(self.class_text, namespace)
        return namespace["Network"]()

    @property
    def simplified(self) -> Graph:
        """The graph that the class is written from, without dropout and what does nothing.

        Raises:
            RenderingError: The network was not traced.
        """
        return self._reduced(dropout=False)

    def _written(self, dropout: bool) -> Written:
        return write_expression(without_learned_shifts(self._reduced(dropout)))

    def _reduced(self, dropout: bool) -> Graph:
        return reduced(self._traced, DROPOUT if dropout else frozenset())

    @property
    def _source(self) -> str:
        if self.source is None:
            raise RenderingError(f"it has no source: {self.reason}")
        return self.source

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
    """The normal form of a network, by the first way that there is.

    Args:
        make: Makes it; called on the meta device, and again on the CPU where that fails.
        inputs: What it is given; inferred from its first layer where that is needed.
        source: Its source; by default that of the file of its class, as far as the class uses it.

    Raises:
        RenderingError: It cannot be traced, and there is no source of it.
        Exception: What its constructor raises, where there is no source.
    """
    from cole_core.encodings.normal_form.tracing import (
        construct,
        construct_on_cpu,
        export,
        trace,
    )

    text = None if source is None else normalised(source)
    try:
        module = construct(make)
    except FOREIGN_ERRORS as error:
        if text is None:
            raise
        return NormalForm(SOURCE, f"it cannot be made: {_in_one_line(error)}", None, text)
    try:
        return NormalForm(
            FX, "", _complete(trace(module, None if inputs is None else len(inputs))), text
        )
    except FOREIGN_ERRORS as error:
        reason = f"fx: {_in_one_line(error)}"
    try:
        return NormalForm(EXPORT, reason, _complete(export(construct_on_cpu(make), inputs)), text)
    except FOREIGN_ERRORS as error:
        reason = f"{reason}; export: {_in_one_line(error)}"
    if text is None:
        found = source_of(module)
        if found is None:
            raise RenderingError(f"{type(module).__name__} has no source, and {reason}")
        text = normalised(*found)
    return NormalForm(SOURCE, reason, None, text)


def source_form(source: str, name: str | None = None, *, reason: str) -> NormalForm:
    """The normal form of a source that is not run.

    Args:
        source: Of a class, or of a file.
        name: The class in it; None takes all that is there.
        reason: Why it is not run.

    Raises:
        SyntaxError: It is no Python.
    """
    return NormalForm(SOURCE, reason, None, normalised(source, name))


def _complete(graph: Graph) -> Graph:
    """A traced graph with all that decides the network, and what its constructor left open."""
    return simplified(graph, DROPOUT | {"identity"})


def _in_one_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = lines[0] if lines else ""
    first = first if len(first) <= _LONGEST else f"{first[:_LONGEST]}…"
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
