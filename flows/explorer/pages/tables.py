"""Tables of a page: short ones, every cell a text that is shown as it is."""

from collections.abc import Iterable, Sequence
from typing import Any

from nicegui import ui


def plain_table(
    heads: Sequence[str], rows: Iterable[Sequence[Any]], numbers: Sequence[int] | None = None
) -> None:
    """A table.

    Args:
        heads: Of its columns.
        rows: A cell is a text, or a text and the address that it leads to.
        numbers: Which columns stand to the right; the last one where none is named.
    """
    right = {len(heads) - 1} if numbers is None else set(numbers)

    def cell(tag: str, place: int) -> ui.element:
        return ui.element(tag).classes("number" if place in right else "")

    with ui.element("div").classes("scroll"), ui.element("table").classes("plain"):
        with ui.element("thead"), ui.element("tr"):
            for place, head in enumerate(heads):
                with cell("th", place):
                    ui.label(head)
        with ui.element("tbody"):
            for row in rows:
                with ui.element("tr"):
                    for place, value in enumerate(row):
                        with cell("td", place):
                            if isinstance(value, tuple):
                                ui.link(*value).classes("mono")
                            else:
                                ui.label(str(value))
