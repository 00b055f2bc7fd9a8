"""From a traced graph of torch.fx to one in our vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import fx, nn

from cole_core.encodings.normal_form import layers
from cole_core.encodings.normal_form.graph import Graph, Layer, Node, Ref, Slice, Value, compact
from cole_core.encodings.normal_form.vocabulary import MODULES, bind, canonical, plain

_WEIGHTED = {
    **{f"conv{n}d": f"Conv{n}d" for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": f"ConvTranspose{n}d" for n in (1, 2, 3)},
    "linear": "Linear",
    "layer_norm": "LayerNorm",
    "group_norm": "GroupNorm",
    "batch_norm": "BatchNorm",
    "embedding": "Embedding",
}
"""Functions that get their weights as arguments, and the modules that have them."""

_END = 2**63 - 1  # where a slice ends that has no end
_MOST_VALUES = 64  # of a constant that is written out


class _Translator:
    """Translates node by node.

    Args:
        module: What was traced: it has the weights.
        lifted: Inputs of the traced graph that are tensors of the module, and which.
        constants: Tensors that an export has and the module has not; None of what is no export.
    """

    def __init__(
        self, module: nn.Module, lifted: dict[str, str], constants: dict[str, torch.Tensor] | None
    ) -> None:
        self._module = module
        self._constants = constants or {}
        self._is_export = constants is not None
        self._lifted = lifted
        self._nodes: list[Node] = []
        self._layers: list[Layer] = []
        self._layer_of: dict[Any, int] = {}
        self._made: dict[fx.Node, Value] = {}
        self._tensor_of: dict[int, str] = {}  # nodes that are a parameter or a buffer
        self._name_of = _first_names(module)

    def translate(self, graph: fx.Graph) -> Graph:
        for node in graph.nodes:
            if node.op == "output":
                output = self._value(node.args[0])
                if self._is_export and len(output) == 1:  # it gives a tuple whatever it gets
                    (output,) = output
                return compact(Graph(tuple(self._nodes), output, tuple(self._layers)))
            self._made[node] = getattr(self, f"_{node.op}")(node)
        raise ValueError("the traced graph has no output")

    def _value(self, value: Any) -> Value:
        if isinstance(value, fx.Node):
            return self._made[value]
        if isinstance(value, tuple):
            return tuple(self._value(part) for part in value)
        if isinstance(value, list):
            return [self._value(part) for part in value]
        if isinstance(value, dict):
            names = tuple(value)
            return self._add(
                Node("dict", tuple(self._value(value[name]) for name in names), (("keys", names),))
            )
        if isinstance(value, slice):
            return plain(slice(*map(self._value, (value.start, value.stop, value.step))))
        if isinstance(value, torch.Tensor):
            return self._constant(value)
        return plain(value)

    def _add(self, node: Node) -> Ref:
        self._nodes.append(node)
        return Ref(len(self._nodes) - 1)

    def _node(self, ref: Value) -> Node | None:
        return self._nodes[ref.number] if isinstance(ref, Ref) else None

    # What a traced graph consists of.

    def _placeholder(self, node: fx.Node) -> Value:
        if node.name in self._lifted:
            return self._tensor(self._lifted[node.name])
        return self._add(Node("input"))

    def _get_attr(self, node: fx.Node) -> Value:
        return self._tensor(str(node.target))

    def _call_module(self, node: fx.Node) -> Value:
        module = self._module.get_submodule(str(node.target))
        arguments = [self._value(value) for value in node.args]
        named = {name: self._value(value) for name, value in node.kwargs.items()}
        kind = type(module).__name__
        if kind in MODULES:
            name, attributes = MODULES[kind]
            options = {each: plain(getattr(module, each)) for each in attributes}
            if kind.startswith("Adaptive") and "Max" in kind and module.return_indices:
                name += "_with_indices"
            made = self._call(name, arguments, named | options)
            if getattr(module, "inplace", False) and name != "dropout":
                self._changed(node, made)
            return made
        key = ("module", node.target)
        if key not in self._layer_of:
            described = layers.describe(module)
            self._layer_of[key] = self._add_layer(
                Layer(described.kind, described.arguments, self._tensors_of(str(node.target)))
            )
        inputs = tuple(arguments)
        return self._add(Node("layer", inputs, tuple(sorted(named.items())), self._layer_of[key]))

    def _call_method(self, node: fx.Node) -> Value:
        arguments = [self._value(value) for value in node.args]
        named = {name: self._value(value) for name, value in node.kwargs.items()}
        return self._named_call(str(node.target), arguments, named, node)

    def _call_function(self, node: fx.Node) -> Value:
        arguments = [self._value(value) for value in node.args]
        named = {name: self._value(value) for name, value in node.kwargs.items()}
        if node.target is getattr:
            return self._attribute(*arguments)
        if isinstance(node.target, torch._ops.OpOverload):
            schema = node.target._schema
            name = schema.name.partition("::")[2]
            return self._exported_call(name, arguments, named, node)
        name = getattr(node.target, "__name__", str(node.target))
        if getattr(node.target, "__module__", None) == "math":
            return self._add(Node(f"math.{name}", tuple(arguments)))
        return self._named_call(name, arguments, named, node)

    # Tensors of the module.

    def _tensors_of(self, path: str) -> tuple[tuple[str, str], ...]:
        module = self._module.get_submodule(path)
        names = [name for name, _ in module.named_parameters(remove_duplicate=False)]
        names += [name for name, _ in module.named_buffers(remove_duplicate=False)]
        whole = {name: f"{path}.{name}" if path else name for name in names}
        return tuple((name, self._name_of.get(each, each)) for name, each in whole.items())

    def _tensor(self, name: str) -> Ref:
        """The value of a parameter, a buffer or a constant."""
        found: Any = self._constants.get(name, self._module)
        for part in name.split(".") if name not in self._constants else ():
            found = getattr(found, part)
        if not isinstance(found, torch.Tensor):
            raise TypeError(f"{name} is no tensor")
        is_parameter = isinstance(found, nn.Parameter)
        if name in self._name_of:
            name = self._name_of[name]
        elif found.numel() <= _MOST_VALUES and not found.is_meta:
            return self._constant(found)
        key = ("tensor", name)
        if key not in self._layer_of:
            arguments: list[tuple[str, Value]] = [("shape", tuple(found.shape))]
            if found.dtype is not torch.float32:
                arguments.append(("dtype", plain(found.dtype)))
            kind = "Parameter" if is_parameter else "Buffer"
            self._layer_of[key] = self._add_layer(Layer(kind, tuple(arguments), (("", name),)))
        ref = self._add(Node("layer", layer=self._layer_of[key]))
        self._tensor_of[ref.number] = name
        return ref

    def _constant(self, tensor: torch.Tensor) -> Ref:
        options = (("dtype", plain(tensor.dtype)), ("values", _nested(tensor.tolist())))
        return self._add(Node("tensor", (), options))

    def _add_layer(self, layer: Layer) -> int:
        self._layers.append(layer)
        return len(self._layers) - 1

    # Calls.

    def _attribute(self, value: Value, name: str) -> Value:
        if name == "shape":
            return self._add(Node("shape", (value,)))
        if name in ("T", "mT", "H", "mH"):
            return self._add(Node("transpose", (value,), (("dim0", -2), ("dim1", -1))))
        return self._add(Node("attribute", (value,), (("name", name),)))

    def _named_call(
        self, name: str, arguments: list[Value], named: dict[str, Value], node: fx.Node
    ) -> Value:
        made = self._call(canonical(name), arguments, named)
        if _is_in_place(name, named):
            self._changed(node, made)
        return made

    def _changed(self, node: fx.Node, made: Value) -> None:
        """Notes that a call changes its input: whoever reads that from now on reads `made`."""
        if node.args and isinstance(node.args[0], fx.Node):
            self._made[node.args[0]] = made

    def _exported_call(
        self, name: str, arguments: list[Value], named: dict[str, Value], node: fx.Node
    ) -> Value:
        if name == "batch_norm":
            x, weight, bias, mean, variance, training, momentum, eps = arguments[:8]
            arguments, named = [x, mean, variance, weight, bias, training, momentum, eps], {}
        elif name == "embedding":
            arguments = [arguments[1], arguments[0], *arguments[2:]]
        elif name in ("slice", "select"):
            return self._sliced(name, *arguments)
        return self._named_call(name, arguments, named, node)

    def _sliced(self, name: str, x: Value, dim: int = 0, *bounds: Value) -> Value:
        """What an export makes of one part of an index."""
        index: Value = bounds[0] if name == "select" else None
        if name == "slice":
            start, stop, step = (*bounds, None, None, None)[:3]
            start, step = start or None, None if step == 1 else step
            stop = None if isinstance(stop, int) and stop >= _END else stop
            if start is stop is step is None:
                return x
            index = Slice(start, stop, step)
        whole = (Slice(),) * dim
        return self._add(Node("getitem", (x,), (("index", (*whole, index)),)))

    def _call(self, name: str, arguments: list[Value], named: dict[str, Value]) -> Value:
        if name in _WEIGHTED:
            layer = self._weighted(name, arguments, named)
            if layer is not None:
                return layer
        if name in ("size", "sym_size") and len(arguments) + len(named) == 2:
            x, dim = *arguments, *named.values()
            return self._add(Node("size", (x,), (("dim", dim),)))
        if name == "size" and len(arguments) + len(named) == 1:
            return self._add(Node("shape", tuple(arguments)))
        if name in ("dim", "ndimension"):
            name = "ndim"
        if name == "getitem":
            of, index = arguments
            made = self._node(of)
            if made is not None and made.operation == "shape" and isinstance(index, int):
                return self._add(Node("size", made.inputs, (("dim", index),)))
            if isinstance(of, tuple | list) and isinstance(index, int):
                return of[index]
        inputs, options = bind(name, arguments, named)
        alpha = dict(options).get("alpha", 1)
        if name in ("add", "sub") and alpha != 1:
            scaled = self._add(Node("mul", (inputs[1], alpha)))
            inputs, options = (inputs[0], scaled), ()
        return self._add(Node(name, inputs, options))

    def _weighted(
        self, name: str, arguments: Sequence[Value], named: dict[str, Value]
    ) -> Value | None:
        """The call of a layer, where a function's weights are the module's own tensors."""
        given = dict(zip(_POSITIONS[name], arguments, strict=False)) | named
        tensors: list[tuple[str, str]] = []
        for own in ("weight", "bias", "running_mean", "running_var"):
            value = given.pop(own, None)
            if value is None:
                continue
            if not isinstance(value, Ref) or value.number not in self._tensor_of:
                return None
            tensors.append((own, self._tensor_of[value.number]))
        if "weight" not in dict(tensors):
            return None
        x = given.pop("input")
        key = (name, tuple(tensors), tuple(map(str, given.values())))
        if key not in self._layer_of:
            shapes = {own: self._shape(path) for own, path in tensors}
            kind = _WEIGHTED[name]
            if kind == "BatchNorm":
                kind = f"BatchNorm{self._dimensions(x)}d"
            layer = _layer_of_function(name, kind, given, shapes)
            self._layer_of[key] = self._add_layer(
                Layer(layer.kind, layer.arguments, tuple(tensors))
            )
        return self._add(Node("layer", (x,), (), self._layer_of[key]))

    def _dimensions(self, value: Value) -> int:
        """Of a batch norm's images, as the nearest layer before it says; 1 where none does."""
        node = self._node(value)
        while node is not None:
            kind = self._layers[node.layer].kind if node.layer is not None else node.operation
            if kind.endswith("d") and kind[-2:-1].isdigit():
                return int(kind[-2])
            node = self._node(node.inputs[0]) if node.inputs else None
        return 1

    def _shape(self, path: str) -> tuple[int, ...]:
        found: Any = self._module
        for part in path.split("."):
            found = getattr(found, part)
        return tuple(found.shape)


_CONVOLUTION = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_POSITIONS = {
    **{f"conv{n}d": _CONVOLUTION for n in (1, 2, 3)},
    **{
        f"conv_transpose{n}d": (
            "input",
            "weight",
            "bias",
            "stride",
            "padding",
            "output_padding",
            "groups",
            "dilation",
        )
        for n in (1, 2, 3)
    },
    "linear": ("input", "weight", "bias"),
    "layer_norm": ("input", "normalized_shape", "weight", "bias", "eps"),
    "group_norm": ("input", "num_groups", "weight", "bias", "eps"),
    "batch_norm": (
        "input",
        "running_mean",
        "running_var",
        "weight",
        "bias",
        "training",
        "momentum",
        "eps",
    ),
    "embedding": ("input", "weight", "padding_idx", "max_norm", "norm_type"),
}


def _layer_of_function(
    name: str, kind: str, given: dict[str, Value], shapes: dict[str, tuple[int, ...]]
) -> Layer:
    """The layer that has the weights of a function's call.

    Args:
        name: The function.
        kind: The layer.
        given: The function's other arguments.
        shapes: Of its weights.
    """
    weight, has_bias = shapes["weight"], "bias" in shapes
    if name.startswith("conv_transpose"):
        sizes = {
            "in_channels": weight[0],
            "out_channels": weight[1] * given.get("groups", 1),
            "kernel_size": weight[2:],
        }
    elif name.startswith("conv"):
        sizes = {
            "in_channels": weight[1] * given.get("groups", 1),
            "out_channels": weight[0],
            "kernel_size": weight[2:],
        }
    elif name == "linear":
        sizes = {"in_features": weight[1], "out_features": weight[0]}
    elif name == "layer_norm":
        sizes = {}
    elif name == "group_norm":
        sizes = {"num_channels": weight[0]}
    elif name == "batch_norm":
        sizes = {"num_features": weight[0]}
        given.pop("training", None)
    else:
        sizes = {"num_embeddings": weight[0], "embedding_dim": weight[1]}
        given = {key: value for key, value in given.items() if key == "padding_idx"}
        if given.get("padding_idx") == -1:
            given = {}
    if name != "embedding":
        sizes["bias"] = has_bias
    return layers.make(kind, sizes | given)


def _first_names(module: nn.Module) -> dict[str, str]:
    """Each name of a tensor of a module, and the first name of the same tensor."""
    tensors: list[tuple[str, torch.Tensor]] = [*module.named_parameters(remove_duplicate=False)]
    tensors += module.named_buffers(remove_duplicate=False)
    first: dict[int, str] = {}
    return {name: first.setdefault(id(tensor), name) for name, tensor in tensors}


def _is_in_place(name: str, named: dict[str, Value]) -> bool:
    if name.endswith("_") and not name.endswith("__"):
        return True
    return bool(named.get("inplace")) or name in ("iadd", "imul", "isub", "itruediv")


def _nested(values: Any) -> Value:
    return tuple(map(_nested, values)) if isinstance(values, list) else values


def translate(graph: fx.Graph, module: nn.Module, program: Any = None) -> Graph:
    """The graph in our vocabulary, without what its output does not reach.

    Args:
        graph: Traced or exported.
        module: Of which.
        program: The export: it has weights as inputs, and names them.
    """
    lifted: dict[str, str] = {}
    if program is not None:
        signature = program.graph_signature
        lifted = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        for node_name, name in signature.inputs_to_lifted_tensor_constants.items():
            lifted[node_name] = name
    return _Translator(module, lifted, program and program.constants).translate(graph)
