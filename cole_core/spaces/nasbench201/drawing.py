"""How a cell is drawn: nodes in a row, an arc for each edge but `none`."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from cole_core.spaces.nasbench201.cell import EDGES, NODES, parse

_WIDTH, _MARGIN, _RADIUS = 340, 26, 13
_SHORT = {
    "skip_connect": "skip",
    "nor_conv_1x1": "conv 1×1",
    "nor_conv_3x3": "conv 3×3",
    "avg_pool_3x3": "pool 3×3",
}
_PLACES = [_MARGIN + (_WIDTH - 2 * _MARGIN) / (NODES - 1) * node for node in range(NODES)]

Edge = tuple[int, int, str]


def draw(native: str) -> str:
    """A cell as SVG.

    Args:
        native: Its native string.

    Returns:
        An `<svg>` element. Colours are the page's, by the classes `edge` and `label`, with the
        operation as a second class, `node`, `name` and `plate`.

    Raises:
        InputError: The string is not a cell.
    """
    operations = parse(native).operations
    edges = [(*edge, name) for edge, name in zip(EDGES, operations, strict=True) if name != "none"]
    sides = _sides(edges)
    arcs, labels, heights = [], [], [0.0]
    for edge in edges:
        arc, height = _arc(edge, sides.get(edge, 0))
        middle = (_PLACES[edge[0]] + _PLACES[edge[1]]) / 2
        arcs.append(arc)
        heights.append(height)
        labels += _label(edge[2], middle, height)
    top, bottom = min(heights) - 16, max(heights) + 16
    words = "; ".join(f"{source} to {target} {name}" for source, target, name in edges)
    svg = _element(
        "svg",
        "cell",
        viewBox=f"0 {top:.0f} {_WIDTH} {bottom - top:.0f}",
        role="img",
        **{"aria-label": words or "no edges"},
    )
    svg.extend([*arcs, *_nodes(), *labels])
    return ET.tostring(svg, encoding="unicode")


def _sides(edges: Sequence[Edge]) -> dict[Edge, int]:
    """1 above the row, -1 below: longer arcs alternate, so that none lies on another."""
    longer = sorted((e for e in edges if e[1] - e[0] > 1), key=lambda e: e[1] - e[0])
    return {edge: 1 if index % 2 == 0 else -1 for index, edge in enumerate(longer)}


def _arc(edge: Edge, side: int) -> tuple[ET.Element, float]:
    """The curve of an edge, and the height of its middle; the row is at height 0.

    Args:
        edge: Source, target, operation.
        side: 1 above the row, -1 below, 0 on it, where a neighbour's edge lies.
    """
    source, target, name = edge
    left, right = _PLACES[source], _PLACES[target]
    step = _PLACES[1] - _PLACES[0]
    start, bend = -side * _RADIUS, -side * (2 + 30 * (target - source))
    ends = (left, right) if side else (left + _RADIUS, right - _RADIUS)
    curve = (
        f"M{ends[0]:.0f} {start} C{left + step * 0.45:.0f} {bend} "
        f"{right - step * 0.45:.0f} {bend} {ends[1]:.0f} {start}"
    )
    # A cubic curve's middle is a quarter of its ends and three quarters of its bend.
    return _element("path", f"edge {name}", d=curve), 0.25 * start + 0.75 * bend


def _label(name: str, x: float, y: float) -> list[ET.Element]:
    """An operation's name on a plate that hides the arc behind it."""
    short = _SHORT[name]
    width = 6.1 * len(short) + 8
    plate = _element(
        "rect",
        "plate",
        x=f"{x - width / 2:.1f}",
        y=f"{y - 8:.1f}",
        width=f"{width:.1f}",
        height="16",
        rx="4",
    )
    return [plate, _text(short, f"label {name}", x=f"{x:.1f}", y=f"{y + 3.6:.1f}")]


def _nodes() -> list[ET.Element]:
    names = ["in", *map(str, range(1, NODES - 1)), "out"]
    drawn = []
    for name, x in zip(names, _PLACES, strict=True):
        drawn.append(_element("circle", "node", cx=f"{x:.0f}", cy="0", r=f"{_RADIUS}"))
        drawn.append(_text(name, "name", x=f"{x:.0f}", y="3.6"))
    return drawn


def _text(text: str, class_: str, **attributes: str) -> ET.Element:
    element = _element("text", class_, **attributes)
    element.text = text
    return element


def _element(tag: str, class_: str, **attributes: str) -> ET.Element:
    return ET.Element(tag, {"class": class_} | attributes)
