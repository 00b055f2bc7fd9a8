"""The exported, simplified ONNX graph as text: `onnx`."""

from cole_core.encodings.base import TextEncoding
from cole_core.encodings.onnx_text import simplified_graph, write_graph


class Onnx(TextEncoding):
    """One entry per node of the graph: output, operator, inputs, weight shapes, attributes.

    The graph is that of the whole network. Unlike code it has a node for each copy of a branch.
    """

    name = "onnx"
    is_slow = True

    def _render(self, native: str, context: str) -> str:
        self.space.validate(native)
        graph = simplified_graph(lambda: self.space.build(native), self.space.input_shape, native)
        return write_graph(graph)
