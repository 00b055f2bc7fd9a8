"""Any nn.Module in one normal form."""

from cole_core.encodings.normal_form.form import NormalForm, normal_form, source_form
from cole_core.encodings.normal_form.graph import Graph, Layer, Node, Ref
from cole_core.encodings.normal_form.inputs import Input

__all__ = ["Graph", "Input", "Layer", "Node", "NormalForm", "Ref", "normal_form", "source_form"]
