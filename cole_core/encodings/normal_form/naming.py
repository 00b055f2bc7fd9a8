"""What operations are called in an expression: names with their sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count

from cole_core.encodings.normal_form.graph import Layer, Value

INPUTS = "xyz"
_LETTERS = "abcdefghijklmopqrstuvw"  # n is a size, x, y and z are inputs


def input_names(inputs: int) -> list[str]:
    """x, y, z, x3, x4, …"""
    return [INPUTS[number] if number < len(INPUTS) else f"x{number}" for number in range(inputs)]


def value_names() -> Iterator[str]:
    """a, b, … and then a1, b1, …"""
    yield from _LETTERS
    for number in count(1):
        yield from (f"{letter}{number}" for letter in _LETTERS)


def layer_name(layer: Layer) -> str:
    """A layer with its sizes, but for those that follow from its input.

    A convolution that keeps channels, height and width names none of them: `conv2d_3x3`. A bare
    `conv3x3` is ReLU, convolution and batch norm, see `relu_conv_norm_name`.
    """
    if layer.kind.startswith("Conv"):
        return _snake(layer.kind) + "_" + _convolution(layer)
    if layer.kind == "Linear":
        kept = layer.get("in_features") == layer.get("out_features")
        size = "" if kept else str(layer.get("out_features"))
        return f"linear{size}" + ("" if layer.get("bias", True) else "_nobias")
    if layer.kind.startswith("BatchNorm"):
        return "bn" + _flags(layer, ("affine", "track_running_stats"))
    if layer.kind == "LayerNorm":
        shape = layer.get("normalized_shape")
        dims = f"_{len(shape)}d" if isinstance(shape, tuple) else ""
        return f"layer_norm{dims}" + _flags(layer, ("elementwise_affine", "bias"))
    if layer.kind == "GroupNorm":
        return f"group_norm{layer.get('num_groups')}"
    if layer.kind == "Embedding":
        return f"embedding_{layer.get('num_embeddings')}_{layer.get('embedding_dim')}"
    if layer.kind in ("Parameter", "Buffer"):
        return "_".join([_snake(layer.kind), *map(str, layer.get("shape"))])
    if layer.kind == "MultiheadAttention":
        return f"attention_heads{layer.get('num_heads')}"
    return _other(layer)


def relu_conv_norm_name(layer: Layer) -> str | None:
    """The name of ReLU, this convolution and a batch norm; None where it has none.

    These are the words of NAS-Bench-201: no bias, and padding that keeps height and width.
    """
    if layer.kind != "Conv2d" or layer.get("bias", True):
        return None
    usual = {"in_channels", "out_channels", "kernel_size", "stride", "padding", "bias"}
    if {name for name, _ in layer.arguments} - usual:
        return None
    kernel = layer.get("kernel_size")
    if not isinstance(kernel, int) or kernel % 2 == 0 or layer.get("padding", 0) != kernel // 2:
        return None
    return f"conv{_convolution(layer).removesuffix('_nobias')}"


def conv_norm_name(layer: Layer) -> str | None:
    """The name of this convolution and a batch norm; None where it has none."""
    if not layer.kind.startswith("Conv") or layer.get("bias", True):
        return None
    return layer_name(layer).removesuffix("_nobias") + "_bn"


def short_kind(layer: Layer) -> str:
    """A kind of layer without sizes: `conv`, `bn`, `linear`."""
    if layer.kind.startswith("BatchNorm"):
        return "bn"
    return re.sub(r"_?\dd$", "", _snake(layer.kind))


def _convolution(layer: Layer) -> str:
    dimensions = int(layer.kind[-2])
    inputs, outputs = layer.get("in_channels"), layer.get("out_channels")
    kernel = _each(layer.get("kernel_size"), dimensions)
    stride = _each(layer.get("stride", 1), dimensions)
    dilation = _each(layer.get("dilation", 1), dimensions)
    groups = layer.get("groups", 1)
    parts = ["x".join(map(str, kernel))]
    if inputs != outputs:
        parts.append(str(outputs))
    if set(stride) != {1}:
        parts.append(f"stride{_size(stride)}")
    if set(dilation) != {1}:
        parts.append(f"dilation{_size(dilation)}")
    if groups > 1:
        parts.append("depthwise" if groups == inputs == outputs else f"groups{groups}")
    padding = layer.get("padding", 0)
    patches = stride == kernel and set(stride) != {1}
    same = [0 if patches else d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True)]
    told = padding if isinstance(padding, str) else _each(padding, dimensions)
    if told != tuple(same) and told != "same":
        parts.append(f"padding{told if isinstance(told, str) else _size(told)}")
    if layer.get("output_padding"):
        parts.append(f"output_padding{_size(_each(layer.get('output_padding'), dimensions))}")
    if layer.get("padding_mode", "zeros") != "zeros":
        parts.append(layer.get("padding_mode"))
    if not layer.get("bias", True):
        parts.append("nobias")
    return "_".join(parts)


def _each(value: Value, dimensions: int) -> tuple[Value, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,) * dimensions


def _size(values: Sequence[Value]) -> str:
    return str(values[0]) if len(set(values)) == 1 else "x".join(map(str, values))


def _flags(layer: Layer, names: Sequence[str]) -> str:
    return "".join(f"_no_{name}" for name in names if layer.get(name) is False)


_FOLLOWS = {"input_size", "in_features", "in1_features", "in2_features", "num_features"}
_SHORT = {"hidden_size": "", "d_model": "", "num_layers": "layers", "nhead": "heads"}
_UNWRITTEN = {"eps", "momentum", "batch_first", "dropout", "layer_norm_eps"}


def _other(layer: Layer) -> str:
    """A kind of layer with all its arguments but those that say nothing of what it is like."""
    text = _snake(layer.kind)
    for name, value in layer.arguments:
        if name in _FOLLOWS or name in _UNWRITTEN:
            continue
        if value is True:
            text += f"_{name}"
        elif value is False:
            text += f"_no{name}"
        else:
            sizes = value if isinstance(value, tuple) else (value,)
            text += f"_{_SHORT.get(name, name)}" if _SHORT.get(name, name) else ""
            text += "x".join(re.sub(r"\W", "_", str(size)) for size in sizes)
    return text


def _snake(kind: str) -> str:
    if kind.isupper():
        return kind.lower()
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()
    return re.sub(r"_(\d)d$", r"\1d", text)
