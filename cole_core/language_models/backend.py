"""The contract of what runs a language model over a batch, and pooling as a matrix."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cole_core.language_models.batching import batches_by_length
from cole_core.language_models.windows import Window


@dataclass(frozen=True, eq=False)
class Layout:
    """A batch as the model reads it.

    Attributes:
        inputs: What the backend needs to run the model.
        pooling: float32, of zeros and ones: `pooling @ hidden states` is what each window sums.
    """

    inputs: Any
    pooling: Tensor


class Backend(ABC):
    """Runs a language model.

    Attributes:
        device: Where the model is.
    """

    device: torch.device

    def batches(self, windows: Sequence[Window], tokens: int) -> Iterator[list[Window]]:
        """Groups windows so that little is wasted, about so many tokens at once."""
        return batches_by_length(windows, tokens)

    @abstractmethod
    def lay_out(self, windows: Sequence[Window]) -> Layout:
        """Arranges windows for the model."""

    @abstractmethod
    def hidden_states(self, layout: Layout, layers: Sequence[int]) -> Iterator[Tensor]:
        """The hidden states of the layers, in rising order, each (..., tokens, hidden size)."""


def pool(backend: Backend, windows: Sequence[Window], layers: Sequence[int]) -> Tensor:
    """Sums the hidden states of the tokens that each window pools.

    Args:
        backend: The model.
        windows: A batch.
        layers: Hidden states to read, in rising order.

    Returns:
        (windows, layers, hidden size) float32.
    """
    layout = backend.lay_out(windows)
    sums = [
        (layout.pooling @ states.to(layout.pooling)).flatten(end_dim=-2)
        for states in backend.hidden_states(layout, layers)  # maybe on several devices
    ]
    return torch.stack(sums, dim=1)
