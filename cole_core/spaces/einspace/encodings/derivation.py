"""The derivation in brackets: `derivation` and `derivation.canonical`."""

from cole_core.encodings.base import TextEncoding


class Derivation(TextEncoding):
    """The space's own string."""

    name = "derivation"

    def _render(self, native: str, context: str) -> str:
        self.space.validate(native)
        return native


class CanonicalDerivation(Derivation):
    """The string of the canonical form, without what does nothing."""

    name = "derivation.canonical"

    def _render(self, native: str, context: str) -> str:
        return self.space.canonical_form(native)
