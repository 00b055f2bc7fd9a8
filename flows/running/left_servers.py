"""Prefect servers that outlived the command that started them."""

import os
import signal
from pathlib import Path

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
    """Process ids; empty where the system does not list processes as files."""
    marker = f"{SERVER_OF}=".encode()
    left = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:  # another user's, or ended since
            continue
        owners = [entry[len(marker) :] for entry in environment if entry.startswith(marker)]
        if owners and b"server" in command and not Path(f"/proc/{int(owners[0])}").exists():
            left.append(int(folder.name))
    return sorted(left)
