"""What a corpus is read as without running anything: `code.source`."""

from cole_core.encodings.base import TextEncoding
from cole_core.spaces.corpus.static import static_text


class Source(TextEncoding):
    """The network as somebody wrote it, without what says nothing of what it computes."""

    name = "code.source"

    def _render(self, native: str, context: str) -> str:
        return static_text(self.space.member(native))
