"""A copy of a warehouse that is a warehouse: what was backed up is what opens."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from cole_core.errors import InputError
from warehouse.warehouse import Warehouse

_PREFIX = "cole-"
_STAMP = _PREFIX + "%Y%m%dT%H%M%S%fZ"


def back_up(warehouse: Warehouse, folder: Path, keep: int | None = None) -> tuple[Path, int]:
    """Copies the warehouse to `folder/cole-<time>`, whole or not at all.

    The writer lock is held meanwhile. To restore, name the copy with --home, or copy it back.

    Args:
        warehouse: What is copied; its vectors lie on a disk.
        folder: Where backups are kept; made if it is not there.
        keep: How many backups are left there in the end, the latest ones; None leaves all.

    Returns:
        The copy, and how many older ones were removed.

    Raises:
        InputError: There is no warehouse, or the folder is inside it.
    """
    check_backup(warehouse, folder, keep)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / datetime.now(UTC).strftime(_STAMP)
    part = folder / ".unfinished"
    with warehouse.writer("cole backup", run_id="backup"):
        shutil.rmtree(part, ignore_errors=True)  # of a backup that was killed
        part.mkdir()
        with warehouse.catalog.write():
            pass  # migrates; closing folds the write-ahead log into the file
        shutil.copy2(warehouse.catalog.path, part / warehouse.catalog.path.name)
        for source, name in (
            (Path(warehouse.vectors.uri), "vectors"),
            (warehouse.artifacts, "artifacts"),
        ):
            if source.is_dir():
                shutil.copytree(source, part / name)
        part.replace(target)
        removed = backups(folder)[:-keep] if keep else []
        for old in removed:
            shutil.rmtree(old)
    return target, len(removed)


def check_backup(warehouse: Warehouse, folder: Path, keep: int | None) -> None:
    """Checks before anything is copied; errors are those of `back_up`."""
    if not warehouse.has_catalog:
        raise InputError(f"no warehouse at {warehouse.home}: name one with --home")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder")
    if folder.resolve().is_relative_to(warehouse.home.resolve()):
        raise InputError(f"{folder} is inside the warehouse: name a folder elsewhere")
    if warehouse.vectors.is_remote:
        raise InputError(
            f"the vectors are in {warehouse.vectors.uri}, which a copy of files leaves out: "
            f"'cole export {folder}' writes all of it"
        )
    if keep is not None and keep < 1:
        raise InputError(f"--keep {keep}: keep at least one backup")


def backups(folder: Path) -> list[Path]:
    """The finished backups in a folder, the oldest first."""
    return sorted(path for path in folder.glob(f"{_PREFIX}*Z") if path.is_dir())
