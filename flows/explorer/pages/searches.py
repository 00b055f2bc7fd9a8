"""Searches: the best so far while they run, fronts, what was believed and learned, their steps."""

from typing import Any

import polars as pl
from nicegui import ui

from cole_core.errors import InputError
from cole_core.spaces.base import SearchSpace
from flows.explorer.atlas import Stamp, stamp
from flows.explorer.pages.card import with_unit
from flows.explorer.pages.frame import (
    PATIENCE,
    architecture_address,
    copyable,
    heading,
    in_thread,
    page_frame,
    say_problem,
)
from flows.explorer.pages.tables import plain_table
from flows.explorer.search_charts import beliefs_chart, chart, front_chart, weights_chart
from flows.explorer.searching import Group, believed, front, groups, learned, steps
from flows.explorer.state import Explorer
from flows.resolve.commands import command
from flows.resolve.values import describe

_LOOK_SECONDS = 2.0
_LISTED = 60  # steps


def register(explorer: Explorer) -> None:
    """Adds the page."""

    @ui.page("/searches", response_timeout=PATIENCE)
    async def searches_page(space: str | None = None) -> None:
        names = await in_thread(explorer.space_names)
        try:
            chosen = await in_thread(explorer.space, space)
        except InputError as error:
            with page_frame("/searches", "Searches", None, names):
                say_problem(error)
            return
        with page_frame("/searches", "Searches", chosen.name, names):
            page = SearchesPage(explorer, chosen)
            page.lay_out()
        await ui.context.client.connected(timeout=PATIENCE)
        await page.look()
        ui.timer(_LOOK_SECONDS, page.look)


class SearchesPage:
    """The searches of one space in one browser.

    Args:
        explorer: What it shows.
        space: The space.
    """

    def __init__(self, explorer: Explorer, space: SearchSpace) -> None:
        self._explorer, self._space = explorer, space
        self._seen: Stamp | None = None
        self._groups: dict[str, Group] = {}

    def lay_out(self) -> None:
        """A choice of searches, and places for what is told of them."""
        self._choice = ui.select({}, label="Searches", on_change=self._show).props(
            "dense outlined options-dense"
        )
        self._choice.style("max-width: 720px")
        self._about = ui.element("div").classes("facts q-mt-sm")
        with ui.element("div").classes("halves"):
            with ui.element("div"):
                heading("Best so far", "a line for each seed")
                self._chart = _empty_chart()
            with ui.element("div") as self._beliefs:
                heading("Believed and came out", "on the line, the surrogate was right")
                self._scatter = _empty_chart()
            with ui.element("div") as self._fronts:
                heading("Pareto front", "nothing that was evaluated is better in all objectives")
                self._front = _empty_chart()
            with ui.element("div") as self._lessons:
                heading("Learned from other tasks", "how much each counted, mean over the seeds")
                self._weights = _empty_chart()
        self._steps = ui.element("div")

    async def look(self) -> None:
        """Looks for what is new; nothing is read while nothing was written."""
        now = stamp(self._explorer.warehouse)
        if now == self._seen:
            return
        self._seen = now
        found = await in_thread(groups, self._explorer.warehouse, self._space)
        self._groups = {group.key: group for group in found}
        options = {group.key: _in_words(group) for group in found}
        chosen = self._choice.value if self._choice.value in options else next(iter(options), None)
        changed = chosen != self._choice.value
        self._choice.set_options(options, value=chosen)
        if chosen is None:
            self._steps.clear()
            with self._steps:
                ui.label("No search was run in this space.").classes("note")
                copyable(command(self._explorer.warehouse.home, "search", self._space.full_name))
        elif not changed:
            await self._show()

    async def _show(self) -> None:
        group = self._groups.get(str(self._choice.value))
        if group is None:
            return
        warehouse = self._explorer.warehouse
        rows = await in_thread(steps, warehouse, group)
        best = await in_thread(front, warehouse, self._space, group)
        weights = await in_thread(learned, warehouse, group)
        _draw(self._chart, chart(rows))
        self._beliefs.set_visibility(not believed(rows).is_empty())
        _draw(self._scatter, beliefs_chart(rows))
        self._fronts.set_visibility(best is not None)
        if best is not None:
            _draw(self._front, front_chart(best))
        self._lessons.set_visibility(not weights.is_empty())
        _draw(self._weights, weights_chart(weights))
        self._tell(group)
        self._list(rows)

    def _tell(self, group: Group) -> None:
        self._about.clear()
        with self._about:
            objectives = [("objectives", " and ".join(group.objectives))]
            for name, value in (
                ("looks for", f"{group.target.dataset} {describe(group.target)}"),
                *(objectives if group.objectives else []),
                ("seeds", f"{len(group.seeds):,}"),
                ("evaluations", f"{group.steps:,}"),
                ("best found", with_unit(group.best, group.target.unit)),
            ):
                ui.label(name).classes("term")
                ui.label(value)

    def _list(self, rows: pl.DataFrame) -> None:
        latest = rows.sort("evaluated_at", "step", descending=True).head(_LISTED)
        self._steps.clear()
        with self._steps:
            heading("Steps", f"the latest {latest.height:,} of {rows.height:,}")
            plain_table(
                ("architecture", "seed", "step", "believed", "came out", "best so far"),
                [
                    (
                        (row["native"], architecture_address(row["architecture_id"])),
                        row["seed"],
                        row["step"],
                        _belief(row["predicted_mean"], row["predicted_std"]),
                        f"{row['value']:.2f}",
                        f"{row['best_so_far']:.2f}",
                    )
                    for row in latest.iter_rows(named=True)
                ],
                numbers=range(1, 6),
            )


def _empty_chart() -> ui.echart:
    return ui.echart({"series": []}).classes("chart")


def _draw(place: ui.echart, options: dict[str, Any]) -> None:
    place.options.clear()
    place.options.update(options)
    place.update()


def _in_words(group: Group) -> str:
    seeds = f"{len(group.seeds)} seed{'s' * (len(group.seeds) != 1)}"
    return f"{group.label} ({seeds}{', of a comparison' if group.compared else ''})"


def _belief(mean: float | None, std: float | None) -> str:
    if mean is None:
        return "–"
    return f"{mean:.2f}" if std is None else f"{mean:.2f} ± {std:.2f}"
