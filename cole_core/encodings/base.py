"""The contract of an encoding: what of an architecture a surrogate reads."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from cole_core.errors import InputError


class RenderingError(Exception):
    """One architecture cannot be written; the others can."""


class TextEncoding(ABC):
    """Writes an architecture as a text for a language model.

    Attributes:
        name: The registered name ("code.expression").
        contexts: What may stand around the architecture; None is the architecture alone.
        is_slow: Whether a text takes so long that several processes should share the work.
    """

    name: str
    contexts: tuple[str | None, ...] = (None,)
    is_slow: bool = False

    def render(self, native: str, context: str | None = None) -> str:
        """The text of an architecture.

        Raises:
            InputError: The native string or the context is not one of those that there are.
            RenderingError: This architecture has no such text.
        """
        if context not in self.contexts:
            known = ", ".join(str(known or "none") for known in self.contexts)
            raise InputError(
                f"encoding {self.name} has no context '{context}': choose one of {known}"
            )
        return self._render(native, context)

    @abstractmethod
    def _render(self, native: str, context: str | None) -> str:
        """The text, for a context that is one of `contexts`."""


class VectorEncoding(ABC):
    """Writes architectures as vectors, without a language model.

    Attributes:
        name: The registered name ("adjacency").
    """

    name: str

    @abstractmethod
    def encode(self, natives: Sequence[str]) -> np.ndarray:
        """The vectors of architectures; a row depends on its own architecture alone.

        Returns:
            Array (n, d) of float32.

        Raises:
            InputError: A native string is not an architecture of the space.
        """


Encoding = TextEncoding | VectorEncoding
