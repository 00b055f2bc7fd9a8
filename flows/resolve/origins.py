"""Which file an origin of measured values is."""

import hashlib
from pathlib import Path
from typing import Any


def file_of(origin: str) -> dict[str, Any]:
    """What is kept of a file that values are read from, so that it is known again.

    Returns:
        file (its name), bytes and sha256; of a folder without sha256; nothing of a package.
    """
    path = Path(origin)
    if path.is_dir():
        sizes = [part.stat().st_size for part in path.rglob("*") if part.is_file()]
        return {"file": path.resolve().name, "bytes": sum(sizes)}
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": digest}
