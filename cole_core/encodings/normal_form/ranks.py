"""How many dimensions values have, as far as the operations say it."""

from __future__ import annotations

from dataclasses import replace

from cole_core.encodings.normal_form.graph import Graph, Node, Ref, Value

_ELEMENTWISE = {
    *("relu", "relu6", "leaky_relu", "gelu", "silu", "sigmoid", "tanh", "hardswish", "hardsigmoid"),
    *("elu", "selu", "celu", "mish", "softplus", "softmax", "log_softmax", "dropout", "identity"),
    *("zeros_like", "transpose", "permute", "cat", "contiguous", "clone", "interpolate", "pad"),
    *("clamp", "abs", "neg", "exp", "sqrt", "pow"),
}
_OF_DIMS = {"mean", "sum", "softmax", "log_softmax", "cat", "amax", "amin"}


class Ranks:
    """The ranks of a graph's values, added node by node.

    Args:
        graph: Has the layers, and says of its inputs what their first readers need.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: list[int | None] = []
        self._inputs: dict[int, int] = {}
        self._seen = 0
        inputs = [number for number, node in enumerate(graph.nodes) if node.operation == "input"]
        for node in graph.nodes:
            rank = self._needed(node)
            if rank is not None and node.inputs and isinstance(node.inputs[0], Ref):
                number = node.inputs[0].number
                if graph.nodes[number].operation == "input":
                    self._inputs.setdefault(inputs.index(number), rank)

    def of(self, value: Value) -> int | None:
        """The rank of a value that was added; None if it is not known."""
        return self._known[value.number] if isinstance(value, Ref) else None

    def add(self, node: Node) -> None:
        """Adds the next node."""
        self._known.append(self._rank(node))

    def _needed(self, node: Node) -> int | None:
        """The rank that a node's input must have."""
        kind = self._graph.layers[node.layer].kind if node.layer is not None else node.operation
        if kind.startswith(("Conv", "BatchNorm2", "BatchNorm3", "InstanceNorm")):
            return int(kind[-2]) + 2 if kind[-2].isdigit() else None
        if "_pool" in kind and kind.endswith("d"):
            return int(kind[-2]) + 2
        return None

    def _rank(self, node: Node) -> int | None:
        if node.operation == "input":
            self._seen += 1
            return self._inputs.get(self._seen - 1)
        needed = self._needed(node)
        if needed is not None:
            return needed
        known = [self.of(value) for value in node.inputs if isinstance(value, Ref)]
        if node.layer is not None:
            kind = self._graph.layers[node.layer].kind
            if kind in ("Linear", "BatchNorm1d", "GroupNorm", "LayerNorm", "PReLU", "RMSNorm"):
                return known[0] if known else None
            return None
        if node.operation in _ELEMENTWISE:
            return known[0] if known else None
        if node.operation in ("add", "sub", "mul", "div"):
            return None if not known or None in known else max(rank for rank in known if rank)
        if node.operation == "flatten" and node.get("start_dim") == 1:
            return 2 if node.get("end_dim", -1) == -1 else None
        if node.operation == "reshape" and isinstance(node.get("shape"), tuple):
            return len(node.get("shape"))
        if node.operation == "mean" and known and known[0] is not None:
            dims = node.get("dim")
            gone = len(dims) if isinstance(dims, tuple) else 1
            return known[0] if node.get("keepdim") else known[0] - gone
        return None


def with_positive_dims(node: Node, ranks: Ranks, before: list[Node]) -> Node:
    """The node with dimensions counted from the first, where the rank is known."""
    if node.operation not in _OF_DIMS or not node.inputs:
        return node
    rank, dim = ranks.of(node.inputs[0]), node.get("dim")
    dims = dim if isinstance(dim, tuple) else (dim,)
    if not all(isinstance(each, int) for each in dims):
        return node
    if rank is not None:
        dims = tuple(each % rank for each in dims)
    dims = tuple(sorted(dims))
    options = dict(node.options) | {"dim": dims if len(dims) > 1 else dims[0]}
    return replace(node, options=tuple(options.items()))
