"""How a corpus is read: its source, and the normal forms that are stored."""

from cole_core.encodings import traced_texts
from cole_core.encodings.base import Rendering, TextEncoding
from cole_core.spaces.corpus.static import static_text


class Source(TextEncoding):
    """The network as somebody wrote it, without what says nothing of what it computes."""

    name = "code.source"

    def _written(self, native: str, context: str) -> Rendering:
        return Rendering(self._render(native, context), "source", "code.source is never run")

    def _render(self, native: str, context: str) -> str:
        return static_text(self.space.member(native))


class Bare(traced_texts.Bare):
    """As for every space, but that nothing is traced to write it."""

    is_slow = False


class Expression(traced_texts.Expression):
    """As for every space, but that nothing is traced to write it."""

    is_slow = False


class CodeClass(traced_texts.CodeClass):
    """As for every space, but that nothing is traced to write it."""

    is_slow = False
