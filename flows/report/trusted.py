"""What stands in the page as it is: nothing else there is marked safe, everything else is escaped.

These are our own style and scripts, Vega's scripts, what pygments makes of code, and pictures that
consist of harmless elements.
"""

import functools
import re
from importlib import resources
from xml.etree import ElementTree as ET

import vl_convert
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from cole_core.errors import InputError

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_DRAWN = {
    *("svg", "g", "title", "desc", "path", "rect", "circle", "ellipse", "line", "polyline"),
    *("polygon", "text", "tspan"),
}


def style() -> Markup:
    """The page's style sheet."""
    return Markup(_read("style.css"))


def scripts() -> list[Markup]:
    """The page's scripts, in their order."""
    return [_vega(), Markup(_read("charts.js"))]


def highlight_code(code: str) -> Markup:
    """Python code as HTML, its tokens in classes of the page."""
    return Markup(highlight(code, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip())


def picture(svg: str) -> Markup:
    """A drawing that a search space made, written anew: it draws, and does nothing else.

    Args:
        svg: An `<svg>` element.

    Raises:
        InputError: It is none, or holds what runs, links or loads.
    """
    try:
        root = ET.fromstring(svg)
    except ET.ParseError as error:
        raise InputError(f"a search space's picture is no SVG: {error}") from error
    for element in root.iter():
        element.tag = element.tag.removeprefix(_NAMESPACE)
        if element.tag not in _DRAWN or (element.tag == "svg") != (element is root):
            raise InputError(f"a search space's picture may not have a <{element.tag}> there")
        for name in element.attrib:
            # HTML reads names without regard to case.
            if name.lower().startswith(("on", "{")) or "href" in name.lower():
                raise InputError(f"a search space's picture may not have the attribute {name}")
    return Markup(ET.tostring(root, encoding="unicode"))


def _read(name: str) -> str:
    return resources.files("flows.report").joinpath(name).read_text("utf-8")


@functools.cache
def _vega() -> Markup:
    """Vega, Vega-Lite and Vega-Embed as one script, which begins by defining `vegaEmbed`."""
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return Markup(re.sub("</(script)", r"<\\/\1", bundle, flags=re.IGNORECASE))
