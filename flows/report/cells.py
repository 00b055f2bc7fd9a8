"""The best cells as people read them: a drawing of the graph and highlighted code."""

from collections.abc import Sequence
from html import escape

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

_WIDTH, _MARGIN, _RADIUS = 340, 26, 13
_SHORT = {
    "skip_connect": "skip",
    "nor_conv_1x1": "conv 1×1",
    "nor_conv_3x3": "conv 3×3",
    "avg_pool_3x3": "pool 3×3",
}


def draw_cell(edges: Sequence[tuple[int, int, str]]) -> str:
    """A cell as SVG: nodes in a row, an arc for each edge but `none`.

    Args:
        edges: (source, target, operation); node 0 is the input, the largest the output.

    Returns:
        An `<svg>` element whose colours are classes of the page; empty without edges.
    """
    if not edges:
        return ""
    last = max(target for _, target, _ in edges)
    step = (_WIDTH - 2 * _MARGIN) / last
    place = [_MARGIN + step * node for node in range(last + 1)]
    drawn = [edge for edge in edges if edge[2] != "none"]
    # Longer arcs alternate above and below the row, so that none lies on another.
    longer = sorted((e for e in drawn if e[1] - e[0] > 1), key=lambda e: e[1] - e[0])
    side = {edge[:2]: 1 if index % 2 == 0 else -1 for index, edge in enumerate(longer)}
    arcs, labels, heights = [], [], [0.0]
    for source, target, name in drawn:
        left, right = place[source], place[target]
        # The row is at height 0; a neighbour's edge lies on it.
        up = side.get((source, target), 0)
        start, bend = -up * _RADIUS, -up * (2 + 30 * (target - source))
        ends = (left, right) if up else (left + _RADIUS, right - _RADIUS)
        arcs.append(
            f'<path class="edge {escape(name)}" d="M{ends[0]:.0f} {start} '
            f"C{left + step * 0.45:.0f} {bend} {right - step * 0.45:.0f} {bend} "
            f'{ends[1]:.0f} {start}"/>'
        )
        # A cubic curve's middle is a quarter of its ends and three quarters of its bend.
        heights.append(0.25 * start + 0.75 * bend)
        labels.append(_label(name, (left + right) / 2, heights[-1]))
    nodes = [
        f'<circle class="node" cx="{x:.0f}" cy="0" r="{_RADIUS}"/>'
        f'<text class="name" x="{x:.0f}" y="3.6">'
        f"{'in' if node == 0 else 'out' if node == last else node}</text>"
        for node, x in enumerate(place)
    ]
    top, bottom = min(heights) - 16, max(heights) + 16
    words = "; ".join(f"{source} to {target} {name}" for source, target, name in drawn)
    return (
        f'<svg class="cell" viewBox="0 {top:.0f} {_WIDTH} {bottom - top:.0f}" role="img" '
        f'aria-label="{escape(words or "no edges")}">{"".join([*arcs, *nodes, *labels])}</svg>'
    )


def _label(name: str, x: float, y: float) -> str:
    """An operation's name on a plate that hides the arc behind it."""
    short = _SHORT.get(name, name)
    width = 6.1 * len(short) + 8
    return (
        f'<rect class="plate" x="{x - width / 2:.1f}" y="{y - 8:.1f}" width="{width:.1f}" '
        f'height="16" rx="4"/><text class="label {escape(name)}" x="{x:.1f}" y="{y + 3.6:.1f}">'
        f"{escape(short)}</text>"
    )


def highlight_code(code: str) -> str:
    """Python code as HTML, its tokens in classes of the page."""
    return highlight(code, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip()
