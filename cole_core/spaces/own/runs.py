"""The one process in which files of somebody's own run, for as long as this process lasts."""

import atexit
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from cole_core.errors import InputError
from cole_core.foreign_code import RunFailed, RunLimits, Runner
from cole_core.hashing import hash_bytes

LIMITS = RunLimits(seconds=20.0, mebibytes=4_096)
"""What naming a file may cost, and describing a few of its networks."""

_Result = TypeVar("_Result")


class _Process:
    """A runner that starts anew where a file has changed, so that nothing old is left in it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._runner: Runner | None = None
        atexit.register(self.end)

    def call(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        with self._lock:
            if self._runner is None:
                self._runner = Runner(LIMITS)
            return self._runner.call(function, *arguments)

    def end(self) -> None:
        with self._lock:
            if self._runner is not None:
                self._runner.__exit__()
                self._runner = None


_process = _Process()


def call(function: Callable[..., _Result], *arguments: Any) -> _Result:
    """Runs a function in the process of files.

    Raises:
        InputError: The function raised it.
        RunFailed: Anything else went wrong.
    """
    return _process.call(function, *arguments)


def call_for(what: str, function: Callable[..., _Result], *arguments: Any) -> _Result:
    """The same, where what goes wrong is a mistake in a file.

    Args:
        what: The file, for the message.

    Raises:
        InputError: Anything went wrong.
    """
    try:
        return call(function, *arguments)
    except RunFailed as error:
        raise InputError(f"{what} does not run, {error}: correct it") from error


def start_anew() -> None:
    """Ends the process: the next call runs files as they are then."""
    _process.end()


def unchanged(files: dict[str, str]) -> bool:
    """Whether files still have the content of these hashes."""
    return all(
        Path(file).is_file() and hash_bytes(Path(file).read_bytes()) == content
        for file, content in files.items()
    )
