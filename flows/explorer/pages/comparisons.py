"""Comparisons, drawn as the report draws them."""

import json

from fastapi import Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from nicegui import app, ui

from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.hashing import hash_text
from cole_core.spaces.base import SearchSpace
from flows.explorer.pages.frame import (
    PATIENCE,
    address,
    copyable,
    in_thread,
    page_frame,
    say_problem,
)
from flows.explorer.state import Explorer
from flows.report import render_report
from flows.report.gather import gather_comparisons
from flows.resolve.commands import command
from flows.resolve.values import describe
from warehouse import Warehouse

_DRAWN = "/comparisons/drawn"


def register(explorer: Explorer) -> None:
    """Adds the page, and what it frames."""

    @ui.page("/comparisons", response_timeout=PATIENCE)
    async def comparisons_page(space: str | None = None) -> None:
        names = await in_thread(explorer.space_names)
        try:
            chosen = await in_thread(explorer.space, space)
            targets = await in_thread(compared_targets, explorer.warehouse, chosen)
        except InputError as error:
            with page_frame("/comparisons", "Comparisons", None, names):
                say_problem(error)
            return
        with page_frame("/comparisons", "Comparisons", chosen.name, names):
            _lay_out(explorer, chosen, targets)

    @app.get(_DRAWN)
    def drawn(space: str, target: str) -> Response:
        try:
            return HTMLResponse(draw(explorer, space, target))
        except InputError as error:
            return PlainTextResponse(str(error), status_code=404)


def _lay_out(explorer: Explorer, space: SearchSpace, targets: dict[str, Target]) -> None:
    if not targets:
        ui.label("No comparison was run in this space.").classes("note")
        lines = [("predictors", "primitives"), ("search", "defaults")]
        for line in lines:
            copyable(command(explorer.warehouse.home, "compare", *line, space=space.full_name))
        return

    def show(key: str) -> None:
        frame.props(f'src="{address(_DRAWN, space=space.name, target=key)}"')

    first = next(iter(targets))
    ui.select(
        {key: f"{each.dataset} {describe(each)}" for key, each in targets.items()},
        value=first,
        label="Comparisons on",
        on_change=lambda event: show(event.value),
    ).props("dense outlined options-dense").style("max-width: 560px; margin-bottom: 10px")
    frame = ui.element("iframe").classes("report").props('title="Comparisons"')
    show(first)


def compared_targets(warehouse: Warehouse, space: SearchSpace) -> dict[str, Target]:
    """What comparisons in a space were about, the latest first, by a hash."""
    texts = warehouse.read("compared_targets", space=space.name)["target"]
    return {hash_text(text): Target(**json.loads(text)) for text in texts}


def draw(explorer: Explorer, space: str, key: str) -> str:
    """The report's sections on the comparisons of a target, as a page.

    Raises:
        InputError: There is no such space, or no comparison of that.
    """
    chosen = explorer.space(space)
    targets = compared_targets(explorer.warehouse, chosen)
    if key not in targets:
        raise InputError(f"no comparison in {chosen.name} is about that: choose one on the page")
    data = gather_comparisons(explorer.warehouse, chosen, targets[key])
    stored = {"comparisons": data.comparisons, "search-comparisons": data.search_comparisons}
    return render_report(data, only=[name for name, found in stored.items() if found])
