"""The map: every architecture of a space in the plane, coloured and filtered as somebody likes."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

import numpy as np
import polars as pl
from nicegui import ui
from numpy.typing import NDArray

from cole_core.encodings.vectors import VectorSource
from cole_core.errors import InputError
from cole_core.spaces.base import SearchSpace
from flows.explorer.architecture import make_card
from flows.explorer.atlas import Atlas
from flows.explorer.colouring import ASIDE, Colouring, colour, ramp
from flows.explorer.layouts import compute_layout
from flows.explorer.pages.card import show_card
from flows.explorer.pages.frame import (
    PATIENCE,
    architecture_address,
    in_thread,
    page_frame,
    say_problem,
    while_seen,
)
from flows.explorer.pages.tables import plain_table
from flows.explorer.places import METHODS
from flows.explorer.scatter import Scatter
from flows.explorer.selecting import within
from flows.explorer.state import Explorer

_LISTED = 50  # architectures of a selection


def register(explorer: Explorer) -> None:
    """Adds the page."""

    @ui.page("/", response_timeout=PATIENCE)
    async def map_page(space: str | None = None, at: str | None = None) -> None:
        names = await in_thread(explorer.space_names)
        try:
            chosen = await in_thread(explorer.space, space)
        except InputError as error:
            with page_frame("/", "Map", None, names):
                say_problem(error)
            return
        reading = asyncio.create_task(asyncio.to_thread(explorer.maps, chosen))  # as pages load
        reading.add_done_callback(_heard)
        with page_frame("/", "Map", chosen.name, names):
            page = MapPage(explorer, chosen, at)
            page.lay_out()
        await ui.context.client.connected(timeout=PATIENCE)
        await page.begin(reading)


def _heard(reading: asyncio.Task[list[VectorSource]]) -> None:
    """What goes wrong is told by the page, where there is still one: nothing else complains."""
    if not reading.cancelled():
        reading.exception()


class MapPage:
    """One map in one browser.

    Args:
        explorer: What it shows.
        space: The space.
        at: The architecture that is chosen at first, by its id.
    """

    def __init__(self, explorer: Explorer, space: SearchSpace, at: str | None) -> None:
        self._explorer, self._space, self._at = explorer, space, at
        self._atlas: Atlas | None = None
        self._xy: NDArray[np.float32] = np.empty((0, 2), np.float32)
        self._fits: NDArray[np.bool_] = np.ones(0, dtype=bool)
        self._values: pl.Series | None = None
        self._colouring: Colouring | None = None
        self._lasso = False
        self._condition = ""

    def lay_out(self) -> None:
        """The controls, the plot and the side of it; nothing is read yet."""
        with ui.element("div").classes("map"):
            with ui.element("div").classes("controls"):
                self._by = ui.select({}, label="Vectors", on_change=self._choose_vectors)
                self._colour = ui.select(
                    {},
                    label="Colour by a value, or an SQL expression",
                    with_input=True,
                    new_value_mode="add-unique",
                    on_change=self._recolour,
                )
                self._where = ui.input(
                    "Only where (SQL)", placeholder="conv3x3 >= 2 AND source IS NOT NULL"
                ).on("keydown.enter", self._filter)
                self._where.on("blur", self._filter)
                self._method = ui.select(
                    METHODS, value="pca", label="Places", on_change=self._place
                )
                for control in (self._by, self._colour, self._where, self._method):
                    control.props("dense outlined options-dense")
            with ui.element("div").classes("plot"):
                self._scatter = Scatter(
                    f"Map of {self._space.full_name}", self._pick, self._select, self._words
                )
                self._tools()
                self._legend = ui.element("div").classes("legend")
                self._problems = ui.element("div")
            self._side = ui.element("div").classes("side")

    def _tools(self) -> None:
        with ui.element("div").classes("tools"):

            def tool(icon: str, about: str, act: Any) -> ui.button:
                button = ui.button(icon=icon, on_click=act)
                return button.props(f'flat dense size=sm aria-label="{about}" title="{about}"')

            def toggle() -> None:
                self._lasso = not self._lasso
                self._scatter.set_mode(self._lasso)
                drawing.classes(add="active") if self._lasso else drawing.classes(remove="active")

            drawing = tool("gesture", "Draw around architectures (or drag with Shift)", toggle)
            tool("add", "Larger", lambda: self._scatter.zoom(1.4))
            tool("remove", "Smaller", lambda: self._scatter.zoom(1 / 1.4))
            tool("fit_screen", "Show all", self._scatter.fit)

    async def begin(self, maps: Awaitable[list[VectorSource]]) -> None:
        """Draws the map for the first time.

        Args:
            maps: What `Explorer.maps` says.
        """
        try:
            sources = await while_seen(maps)
        except InputError as error:
            self._say(error)
            return
        self._sources = {_key(source): source for source in sources}
        self._by.set_options({key: _vectors_in_words(s) for key, s in self._sources.items()})
        self._by.set_value(next(iter(self._sources)))  # which draws it

    async def _choose_vectors(self) -> None:
        self._problems.clear()
        try:
            source = self._sources[self._by.value]
            atlas = await in_thread(self._explorer.atlas, self._space, source)
        except (InputError, KeyError) as error:
            self._say(error)
            return
        self._atlas, self._xy = atlas, atlas.places.xy
        self._fits = np.ones(len(atlas), dtype=bool)
        self._method.set_value("pca")
        self._condition = ""
        self._where.set_value("")
        self._scatter.set_points(self._xy)
        await self._offer_colours(atlas)
        if self._at is not None and (row := atlas.row_of(self._at)) is not None:
            await self._pick(row)
        elif self._values is not None:
            await self._list(np.arange(len(atlas)), "Best by this colour")

    async def _offer_colours(self, atlas: Atlas) -> None:
        columns = await in_thread(lambda: dict(atlas.columns))
        options = {
            name: f"{name} · {column.about}"
            for name, column in columns.items()
            if name not in ("architecture_id", "native", "canonical_id")
        }
        before = self._colour.value
        self._colour.set_options(options, value=before if before in options else None)
        if before in options:
            await self._recolour()
        elif options:
            self._colour.value = next(iter(options))
            await self._recolour()

    async def _recolour(self) -> None:
        if self._atlas is None or not self._colour.value:
            return
        expression = str(self._colour.value)
        self._problems.clear()
        try:
            values = await in_thread(self._atlas.evaluate, expression)
            colouring = await in_thread(colour, values)
        except InputError as error:
            self._say(error)
            return
        self._values, self._colouring = values, colouring
        self._show_colours()
        self._show_legend(colouring, expression)

    async def _filter(self) -> None:
        condition = str(self._where.value or "")
        if self._atlas is None or condition == self._condition:
            return
        self._condition = condition
        self._problems.clear()
        try:
            self._fits = await in_thread(self._atlas.fits, condition)
        except InputError as error:
            self._say(error)
            return
        self._show_colours()
        rows = np.flatnonzero(self._fits)
        if condition:
            await self._list(rows, f"{len(rows):,} of {len(self._atlas):,} fit")

    def _show_colours(self) -> None:
        if self._colouring is None or self._atlas is None:
            return
        codes = np.where(self._fits, self._colouring.codes, ASIDE).astype(np.uint8)
        self._scatter.set_colours(Colouring(codes, self._colouring.palette))

    def _show_legend(self, colouring: Colouring, expression: str) -> None:
        assert self._atlas is not None
        column = self._atlas.columns.get(expression)
        self._legend.clear()
        with self._legend:
            ui.label(column.about if column else expression)
            if colouring.ends is not None:
                unit = f" {column.unit}" if column and column.unit else ""
                ui.label(f"{colouring.ends[0]:,.4g}{unit}")
                steps = ", ".join(ramp(9))
                ui.element("span").classes("bar").style(
                    f"background: linear-gradient(90deg, {steps})"
                )
                ui.label(f"{colouring.ends[1]:,.4g}{unit}")
            for name, shade, count in colouring.names:
                with ui.element("span").classes("entry"):
                    ui.element("span").classes("dot").style(f"background: {shade}")
                    ui.label(f"{name} ({count:,})")
        ui.update(self._legend)

    async def _place(self) -> None:
        """Places by another method: stored ones at once, others after they are computed."""
        if self._atlas is None:
            return
        atlas, method = self._atlas, str(self._method.value)
        self._problems.clear()
        places = atlas.places
        if method != "pca":
            with self._problems:
                ui.spinner(size="sm")
                ui.label(f"{METHODS[method]} is computed once, and kept: minutes for 20,000.")
            try:
                places = await compute_layout(atlas, method)
            except InputError as error:
                self._say(error)
                return
            self._problems.clear()
        if self._atlas is atlas and self._method.value == method:
            self._xy = places.xy
            self._scatter.set_points(self._xy)
            self._show_colours()

    def _words(self, row: int) -> str:
        if self._atlas is None or row >= len(self._atlas):
            return ""
        native = str(self._atlas.architectures["native"][row])
        value = None if self._values is None else self._values[row]
        return native if value is None else f"{native}\n{self._colour.value}: {_shown(value)}"

    async def _pick(self, row: int) -> None:
        assert self._atlas is not None
        self._scatter.set_marks([row])
        about = self._atlas.architectures.row(row, named=True)
        told = (self._space, about["architecture_id"], about["native"])
        card = await in_thread(make_card, self._explorer.warehouse, *told)
        self._side.clear()
        with self._side:
            show_card(card)

    async def _select(self, polygon: NDArray[np.float64]) -> None:
        inside = await in_thread(within, self._xy, polygon)
        rows = np.flatnonzero(inside & self._fits)
        await self._list(rows, f"{len(rows):,} selected")

    async def _list(self, rows: NDArray[np.int64], title: str) -> None:
        """The best of some architectures by the colour, at the side of the map."""
        assert self._atlas is not None
        frame = self._atlas.architectures[rows].select("architecture_id", "native")
        frame = frame.with_columns(value=self._values[rows] if self._values is not None else None)
        first = frame
        if frame["value"].dtype.is_numeric():
            first = frame.sort("value", descending=True, nulls_last=True, maintain_order=True)
        self._side.clear()
        with self._side, ui.element("div").classes("card"):
            with ui.element("h2"):
                ui.label(title)
            ui.button(
                "Download as CSV",
                icon="download",
                on_click=lambda: ui.download.content(frame.write_csv(), "architectures.csv"),
            ).props("flat dense no-caps size=sm")
            plain_table(("architecture", str(self._colour.value)), _linked(first.head(_LISTED)))
            if frame.height > _LISTED:
                ui.label(f"and {frame.height - _LISTED:,} more").classes("about")

    def _say(self, error: Exception) -> None:
        self._problems.clear()
        with self._problems:
            say_problem(error if isinstance(error, InputError) else InputError(str(error)))


def _linked(frame: pl.DataFrame) -> Iterable[tuple[Any, ...]]:
    for id_, native, value in frame.iter_rows():
        yield (native, architecture_address(id_)), _shown(value)


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.5g}" if isinstance(value, float) else str(value)


def _key(source: VectorSource) -> str:
    return f"{source.encoding} {source.context} {source.spec_id}"


def _vectors_in_words(source: VectorSource) -> str:
    context = "" if source.context == "none" else f" in {source.context}"
    return f"{source.encoding}{context} · {source.language_model}"
