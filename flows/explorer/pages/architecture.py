"""The page of one architecture: all that is known of it, what is quick to tell first."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Response
from fastapi.responses import PlainTextResponse
from nicegui import app, ui

from cole_core.errors import InputError
from flows.explorer.architecture import (
    Card,
    Details,
    commands,
    details,
    draw_traced,
    nearest,
    network_file,
    predictions,
)
from flows.explorer.pages.card import show_code, show_picture, show_sizes, with_unit
from flows.explorer.pages.frame import (
    PATIENCE,
    address,
    architecture_address,
    copyable,
    heading,
    in_thread,
    page_frame,
    say_problem,
)
from flows.explorer.pages.tables import plain_table
from flows.explorer.state import Explorer
from flows.resolve.values import kind_in_words
from warehouse import Warehouse

T = TypeVar("T")
Find = Callable[[Warehouse, str], T]

_TWINS = 20


def register(explorer: Explorer) -> None:
    """Adds the page, and the file that it offers."""

    @ui.page("/architecture/{architecture_id}", response_timeout=PATIENCE)
    async def architecture_page(architecture_id: str) -> None:
        names = await in_thread(explorer.space_names)
        try:
            card = await in_thread(explorer.card, architecture_id)
        except InputError as error:
            with page_frame("/architecture", "Architecture", None, names):
                say_problem(error)
            return
        with page_frame("/architecture", card.native, card.space, []):
            fill = _lay_out(explorer, card)
        await ui.context.client.connected(timeout=PATIENCE)
        await fill()

    @app.get("/architecture/{architecture_id}/net.py")
    def net_py(architecture_id: str) -> Response:
        try:
            text = network_file(explorer.warehouse, architecture_id)
        except InputError as error:
            return PlainTextResponse(str(error), status_code=404)
        headers = {"content-disposition": 'attachment; filename="net.py"'}
        return PlainTextResponse(text, media_type="text/x-python", headers=headers)


def _lay_out(explorer: Explorer, card: Card) -> Callable[[], Any]:
    """What is known at once; gives what fills in the rest."""
    ui.label(card.native).classes("mono").style("font-size: 16px")
    ui.label(f"{card.architecture_id} of {card.space}").classes("about mono")
    with ui.element("div").classes("pair"):
        with ui.element("div").classes("card"):
            show_picture(card.picture)
            traced = ui.element("div")
            show_sizes(card)
            space = card.space.partition(":")[0]
            ui.link("On the map", address("/", space=space, at=card.architecture_id))
        with ui.element("div"):
            texts = ui.element("div")
            net = f"{architecture_address(card.architecture_id)}/net.py"
            ui.link("Download as net.py, which runs with PyTorch alone", net)
    told = ui.element("div")
    predicted = ui.element("div")
    near = ui.element("div")
    heading("The same from the command line")
    for about, line in commands(explorer.warehouse.home, card).items():
        ui.label(about).classes("about")
        copyable(line)

    async def part(place: ui.element, find: Find[T], show: Callable[[T], None]) -> None:
        with place:
            waiting = ui.spinner(size="sm")
            try:
                found = await in_thread(find, explorer.warehouse, card.architecture_id)
            except InputError as error:
                say_problem(error)
            else:
                show(found)
            waiting.delete()

    async def fill() -> None:
        await part(told, details, lambda found: _show_details(found, texts))
        if card.picture is None:
            await part(traced, draw_traced, show_picture)
        await part(near, nearest, _show_neighbours)
        await part(predicted, predictions, _show_predictions)

    return fill


def _show_details(found: Details, texts: ui.element) -> None:
    with texts:
        for text in found.texts:
            tokens = [f"{count:,} tokens of {model}" for model, count in text["tokens"].items()]
            context = "" if text["context"] == "none" else f"in {text['context']}"
            ui.label(", ".join(filter(None, [text["encoding"], context, *tokens]))).classes("about")
            show_code(text["text"])
    heading("Measured" if found.values else "Nothing was measured of it")
    if found.values:
        plain_table(
            ("of", "source", "value", "rank"),
            [
                (
                    kind_in_words(row),
                    row["source"]
                    + (f" (mean of {row['measured']})" if row["measured"] > 1 else ""),
                    with_unit(row["value"], row["unit"]),
                    _rank(row),
                )
                for row in found.values
            ],
            numbers=(2, 3),
        )
    said = "No other stored architecture computes the same"
    if found.twins:
        said = f"{len(found.twins):,} compute the same"
    heading(said)
    if found.canonical_form is not None:
        ui.label(found.canonical_form).classes("mono about")
    for twin in found.twins[:_TWINS]:
        ui.link(twin["native"], architecture_address(twin["architecture_id"])).classes(
            "mono"
        ).style("display: block")
    if len(found.twins) > _TWINS:
        ui.label(f"and {len(found.twins) - _TWINS:,} more").classes("about")


def _show_predictions(found: list[dict[str, Any]]) -> None:
    if not found:
        return
    heading("Predicted")
    plain_table(
        ("of", "by", "value ± deviation", "rank"),
        [
            (
                f"{row['dataset']} {row['target']}",
                f"{row['head']} on {row['encoding']}, trained on {row['n']:,}",
                f"{row['predicted']:.2f} ± {row['std']:.2f}",
                _rank(row),
            )
            for row in found
        ],
        numbers=(2, 3),
    )


def _show_neighbours(found: dict[str, Any] | None) -> None:
    if found is None:
        return
    heading(f"Nearest by {found['encoding']}")
    known = [name for name in found["columns"] if name in found["values"]]
    plain_table(
        ("architecture", "distance", "", *known),
        [
            (
                (row["native"], architecture_address(row["architecture_id"])),
                f"{row['distance']:.4f}",
                "computes the same" if row.get("twin") else "",
                *("–" if row.get(name) is None else f"{row[name]:.4g}" for name in known),
            )
            for row in found["rows"]
        ],
        numbers=range(1, 3 + len(known)),
    )


def _rank(row: dict[str, Any]) -> str:
    return "–" if row["rank"] is None else f"{row['rank']:,} of {row['architectures']:,}"
