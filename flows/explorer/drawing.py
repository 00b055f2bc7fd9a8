"""A network's picture from its traced graph: an operation below all that it reads."""

from collections.abc import Sequence
from html import escape
from xml.sax.saxutils import quoteattr

from cole_core.encodings.normal_form.graph import Graph, Node

MOST = 160
"""Operations of a picture; beyond them it would show nothing."""

_WIDE, _HIGH, _GAP, _STEP = 150, 26, 14, 48  # of a box, and between boxes
_LETTERS = 22


def draw_graph(graph: Graph) -> str | None:
    """The graph as an `<svg>` element; None where it is too large for a picture."""
    if not 0 < len(graph.nodes) <= MOST:
        return None
    read = [sorted(set(node.refs())) for node in graph.nodes]
    places = _places(read)
    width = max(x for x, _ in places) + _WIDE + _GAP
    height = max(y for _, y in places) + _HIGH + _GAP
    lines = [
        _line(places[source], places[number])
        for number, sources in enumerate(read)
        for source in sources
    ]
    boxes = [
        _box(place, node, _words(graph, node))
        for place, node in zip(places, graph.nodes, strict=True)
    ]
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" class="graph" '
        f'style="max-width: {width:g}px">{"".join(lines)}{"".join(boxes)}</svg>'
    )


def _places(read: Sequence[Sequence[int]]) -> list[tuple[float, float]]:
    """The corner of each box: a row below all that it reads, in a row as its sources stand."""
    level: list[int] = []
    for sources in read:
        level.append(1 + max((level[source] for source in sources), default=-1))
    rows: list[list[int]] = [[] for _ in range(max(level) + 1)]
    for number, row in enumerate(level):
        rows[row].append(number)
    widest = max(map(len, rows)) * (_WIDE + _GAP)
    at = [0.0] * len(read)
    for boxes in rows:
        boxes.sort(key=lambda number: _middle(at, read[number]))
        free = (widest - len(boxes) * (_WIDE + _GAP)) / 2
        for place, number in enumerate(boxes):
            at[number] = _GAP / 2 + free + place * (_WIDE + _GAP)
    return [(x, _GAP / 2 + row * _STEP) for x, row in zip(at, level, strict=True)]


def _middle(at: Sequence[float], sources: Sequence[int]) -> float:
    return sum(at[source] for source in sources) / len(sources) if sources else 0.0


def _line(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = start, end
    x1, y1, x2 = x1 + _WIDE / 2, y1 + _HIGH, x2 + _WIDE / 2
    bend = (y2 - y1) / 2
    path = f"M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"
    return f'<path class="edge" d="{path}"/>'


def _box(place: tuple[float, float], node: Node, words: str) -> str:
    x, y = place
    short = words if len(words) <= _LETTERS else f"{words[: _LETTERS - 1]}…"
    kind = "layer" if node.layer is not None else "plain"
    return (
        f"<g><title>{escape(words)}</title>"
        f'<rect class={quoteattr(f"box {kind}")} x="{x:g}" y="{y:g}" width="{_WIDE}" '
        f'height="{_HIGH}" rx="6"/>'
        f'<text class="name" x="{x + _WIDE / 2:g}" y="{y + _HIGH / 2 + 4:g}">{escape(short)}</text>'
        "</g>"
    )


def _words(graph: Graph, node: Node) -> str:
    """What a node does: its layer with its sizes, or its operation with its options."""
    layer = graph.layer_of(node)
    if layer is None:
        return f"{node.operation} {_sizes(node.options)}".strip()
    return f"{layer.kind} {_sizes(layer.arguments)}".strip()


def _sizes(named: Sequence[tuple[str, object]]) -> str:
    return ", ".join(
        str(value) if isinstance(value, int | float | str) else f"{name} {value}"
        for name, value in named
        if isinstance(value, int | float | str | tuple) and not isinstance(value, bool)
    )
