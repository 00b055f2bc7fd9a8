"""What a network computes, as plain data: operations on values, and layers that hold weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Ref:
    """The value that a node makes.

    Attributes:
        number: The node's place in the graph.
    """

    number: int


@dataclass(frozen=True)
class Symbol:
    """What is written by its name: `torch.float32`.

    Attributes:
        name: As code has it.
    """

    name: str


@dataclass(frozen=True)
class Slice:
    """`start:stop:step` of an index."""

    start: Any = None
    stop: Any = None
    step: Any = None


Value = Any
"""A Ref, a Symbol, a Slice, a number, a text, None, `...`, or a tuple or list of values."""


@dataclass(frozen=True)
class Layer:
    """What holds weights.

    Attributes:
        kind: A class of torch.nn, Parameter or Buffer.
        arguments: Of its constructor, in its order, but those that are as usual.
        tensors: Parameters and buffers: the name in the layer, and in the traced module. Whatever
            the traced module calls them, the layer is the same.
    """

    kind: str
    arguments: tuple[tuple[str, Value], ...] = ()
    tensors: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    def get(self, name: str, usual: Value = None) -> Value:
        """An argument; what is usual where it is not there."""
        return dict(self.arguments).get(name, usual)


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
        operation: Its one name, whatever the source called it. `input` is an input of the network,
            `layer` the call of a layer.
        inputs: What it is applied to.
        options: Its other arguments by name, but those that are as usual.
        layer: Whose weights it uses: a place in the graph's layers.
    """

    operation: str
    inputs: tuple[Value, ...] = ()
    options: tuple[tuple[str, Value], ...] = ()
    layer: int | None = None

    def get(self, name: str, usual: Value = None) -> Value:
        """An option; what is usual where it is not there."""
        return dict(self.options).get(name, usual)

    def refs(self) -> Iterator[int]:
        """The nodes whose values it reads, in order, each as often as it is read."""
        for value in self.inputs:
            yield from refs(value)
        for _, value in self.options:
            yield from refs(value)

    def map(self, change: Callable[[Ref], Value]) -> Node:
        """The node with each value that it reads replaced."""
        inputs = mapped(self.inputs, change)
        options = mapped(self.options, change) if self.options else ()
        if inputs == self.inputs and options == self.options:
            return self
        return Node(self.operation, inputs, options, self.layer)


@dataclass(frozen=True)
class Graph:
    """A network.

    Attributes:
        nodes: In an order in which each reads only what stands before it.
        output: What the network returns.
        layers: What its nodes use.
    """

    nodes: tuple[Node, ...]
    output: Value
    layers: tuple[Layer, ...] = ()

    def layer_of(self, node: Node) -> Layer | None:
        """The layer that a node calls."""
        return None if node.layer is None else self.layers[node.layer]


def refs(value: Value) -> Iterator[int]:
    """The nodes that a value speaks of."""
    kind = type(value)
    if kind is Ref:
        yield value.number
    elif kind is tuple or kind is list:
        for part in value:
            yield from refs(part)
    elif kind is Slice:
        yield from refs((value.start, value.stop, value.step))


def mapped(value: Value, change: Callable[[Ref], Value]) -> Value:
    """A value with all that it refers to replaced."""
    kind = type(value)
    if kind is Ref:
        return change(value)
    if kind is tuple or kind is list:
        return kind([mapped(part, change) for part in value])
    if kind is Slice:
        return Slice(*(mapped(part, change) for part in (value.start, value.stop, value.step)))
    return value


def compact(graph: Graph) -> Graph:
    """The graph without what its output does not reach; inputs stay, since callers give them."""
    needed = set(refs(graph.output))
    for number in reversed(range(len(graph.nodes))):
        node = graph.nodes[number]
        if number in needed or node.operation == "input":
            needed.add(number)
            needed.update(node.refs())
    layers = (graph.nodes[number].layer for number in needed)
    used = sorted({layer for layer in layers if layer is not None})
    if len(needed) == len(graph.nodes) and len(used) == len(graph.layers):
        return graph
    place = {number: position for position, number in enumerate(sorted(needed))}
    nodes = [
        graph.nodes[number].map(lambda ref: Ref(place[ref.number])) for number in sorted(needed)
    ]
    layer_place: dict[int | None, int | None] = {layer: at for at, layer in enumerate(used)}
    return Graph(
        tuple(
            Node(node.operation, node.inputs, node.options, layer_place.get(node.layer))
            for node in nodes
        ),
        mapped(graph.output, lambda ref: Ref(place[ref.number])),
        tuple(graph.layers[layer] for layer in used),
    )


def tied(graph: Graph) -> list[tuple[tuple[int, str], tuple[int, str]]]:
    """Tensors that two layers have in common: the first that has one, and each other."""
    first: dict[str, tuple[int, str]] = {}
    found = []
    for number, layer in enumerate(graph.layers):
        for own, name in layer.tensors:
            if first.setdefault(name, (number, own)) != (number, own):
                found.append((first[name], (number, own)))
    return found
