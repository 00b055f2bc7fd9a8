"""A network's exported, simplified ONNX graph as text: what the `onnx` encodings share."""

import io
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cole_core.encodings.base import RenderingError
from cole_core.encodings.onnx_folding import fold_constants
from cole_core.errors import InputError

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto
    from torch import Tensor, nn


def simplified_graph(
    make: Callable[[], "nn.Module"], input_shape: tuple[int, ...], native: str
) -> "GraphProto":
    """The simplified graph of a network in evaluation mode, for a batch of one.

    Exporter and simplifier fold batch norms into convolutions, drop what the output does not
    reach and join equal operations on equal inputs. The exporter is the one by tracing
    (`dynamo=False`): it gives the same simplified graph as the other in a twentieth of the time.

    Args:
        make: Makes the network.
        input_shape: Of one input, without the batch.
        native: The architecture's name, for the error message.

    Raises:
        InputError: The packages of the extra `onnx` are missing.
        RenderingError: The export failed.
    """
    try:
        import onnx
        import onnxslim
    except ImportError as error:
        raise InputError(
            f"encoding onnx needs the package {error.name}: install cole-warehouse[onnx]"
        ) from None
    import torch

    with torch.random.fork_rng(devices=[]):  # the weights' values are not in the text
        torch.manual_seed(0)
        module = make()
    try:
        model = onnx.load_from_string(_export(module.eval(), torch.zeros(1, *input_shape)))
        simplified: ModelProto = onnxslim.slim(fold_constants(model))
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
