"""Runs of flows as the catalog keeps them, and where Prefect shows them."""

import socket
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from flows.report.sections import summary_words
from warehouse import Warehouse

RUNS = 200
"""That are listed."""


@dataclass(frozen=True)
class Done:
    """A run.

    Attributes:
        run_id: Prefect's id of the flow run.
        flow: Which flow.
        space: What it was about; None for what is about all.
        started_at: When, in UTC.
        seconds: How long it took; None where it is at work still, or was ended.
        did: What it did, in words.
    """

    run_id: str
    flow: str
    space: str | None
    started_at: datetime
    seconds: float | None
    did: str


def recent(warehouse: Warehouse, limit: int = RUNS) -> list[Done]:
    """The latest runs, the newest first."""
    return [
        Done(
            run_id=row["run_id"],
            flow=row["flow"],
            space=row["space"],
            started_at=row["started_at"],
            seconds=None
            if row["ended_at"] is None
            else (row["ended_at"] - row["started_at"]).total_seconds(),
            did=summary_words(row["summary"] or ""),
        )
        for row in warehouse.read("runs_at_a_glance", limit=limit).iter_rows(named=True)
    ]


def prefect_page() -> str | None:
    """The address of Prefect's page, where a server that this program uses answers."""
    from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL

    named = str(PREFECT_UI_URL.value() or PREFECT_API_URL.value() or "http://127.0.0.1:4200")
    page = named.rstrip("/").removesuffix("/api")
    parts = urlsplit(page)
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        return None
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname, port), timeout=1):
            return page
    except OSError:
        return None
