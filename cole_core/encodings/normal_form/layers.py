"""Layers of torch.nn as plain data."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from torch import nn

from cole_core.encodings.normal_form.graph import Layer, Value

_RECURRENT = {
    "input_size": None,
    "hidden_size": None,
    "num_layers": 1,
    "bias": True,
    "batch_first": False,
    "dropout": 0.0,
    "bidirectional": False,
    "proj_size": 0,
}
_IGNORED = ("self", "device", "dtype", "args", "kwargs", "inplace")
_SAME_SIZES = ("kernel_size", "stride", "padding", "dilation", "output_padding")


def describe(module: nn.Module) -> Layer:
    """A module of torch.nn without the names of its tensors."""
    return make(type(module).__name__, {name: _read(module, name) for name in usual_of(module)})


def make(kind: str, arguments: dict[str, Value]) -> Layer:
    """A layer from all of its constructor's arguments.

    Args:
        kind: A class of torch.nn.
        arguments: By name.
    """
    usual = _signature(getattr(nn, kind))
    plain = {name: plain_size(name, value) for name, value in arguments.items()}
    if isinstance(plain.get("padding"), str):
        plain["padding"] = _padding(plain)
    return Layer(
        kind,
        tuple(
            (name, plain[name])
            for name, default in usual.items()
            if name in plain and (default is inspect.Parameter.empty or plain[name] != default)
        ),
    )


def _padding(convolution: dict[str, Value]) -> Value:
    """The number that `valid` or `same` stands for; `same` where its two sides differ."""
    if convolution["padding"] == "valid":
        return 0
    kernel, dilation = convolution["kernel_size"], convolution.get("dilation", 1)
    kernels = kernel if isinstance(kernel, tuple) else (kernel,)
    dilations = dilation if isinstance(dilation, tuple) else (dilation,) * len(kernels)
    kernels = kernels if len(kernels) == len(dilations) else kernels * len(dilations)
    both = [d * (k - 1) for k, d in zip(kernels, dilations, strict=True)]  # sides together
    if any(pixels % 2 for pixels in both):
        return convolution["padding"]
    return plain_size("padding", tuple(pixels // 2 for pixels in both))


def usual_of(module: nn.Module) -> dict[str, Value]:
    """The arguments of a module's class with what is usual."""
    kind: Any = type(module)  # mypy takes a class for unhashable where its instances are
    return _signature(kind)


def plain_size(name: str, value: Value) -> Value:
    """A size in the one way that it is written: `3` for `(3, 3)`."""
    if isinstance(value, tuple | list):
        value = tuple(value)
        if name in _SAME_SIZES and value and all(part == value[0] for part in value):
            return value[0]
        if name == "normalized_shape" and len(value) == 1:
            return value[0]
    return value


@functools.cache
def _signature(kind: Any) -> dict[str, Value]:
    if issubclass(kind, nn.RNNBase):
        empty = inspect.Parameter.empty
        rnn = {"nonlinearity": "tanh"} if kind is nn.RNN else {}
        return {
            name: empty if usual is None else usual for name, usual in {**_RECURRENT, **rnn}.items()
        }
    parameters = inspect.signature(kind.__init__).parameters.values()
    return {each.name: each.default for each in parameters if each.name not in _IGNORED}


def _read(module: nn.Module, name: str) -> Value:
    """An argument that a module was made with, from what it has become."""
    if isinstance(module, nn.TransformerEncoderLayer | nn.TransformerDecoderLayer):
        return _read_transformer(module, name)
    if isinstance(module, nn.MultiheadAttention):
        if name == "bias":
            return module.in_proj_bias is not None
        if name == "add_bias_kv":
            return module.bias_k is not None
        if name in ("kdim", "vdim"):
            size = getattr(module, name)
            return None if size == module.embed_dim else size
    if name == "bias" and not isinstance(module, nn.RNNBase):
        has_affine = getattr(module, "affine", getattr(module, "elementwise_affine", True))
        return not has_affine or getattr(module, "bias", None) is not None
    if name in ("_weight", "_freeze"):
        return None if name == "_weight" else False
    if name == "init":  # of PReLU: a weight's first value
        return 0.25
    return getattr(module, name)


def _read_transformer(
    module: nn.TransformerEncoderLayer | nn.TransformerDecoderLayer, name: str
) -> Value:
    attention = module.self_attn
    read = {
        "d_model": lambda: attention.embed_dim,
        "nhead": lambda: attention.num_heads,
        "dim_feedforward": lambda: module.linear1.out_features,
        "dropout": lambda: module.dropout.p,
        "activation": lambda: getattr(module.activation, "__name__", "relu"),
        "layer_norm_eps": lambda: module.norm1.eps,
        "batch_first": lambda: attention.batch_first,
        "norm_first": lambda: module.norm_first,
        "bias": lambda: module.linear1.bias is not None,
    }
    return read[name]()
