"""What a network is given: shapes, told or inferred from its first layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

BATCH = 2  # a batch of one is a special case to many a network
_SIDE = 32
_LENGTH = 16


@dataclass(frozen=True)
class Input:
    """One input of a network.

    Attributes:
        shape: With the batch.
        dtype: `float32`, or `int64` for indices.
        below: Indices are below this.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    below: int = 2

    def make(self) -> Tensor:
        """A tensor of this shape, the same each time."""
        import torch

        generator = torch.Generator().manual_seed(0)
        if self.dtype == "int64":
            return torch.randint(self.below, self.shape, generator=generator)
        return torch.randn(self.shape, generator=generator).to(getattr(torch, self.dtype))


def make_all(inputs: Sequence[Input]) -> tuple[Tensor, ...]:
    """The tensors of inputs."""
    return tuple(each.make() for each in inputs)


def inferred(module: nn.Module) -> tuple[Input, ...] | None:
    """Inputs that fit a network, as its first layer with weights says; None if none does.

    A network of `transformers` says which of its inputs is the main one.
    """
    main = getattr(module, "main_input_name", None)
    config = getattr(module, "config", None)
    if isinstance(main, str) and config is not None:
        return _of_config(main, config)
    for layer in module.modules():
        found = _of_layer(layer)
        if found is not None:
            return (found,)
    return None


def _of_layer(layer: nn.Module) -> Input | None:
    from torch import nn

    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        return Input((BATCH, layer.in_channels, _SIDE, _SIDE))
    if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
        return Input((BATCH, layer.in_channels, _SIDE))
    if isinstance(layer, nn.Conv3d | nn.ConvTranspose3d):
        return Input((BATCH, layer.in_channels, *(_LENGTH,) * 3))
    if isinstance(layer, nn.Linear):
        return Input((BATCH, layer.in_features))
    if isinstance(layer, nn.Embedding):
        return Input((BATCH, _LENGTH), "int64", layer.num_embeddings)
    if isinstance(layer, nn.RNNBase):
        return Input((BATCH, _LENGTH, layer.input_size))
    if isinstance(layer, nn.MultiheadAttention):
        return Input((BATCH, _LENGTH, layer.embed_dim))
    if isinstance(layer, nn.TransformerEncoderLayer):
        return Input((BATCH, _LENGTH, layer.self_attn.embed_dim))
    return None


def _of_config(main: str, config: Any) -> tuple[Input, ...] | None:
    if main == "pixel_values":
        size = getattr(config, "image_size", None) or _SIDE * 2
        height, width = (size, size) if isinstance(size, int) else size
        return (Input((BATCH, getattr(config, "num_channels", 3), height, width)),)
    if main == "input_ids":
        return (Input((BATCH, _LENGTH), "int64", getattr(config, "vocab_size", 2)),)
    return None
