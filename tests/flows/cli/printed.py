"""Standard output as a terminal of some width or as a pipe, for commands run in this process."""

import contextlib
import fcntl
import os
import pty
import struct
import sys
import termios
import threading
from collections.abc import Callable, Iterator

import pytest

_END = b"\0"


@contextlib.contextmanager
def _as_output(descriptor: int) -> Iterator[None]:
    """What is written to standard output goes to a descriptor; the width is asked of it as well."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(descriptor, 1)
    before = sys.stdout
    sys.stdout = os.fdopen(os.dup(descriptor), "w", encoding="utf-8")
    try:
        yield
    finally:
        sys.stdout.close()
        sys.stdout = before
        os.dup2(kept, 1)
        os.close(kept)


def printed(run: Callable[[], None], width: int | None, terminal: bool) -> str:
    """What a function prints.

    Args:
        run: Prints.
        width: Columns; None in a pipe that says nothing of them.
        terminal: A real pseudo-terminal, else a pipe with COLUMNS.
    """
    reading, writing = pty.openpty() if terminal else os.pipe()
    if terminal:
        fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width or 80, 0, 0))
    said = bytearray()

    def read() -> None:
        while not said.endswith(_END):  # processes that outlive the command hold the other end open
            said.extend(os.read(reading, 65_536))

    reader = threading.Thread(target=read)
    reader.start()
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("COLUMNS", raising=False)
        patched.setenv("TERM", "xterm")
        if width is not None and not terminal:
            patched.setenv("COLUMNS", str(width))
        try:
            with _as_output(writing):
                run()
        finally:
            os.write(writing, _END)
            reader.join()
            os.close(writing)
            os.close(reading)
    return said.removesuffix(_END).decode().replace("\r\n", "\n")
