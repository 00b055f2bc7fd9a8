"""One name for one thing: what functions, methods, operators and modules are called here."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from typing import Any

from cole_core.encodings.normal_form.graph import Ref, Slice, Symbol, Value

SYNONYMS = {
    "__add__": "add",
    "__radd__": "add",
    "iadd": "add",
    "isub": "sub",
    "imul": "mul",
    "itruediv": "div",
    "truediv": "div",
    "true_divide": "div",
    "divide": "div",
    "multiply": "mul",
    "subtract": "sub",
    "imatmul": "matmul",
    "mm": "matmul",
    "bmm": "matmul",
    "concat": "cat",
    "concatenate": "cat",
    "view": "reshape",
    "_unsafe_view": "reshape",
    "swapaxes": "transpose",
    "swapdims": "transpose",
    "absolute": "abs",
    "negative": "neg",
    "clamp_min": "clamp",
    "adaptive_avg_pool": "adaptive_avg_pool2d",
    "max_pool1d_with_indices": "max_pool1d",
    "boolean_dispatch": "max_pool2d",
    "type_as": "type_as",
    "feature_dropout": "dropout",
    "alpha_dropout": "dropout",
    "dropout1d": "dropout",
    "dropout2d": "dropout",
    "dropout3d": "dropout",
    "upsample": "interpolate",
    "truediv_": "div",
}
"""Names of functions, methods and operators, and the one that stands for each."""

NOTHING = {"identity", "contiguous", "clone", "alias", "lift_fresh_copy", "dropout"}
"""Operations that give their input when a network is used; dropout is among them."""

COMMUTATIVE = {"add", "mul", "maximum", "minimum"}
"""Operations on a multiset of inputs."""

MODULES: dict[str, tuple[str, tuple[str, ...]]] = {
    "Identity": ("identity", ()),
    "ReLU": ("relu", ()),
    "ReLU6": ("relu6", ()),
    "LeakyReLU": ("leaky_relu", ("negative_slope",)),
    "ELU": ("elu", ("alpha",)),
    "CELU": ("celu", ("alpha",)),
    "SELU": ("selu", ()),
    "GELU": ("gelu", ("approximate",)),
    "SiLU": ("silu", ()),
    "Mish": ("mish", ()),
    "Sigmoid": ("sigmoid", ()),
    "Tanh": ("tanh", ()),
    "Hardswish": ("hardswish", ()),
    "Hardsigmoid": ("hardsigmoid", ()),
    "Hardtanh": ("hardtanh", ("min_val", "max_val")),
    "Softplus": ("softplus", ("beta", "threshold")),
    "Softsign": ("softsign", ()),
    "LogSigmoid": ("logsigmoid", ()),
    "GLU": ("glu", ("dim",)),
    "Softmax": ("softmax", ("dim",)),
    "LogSoftmax": ("log_softmax", ("dim",)),
    "Flatten": ("flatten", ("start_dim", "end_dim")),
    "Unflatten": ("unflatten", ("dim", "unflattened_size")),
    "PixelShuffle": ("pixel_shuffle", ("upscale_factor",)),
    "PixelUnshuffle": ("pixel_unshuffle", ("downscale_factor",)),
    "ChannelShuffle": ("channel_shuffle", ("groups",)),
    "Upsample": ("interpolate", ("size", "scale_factor", "mode", "align_corners")),
    "UpsamplingNearest2d": ("interpolate", ("size", "scale_factor", "mode")),
    "UpsamplingBilinear2d": ("interpolate", ("size", "scale_factor", "mode", "align_corners")),
    "Unfold": ("unfold", ("kernel_size", "dilation", "padding", "stride")),
    "Fold": ("fold", ("output_size", "kernel_size", "dilation", "padding", "stride")),
    **dict.fromkeys(("Dropout", "Dropout1d", "Dropout2d", "Dropout3d"), ("dropout", ("p",))),
    **dict.fromkeys(("AlphaDropout", "FeatureAlphaDropout"), ("dropout", ("p",))),
    **{
        f"MaxPool{n}d": (
            f"max_pool{n}d",
            ("kernel_size", "stride", "padding", "dilation", "ceil_mode"),
        )
        for n in (1, 2, 3)
    },
    **{
        f"AvgPool{n}d": (
            f"avg_pool{n}d",
            ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"),
        )
        for n in (1, 2, 3)
    },
    **{
        f"Adaptive{kind}Pool{n}d": (f"adaptive_{kind.lower()}_pool{n}d", ("output_size",))
        for n in (1, 2, 3)
        for kind in ("Avg", "Max")
    },
    **{f"ZeroPad{n}d": ("pad", ("padding",)) for n in (1, 2, 3)},
}
"""Modules without weights: the function that each is, and which of its attributes are arguments."""

_POOL = {
    "kernel_size": None,
    "stride": None,
    "padding": 0,
    "dilation": 1,
    "ceil_mode": False,
}
_AVERAGE = {
    "kernel_size": None,
    "stride": None,
    "padding": 0,
    "ceil_mode": False,
    "count_include_pad": True,
    "divisor_override": None,
}
_ARGUMENTS: dict[str, dict[str, Value]] = {
    **{f"max_pool{n}d": _POOL for n in (1, 2, 3)},
    **{f"avg_pool{n}d": _AVERAGE for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": {"output_size": None} for n in (1, 2, 3)},
    **{f"adaptive_avg_pool{n}d": {"output_size": None} for n in (1, 2, 3)},
    "add": {"other": None, "alpha": 1},
    "sub": {"other": None, "alpha": 1},
    "mul": {"other": None},
    "div": {"other": None, "rounding_mode": None},
    "matmul": {"other": None},
    "cat": {"dim": 0},
    "stack": {"dim": 0},
    "dropout": {"p": 0.5},
    "flatten": {"start_dim": 0, "end_dim": -1},
    "reshape": {"shape": None},
    "pad": {"pad": None, "mode": "constant", "value": None},
    "softmax": {"dim": None, "dtype": None},
    "log_softmax": {"dim": None, "dtype": None},
    "transpose": {"dim0": None, "dim1": None},
    "permute": {"dims": None},
    "chunk": {"chunks": None, "dim": 0},
    "split": {"split_size": None, "dim": 0},
    "size": {"dim": None},
    "mean": {"dim": None, "keepdim": False, "dtype": None},
    "sum": {"dim": None, "keepdim": False, "dtype": None},
    "unflatten": {"dim": None, "sizes": None},
    "getitem": {"index": None},
    "interpolate": {
        "size": None,
        "scale_factor": None,
        "mode": "nearest",
        "align_corners": None,
        "recompute_scale_factor": None,
        "antialias": False,
    },
}
"""What arguments come after the input, with what is usual, where no signature says it as needed."""

_RENAMED = {
    "unflattened_size": "sizes",
    "padding": "pad",
    "keepdims": "keepdim",
    "axis": "dim",
    "split_size_or_sections": "split_size",
    "split_sizes": "split_size",
    "size": "shape",
}
_VARIADIC = {"reshape", "permute", "expand", "repeat", "flip", "tile", "new_zeros", "new_ones"}
_DROPPED = {"inplace", "_stacklevel", "training", "train", "return_indices", "cudnn_enabled"}
_SAME_SIZES = {"kernel_size", "stride", "padding", "dilation", "output_size"}


def canonical(name: str) -> str:
    """The one name of a function, method or operator."""
    if name.endswith("_") and not name.endswith("__"):
        name = name[:-1]
    if name.startswith("__") and name.endswith("__") and name not in SYNONYMS:
        name = name[2:-2]
    return SYNONYMS.get(name, name)


def bind(
    name: str, arguments: Sequence[Value], named: dict[str, Value]
) -> tuple[tuple[Value, ...], tuple[tuple[str, Value], ...]]:
    """The inputs of a call, and its other arguments by name without what is as usual.

    Args:
        name: A canonical name.
        arguments: All of them that have no name; the first is the input.
        named: The others.
    """
    named = {key: value for key, value in named.items() if key not in _DROPPED}
    for key in ("input", "self", "tensors", "x"):
        if key in named and not arguments:
            arguments = [named.pop(key)]
    if not arguments:
        return (), tuple(named.items())
    first, rest = arguments[0], list(arguments[1:])
    if name in _VARIADIC and rest and not isinstance(rest[0], tuple | list):
        rest = [tuple(rest)]
    known = _ARGUMENTS.get(name)
    if known is None:
        known = _signature(name)
    if known is None or len(rest) > len(known):
        return (first, *rest), tuple(sorted(named.items()))
    given = dict(zip(known, rest, strict=False))
    for key, value in named.items():
        given[_RENAMED[key] if key not in known and _RENAMED.get(key) in known else key] = value
    inputs = [first]
    if name in ("cat", "stack") and isinstance(first, tuple | list):
        inputs = list(first)
    elif "other" in given:
        inputs.append(given.pop("other"))
    options = {key: _plain(key, value) for key, value in given.items() if key not in _DROPPED}
    if (
        "_pool" in name
        and options.get("stride") is not None
        and options.get("stride") == options.get("kernel_size")
    ):
        del options["stride"]
    order = {key: place for place, key in enumerate(known)}
    kept = [
        (key, value)
        for key, value in options.items()
        if not (
            key in known
            and known[key] is not inspect.Parameter.empty
            and value == known[key]
            and type(value) is type(known[key])
        )
    ]
    return tuple(inputs), tuple(sorted(kept, key=lambda pair: (order.get(pair[0], 99), pair[0])))


def _plain(name: str, value: Value) -> Value:
    if isinstance(value, tuple | list):
        value = tuple(value)
        if name in _SAME_SIZES and value and all(part == value[0] for part in value):
            return value[0]
        if name == "dim" and len(value) == 1:
            return value[0]
    return value


@functools.cache
def _signature(name: str) -> dict[str, Any] | None:
    """What arguments a function of torch has after its input; None if that is not known."""
    import torch
    from torch.nn import functional

    function = getattr(functional, name, None)
    if inspect.isfunction(function):
        parameters = list(inspect.signature(function).parameters.values())
        if parameters and all(each.kind is each.POSITIONAL_OR_KEYWORD for each in parameters):
            return {each.name: each.default for each in parameters[1:]}
    packet = getattr(torch.ops.aten, name, None)
    if packet is None or "default" not in packet.overloads():
        return None
    schema = packet.default._schema.arguments
    if not schema or str(schema[0].type) not in ("Tensor", "List[Tensor]"):
        return None
    empty = inspect.Parameter.empty
    return {
        each.name: each.default_value if each.has_default_value() else empty for each in schema[1:]
    }


def plain(value: Any) -> Value:
    """An argument of a traced call as plain data, where it is no node."""
    import torch

    if isinstance(value, torch.Size | tuple):
        return tuple(plain(part) for part in value)
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, slice):
        return Slice(plain(value.start), plain(value.stop), plain(value.step))
    if isinstance(value, torch.dtype | torch.memory_format | torch.layout):
        return Symbol(str(value))
    if isinstance(value, torch.device):
        return Symbol(f"torch.device({str(value)!r})")
    if isinstance(value, dict):
        return tuple((key, plain(part)) for key, part in value.items())
    if value is None or value is ... or isinstance(value, bool | int | float | str | Ref | Slice):
        return value
    raise TypeError(f"a traced call has an argument of the kind {type(value).__name__}")
