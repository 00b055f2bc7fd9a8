"""One writer at a time.

DuckDB lets one process write, and concurrent merges of the same new keys into a Lance table leave
duplicate rows, so every stage that writes holds this lock. The operating system drops it when its
holder dies, so no crash leaves it behind.
"""

import contextlib
import json
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from cole_core.errors import InputError

log = logging.getLogger(__name__)


@contextlib.contextmanager
def writer_lock(home: Path, purpose: str, wait_seconds: float) -> Iterator[None]:
    """Holds the warehouse's writer lock, waiting for the present holder.

    Args:
        home: The warehouse's directory.
        purpose: What the holder does, for the message that others read while they wait.
        wait_seconds: How long to wait; 0 fails at once.

    Raises:
        InputError: Still held after the wait; names the holder.
    """
    lock = FileLock(home / "writer.lock")
    holder = home / "writer.json"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.warning("waiting for the writer of %s: %s", home, _describe(holder))
        try:
            lock.acquire(timeout=wait_seconds)
        except Timeout:
            raise InputError(
                f"{home} is being written by {_describe(holder)}: wait for it to end, or end it"
            ) from None
    try:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        holder.write_text(json.dumps({"pid": os.getpid(), "purpose": purpose, "since": since}))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _describe(holder: Path) -> str:
    try:
        who = json.loads(holder.read_text())
        return f"process {who['pid']} ({who['purpose']}, since {who['since']})"
    except (FileNotFoundError, json.JSONDecodeError):  # it has just begun, or just ended
        return "another process"
