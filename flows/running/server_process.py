"""The process of a command's own Prefect server: it imports, waits for the word, and then serves.

Most of a server's start is importing, and so is most of a command's: `prepared` does both at once.
Until the word is given the process has touched nothing, and it ends with the command.

It is the second thing that a command imports: nothing of it costs time.
"""

import contextlib
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from cole_core.errors import InputError

SERVER_OF = "COLE_SERVER_OF"  # in a server's environment: the process that it is for
PROGRAM = Path(__file__).with_name("serve_prefect.py")  # what a server's process runs
_PR_SET_PDEATHSIG = 1
_ERROR = re.compile(r"^\w[\w.]*(?:Error|Exception): .+", re.MULTILINE)  # as Python ends a traceback

# Of a server that people look at as well. Prefect's tells its makers about itself.
_QUIET = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
# One that ends with its command has no schedules to keep and no late runs to find.
_SHORT_LIVED = _QUIET | {
    f"PREFECT_SERVER_SERVICES_{service}_ENABLED": "false"
    for service in (
        "CANCELLATION_CLEANUP",
        "CLEANUP_RECONCILER",
        "FOREMAN",
        "LATE_RUNS",
        "PAUSE_EXPIRATIONS",
        "REPOSSESSOR",
        "SCHEDULER",
        "TRIGGERS",
    )
}


class ServerProcess:
    """A Prefect server to be, on the loopback interface.

    Args:
        port: Where it will listen; None takes a free port.
        ui: Whether it has its page, for a server that people look at.

    Attributes:
        port: Where it will listen. It is held from here on.

    Raises:
        InputError: The port is taken.
    """

    def __init__(self, port: int | None = None, ui: bool = False) -> None:
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - until its end
        with _bound(port) as listening, warnings.catch_warnings():
            self.port: int = listening.getsockname()[1]
            # The child does nothing of Lance's before it becomes the server.
            warnings.filterwarnings("ignore", message="lance is not fork-safe")
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(PROGRAM), str(listening.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                env=(_QUIET if ui else _SHORT_LIVED) | os.environ | self._settings(ui),
                pass_fds=(listening.fileno(),),
                # Ctrl-C in a terminal, or a service manager, ends the whole of a process group:
                # out of it, the server is there for as long as the command takes to end.
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )

    def serve(self) -> None:
        """Gives the word."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended: who waits for it says why
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()

    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process.poll() is not None

    def wait(self) -> int:
        """Waits for its end, and returns its exit code."""
        return self._process.wait()

    def end(self, seconds: float) -> None:
        """Ends it, by force after so many seconds."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    def reason(self) -> str:
        """The last error that it wrote before it ended."""
        self._said.seek(0)
        errors = _ERROR.findall(self._said.read().decode(errors="replace"))
        return errors[-1] if errors else f"exit code {self._process.returncode}"

    def _settings(self, ui: bool) -> dict[str, str]:
        settings = {
            "PREFECT_SERVER_API_HOST": "127.0.0.1",
            "PREFECT_SERVER_API_PORT": str(self.port),
            "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",  # why it does not start
            "PREFECT_SERVER_UI_ENABLED": str(ui),
            SERVER_OF: str(os.getpid()),
        }
        if ui:  # its page would ask the usual port
            url = f"http://127.0.0.1:{self.port}/api"
            settings |= {"PREFECT_UI_API_URL": url, "PREFECT_SERVER_UI_API_URL": url}
        return settings


_prepared: ServerProcess | None = None


@contextlib.contextmanager
def prepared() -> Iterator[None]:
    """Begins a server's imports for the block, in which `take` may take it. Left, it ends."""
    global _prepared
    _prepared = None if "PREFECT_API_URL" in os.environ else ServerProcess()
    try:
        yield
    finally:
        end_prepared()


def take() -> ServerProcess | None:
    """The server that was prepared, for whom it is from here on; None where none was."""
    global _prepared
    process, _prepared = _prepared, None
    return process


def end_prepared() -> None:
    """Ends the server that was prepared, where nobody has taken it."""
    if (left := take()) is not None:
        left.end(1)


def _bound(wanted: int | None) -> socket.socket:
    """A socket on loopback that listens as soon as a server says so."""
    bound = socket.socket()
    if wanted is not None:  # as a server binds: a port whose last connections close is free
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", wanted or 0))
    except OSError as error:
        bound.close()
        raise InputError(
            f"port {wanted} is taken: name another with --port, or the server that "
            "has it with PREFECT_API_URL"
        ) from error
    return bound


def _end_with_parent() -> None:
    """Asks Linux to end the server when this process is killed and can no longer do it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
