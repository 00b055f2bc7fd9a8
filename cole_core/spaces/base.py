"""The contract of a search space."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cole_core.errors import InputError
from cole_core.hashing import hash_json

if TYPE_CHECKING:  # torch takes seconds to import, and only `build` needs it
    from torch import nn


class SearchSpace(ABC):
    """A set of architectures, each named by its native string.

    Everything outside a space handles native strings; what a space parses them into is its own.
    Implementations are immutable and cheap to make.
    """

    name: str

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What besides the native string decides the architecture (einspace: the input shape)."""
        return {}

    @property
    @abstractmethod
    def size(self) -> int | None:
        """Number of architectures, or None where the space is open-ended."""

    @abstractmethod
    def validate(self, native: str) -> None:
        """Checks a native string strictly.

        Raises:
            InputError: The string is not an architecture of this space; says where it breaks.
        """

    @abstractmethod
    def enumerate(self) -> Iterator[str]:
        """All architectures in a fixed order.

        Raises:
            InputError: The space is open-ended: sample it.
        """

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> str:
        """One architecture at random."""

    @abstractmethod
    def mutate(self, native: str, rng: np.random.Generator, edits: int = 1) -> str:
        """Another architecture, `edits` edits away."""

    @abstractmethod
    def canonical_form(self, native: str) -> str:
        """A string that two architectures share if and only if they compute the same function."""

    @abstractmethod
    def build(self, native: str) -> nn.Module:
        """The architecture as a running network, at the space's default size."""

    def macro_architecture(self, given: Mapping[str, int]) -> dict[str, int]:
        """What the space leaves open of the network around an architecture, by name.

        Args:
            given: What is not as usual.

        Raises:
            InputError: The space leaves nothing open, or not that.
        """
        if given:
            raise InputError(
                f"architectures of {self.name} are whole networks: leave out {', '.join(given)}"
            )
        return {}

    def build_for(
        self,
        native: str,
        input_shape: tuple[int, int, int],
        classes: int,
        macro: Mapping[str, int],
    ) -> nn.Module:
        """The architecture as a network for a task.

        A space whose architectures are whole networks has input shape and classes among its
        parameters (see `get_space_for`) and builds what it builds.

        Args:
            native: The architecture.
            input_shape: Channels, height, width.
            classes: Of the task.
            macro: All that `macro_architecture` gives.
        """
        return self.build(native)

    def architecture_id(self, native: str) -> str:
        """Hash of the space, its parameters and the native string."""
        return hash_json({"space": self.name, **self.parameters, "native": native})
