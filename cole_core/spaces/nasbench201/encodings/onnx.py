"""The exported, simplified ONNX graph as text: `onnx`."""

from typing import TYPE_CHECKING

from cole_core.encodings import onnx_text
from cole_core.encodings.base import NO_CONTEXT, TextEncoding
from cole_core.spaces.nasbench201 import build, parse

if TYPE_CHECKING:
    from onnx import GraphProto

CHANNELS = 16
SIZE = 32  # height and width of a CIFAR image, and of what the first stage's cells see


class Onnx(TextEncoding):
    """One entry per node of the graph: output, operator, inputs, weight shapes, attributes.

    Alone, the graph is that of the cell with 16 channels. In the context `network` it is that of
    the whole network with one cell per stage instead of five: a repetition tells nothing new, and
    the text is a quarter as long. A `none` edge is a constant, and an operation on it stays.
    """

    name = "onnx"
    contexts = (NO_CONTEXT, "network")
    is_slow = True

    def _render(self, native: str, context: str) -> str:
        return onnx_text.write_graph(simplified_graph(native, whole=context == "network"))


def simplified_graph(native: str, *, whole: bool) -> "GraphProto":
    """The simplified graph of a cell, or of a network with one cell per stage.

    Raises:
        InputError: The packages of the extra `onnx` are missing.
        RenderingError: The export failed.
    """
    cell = parse(native)
    if whole:
        return onnx_text.simplified_graph(
            lambda: build(native, CHANNELS, cells=1), (3, SIZE, SIZE), native
        )
    from cole_core.spaces.nasbench201.network import CellModule  # torch takes seconds to import

    return onnx_text.simplified_graph(
        lambda: CellModule(cell, CHANNELS), (CHANNELS, SIZE, SIZE), native
    )
