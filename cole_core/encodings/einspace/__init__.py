"""The encodings of einspace, text and vector."""

from collections.abc import Callable

from cole_core.encodings.base import Encoding
from cole_core.encodings.einspace.code import CodeClass
from cole_core.encodings.einspace.derivation import CanonicalDerivation, Derivation
from cole_core.encodings.einspace.expression import Expression
from cole_core.encodings.einspace.onnx import Onnx
from cole_core.encodings.einspace.vectors import Counts, Ngram
from cole_core.registry import Registry
from cole_core.spaces.einspace import Einspace

encodings: Registry[Encoding] = Registry("encoding of einspace")


def _on_space(encoding: Callable[[Einspace], Encoding]) -> Callable[..., Encoding]:
    """A factory that takes the space's parameters, input shape and classes."""
    return lambda **parameters: encoding(Einspace(**parameters))


encodings.register("code.expression", _on_space(Expression))
encodings.register("code.class", _on_space(CodeClass))
encodings.register("derivation", _on_space(Derivation))
encodings.register("derivation.canonical", _on_space(CanonicalDerivation))
encodings.register("onnx", _on_space(Onnx))

encodings.register("counts", _on_space(Counts))
encodings.register("ngram", _on_space(Ngram))
