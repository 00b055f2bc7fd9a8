"""SQL: a query, its rows, the schema beside it, what was asked before, and a download."""

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
from nicegui import app, ui

from cole_core.errors import InputError
from flows.explorer.asking import FORMS, ROWS, Answer, ask, write_answer
from flows.explorer.pages.frame import (
    PATIENCE,
    copyable,
    heading,
    in_thread,
    page_frame,
    say_problem,
)
from flows.explorer.state import Explorer
from flows.resolve.commands import command

_FIRST = """SELECT native, dataset, metric, epochs, value
FROM evaluations
ORDER BY value DESC
LIMIT 20"""
_KEPT = 30  # queries of the history


def register(explorer: Explorer) -> None:
    """Adds the page."""

    @ui.page("/sql", response_timeout=PATIENCE)
    async def sql_page() -> None:
        names = await in_thread(explorer.space_names)
        with page_frame("/sql", "SQL", None, names):
            page = SqlPage(explorer)
            page.lay_out()
        await ui.context.client.connected(timeout=PATIENCE)
        await page.begin()


class SqlPage:
    """Queries in one browser.

    Args:
        explorer: What is asked.
    """

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer

    def lay_out(self) -> None:
        """The query, places for its rows, the history and the schema."""
        with ui.element("div").classes("sql"):
            with ui.element("div"):
                self._editor = ui.codemirror(
                    _FIRST, language="SQL", theme="basicLight", line_wrapping=True
                )
                self._editor.on("keydown.ctrl.enter", self._run)
                self._editor.on("keydown.meta.enter", self._run)
                with ui.row().classes("items-center q-gutter-sm q-mt-sm"):
                    ui.button("Run", icon="play_arrow", on_click=self._run).props(
                        'unelevated no-caps dense padding="4px 14px"'
                    )
                    ui.label("or Ctrl-Enter").classes("about")
                    for form in FORMS:
                        ui.button(form.upper(), on_click=self._downloader(form)).props(
                            f'flat dense no-caps icon=download aria-label="Download as {form}"'
                        )
                self._answer = ui.element("div")
            with ui.element("div").classes("side"):
                heading("Before")
                self._history = ui.element("div").classes("history")
                heading("Schema")
                self._schema = ui.element("div")

    async def begin(self) -> None:
        """Fills the schema and the history."""
        self._show_history()
        columns = await in_thread(self._explorer.warehouse.schema)
        with self._schema:
            for _, rows in columns.group_by("view", maintain_order=True):
                self._show_view(rows)

    def _show_view(self, rows: pl.DataFrame) -> None:
        view, about = rows.row(0, named=True)["view"], rows.row(0, named=True)["about"]
        with ui.expansion(view).props("dense").classes("mono"):
            ui.label(about or "").classes("about")
            for row in rows.iter_rows(named=True):
                with ui.element("div").classes("q-mb-xs"):
                    ui.label(f"{row['column']} {row['type'].lower()}").classes("mono")
                    ui.label(row["meaning"] or "").classes("about")

    async def _run(self) -> None:
        statement = self._editor.value
        self._answer.clear()
        with self._answer:
            ui.spinner(size="sm")
        try:
            answer = await in_thread(ask, self._explorer.warehouse, statement)
        except InputError as error:
            self._answer.clear()
            with self._answer:
                say_problem(error)
            return
        self._remember(statement)
        self._answer.clear()
        with self._answer:
            show_answer(answer)
            copyable(command(self._explorer.warehouse.home, "sql", " ".join(statement.split())))

    def _remember(self, statement: str) -> None:
        before = [each for each in app.storage.tab.get("queries", []) if each != statement]
        app.storage.tab["queries"] = [statement, *before][:_KEPT]
        self._show_history()

    def _show_history(self) -> None:
        self._history.clear()
        with self._history:
            queries = app.storage.tab.get("queries", [])
            if not queries:
                ui.label("Queries of this tab will stand here.").classes("about")
            for statement in queries:
                entry = ui.element("a").props("tabindex=0 role=button")
                entry.on("click", self._setter(statement))
                with entry:
                    ui.label(" ".join(statement.split()))

    def _setter(self, statement: str) -> Callable[[], object]:
        return lambda: self._editor.set_value(statement)

    def _downloader(self, form: str) -> Callable[[], object]:
        async def download() -> None:
            statement = self._editor.value
            try:
                path = await in_thread(
                    write_answer,
                    self._explorer.warehouse,
                    statement,
                    form,
                    self._explorer.downloads,
                )
            except InputError as error:
                self._answer.clear()
                with self._answer:
                    say_problem(error)
                return
            ui.download.file(path, f"rows.{form}")

        return download


def show_answer(answer: Answer) -> None:
    """Lays out the rows of a query."""
    count = len(answer.rows)
    said = f"the first {ROWS:,} rows" if answer.more else f"{count:,} row{'s' * (count != 1)}"
    ui.label(f"{said}, {answer.seconds:.2f} s").classes("about q-mt-sm")
    columns, rows = answer_table(answer.columns, answer.numbers, answer.rows)
    table = ui.table(columns=columns, rows=rows, row_key="key")
    table.props("dense flat bordered virtual-scroll :rows-per-page-options=[0]")
    table.classes("mono rows").style("max-height: 60vh")


def answer_table(
    names: Sequence[str], numbers: Sequence[bool], rows: Sequence[Sequence[str | None]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Columns and rows as the table takes them, each column by its number.

    Names may be anything: a browser would run one that begins with a colon.
    """
    columns = [
        {
            "name": f"c{place}",
            "label": name,
            "field": f"c{place}",
            "align": "right" if number else "left",
        }
        for place, (name, number) in enumerate(zip(names, numbers, strict=True))
    ]
    found = [
        {"key": number, **{f"c{place}": cell for place, cell in enumerate(row)}}
        for number, row in enumerate(rows)
    ]
    return columns, found
