"""What every page has: its head with the way to the others, and how it says what went wrong."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from typing import ParamSpec, TypeVar
from urllib.parse import quote, urlencode

from nicegui import ui

from cole_core.errors import InputError

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 60.0
"""Seconds that a page has to be laid out, and a browser to connect; a busy machine."""

LINKS = (
    ("/", "Map"),
    ("/searches", "Searches"),
    ("/comparisons", "Comparisons"),
    ("/sql", "SQL"),
    ("/runs", "Runs"),
)


@contextmanager
def page_frame(here: str, title: str, space: str | None, spaces: list[str]) -> Iterator[None]:
    """A page: its head, and a column for what the block lays out.

    Args:
        here: Its path.
        title: Of the browser's tab.
        space: The space that it is about; None where it is about all.
        spaces: Those to choose from.
    """
    ui.page_title(f"{title} · COLE")
    ui.add_css(resources.files("flows.explorer").joinpath("style.css").read_text("utf-8"))
    with ui.element("header").classes("top"):
        ui.link("COLE", address("/", space=space)).classes("brand")
        with ui.element("nav").props('aria-label="Pages"'):
            for path, name in LINKS:
                link = ui.link(name, address(path, space=space))
                if path == here:
                    link.classes("here").props("aria-current=page")
        if space is not None and len(spaces) > 1:
            ui.select(
                spaces,
                value=space,
                on_change=lambda event: ui.navigate.to(address(here, space=event.value)),
            ).props('dense options-dense borderless aria-label="Search space"').classes("spaces")
        elif space is not None:
            ui.label(space).classes("only-space")
    with ui.element("div").classes("page"):
        yield


def address(path: str, **parameters: str | None) -> str:
    """An address of the explorer."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def architecture_address(architecture_id: str) -> str:
    """The address of an architecture's page."""
    return f"/architecture/{quote(architecture_id, safe='')}"


async def in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Does in a thread what reads or computes, so that the pages go on."""
    return await while_seen(asyncio.to_thread(call, *args, **kwargs))


async def while_seen(result: Awaitable[T]) -> T:
    """Waits for what a page shows.

    Where nobody looks at the page any more when it is done, what was to follow is cancelled.
    """
    try:
        return await result
    finally:
        if ui.context.client.is_deleted:
            raise asyncio.CancelledError


def say_problem(error: InputError) -> None:
    """What a person can mend, in its place on the page."""
    with ui.element("div").classes("problem").props('role="status"'):
        ui.label(str(error))


def copyable(command: str) -> None:
    """A command, with a button that copies it."""
    with ui.element("div").classes("command"):
        ui.label(command).classes("mono")
        ui.button(icon="content_copy", on_click=lambda: ui.clipboard.write(command)).props(
            'flat dense size=sm aria-label="Copy the command"'
        )


def heading(text: str, about: str = "") -> None:
    """A section's heading."""
    with ui.element("h2"):
        ui.label(text)
        if about:
            ui.label(about).classes("about")
