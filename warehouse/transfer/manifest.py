"""What an export says of itself, and which of that is believed."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from cole_core.errors import InputError

NAME = "manifest.json"
_FORMAT = "cole-export-1"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class File:
    """One file of an export.

    Attributes:
        path: Below the export's folder, with forward slashes.
        size: Bytes.
        sha256: Of the content, 64 hexadecimal digits.
    """

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What an export holds.

    Attributes:
        schema_version: Of the catalog that it was written from.
        query: The query whose architectures it is about; None for a whole warehouse.
        files: All files but the manifest.
    """

    schema_version: int
    query: str | None
    files: tuple[File, ...]

    def write(self, folder: Path) -> None:
        """Writes it into an export's folder; an export without it is unfinished."""
        text = json.dumps({"format": _FORMAT, **asdict(self)}, indent=1)
        (folder / NAME).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an export, its paths checked.

    Raises:
        InputError: There is none, it is not of an export, or a path of it is not a file inside the
            folder.
    """
    path = folder / NAME
    if not path.is_file():
        raise InputError(f"{folder} is no export, it has no {NAME}: name what 'cole export' wrote")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise InputError(f"{path} has format {content['format']!r}, not {_FORMAT!r}")
        manifest = Manifest(
            int(content["schema_version"]),
            content["query"],
            tuple(File(str(f["path"]), int(f["size"]), str(f["sha256"])) for f in content["files"]),
        )
    except (ValueError, KeyError, TypeError) as error:  # ValueError: not JSON, not UTF-8
        raise InputError(f"{path} is not a manifest: {error!r}") from error
    _check_paths(folder, [file.path for file in manifest.files])
    return manifest


def _check_paths(folder: Path, paths: Sequence[str]) -> None:
    root = folder.resolve()
    for path in paths:
        parts = PurePosixPath(path).parts
        # A link inside the folder may lead outside too, so the file itself is asked as well.
        if (
            not parts
            or ".." in parts
            or any(bad in path for bad in ("\\", "\0"))
            or PurePosixPath(path).is_absolute()
            or not (folder / path).resolve().is_relative_to(root)
        ):
            raise InputError(
                f"{folder / NAME} names {path!r}, which is not inside {folder}; save it anew"
            )
        if not (folder / path).is_file():
            raise InputError(f"{folder} lacks {path!r}, which its {NAME} names")
    if len(set(paths)) < len(paths):
        raise InputError(f"{folder / NAME} names a file twice")


def describe_file(folder: Path, path: str) -> File:
    """A file as it is now."""
    digest = hashlib.sha256()
    with (folder / path).open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return File(path, (folder / path).stat().st_size, digest.hexdigest())


def check_file(folder: Path, file: File) -> None:
    """Checks that a file is what the manifest says.

    Raises:
        InputError: It is not.
    """
    found: Any = describe_file(folder, file.path)
    if found != file:
        raise InputError(
            f"{folder / file.path} is damaged: its SHA-256 is {found.sha256[:12]}…, the "
            f"manifest's {file.sha256[:12]}…; copy the export anew"
        )
