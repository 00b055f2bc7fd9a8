"""The derivation in brackets: `derivation` and `derivation.canonical`."""

from cole_core.encodings.base import TextEncoding
from cole_core.spaces.einspace import Einspace


class Derivation(TextEncoding):
    """The space's own string.

    Args:
        space: The space.
    """

    name = "derivation"

    def __init__(self, space: Einspace) -> None:
        self._space = space

    def _render(self, native: str, context: str | None) -> str:
        self._space.validate(native)
        return native


class CanonicalDerivation(Derivation):
    """The string of the canonical form, without what does nothing."""

    name = "derivation.canonical"

    def _render(self, native: str, context: str | None) -> str:
        return self._space.canonical_form(native)
