"""An architecture at a glance, beside the map."""

from markupsafe import Markup
from nicegui import ui

from flows.explorer.architecture import Card
from flows.explorer.pages.frame import address, architecture_address
from flows.explorer.pages.tables import plain_table
from flows.report.trusted import highlight_code
from flows.resolve.values import kind_in_words


def show_card(card: Card) -> None:
    """Lays it out."""
    with ui.element("div").classes("card"):
        with ui.element("h2"):
            ui.link(card.native, architecture_address(card.architecture_id)).classes("mono")
        show_picture(card.picture)
        show_sizes(card)
        rows = [
            (f"{kind_in_words(row)}, {row['source']}", with_unit(row["value"], row["unit"]))
            for row in card.values
        ]
        if rows:
            plain_table(("measured", "value"), rows)
        else:
            ui.label("Nothing was measured of it.").classes("about")
        if card.code is not None:
            ui.label(card.code[1]).classes("about")
            show_code(card.code[0])
        link = address(architecture_address(card.architecture_id))
        ui.link("Everything about it", link)


def show_picture(picture: Markup | None) -> None:
    """A picture, where there is one."""
    if picture is not None:
        with ui.element("div").classes("picture"):
            # `trusted.picture` wrote it anew, of elements that draw alone.
            ui.html(str(picture), sanitize=False)


def show_sizes(card: Card) -> None:
    """Parameters and multiply-accumulates, where they are known."""
    known = {"trainable parameters": card.parameters, "multiply-accumulates": card.flops}
    with ui.element("div").classes("facts"):
        for name, number in known.items():
            if number is not None:
                ui.label(name).classes("term")
                ui.label(f"{number:,}").classes("number")


def show_code(text: str) -> None:
    """A text as code."""
    # pygments escapes what it marks.
    ui.html(f"<pre>{highlight_code(text)}</pre>", sanitize=False).classes("code")


def with_unit(value: float, unit: str | None) -> str:
    """A measured value with its unit."""
    number = f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4g}"
    return f"{number} {unit}" if unit else number
