"""The processes that this one has started, and those that they have."""

import contextlib
import os
import signal
from pathlib import Path

_TRACKER = b"multiprocessing.resource_tracker"  # clears up after this process, and ends by itself


def kill_children() -> None:
    """Kills them; on a system that lists its processes as files."""
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):  # it has ended since
            if _TRACKER not in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Processes that a process has started, directly or not, those that live.

    Args:
        pid: Its id.
    """
    children: dict[int, list[int]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # "pid (name) state parent …", and the name may hold anything
            parent = int(file.read_bytes().rpartition(b")")[2].split()[1])
            children.setdefault(parent, []).append(int(file.parent.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found
