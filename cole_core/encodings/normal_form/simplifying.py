"""What a network computes once what does nothing is gone. Its outputs stay what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cole_core.encodings.normal_form.graph import Graph, Layer, Node, Ref, Value, compact, mapped
from cole_core.encodings.normal_form.ordering import count_reads, ordered
from cole_core.encodings.normal_form.ranks import Ranks, with_positive_dims
from cole_core.encodings.normal_form.vocabulary import COMMUTATIVE, NOTHING

_KEEPS_ZERO = {
    *("add", "sub", "mul", "relu", "relu6", "leaky_relu", "gelu", "silu", "tanh", "hardswish"),
    *("elu", "selu", "celu", "mish", "softsign", "abs", "neg", "reshape", "flatten", "transpose"),
    *("permute", "cat", "stack", "mean", "sum", "getitem", "chunk", "split", "unflatten", "pad"),
    *(f"{kind}_pool{n}d" for kind in ("max", "avg", "adaptive_avg", "adaptive_max") for n in "123"),
    *("interpolate", "squeeze", "unsqueeze", "dropout", "identity", "nothing"),
}
"""Operations whose value is zero where all their inputs are."""

_LINEAR = {"Linear", *(f"Conv{n}d" for n in (1, 2, 3)), *(f"ConvTranspose{n}d" for n in (1, 2, 3))}
_NORMS = {*(f"BatchNorm{n}d" for n in (1, 2, 3)), "GroupNorm", "LayerNorm"}
_GONE = "nothing"
"""What turns out to do nothing; it is taken away in the next round."""

_RANDOM = {"rand", "randn", "rand_like", "randn_like", "bernoulli", "dropout", "randint"}


DROPOUT = frozenset({"dropout"})


def simplified(graph: Graph, keep: frozenset[str] = frozenset()) -> Graph:
    """The graph without dead code and synonyms, ordered.

    Gone are identities and sums with zeros; equal operations on equal inputs are one; sums are
    flat; global average pools and flattenings have one name each.

    Args:
        graph: Traced.
        keep: Operations to keep though they give their input when the network is used.
    """
    graph = _without(graph, NOTHING - keep)
    while True:
        # Sums are flat before equal ones are one: a part of a sum is no value that others share.
        simpler = compact(_once(_without_zeros(compact(_flat(graph)))))
        if simpler == graph:
            return ordered(graph)
        graph = simpler


def reduced(graph: Graph, keep: frozenset[str] = frozenset()) -> Graph:
    """A simplified graph without more of what gives its input.

    Args:
        graph: Simplified.
        keep: As of `simplified`.
    """
    gone = NOTHING - keep
    if not any(node.operation in gone for node in graph.nodes):
        return graph
    return simplified(graph, keep)


def without_learned_shifts(graph: Graph) -> Graph:
    """The graph where a norm of zero is zero, as the canonical form has it, ordered.

    A zero that stays is `zeros_like` of the first input.
    """
    zeros = _zeros(graph, norms=True)
    if not any(zeros):
        return graph
    nodes = tuple(
        Node("zeros_like", (Ref(0),)) if zeros[number] and node.operation != "input" else node
        for number, node in enumerate(graph.nodes)
    )
    return simplified(replace(graph, nodes=nodes), DROPOUT)


def _rewritten(graph: Graph, rewrite: Callable[[Node, list[Node]], Value]) -> Graph:
    """Each node rewritten, given those before it that have been.

    Args:
        graph: A graph.
        rewrite: Gives a node, or a value that stands in its place.
    """
    nodes: list[Node] = []
    instead: dict[int, Value] = {}

    def look_up(ref: Ref) -> Value:
        return instead[ref.number]

    for number, node in enumerate(graph.nodes):
        made = rewrite(node.map(look_up), nodes)
        if isinstance(made, Node):
            nodes.append(made)
            made = Ref(len(nodes) - 1)
        instead[number] = made
    return Graph(tuple(nodes), mapped(graph.output, look_up), graph.layers)


def _without(graph: Graph, operations: set[str]) -> Graph:
    """The graph without operations that give their input."""
    return _rewritten(
        graph, lambda node, _: node.inputs[0] if node.operation in operations else node
    )


def _once(graph: Graph) -> Graph:
    """Each operation in its one form, equal operations on equal inputs as one."""
    ranks = Ranks(graph)
    first: dict[object, Ref] = {}

    def rewrite(node: Node, before: list[Node]) -> Value:
        if _does_nothing(node):
            return next(value for value in node.inputs if isinstance(value, Ref))
        node = _in_one_form(with_positive_dims(node, ranks, before), before, ranks)
        if node.operation == "input" or node.operation in _RANDOM:
            ranks.add(node)
            return node
        inputs = node.inputs
        if node.operation in COMMUTATIVE:
            inputs = tuple(sorted(inputs, key=repr))
        key = repr((node.operation, inputs, node.options, node.layer))
        if key in first:
            return first[key]
        first[key] = Ref(len(before))
        ranks.add(node)
        return node

    return _rewritten(graph, rewrite)


def _does_nothing(node: Node) -> bool:
    """Whether it multiplies or divides by one."""
    if node.operation not in ("mul", "div") or len(node.inputs) != 2 or node.options:
        return False
    if node.operation == "mul" and not isinstance(node.inputs[0], Ref):
        return node.inputs[0] == 1
    return not isinstance(node.inputs[1], Ref) and node.inputs[1] == 1


def _in_one_form(node: Node, before: list[Node], ranks: Ranks) -> Node:
    """A flattening or a global average pool in the one way that it is written."""
    x = node.inputs[0] if node.inputs else None
    made = before[x.number] if isinstance(x, Ref) else None
    if node.operation == "reshape" and _keeps_batch_only(node, before):
        return Node("flatten", node.inputs, (("start_dim", 1),))
    if node.operation == "transpose":
        dims = sorted(value for _, value in node.options)
        return replace(node, options=(("dim0", dims[0]), ("dim1", dims[1])))
    if node.operation == "cat" and len(node.inputs) == 1:
        return Node(_GONE, node.inputs)
    for n in (1, 2, 3):
        if node.operation == f"adaptive_avg_pool{n}d" and node.get("output_size") == 1:
            every = tuple(range(2, n + 2)) if n > 1 else 2
            return Node("mean", node.inputs, (("dim", every), ("keepdim", True)))
    if made is not None and made.operation == "mean" and made.get("keepdim"):
        dims = made.get("dim")
        all_dims = dims in (2, (2, 3), (2, 3, 4))
        flat = node.operation == "flatten" and dict(node.options) == {"start_dim": 1}
        if all_dims and flat:
            return Node("mean", made.inputs, (("dim", dims),))
    if node.operation == "flatten" and ranks.of(x) == 2 and node.get("start_dim") == 1:
        return Node(_GONE, node.inputs)
    return node


def _keeps_batch_only(node: Node, before: list[Node]) -> bool:
    """Whether a reshape is `(x.shape[0], -1)`."""
    shape = node.get("shape")
    if not isinstance(shape, tuple | list) or len(shape) != 2 or shape[1] != -1:
        return False
    if not isinstance(shape[0], Ref):
        return False
    size = before[shape[0].number]
    return size.operation == "size" and size.get("dim") == 0


def _without_zeros(graph: Graph) -> Graph:
    """The graph with zeros left out of sums."""
    zeros: list[bool] = []

    def rewrite(node: Node, before: list[Node]) -> Value:
        del zeros[len(before) :]
        made: Value = node
        if node.operation == "add":
            terms = [value for value in node.inputs if not _is_zero(value, zeros)]
            made = (
                replace(node, inputs=tuple(terms))
                if len(terms) > 1
                else (terms[0] if terms else node.inputs[0])
            )
        if isinstance(made, Node):
            zeros.append(_gives_zero(made, graph, zeros, norms=False))
        return made

    return _rewritten(_without(graph, {_GONE}), rewrite)


def _zeros(graph: Graph, *, norms: bool) -> list[bool]:
    """Which values are zero."""
    zeros: list[bool] = []
    for node in graph.nodes:
        zeros.append(_gives_zero(node, graph, zeros, norms=norms))
    return zeros


def _is_zero(value: Value, zeros: list[bool]) -> bool:
    return zeros[value.number] if isinstance(value, Ref) else value == 0


def _gives_zero(node: Node, graph: Graph, zeros: list[bool], *, norms: bool) -> bool:
    if node.operation == "zeros_like":
        return True
    if not node.inputs:
        return False
    if node.operation == "mul":
        return any(_is_zero(value, zeros) for value in node.inputs)
    if not all(_is_zero(value, zeros) for value in node.inputs):
        return False
    if node.layer is not None:
        return _keeps_zero(graph.layers[node.layer], norms=norms)
    if node.operation == "pad" and node.get("value") not in (None, 0):
        return False
    return node.operation in _KEEPS_ZERO


def _keeps_zero(layer: Layer, *, norms: bool) -> bool:
    if layer.kind in _LINEAR:
        return layer.get("bias") is False
    return norms and layer.kind in _NORMS


def _flat(graph: Graph) -> Graph:
    """The graph with each sum that is read once, by a sum, as a part of that sum."""
    reads = count_reads(graph)
    inner = {
        value.number
        for node in graph.nodes
        if node.operation == "add"
        for value in node.inputs
        if isinstance(value, Ref)
        and graph.nodes[value.number].operation == "add"
        and reads[value.number] == 1
    }
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.operation == "add" and any(
            isinstance(value, Ref) and value.number in inner for value in node.inputs
        ):
            terms: list[Value] = []
            for value in node.inputs:
                is_inner = isinstance(value, Ref) and value.number in inner
                terms += nodes[value.number].inputs if is_inner else (value,)
            node = replace(node, inputs=tuple(terms))
        nodes.append(node)
    return replace(graph, nodes=tuple(nodes))
