"""Prefect servers that outlived the command that started them."""

import os
import signal
from collections.abc import Iterator

import psutil

from flows.running.server_process import PROGRAM, SERVER_OF
from warehouse.health import Finding

_HOME = "PREFECT_HOME"


def check_servers(repair: bool) -> list[Finding]:
    """Servers of this user whose command is gone.

    On Linux they end with their command; elsewhere, or where that failed, one may be left.

    Args:
        repair: Whether to end them.
    """
    left = left_servers()
    if not left:
        return []
    if repair:
        for pid in left:
            os.kill(pid, signal.SIGTERM)
        return []
    return [
        Finding(
            "left server",
            f"Prefect servers run whose command is gone: process {', '.join(map(str, left))}",
            "nothing, but each holds memory and a port",
            "'cole doctor --repair' ends them",
            harmless=True,
        )
    ]


def left_servers() -> list[int]:
    """Ids of their processes."""
    return sorted(pid for pid, owner, _ in _servers() if not psutil.pid_exists(owner))


def another_server() -> bool:
    """Whether a server of another command is at work on the database that ours has."""
    ours = os.environ.get(_HOME)
    return any(owner != os.getpid() and home == ours for _, owner, home in _servers())


def _servers() -> Iterator[tuple[int, int, str | None]]:
    """Process id, the process that it is for, and its home, of each server of this user."""
    for process in psutil.process_iter(["cmdline", "environ"]):
        known = process.info  # nothing of other users' processes
        environment = known["environ"] or {}
        if SERVER_OF in environment and str(PROGRAM) in (known["cmdline"] or ()):
            yield process.pid, int(environment[SERVER_OF]), environment.get(_HOME)
