"""The web application: the pages, behind a guard."""

from fastapi import FastAPI
from nicegui import ui
from starlette.types import ASGIApp

from flows.explorer.guarding import Guard
from flows.explorer.pages import architecture, comparisons, map_page, runs, searches, sql_page
from flows.explorer.state import Explorer

PAGES = (map_page, architecture, searches, comparisons, sql_page, runs)


def make_application(explorer: Explorer, port: int) -> ASGIApp:
    """The application for a warehouse; a process has one.

    Args:
        explorer: What it shows.
        port: Where it will listen.
    """
    for page in PAGES:
        page.register(explorer)
    application = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    ui.run_with(
        application,
        title="COLE",
        favicon=_FAVICON,
        dark=None,  # as the browser is
        tailwind=False,
        show_welcome_message=False,
        gzip_middleware_factory=None,
        reconnect_timeout=10.0,
    )
    return Guard(application, port)


_FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<circle cx="9" cy="22" r="5" fill="#3d7be0"/><circle cx="22" cy="23" r="4" fill="#1fa08c"/>'
    '<circle cx="20" cy="9" r="6" fill="#f4c20d"/><circle cx="8" cy="9" r="3" fill="#6a4bb0"/>'
    "</svg>"
)
