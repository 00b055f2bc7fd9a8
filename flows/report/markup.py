"""Pieces of HTML that sections are made of."""

import json
from collections.abc import Iterable, Sequence
from html import escape

from flows.report.charts import Spec


def missing(what: str, *commands: str) -> str:
    """A section without data: what is missing and what makes it."""
    listed = " or ".join(f"<code>{escape(command)}</code>" for command in commands)
    return f'<p class="missing">{what} Run {listed}.</p>'


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], caption: str, numbers: Iterable[int]
) -> str:
    """A table. Cells are HTML: whoever makes them has escaped what is inside."""
    right = set(numbers)

    def cell(tag: str, index: int, content: str) -> str:
        return f"<{tag}{' class=number' if index in right else ''}>{content}</{tag}>"

    top = "".join(cell("th", index, escape(name)) for index, name in enumerate(head))
    body = "".join(
        f"<tr>{''.join(cell('td', index, content) for index, content in enumerate(row))}</tr>"
        for row in rows
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll"><table>{title}<thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def figure(charts: Sequence[Spec], caption: str, name: str, renderer: str = "svg") -> str:
    """One or more charts side by side. The caption is HTML."""
    places = []
    for index, chart in enumerate(charts):
        key = f"{name}-{index}"
        places.append(
            f'<div class="chart" data-specification="{key}" data-renderer="{renderer}"></div>'
            f'<script type="application/json" id="{key}">{_json(chart)}</script>'
        )
    if len(charts) > 1:
        places = ['<div class="pair">', *(f"<div>{place}</div>" for place in places), "</div>"]
    return f"<figure>{''.join(places)}<figcaption>{caption}</figcaption></figure>"


def _json(value: Spec) -> str:
    # "<" cannot stand inside a script element: a string might end it.
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
