"""How a cell is drawn: what reads the input at the left, each reader right of what it reads."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from cole_core.spaces.nasbenchgraph.canonical import Node, parse, tree
from cole_core.spaces.nasbenchgraph.cell import NODES

_STEP, _ROW, _MARGIN, _RADIUS = 66, 34, 26, 13
_PLATE_WIDTH, _PLATE_HEIGHT = 48, 18

Point = tuple[float, float]


def draw(native: str) -> str:
    """A cell as SVG, without skips that change nothing.

    Args:
        native: Its native string.

    Returns:
        An `<svg>` element. Colours are the page's, by the classes `edge` and `label`, with the
        operation as a second class, `node`, `name` and `plate`.

    Raises:
        InputError: The string is not a cell.
    """
    nodes = tree(parse(native))
    rows = sum(map(_leaves, nodes))
    middle = (rows - 1) * _ROW / 2
    start, end = (_MARGIN, middle), (_MARGIN + (NODES + 1) * _STEP, middle)  # all of one width
    lines: list[ET.Element] = []
    plates: list[ET.Element] = []
    top = 0.0
    for node in nodes:
        lines += _lines(node, start, end, top)
        plates += _plates(node, start[0], top)
        top += _leaves(node) * _ROW
    svg = _element(
        "svg",
        "cell",
        viewBox=f"0 {-_ROW / 2:.0f} {end[0] + _MARGIN:.0f} {rows * _ROW:.0f}",
        role="img",
        **{"aria-label": ", ".join(node.write() for node in nodes)},
    )
    svg.extend([*lines, *plates, *_end("in", start), *_end("out", end)])
    return ET.tostring(svg, encoding="unicode")


def _leaves(node: Node) -> int:
    return sum(map(_leaves, node.readers)) or 1


def _place(node: Node, left: float, top: float) -> Point:
    """The middle of a node's plate: right of what it reads, amid the outputs behind it."""
    return left + _STEP, top + (_leaves(node) - 1) * _ROW / 2


def _lines(node: Node, source: Point, end: Point, top: float) -> Iterator[ET.Element]:
    """The edges to a node, behind it, and from there to the output."""
    place = _place(node, source[0], top)
    yield _curve(source, place, node.operation)
    if not node.readers:
        yield _curve(place, end, "output")
    for reader in node.readers:
        yield from _lines(reader, place, end, top)
        top += _leaves(reader) * _ROW


def _plates(node: Node, left: float, top: float) -> Iterator[ET.Element]:
    x, y = _place(node, left, top)
    yield _element(
        "rect",
        "plate",
        x=f"{x - _PLATE_WIDTH / 2:.0f}",
        y=f"{y - _PLATE_HEIGHT / 2:.0f}",
        width=f"{_PLATE_WIDTH}",
        height=f"{_PLATE_HEIGHT}",
        rx="4",
    )
    yield _text(node.operation, f"label {node.operation}", x, y)
    for reader in node.readers:
        yield from _plates(reader, x, top)
        top += _leaves(reader) * _ROW


def _curve(start: Point, end: Point, name: str) -> ET.Element:
    (left, y), (right, z) = start, end
    bend = _STEP / 2
    curve = f"M{left:.0f} {y:.0f} C{left + bend:.0f} {y:.0f} {right - bend:.0f} {z:.0f} "
    return _element("path", f"edge {name}", d=f"{curve}{right:.0f} {z:.0f}")


def _end(name: str, place: Point) -> Iterator[ET.Element]:
    x, y = place
    yield _element("circle", "node", cx=f"{x:.0f}", cy=f"{y:.0f}", r=f"{_RADIUS}")
    yield _text(name, "name", x, y)


def _text(text: str, class_: str, x: float, y: float) -> ET.Element:
    element = _element("text", class_, x=f"{x:.0f}", y=f"{y + 3.6:.1f}")
    element.text = text
    return element


def _element(tag: str, class_: str, **attributes: str) -> ET.Element:
    return ET.Element(tag, {"class": class_} | attributes)
