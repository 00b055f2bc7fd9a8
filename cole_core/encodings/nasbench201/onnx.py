"""The exported, simplified ONNX graph as text: `onnx`."""

import io
import warnings
from typing import TYPE_CHECKING, Any

from cole_core.encodings.base import RenderingError, TextEncoding
from cole_core.errors import InputError
from cole_core.spaces.nasbench201 import build, parse

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto
    from torch import Tensor, nn

CHANNELS = 16
SIZE = 32  # height and width of a CIFAR image, and of what the first stage's cells see


class Onnx(TextEncoding):
    """One entry per node of the graph: output, operator, inputs, weight shapes, attributes.

    Alone, the graph is that of the cell with 16 channels. In the context `network` it is that of
    the whole network with one cell per stage instead of five: a repetition tells nothing new, and
    the text is a quarter as long. Exporter and simplifier fold batch norms into convolutions, drop
    what the output does not reach and join equal operations on equal inputs; a `none` edge is a
    constant, and an operation on it stays.

    The exporter is the one by tracing (`dynamo=False`): it gives the same simplified graph as the
    other in a twentieth of the time.
    """

    name = "onnx"
    contexts = (None, "network")
    is_slow = True

    def _render(self, native: str, context: str | None) -> str:
        return write_graph(simplified_graph(native, whole=context == "network"))


def simplified_graph(native: str, *, whole: bool) -> "GraphProto":
    """The simplified graph of a cell, or of a network with one cell per stage.

    Raises:
        InputError: The packages of the extra `onnx` are missing.
        RenderingError: The export failed.
    """
    cell = parse(native)
    try:
        import onnx
        import onnxslim
    except ImportError as error:
        raise InputError(
            f"encoding onnx needs the package {error.name}: install cole-warehouse[onnx]"
        ) from None
    import torch

    from cole_core.spaces.nasbench201.network import CellModule

    with torch.random.fork_rng(devices=[]):  # the weights' values are not in the text
        torch.manual_seed(0)
        module: nn.Module
        if whole:
            module, image = build(native, CHANNELS, cells=1), torch.zeros(1, 3, SIZE, SIZE)
        else:
            module, image = CellModule(cell, CHANNELS), torch.zeros(1, CHANNELS, SIZE, SIZE)
    try:
        model = onnx.load_from_string(_export(module.eval(), image))
        simplified: ModelProto = onnxslim.slim(model)
    except (RuntimeError, ValueError, TypeError, KeyError, IndexError) as error:
        raise RenderingError(f"{native}: {' '.join(str(error).split())}") from error
    return simplified.graph


def _export(module: "nn.Module", image: "Tensor") -> bytes:
    import torch

    file = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter by tracing is deprecated, and says so at every call.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            module,
            (image,),
            file,  # type: ignore[arg-type] # the exporter by tracing takes it
            dynamo=False,
            input_names=["x"],
        )
    return file.getvalue()


def write_graph(graph: "GraphProto") -> str:
    """A graph as text, a line per node in topological order.

    What a node makes is called v1, v2, … in the order of the lines, the graph's inputs keep their
    names; weights are written where they are used, as `w` with their shape.
    """
    shape_of = {weight.name: list(weight.dims) for weight in graph.initializer}
    name_of = {entry.name: entry.name for entry in graph.input}
    lines = []
    for node in graph.node:
        inputs = [
            f"w{shape_of[name]}" if name in shape_of else name_of[name]
            for name in node.input
            if name
        ]
        for name in node.output:
            name_of[name] = f"v{len(name_of) - len(graph.input) + 1}"
        made = ", ".join(name_of[name] for name in node.output)
        lines.append(f"{made} = {node.op_type}({', '.join(inputs + _attributes(node))})")
    returned = ", ".join(
        name_of.get(entry.name) or f"w{shape_of[entry.name]}" for entry in graph.output
    )
    return "\n".join([*lines, f"return {returned}"])


def _attributes(node: "NodeProto") -> list[str]:
    """The attributes that are not the operator's default."""
    from onnx import defs, helper

    defaults = {
        name: helper.get_attribute_value(known.default_value)
        for name, known in defs.get_schema(node.op_type).attributes.items()
        if known.default_value.name
    }
    written = []
    for attribute in node.attribute:
        value = _plain(helper.get_attribute_value(attribute))
        unit = attribute.name in ("strides", "dilations") and set(value) == {1}
        if not unit and value != _plain(defaults.get(attribute.name)):
            written.append(f"{attribute.name}={value}")
    return written


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, int | float | str) or value is None:
        return value
    return list(value) if hasattr(value, "__iter__") else type(value).__name__
