"""What killed processes leave behind."""

import json
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from warehouse.health.finding import Finding
from warehouse.warehouse import Warehouse

_PART = ".part"


def check_lock(warehouse: Warehouse) -> Iterator[Finding]:
    """A holder's note without the holder: the system let go of the lock when the process died."""
    note = warehouse.home / "writer.json"
    lock = FileLock(warehouse.home / "writer.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return
    try:
        if note.exists():
            yield Finding(
                "stale lock",
                f"{note} is of {_holder(note)}, which is gone: it was killed while it wrote",
                "nothing",
                "none needed, the note has been taken away",
                harmless=True,
            )
            note.unlink()
    finally:
        lock.release()


def check_unfinished_files(warehouse: Warehouse) -> Iterator[Finding]:
    """Artifacts that were being written; the lock is held, so nobody writes them now."""
    parts = sorted(warehouse.artifacts.rglob(f"*{_PART}"))
    if parts:
        yield Finding(
            "unfinished file",
            f"{len(parts)} unfinished files below {warehouse.artifacts}, as {parts[0].name}",
            "nothing: the run that is repeated writes them whole",
            "'cole doctor --repair' removes them",
            lambda writer: _remove(parts),
            harmless=True,
        )


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink()


def _holder(note: Path) -> str:
    try:
        who = json.loads(note.read_text())
        return f"process {who['pid']} ({who['purpose']}, since {who['since']})"
    except (json.JSONDecodeError, KeyError, TypeError):
        return "an unknown process"
