"""Prefect servers that outlived the command that started them."""

import os
import signal

import psutil

from flows.running.server import SERVER_OF
from warehouse.health import Finding


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
    left = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        known = process.info  # nothing of other users' processes
        owner = (known["environ"] or {}).get(SERVER_OF)
        if owner and "server" in (known["cmdline"] or ()) and not psutil.pid_exists(int(owner)):
            left.append(process.pid)
    return sorted(left)
