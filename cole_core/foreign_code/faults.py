"""What foreign code raises, as one line."""

import site
import sys
import sysconfig
import traceback
from pathlib import Path
from types import TracebackType

_LINE = 300  # characters of an error that are kept
_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc")
_LIBRARIES = (
    str(Path(__file__).parents[1]),
    sys.base_prefix,
    sysconfig.get_path("purelib"),
    *site.getsitepackages(),
    "<",
)


class Caught:
    """Catches whatever is raised in its block: foreign code may raise anything, `sys.exit` too.

    Attributes:
        error: What was raised; None where nothing was.
    """

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def __enter__(self) -> "Caught":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self.error = error
        return True

    @property
    def is_memory(self) -> bool:
        """Whether memory was not to be had, as Python or torch says it."""
        return isinstance(self.error, MemoryError) or (
            isinstance(self.error, RuntimeError)
            and any(words in str(self.error).lower() for words in _MEMORY)
        )


def one_line(error: BaseException) -> str:
    """Kind, message and place of an error; the place is the last line of somebody's own file."""
    if isinstance(error, MemoryError):
        said = "it takes more memory than its limit"
    elif isinstance(error, SystemExit):
        said = f"it ends the process: exit({error.code!r})"
    else:
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return f"{said[:_LINE]}{_place(error)}"


def is_library(file: str) -> bool:
    """Whether a file is of ours, of Python or installed, and not somebody's own."""
    return file.startswith(_LIBRARIES)


def _place(error: BaseException) -> str:
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not is_library(frame.filename):
            return f" ({Path(frame.filename).name}, line {frame.lineno})"
    return ""
