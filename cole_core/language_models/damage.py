"""Why a model's file cannot be read, in words: what a broken download leaves behind."""

import json
from pathlib import Path
from typing import Any

from cole_core.errors import InputError

_LFS = b"version https://git-lfs"
# A pickle of protocol 2 to 5, or several in an archive. A safetensors file may begin so as well,
# with the length of its header, which follows after eight bytes.
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")
_HEADER = b"{"
_LONGEST_HEADER = 100_000_000  # bytes: what the safetensors library itself takes


def likely_cause(path: Path) -> str:
    """What is likely wrong with a file that could not be read, and the remedy.

    Args:
        path: A file that a library refused.
    """
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        return "is empty: half a download, fetch it again"
    whole = _promised_size(path)
    if whole is not None and path.stat().st_size < whole:
        there = path.stat().st_size
        return f"has {there:,} of {whole:,} bytes: half a download, fetch it again"
    if is_pointer(start):
        return (
            "is a Git LFS pointer, not the file it stands for: run 'git lfs pull' in its folder, "
            "or fetch it again"
        )
    if start.lstrip().startswith(b"<"):
        return "is a web page, not the file itself: fetch it again"
    if whole is None and start.startswith(_PICKLES) and start[8:9] != _HEADER:
        return "is a pickle under another name: save the model anew with save_pretrained"
    return "is damaged, or half a download: fetch it again"


def is_pointer(start: bytes) -> bool:
    """Whether a file that begins so is Git LFS's pointer to another."""
    return start.startswith(_LFS)


def read_json(path: Path) -> dict[str, Any]:
    """The contents of a JSON file that holds a mapping; an empty one where there is no file.

    Raises:
        InputError: It holds something else.
    """
    found = _read(path)
    if not isinstance(found, dict):
        raise InputError(f"{path} is JSON of another kind, not names with values: fetch it again")
    return found


def read_json_list(path: Path) -> list[Any]:
    """The contents of a JSON file that holds a list; an empty one where there is no file.

    Raises:
        InputError: It holds something else.
    """
    found = _read(path) or []
    if not isinstance(found, list):
        raise InputError(f"{path} is JSON of another kind, not a list: fetch it again")
    return found


def _read(path: Path) -> Any:
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except ValueError as error:
        raise InputError(f"{path} is not JSON: it {likely_cause(path)}") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _promised_size(path: Path) -> int | None:
    """The size that the header of a safetensors file promises, None where it has no whole one."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= _LONGEST_HEADER:
            return None
        header = file.read(length)
    try:
        tensors = json.loads(header)
        ends = [t["data_offsets"][1] for name, t in tensors.items() if name != "__metadata__"]
        return 8 + length + max(ends, default=0)
    except (ValueError, LookupError, TypeError, AttributeError):  # JSON of another kind
        return None
