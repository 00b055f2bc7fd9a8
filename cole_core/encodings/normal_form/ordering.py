"""One order for one network: whatever order its source has, equal networks are equal graphs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

from cole_core.encodings.normal_form.graph import Graph, Node, Ref, Value, mapped, refs, tied
from cole_core.encodings.normal_form.vocabulary import COMMUTATIVE
from cole_core.hashing import hash_text

_ROUNDS = 2


def ordered(graph: Graph) -> Graph:
    """The graph with its nodes, its layers and the terms of its sums in an order of their own.

    It depends on what the network computes alone, but for terms that nothing tells apart.
    """
    sorted_graph = _with_sorted_terms(graph)
    order = _reading_order(sorted_graph)
    place = {number: position for position, number in enumerate(order)}
    layer_place: dict[int, int] = {}
    nodes = []
    for number in order:
        node = sorted_graph.nodes[number].map(lambda ref: Ref(place[ref.number]))
        if node.layer is not None:
            layer = layer_place.setdefault(node.layer, len(layer_place))
            node = Node(node.operation, node.inputs, node.options, layer)
        nodes.append(node)
    return Graph(
        tuple(nodes),
        mapped(sorted_graph.output, lambda ref: Ref(place[ref.number])),
        tuple(graph.layers[layer] for layer in layer_place),
    )


def digest(graph: Graph) -> str:
    """Hash of an ordered graph, all that decides the network."""
    layers = [(layer.kind, layer.arguments) for layer in graph.layers]
    return hash_text(repr((graph.nodes, graph.output, layers, tied(graph))))


def _with_sorted_terms(graph: Graph) -> Graph:
    colours, heights = _colours(graph), _heights(graph)

    def key(value: Value) -> tuple[bool, int, str]:
        if isinstance(value, Ref):
            return False, heights[value.number], colours[value.number]
        return True, 0, repr(value)

    nodes = [
        replace(node, inputs=tuple(sorted(node.inputs, key=key)))
        if node.operation in COMMUTATIVE
        else node
        for node in graph.nodes
    ]
    return replace(graph, nodes=tuple(nodes))


def _heights(graph: Graph) -> list[int]:
    """Operations on the longest way to each value."""
    heights: list[int] = []
    for node in graph.nodes:
        heights.append(1 + max((heights[number] for number in node.refs()), default=-1))
    return heights


def _colours(graph: Graph) -> list[str]:
    """A name for each node by what it computes and what becomes of that.

    As in the test of Weisfeiler and Lehman: nodes that have different names are different.
    """
    inputs = iter(range(len(graph.nodes)))
    own = [
        _hash(
            node.operation,
            next(inputs) if node.operation == "input" else "",
            graph.layers[node.layer].kind if node.layer is not None else "",
            graph.layers[node.layer].arguments if node.layer is not None else "",
        )
        for node in graph.nodes
    ]
    for _ in range(_ROUNDS):
        made = _from_below(graph, own)
        own = _from_above(graph, made)
        callers: dict[int, list[str]] = {}
        for node, colour in zip(graph.nodes, own, strict=True):
            if node.layer is not None:
                callers.setdefault(node.layer, []).append(colour)
        own = [
            colour if node.layer is None else _hash(colour, sorted(callers[node.layer]))
            for node, colour in zip(graph.nodes, own, strict=True)
        ]
    return own


def _from_below(graph: Graph, own: Sequence[str]) -> list[str]:
    colours: list[str] = []

    def colour_of(ref: Ref) -> str:
        return colours[ref.number]

    for node, colour in zip(graph.nodes, own, strict=True):
        inputs = [mapped(value, colour_of) for value in node.inputs]
        if node.operation in COMMUTATIVE:
            inputs.sort(key=repr)
        options = [(name, mapped(value, colour_of)) for name, value in node.options]
        colours.append(_hash(colour, inputs, options))
    return colours


def _from_above(graph: Graph, made: Sequence[str]) -> list[str]:
    readers: list[list[str]] = [[] for _ in graph.nodes]
    for place, number in enumerate(refs(graph.output)):
        readers[number].append(f"output{place}")
    colours = [""] * len(graph.nodes)
    for number in reversed(range(len(graph.nodes))):
        node = graph.nodes[number]
        colours[number] = _hash(made[number], sorted(readers[number]))
        for place, read in enumerate(node.refs()):
            at = "" if node.operation in COMMUTATIVE else place
            readers[read].append(f"{colours[number]}{at}")
    return colours


def _hash(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def _reading_order(graph: Graph) -> list[int]:
    """The inputs, then each node after all that it reads, as the output asks for them."""
    order = [number for number, node in enumerate(graph.nodes) if node.operation == "input"]
    done = set(order)
    waiting = list(reversed(list(refs(graph.output))))
    while waiting:
        number = waiting[-1]
        missing = [read for read in graph.nodes[number].refs() if read not in done]
        if number in done or not missing:
            waiting.pop()
            if number not in done:
                done.add(number)
                order.append(number)
        else:
            waiting += reversed(missing)
    return order


def count_reads(graph: Graph) -> Counter[int]:
    """How often each node's value is read; by the output, too."""
    reads = Counter(number for node in graph.nodes for number in node.refs())
    reads.update(refs(graph.output))
    return reads


def is_term(node: Node) -> bool:
    """Whether the order of a node's inputs means nothing."""
    return node.operation in COMMUTATIVE
