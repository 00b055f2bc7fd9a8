"""What a run leaves on Prefect's page: what it did, and how far a long one has come."""

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextvars import copy_context
from pathlib import Path
from typing import Any

import httpx

from flows.resolve.commands import EXPLORER_PORT, command

_LONG = 10.0  # seconds after which the progress of a run is told, and then again as often
_ROWS = 20  # of a table
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~#])")


def leave_result(home: Path, flow: str, request: Mapping[str, Any], summary: Any) -> None:
    """Leaves what a run did as an artifact of it, where a flow runs; elsewhere nothing.

    Args:
        home: The warehouse.
        flow: What ran.
        request: What was asked of it, in plain values.
        summary: What it did, in plain values.
    """
    from prefect.artifacts import create_markdown_artifact
    from prefect.runtime import flow_run

    if flow_run.get_id() is None:
        return
    about = f"{flow} {request.get('space', '')}".strip()
    key = re.sub(r"[^a-z0-9]+", "-", about.lower()).strip("-")
    _told(create_markdown_artifact, in_words(home, summary), key=key, description=about)


def in_words(home: Path, summary: Mapping[str, Any]) -> str:
    """A summary as Markdown: its plain values, its tables, and where to see more."""
    plain = {name: value for name, value in summary.items() if isinstance(value, int | float | str)}
    parts = [_table(["", ""], plain.items())] if plain else []
    for name, value in summary.items():
        if isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
            heads = list(value[0])
            rows = ([row.get(head) for head in heads] for row in value[:_ROWS])
            more = f"\n\nand {len(value) - _ROWS:,} more" if len(value) > _ROWS else ""
            parts.append(f"### {_cell(name)}\n\n{_table(heads, rows)}{more}")
    page = f"http://127.0.0.1:{EXPLORER_PORT}"
    look = [f"[The explorer]({page}), where `{command(home, 'ui')}` runs"]
    if isinstance(report := summary.get("report"), str):
        look.insert(0, f"[The report]({Path(report).absolute().as_uri()})")
    return "\n\n".join([*parts, "\n".join(f"- {each}" for each in look)])


def _table(heads: Sequence[str], rows: Iterator[Any] | Any) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
    text = " ".join(str(value).split())
    return text if set(text) == {"-"} else _MARKUP.sub(r"\\\1", text)


class LongProgress:
    """Tells Prefect's page how far a run has come, once it takes longer than people wait.

    Several threads may tell it. Make it where the flow runs.

    Args:
        what: Is done.
        total: How much there is of it.
    """

    def __init__(self, what: str, total: int) -> None:
        from prefect.runtime import flow_run

        self._what, self._total, self._done = what, total, 0
        self._due = time.monotonic() + _LONG if flow_run.get_id() else float("inf")
        self._context = copy_context()  # of the run, which other threads are not in
        self._lock = threading.Lock()
        self._artifact: Any = None

    def __call__(self, done: int) -> None:
        """Adds what was done since the last call."""
        with self._lock:
            self._done += done
            if time.monotonic() >= self._due or (self._artifact and self._done >= self._total):
                self._context.copy().run(self._tell)
                self._due = time.monotonic() + _LONG

    def _tell(self) -> None:
        from prefect.artifacts import create_progress_artifact, update_progress_artifact

        percent = 100.0 * self._done / self._total
        about = f"{self._what}: {self._done:,} of {self._total:,}"
        if self._artifact is None:
            self._artifact = _told(create_progress_artifact, percent, description=about)
        else:
            _told(update_progress_artifact, self._artifact, percent, description=about)


def _told(tell: Any, *args: Any, **kwargs: Any) -> Any:
    """What Prefect's server answers; where it does not, the run goes on without."""
    from prefect.logging import get_run_logger

    try:
        return tell(*args, **kwargs)
    except httpx.HTTPError as error:
        get_run_logger().warning("Prefect's page was not told of a result: %s", error)
        return None
