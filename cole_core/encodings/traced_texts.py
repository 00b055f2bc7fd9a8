"""Texts that every space has: the normal forms of the networks that it builds."""

from abc import abstractmethod

from cole_core.encodings.base import Rendering, RenderingError, TextEncoding
from cole_core.encodings.normal_form import NormalForm


class NormalFormText(TextEncoding):
    """A network's normal form as text; it takes as long as tracing the network."""

    is_slow = True

    @abstractmethod
    def write(self, form: NormalForm) -> str:
        """The text of a normal form.

        Raises:
            RenderingError: There is none.
        """

    def _written(self, native: str, context: str) -> Rendering:
        form = self.space.normal_form(native)
        return Rendering(self.write(form), form.path, form.reason)

    def _render(self, native: str, context: str) -> str:
        return self._written(native, context).text


class Bare(NormalFormText):
    """The network as one expression, nothing around it; sizes are literals."""

    name = "code.bare"

    def write(self, form: NormalForm) -> str:
        return form.bare


class Expression(NormalFormText):
    """The network as one expression in a class."""

    name = "code.expression"

    def write(self, form: NormalForm) -> str:
        return form.expression


class CodeClass(NormalFormText):
    """The network as a class that runs, with its imports."""

    name = "code.class"

    def write(self, form: NormalForm) -> str:
        return form.class_text


class Source(NormalFormText):
    """What a person wrote, without comments, docstrings, annotations and unreached methods.

    For spaces whose networks are given as files: they name it among their encodings.
    """

    name = "code.source"

    def write(self, form: NormalForm) -> str:
        if form.source is None:
            raise RenderingError("the network has no source")
        return form.source


class Onnx(NormalFormText):
    """The exported, simplified ONNX graph of the class that `code.class` writes."""

    name = "onnx"

    def write(self, form: NormalForm) -> str:
        from cole_core.encodings.normal_form.inputs import inferred
        from cole_core.encodings.onnx_text import simplified_graph, write_graph

        module = form.build()
        inputs = inferred(module)
        if inputs is None or inputs[0].dtype != "float32":
            raise RenderingError("no layer says which images the network takes")
        graph = simplified_graph(lambda: module, inputs[0].shape[1:], "the traced network")
        return write_graph(graph)
