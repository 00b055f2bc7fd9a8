"""A network as a class that runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from cole_core.encodings.normal_form.graph import Graph, Layer, Node, Ref, Value, refs, tied
from cole_core.encodings.normal_form.naming import input_names, short_kind, value_names
from cole_core.encodings.normal_form.ordering import count_reads
from cole_core.encodings.normal_form.words import (
    OPERATORS,
    Text,
    write_index,
    write_options,
    write_value,
)

_LONGEST = 80
"""Characters of a line; what makes it longer has a name."""

_POSITIONAL = {"reshape", "permute", "expand", "repeat", "flip", "tile", "transpose", "unflatten"}
_POSITIONAL |= {"new_zeros", "new_ones", "unsqueeze", "squeeze", "chunk", "split", "to"}


def write_class(graph: Graph, name: str) -> str:
    """The class of a simplified graph, with what it imports.

    Args:
        graph: Simplified.
        name: Of the class.
    """
    attributes = layer_attributes(graph)
    made = [
        f"        {_layer_line(attribute, layer)}"
        for attribute, layer in zip(attributes, graph.layers, strict=True)
    ]
    made += [
        f"        self.{_attribute(attributes, second)} = self.{_attribute(attributes, first)}"
        for first, second in tied(graph)
    ]
    lines, inputs, value = _Body(graph, attributes).write()
    text = "\n".join(
        [
            f"class {name}(nn.Module):",
            "    def __init__(self):",
            "        super().__init__()",
            *made,
            "",
            f"    def forward({', '.join(['self', *inputs])}):",
            *(f"        {line}" for line in lines),
            f"        return {value}",
        ]
    )
    imports = ["import torch"] if "torch." in text else []
    imports += ["import torch.nn as nn"]
    imports += ["import torch.nn.functional as F"] if "F." in text else []
    imports += ["import math"] if "math." in text else []
    return "\n".join([*sorted(imports), "", "", text]) + "\n"


def layer_attributes(graph: Graph) -> list[str]:
    """What the class calls the graph's layers: kind and number."""
    numbers: Counter[str] = Counter()
    names = []
    for layer in graph.layers:
        kind = short_kind(layer)
        numbers[kind] += 1
        names.append(f"{kind}{numbers[kind]}")
    return names


def weights_of(graph: Graph) -> dict[str, str]:
    """The names of the class's tensors, and what each is called in the module that was traced."""
    return {
        f"{attribute}.{own}" if own else attribute: name
        for attribute, layer in zip(layer_attributes(graph), graph.layers, strict=True)
        for own, name in layer.tensors
    }


def _layer_line(attribute: str, layer: Layer) -> str:
    if layer.kind in ("Parameter", "Buffer"):
        shape = ", ".join(map(str, layer.get("shape"))) or "()"
        dtype = layer.get("dtype")
        zeros = f"torch.zeros({shape}{f', dtype={dtype.name}' if dtype else ''})"
        if layer.kind == "Parameter":
            return f"self.{attribute} = nn.Parameter({zeros})"
        return f'self.register_buffer("{attribute}", {zeros})'
    shown = []
    required = _REQUIRED.get(layer.kind.rstrip("123d"), 1)
    for place, (name, value) in enumerate(layer.arguments):
        text = write_value(value, _no_node)
        shown.append(text if place < required else f"{name}={text}")
    return f"self.{attribute} = nn.{layer.kind}({', '.join(shown)})"


_REQUIRED = {"Conv": 2, "ConvTranspose": 2, "Linear": 2, "Embedding": 2, "GroupNorm": 2}
_REQUIRED |= {"LSTM": 2, "GRU": 2, "RNN": 2, "MultiheadAttention": 2, "TransformerEncoderLayer": 2}


def _no_node(number: int) -> Text:
    raise ValueError(f"a layer's argument is the value of node {number}")


def _attribute(attributes: list[str], place: tuple[int, str]) -> str:
    layer, own = place
    return f"{attributes[layer]}.{own}" if own else attributes[layer]


class _Body:
    """Writes `forward`.

    Args:
        graph: Simplified.
        attributes: What its layers are called.
    """

    def __init__(self, graph: Graph, attributes: list[str]) -> None:
        self._graph = graph
        self._attributes = attributes
        self._reads = count_reads(graph)
        self._texts: dict[int, Text] = {}

    def write(self) -> tuple[list[str], list[str], str]:
        """Lines, names of the inputs, and what is returned."""
        inputs = [n for n, node in enumerate(self._graph.nodes) if node.operation == "input"]
        names = input_names(len(inputs))
        self._texts = {number: Text(name) for number, name in zip(inputs, names, strict=True)}
        fresh = value_names()
        lines: list[str] = []
        output = set(refs(self._graph.output)) if isinstance(self._graph.output, Ref) else set()
        for number, node in enumerate(self._graph.nodes):
            if node.operation == "input":
                continue
            text = self._write(node)
            is_name = not node.inputs and node.layer is not None
            twice = self._reads[number] > 1 and not is_name
            if (twice or len(text.text) > _LONGEST) and number not in output:
                name = next(fresh)
                lines.append(f"{name} = {text.text}")
                text = Text(name)
            self._texts[number] = text
        return lines, names, write_value(self._graph.output, self._look_up)

    def _look_up(self, number: int) -> Text:
        return self._texts[number]

    def _write(self, node: Node) -> Text:
        if node.layer is not None:
            own = f"self.{self._attributes[node.layer]}"
            if not node.inputs and not node.options:
                return Text(own)
            arguments = [self._value(value) for value in node.inputs]
            arguments += write_options(node.options, self._look_up, short=False)
            return Text(f"{own}({', '.join(arguments)})")
        special = _SPECIAL.get(node.operation)
        if special is not None:
            return special(self, node)
        inputs = [self._value(value, tight=True) for value in node.inputs]
        sign = OPERATORS.get(node.operation)
        if sign is not None and len(inputs) > 1 and not node.options:
            return Text(f" {sign} ".join(inputs), binds=False)
        return Text(_call(node, inputs, self._look_up))

    def _value(self, value: Value, *, tight: bool = False) -> str:
        return write_value(value, self._look_up, tight=tight)

    def _tensor(self, node: Node) -> Text:
        values = write_value(node.get("values"), self._look_up)
        return Text(f"torch.tensor({values}, dtype={node.get('dtype').name})")

    def _index(self, node: Node) -> Text:
        index = write_index(node.get("index"), self._look_up)
        return Text(f"{self._value(node.inputs[0], tight=True)}[{index}]")

    def _size(self, node: Node) -> Text:
        return Text(f"{self._value(node.inputs[0], tight=True)}.shape[{node.get('dim')}]")

    def _property(self, node: Node) -> Text:
        name = node.get("name", node.operation)
        return Text(f"{self._value(node.inputs[0], tight=True)}.{name}")

    def _join(self, node: Node) -> Text:
        options = write_options(node.options, self._look_up, short=False)
        values = ", ".join(map(self._value, node.inputs))
        return Text(f"torch.{node.operation}({', '.join([f'[{values}]', *options])})")

    def _dict(self, node: Node) -> Text:
        pairs = zip(node.get("keys"), node.inputs, strict=True)
        return Text("{" + ", ".join(f"{key!r}: {self._value(each)}" for key, each in pairs) + "}")


_SPECIAL: dict[str, Callable[[_Body, Node], Text]] = {
    "tensor": _Body._tensor,
    "getitem": _Body._index,
    "size": _Body._size,
    "shape": _Body._property,
    "attribute": _Body._property,
    "ndim": _Body._property,
    "cat": _Body._join,
    "stack": _Body._join,
    "dict": _Body._dict,
}


def _call(node: Node, inputs: list[str], look_up: Callable[[int], Text]) -> str:
    """The call of a function or a method, wherever torch has it."""
    import torch
    from torch.nn import functional

    name = node.operation
    positional = name in _POSITIONAL
    options = [
        write_value(value, look_up) if positional else f"{key}={write_value(value, look_up)}"
        for key, value in node.options
    ]
    plain = [*inputs, *options]
    if hasattr(functional, name):
        return f"F.{name}({', '.join(plain)})"
    if name in _FUNCTIONS_FIRST and hasattr(torch, name):
        return f"torch.{name}({', '.join(plain)})"
    if inputs and hasattr(torch.Tensor, name):
        return f"{inputs[0]}.{name}({', '.join([*inputs[1:], *options])})"
    if hasattr(torch, name):
        return f"torch.{name}({', '.join(plain)})"
    if name.startswith("math."):
        return f"{name}({', '.join(plain)})"
    return f"torch.ops.aten.{name}({', '.join(plain)})"


_FUNCTIONS_FIRST = {"zeros_like", "ones_like", "einsum", "arange", "zeros", "ones", "full", "where"}
