"""Runs: what was done, when and how it ended, with links to Prefect's page."""

from nicegui import ui

from flows.explorer.pages.frame import PATIENCE, heading, in_thread, page_frame
from flows.explorer.pages.tables import plain_table
from flows.explorer.running import Done, prefect_page, recent
from flows.explorer.state import Explorer


def register(explorer: Explorer) -> None:
    """Adds the page."""

    @ui.page("/runs", response_timeout=PATIENCE)
    async def runs_page() -> None:
        names = await in_thread(explorer.space_names)
        found = await in_thread(recent, explorer.warehouse)
        with page_frame("/runs", "Runs", None, names):
            heading("Runs", f"the latest {len(found):,}")
            listed = ui.element("div")
            with listed:
                _list(found, None)
        await ui.context.client.connected(timeout=PATIENCE)
        page = await in_thread(prefect_page)
        listed.clear()
        with listed:
            if page is None:
                ui.label("Prefect's page is not up: 'cole deploy' starts it.").classes("about")
            else:
                ui.link("Prefect's page", page)
            _list(found, page)


def _list(found: list[Done], page: str | None) -> None:
    plain_table(
        ("flow", "space", "started (UTC)", "took", "did"),
        [
            (
                run.flow if page is None else (run.flow, f"{page}/runs/flow-run/{run.run_id}"),
                run.space or "–",
                f"{run.started_at:%Y-%m-%d %H:%M:%S}",
                "did not end" if run.seconds is None else f"{run.seconds:,.1f} s",
                run.did,
            )
            for run in found
        ],
        numbers=(2, 3),
    )
