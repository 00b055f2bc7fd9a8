"""Layers as calls with names, and what is one word: ReLU-Conv-BN, Conv-BN, Conv-BN-activation."""

from __future__ import annotations

from cole_core.encodings.normal_form.graph import Graph, Node, Ref, Symbol, Value, compact, mapped
from cole_core.encodings.normal_form.naming import conv_norm_name, layer_name, relu_conv_norm_name
from cole_core.encodings.normal_form.ordering import count_reads

_ACTIVATIONS = {"relu", "relu6", "leaky_relu", "gelu", "silu", "hardswish", "elu", "sigmoid"}
_CELL_POOL = (("kernel_size", 3), ("stride", 1), ("padding", 1), ("count_include_pad", False))


def fused(graph: Graph) -> Graph:
    """The graph with calls, whose option `called` is their name, in the place of layers.

    Sizes that follow from a value's shape are the symbols n0, n1, …, whatever value that is.
    """
    reads = count_reads(graph)

    def alone(value: Value) -> Node | None:
        """What makes a value that nothing else reads."""
        if isinstance(value, Ref) and reads[value.number] == 1:
            return graph.nodes[value.number]
        return None

    nodes = [_fused_norm(node, graph, alone) or _called(node, graph) for node in graph.nodes]
    nodes = [
        _with_activation(node, number, nodes, reads) if node.operation in _ACTIVATIONS else node
        for number, node in enumerate(nodes)
    ]
    return compact(_with_sizes(Graph(tuple(nodes), graph.output)))


def _called(node: Node, graph: Graph) -> Node:
    """A layer's call by its name; the average pool of cells by its own."""
    layer = graph.layer_of(node)
    if layer is not None:
        options = (("called", f"self.{layer_name(layer)}"), *node.options)
        return Node("call", node.inputs, options)
    if node.operation == "avg_pool2d" and node.options == _CELL_POOL:
        return Node("call", node.inputs, (("called", "F.avg_pool2d"),))
    if node.operation == "zeros_like":
        return Node("call", node.inputs, (("called", "torch.zeros_like"),))
    return node


def _fused_norm(node: Node, graph: Graph, alone) -> Node | None:  # type: ignore[no-untyped-def]
    """A batch norm of a convolution as one call; with the ReLU before it where there is one."""
    norm = graph.layer_of(node)
    if norm is None or not norm.kind.startswith("BatchNorm") or not _is_plain(norm.arguments):
        return None
    before = alone(node.inputs[0])
    convolution = None if before is None else graph.layer_of(before)
    if before is None or convolution is None:
        return None
    x = before.inputs[0] if before.inputs else None
    activation = graph.nodes[x.number] if isinstance(x, Ref) else None
    name = relu_conv_norm_name(convolution)
    if name is not None and activation is not None and activation.operation == "relu":
        return Node("call", activation.inputs, (("called", f"self.{name}"),))
    name = conv_norm_name(convolution)
    if name is not None:
        return Node("call", before.inputs, (("called", f"self.{name}"), ("_fusible", True)))
    return None


def _is_plain(arguments: tuple[tuple[str, Value], ...]) -> bool:
    return not {name for name, _ in arguments} & {"affine", "track_running_stats", "bias"}


def _with_activation(node: Node, number: int, nodes: list[Node], reads) -> Node:  # type: ignore[no-untyped-def]
    """An activation of a convolution and a norm that nothing else reads as one call with them."""
    x = node.inputs[0]
    before = nodes[x.number] if isinstance(x, Ref) and reads[x.number] == 1 else None
    if before is None or not before.get("_fusible") or node.options:
        return node
    called = f"{before.get('called')}_{node.operation}"
    return Node("call", before.inputs, (("called", called),))


def _with_sizes(graph: Graph) -> Graph:
    """The graph with symbols in the place of sizes, and without marks."""
    symbols: dict[int, Symbol] = {}
    for number, node in enumerate(graph.nodes):
        if node.operation == "size":
            symbols[number] = Symbol(f"n{node.get('dim')}".replace("-", "_"))
        elif node.operation == "shape":
            symbols[number] = Symbol("shape")

    def change(ref: Ref) -> Value:
        return symbols.get(ref.number, ref)

    nodes = []
    for node in graph.nodes:
        changed = node.map(change)
        options = tuple(pair for pair in changed.options if pair[0] != "_fusible")
        nodes.append(Node(changed.operation, changed.inputs, options))
    return Graph(tuple(nodes), mapped(graph.output, change))
