"""What a corpus is read as without running anything: `code.source`."""

from cole_core.encodings.base import TextEncoding
from cole_core.spaces.corpus.static import static_text


class Source(TextEncoding):
    """The network as somebody wrote it, without what says nothing of what it computes."""

    name = "code.source"

    def _render(self, native: str, context: str) -> str:
        return static_text(self.space.member(native))


class Bare(TextEncoding):
    """The expression of the normal form alone."""

    name = "code.bare"

    def _render(self, native: str, context: str) -> str:
        return self.space.normal_form(native).bare


class Expression(TextEncoding):
    """The expression of the normal form within a class."""

    name = "code.expression"

    def _render(self, native: str, context: str) -> str:
        return self.space.normal_form(native).expression


class Runnable(TextEncoding):
    """The normal form as a class that runs."""

    name = "code.class"

    def _render(self, native: str, context: str) -> str:
        return self.space.normal_form(native).class_text
