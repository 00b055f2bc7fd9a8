"""The encodings of einspace, text and vector."""

from collections.abc import Callable

from cole_core.encodings.base import Encoding
from cole_core.encodings.einspace.code import CodeClass
from cole_core.registry import Registry
from cole_core.spaces.einspace import Einspace

encodings: Registry[Encoding] = Registry("encoding of einspace")


def _on_space(encoding: Callable[[Einspace], Encoding]) -> Callable[..., Encoding]:
    """A factory that takes the space's parameters, input shape and classes."""
    return lambda **parameters: encoding(Einspace(**parameters))


encodings.register("code.class", _on_space(CodeClass))
