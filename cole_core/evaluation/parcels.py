"""An evaluator as it travels to another machine: once, with the files of somebody's own."""

import io
import os
import pickle
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cole_core.errors import InputError
from cole_core.evaluation.attempts import AnyEvaluator
from cole_core.evaluation.settings import Limits
from cole_core.foreign_code.imports import with_imported
from cole_core.hashing import hash_bytes


@dataclass(frozen=True)
class Parcel:
    """An evaluator, packed.

    Attributes:
        content: It, and the dataset within, as bytes.
        files: The files of somebody's own that it runs: where they lay, and what is in them.
        limits: What one network may cost.
    """

    content: bytes
    files: tuple[tuple[str, bytes], ...]
    limits: Limits

    @cached_property
    def digest(self) -> str:
        """Content hash: what a worker knows it by."""
        return hash_bytes(b"".join([self.content, *(data for _, data in self.files)]))


def pack(evaluator: AnyEvaluator) -> Parcel:
    """An evaluator as it travels.

    Raises:
        InputError: A file of somebody's own is no Python that can be read.
    """
    files = with_imported(evaluator.files)
    content = io.BytesIO()
    _Packing(content, [str(file) for file in files]).dump(evaluator)
    return Parcel(
        content.getvalue(),
        tuple((str(file), file.read_bytes()) for file in files),
        evaluator.limits,
    )


def unpack(parcel: Parcel) -> AnyEvaluator:
    """The evaluator in a parcel, as this machine can run it.

    A file that lies here as it lay there is run where it is, beside the data that it may read;
    where one is missing or differs, all are written to a folder of their own.
    """
    made: AnyEvaluator = _Unpacking(io.BytesIO(parcel.content), _places(parcel)).load()
    return made


class Unopened:
    """A parcel on its way to the process that runs it, which receives the evaluator itself."""

    def __init__(self, parcel: Parcel) -> None:
        self._parcel = parcel
        self.limits = parcel.limits

    def __call__(self, native: str, seed: int) -> Any:
        """What the evaluator does."""
        return unpack(self._parcel)(native, seed)

    def __reduce__(self) -> tuple[Any, ...]:
        return unpack, (self._parcel,)


class _Packing(pickle.Pickler):
    """Pickles paths of files that travel along by their place in the list."""

    def __init__(self, file: io.BytesIO, paths: list[str]) -> None:
        super().__init__(file, protocol=5)
        self._places = {path: place for place, path in enumerate(paths)}

    def persistent_id(self, value: Any) -> tuple[str, int] | None:
        if isinstance(value, str) and value in self._places:
            return "text", self._places[value]
        if isinstance(value, Path) and str(value.resolve()) in self._places:
            return "path", self._places[str(value.resolve())]
        return None


class _Unpacking(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, places: list[Path]) -> None:
        super().__init__(file)
        self._places = places

    def persistent_load(self, found: tuple[str, int]) -> str | Path:
        kind, place = found
        path = self._places[place]
        return str(path) if kind == "text" else path


def _places(parcel: Parcel) -> list[Path]:
    """Where this machine has the files of a parcel, in their order."""
    there = [Path(path) for path, _ in parcel.files]
    contents = dict(zip(there, (data for _, data in parcel.files), strict=True))
    if all(_holds(path, data) for path, data in contents.items()):
        return there
    around = os.path.commonpath([path.parent for path in there])
    folder = _own_folder() / parcel.digest
    here = {path: folder / path.relative_to(around) for path in there}
    _write({here[path]: data for path, data in contents.items()})
    return list(here.values())


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


def _write(contents: Mapping[Path, bytes]) -> None:
    for path, data in contents.items():
        if not _holds(path, data):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(data)
            os.replace(file.name, path)  # others may read it already


def _own_folder() -> Path:
    """A folder that nobody else writes to: what lies there is run.

    Raises:
        InputError: Its place is somebody else's.
    """
    folder = Path(tempfile.gettempdir()) / f"cole-code-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o077:
        raise InputError(f"{folder} may be written by others: remove it, or set TMPDIR")
    return folder
