"""Kinds of operations, for encodings that count."""

from __future__ import annotations

from cole_core.encodings.normal_form.graph import Graph, Node

KINDS = (
    *("conv", "linear", "norm", "activation", "pool", "attention", "recurrent", "embedding"),
    *("add", "cat", "mul", "matmul", "softmax", "parameter", "reshape", "other"),
)
"""What operations are told apart as."""

_OF_OPERATION = {
    **dict.fromkeys(("add", "sub"), "add"),
    **dict.fromkeys(("cat", "stack"), "cat"),
    **dict.fromkeys(("mul", "div", "pow"), "mul"),
    **dict.fromkeys(("matmul", "einsum"), "matmul"),
    **dict.fromkeys(("softmax", "log_softmax"), "softmax"),
    "scaled_dot_product_attention": "attention",
    **dict.fromkeys(
        (
            *("relu", "relu6", "leaky_relu", "gelu", "silu", "sigmoid", "tanh", "hardswish", "elu"),
            *("hardsigmoid", "hardtanh", "selu", "celu", "mish", "softplus", "softsign", "glu"),
            *("logsigmoid", "clamp", "exp"),
        ),
        "activation",
    ),
    **dict.fromkeys(
        (
            *("reshape", "flatten", "transpose", "permute", "unflatten", "unfold", "fold", "chunk"),
            *("split", "getitem", "squeeze", "unsqueeze", "expand", "repeat", "pad", "interpolate"),
            *("pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "roll", "flip"),
        ),
        "reshape",
    ),
    **dict.fromkeys(("mean", "sum", "amax", "amin", "max"), "pool"),
}
_OF_LAYER = (
    ("Conv", "conv"),
    ("Linear", "linear"),
    ("Bilinear", "linear"),
    ("Embedding", "embedding"),
    ("MultiheadAttention", "attention"),
    ("Transformer", "attention"),
    ("LSTM", "recurrent"),
    ("GRU", "recurrent"),
    ("RNN", "recurrent"),
    ("Parameter", "parameter"),
    ("Buffer", "parameter"),
    ("PReLU", "activation"),
)


def kind_of(node: Node, graph: Graph) -> str | None:
    """The kind of an operation; None for inputs, sizes and what computes with sizes."""
    layer = graph.layer_of(node)
    if layer is not None:
        if "Norm" in layer.kind:
            return "norm"
        return next((kind for name, kind in _OF_LAYER if layer.kind.startswith(name)), "other")
    if node.operation in ("input", "size", "shape", "ndim", "attribute", "tensor", "dict"):
        return None
    if "_pool" in node.operation:
        return "pool"
    return _OF_OPERATION.get(node.operation, "other")
