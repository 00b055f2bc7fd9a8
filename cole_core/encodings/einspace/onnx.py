"""The exported, simplified ONNX graph as text: `onnx`."""

from cole_core.encodings.base import TextEncoding
from cole_core.encodings.onnx_text import simplified_graph, write_graph
from cole_core.spaces.einspace import Einspace


class Onnx(TextEncoding):
    """One entry per node of the graph: output, operator, inputs, weight shapes, attributes.

    The graph is that of the whole network. Unlike code it has a node for each copy of a branch.

    Args:
        space: The space, which knows the input shape and the number of classes.
    """

    name = "onnx"
    is_slow = True

    def __init__(self, space: Einspace) -> None:
        self._space = space

    def _render(self, native: str, context: str | None) -> str:
        self._space.validate(native)
        graph = simplified_graph(lambda: self._space.build(native), self._space.input_shape, native)
        return write_graph(graph)
