"""The contract of an encoding: what of an architecture a surrogate reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from cole_core.errors import InputError

NO_CONTEXT = "none"
"""The architecture alone."""


class EncodedSpace(Protocol):
    """What is asked of a search space here; see `cole_core.spaces.base.SearchSpace`."""

    name: ClassVar[Any]
    encodings: ClassVar[Any]
    lacks: ClassVar[Any]

    @property
    def parameters(self) -> Mapping[str, Any]: ...

    def encoding(self, name: str) -> Encoding: ...


@dataclass(frozen=True)
class Rendering:
    """An architecture's text, and how it came about.

    Attributes:
        text: What a language model reads.
        path: How the network was read: `fx` and `export` traced it, `source` is its source alone;
            None where the space writes the text from what it knows.
        reason: Why no earlier path was taken; None without a path, empty for the first.
    """

    text: str
    path: str | None = None
    reason: str | None = None


class RenderingError(Exception):
    """One architecture cannot be written; the others can."""


class _OfSpace(ABC):
    """What every encoding is made with.

    Args:
        space: The search space of the architectures, with its parameters.
    """

    name: str

    def __init__(self, space: EncodedSpace) -> None:
        # Typed as Any: the encodings of a space know its class, which this room does not.
        self.space: Any = space


class TextEncoding(_OfSpace):
    """Writes an architecture as a text for a language model.

    Attributes:
        name: The registered name ("code.expression").
        contexts: What may stand around the architecture; `none` is the architecture alone.
        is_slow: Whether a text takes so long that several processes should share the work.
    """

    contexts: tuple[str, ...] = (NO_CONTEXT,)
    is_slow: bool = False

    def render(self, native: str, context: str = NO_CONTEXT) -> str:
        """The text of an architecture.

        Raises:
            InputError: The native string or the context is not one of those that there are.
            RenderingError: This architecture has no such text.
        """
        return self.written(native, context).text

    def written(self, native: str, context: str = NO_CONTEXT) -> Rendering:
        """The text of an architecture, and which path wrote it where there are several.

        Raises:
            InputError: The native string or the context is not one of those that there are.
            RenderingError: This architecture has no such text.
        """
        if context not in self.contexts:
            raise InputError(
                f"encoding {self.name} has no context '{context}': "
                f"choose one of {', '.join(self.contexts)}"
            )
        return self._written(native, context)

    def _written(self, native: str, context: str) -> Rendering:
        return Rendering(self._render(native, context))

    @abstractmethod
    def _render(self, native: str, context: str) -> str:
        """The text, for a context that is one of `contexts`."""


class VectorEncoding(_OfSpace):
    """Writes architectures as vectors, without a language model.

    Attributes:
        name: The registered name ("adjacency").
    """

    @abstractmethod
    def encode(self, natives: Sequence[str]) -> np.ndarray:
        """The vectors of architectures; a row depends on its own architecture alone.

        Returns:
            Array (n, d) of float32.

        Raises:
            InputError: A native string is not an architecture of the space.
        """


Encoding = TextEncoding | VectorEncoding
