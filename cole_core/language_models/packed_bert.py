"""BERT and RoBERTa without padding, read straight from safetensors.

A batch is one sequence of tokens. Everything but attention works token by token, and attention
works on runs of windows of equal length, so that no multiplication is spent on padding and no mask
is needed. It also spares the import of transformers' modelling code, which takes seconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from cole_core.language_models.backend import Backend, Layout
from cole_core.language_models.batching import batches_by_length
from cole_core.language_models.windows import Window

_LIKE_ROBERTA = ("camembert", "roberta", "xlm-roberta")  # positions start after the padding's id


def is_packed_bert(config: Mapping[str, Any]) -> bool:
    """Whether a configuration is of the plain kind that is read here."""
    return (
        config.get("model_type") in ("bert", *_LIKE_ROBERTA)
        and config.get("hidden_act", "gelu") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder", False)
        and "quantization_config" not in config
    )


def tensor_shapes(config: Mapping[str, Any]) -> dict[str, tuple[int | None, ...]]:
    """The tensors that are read, by the names that transformers gives them.

    Args:
        config: The contents of `config.json`, of the kind that is read here.

    Returns:
        Their shapes, with None for a size that the configuration leaves to its defaults.
    """
    hidden, inner = config["hidden_size"], config.get("intermediate_size")
    rows = {
        "word": config.get("vocab_size"),
        "position": config["max_position_embeddings"],
        "token_type": config.get("type_vocab_size"),
    }
    shapes: dict[str, tuple[int | None, ...]] = {
        f"embeddings.{name}_embeddings.weight": (count, hidden) for name, count in rows.items()
    }
    products = {
        "attention.self.query": (hidden, hidden),
        "attention.self.key": (hidden, hidden),
        "attention.self.value": (hidden, hidden),
        "attention.output.dense": (hidden, hidden),
        "intermediate.dense": (inner, hidden),
        "output.dense": (hidden, inner),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in (f"encoder.layer.{i}" for i in range(config["num_hidden_layers"])):
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
        for name, shape in products.items():
            shapes |= {f"{layer}.{name}.weight": shape, f"{layer}.{name}.bias": shape[:1]}
    return shapes | {f"{norm}.{part}": (hidden,) for norm in norms for part in ("weight", "bias")}


class _Linear:
    """A linear layer, with GELU after it where that is asked for.

    oneDNN multiplies bf16 by weights in a layout of its own. Bringing them there once, not at every
    call, and GELU on what is still in registers make up for eager execution.
    """

    def __init__(self, weight: Tensor, bias: Tensor, gelu: bool, prepack: bool) -> None:
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight) if prepack else weight
        self._bias = bias
        self._gelu = gelu
        self._prepack = prepack

    def __call__(self, rows: Tensor) -> Tensor:
        if self._prepack:
            activation = "gelu" if self._gelu else "none"
            return torch.ops.mkldnn._linear_pointwise(
                rows, self._weight, self._bias, activation, [], "none"
            )
        product = F.linear(rows, self._weight, self._bias)
        return torch.ops.aten.gelu_(product) if self._gelu else product


@dataclass(frozen=True, eq=False)
class _Layer:
    """One layer. Query, key and value are one product."""

    qkv: _Linear
    attended: _Linear
    attended_norm: tuple[Tensor, Tensor]
    up: _Linear
    down: _Linear
    norm: tuple[Tensor, Tensor]


class PackedBert(Backend):
    """Runs a BERT-like encoder over packed sequences.

    Args:
        config: The contents of `config.json`.
        weights: Tensors by the names that transformers gives them.
        device: Where to compute.
        dtype: What to multiply in. Sums of layers and their norms are fp32 in any case: that costs
            nothing beside the products, and halves what 16 bits lose.
        prepack: Whether oneDNN multiplies; by default for bf16 on a CPU, where it is the faster.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        weights: Mapping[str, Tensor],
        device: torch.device,
        dtype: torch.dtype,
        prepack: bool | None = None,
    ) -> None:
        self.device = device
        self._dtype = dtype
        like_roberta = config["model_type"] in _LIKE_ROBERTA
        self._first_position = config.get("pad_token_id", 1) + 1 if like_roberta else 0
        self._heads = config["num_attention_heads"]
        self._eps = config.get("layer_norm_eps", 1e-12)

        def rounded(name: str) -> Tensor:
            return weights[name].to(device, dtype)

        def summed(name: str) -> Tensor:
            return rounded(name).float()

        def norm(name: str) -> tuple[Tensor, Tensor]:
            return summed(f"{name}.weight"), summed(f"{name}.bias")

        if prepack is None:
            prepack = device.type == "cpu" and dtype == torch.bfloat16

        def linear(*names: str, gelu: bool = False) -> _Linear:
            parts = [(rounded(f"{name}.weight"), rounded(f"{name}.bias")) for name in names]
            weight, bias = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
            return _Linear(weight, bias, gelu, prepack)

        self._words = summed("embeddings.word_embeddings.weight")
        self._places = (
            summed("embeddings.position_embeddings.weight")
            + summed("embeddings.token_type_embeddings.weight")[0]
        )
        self._norm = norm("embeddings.LayerNorm")
        self._layers = [
            _Layer(
                qkv=linear(*(f"{at}.attention.self.{name}" for name in ("query", "key", "value"))),
                attended=linear(f"{at}.attention.output.dense"),
                attended_norm=norm(f"{at}.attention.output.LayerNorm"),
                up=linear(f"{at}.intermediate.dense", gelu=True),
                down=linear(f"{at}.output.dense"),
                norm=norm(f"{at}.output.LayerNorm"),
            )
            for at in (f"encoder.layer.{i}" for i in range(config["num_hidden_layers"]))
        ]

    def batches(self, windows: Sequence[Window], tokens: int) -> Iterator[list[Window]]:
        """Windows by length, whatever their lengths: equal ones attend together."""
        return batches_by_length(windows, tokens, padded=False)

    def lay_out(self, windows: Sequence[Window]) -> Layout:
        lengths = [len(window.ids) for window in windows]
        ids = np.concatenate([window.ids for window in windows]).astype(np.int64)
        places = np.concatenate([np.arange(length) for length in lengths])
        distinct, rows = np.unique(places * len(self._words) + ids, return_inverse=True)
        starts = np.divmod(distinct, len(self._words))
        pooling = np.zeros((len(windows), len(ids)), np.float32)
        offset = 0
        for i, window in enumerate(windows):
            pooling[i, offset + window.start : offset + window.stop] = 1
            offset += lengths[i]
        runs = [(sum(1 for _ in run), length) for length, run in groupby(lengths)]
        inputs = [torch.from_numpy(array).to(self.device) for array in (*starts, rows)]
        return Layout((*inputs, runs), torch.from_numpy(pooling).to(self.device))

    def hidden_states(self, layout: Layout, layers: Sequence[int]) -> Iterator[Tensor]:
        places, ids, rows, runs = layout.inputs
        # The first layer's input depends on token and position alone, and texts share many.
        distinct = self._words[ids] + self._places[places + self._first_position]
        distinct = self._normed(distinct, self._norm)
        states = distinct[rows]
        qkv = self._layers[0].qkv(distinct.to(self._dtype))[rows]
        if 0 in layers:
            yield states
        for i, layer in enumerate(self._layers[: layers[-1]], 1):
            if i > 1:
                qkv = layer.qkv(states.to(self._dtype))
            attended = layer.attended(self._attention(qkv, runs))
            states = self._normed(states + attended, layer.attended_norm)
            refined = layer.down(layer.up(states.to(self._dtype)))
            states = self._normed(states + refined, layer.norm)
            if i in layers:
                yield states

    def _attention(self, qkv: Tensor, runs: Sequence[tuple[int, int]]) -> Tensor:
        """Self-attention within each window, (rows, 3 × hidden) to (rows, hidden)."""
        results = []
        for (count, length), rows in zip(
            runs, qkv.split([count * length for count, length in runs]), strict=True
        ):
            query, key, value = rows.view(count, length, 3, self._heads, -1).permute(2, 0, 3, 1, 4)
            attended = F.scaled_dot_product_attention(query, key, value)
            results.append(attended.transpose(1, 2).reshape(count * length, -1))
        return torch.cat(results) if len(results) > 1 else results[0]

    def _normed(self, states: Tensor, norm: tuple[Tensor, Tensor]) -> Tensor:
        return F.layer_norm(states, norm[0].shape, *norm, self._eps)
