"""The best architectures' code as people read it."""

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer


def highlight_code(code: str) -> str:
    """Python code as HTML, its tokens in classes of the page."""
    return highlight(code, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip()
