"""A Prefect server for one command.

Prefect starts one by itself as well, but after importing the server into the client, which takes
seconds more, and it outlives a command that is killed.
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
import threading
import time
import warnings
from collections.abc import Iterator

from cole_core.errors import InputError
from flows.running.endings import Ending, end_now, ending
from flows.running.services import check_home, check_server, watched

_START_SECONDS = 300  # five on an idle machine; a busy one takes minutes
_PR_SET_PDEATHSIG = 1
_ERROR = re.compile(r"^\w[\w.]*(?:Error|Exception): .+", re.MULTILINE)  # as Python ends a traceback
SERVER_OF = "COLE_SERVER_OF"  # in a server's environment: the process that it is for


class LocalServer:
    """A server process on the loopback interface, or none where one is configured.

    Use it as a context manager: it starts at once, `ready` waits for it, and it ends with the
    block or with this process. Where it ends by itself, it ends the command.

    Args:
        port: Where it listens; None takes a free port.
        ui: Whether it has its page, for a server that people look at.
    """

    def __init__(self, port: int | None = None, ui: bool = False) -> None:
        self._wanted = port
        self._ui = ui

    def __enter__(self) -> "LocalServer":
        from prefect.settings import PREFECT_API_URL

        self._process: subprocess.Popen[bytes] | None = None
        if PREFECT_API_URL.value():
            check_server()
            return self
        check_home()
        self._port = _free_port(self._wanted)
        self._said = tempfile.TemporaryFile()
        self._wanted_still = True
        with warnings.catch_warnings():
            # The child does nothing of Lance's before it becomes the server.
            warnings.filterwarnings("ignore", message="lance is not fork-safe")
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "prefect", "server", "start"),
                    "--ui" if self._ui else "--no-ui",
                    *("--host", "127.0.0.1", "--port", str(self._port)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                env=os.environ | self._settings(),
                # Ctrl-C in a terminal, or a service manager, ends the whole of a process group:
                # out of it, the server is there for as long as the command takes to end.
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None:
            return
        self._wanted_still = False
        self._process.terminate()
        try:
            self._process.wait(timeout=1 if ending() else 5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    @property
    def is_own(self) -> bool:
        """Whether the server is this command's, and not a configured one."""
        return self._process is not None

    @property
    def page(self) -> str:
        """The address of its page."""
        from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL

        if self._process is None:
            return str(PREFECT_UI_URL.value() or PREFECT_API_URL.value())
        return f"http://127.0.0.1:{self._port}"

    @contextlib.contextmanager
    def ready(self) -> Iterator[None]:
        """Flows of the block report to the server.

        Raises:
            InputError: The server ended or did not start in time; says why.
        """
        if self._process is None:
            with watched(lambda line: end_now(Ending(1, line))):
                yield
            return
        from prefect.settings import (
            PREFECT_API_URL,
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
            temporary_settings,
        )

        url = f"http://127.0.0.1:{self._port}/api"
        self._wait(url)
        threading.Thread(target=self._watch, daemon=True).start()
        # Heartbeats tell a server that outlives its runs which of them crashed; this one does not,
        # and waiting for their thread costs up to a second for each flow.
        with temporary_settings({PREFECT_API_URL: url, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            yield

    def _settings(self) -> dict[str, str]:
        settings = {
            "PREFECT_SERVER_API_HOST": "127.0.0.1",
            "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",  # why it does not start
            SERVER_OF: str(os.getpid()),
        }
        if self._ui:  # its page would ask the usual port
            url = f"http://127.0.0.1:{self._port}/api"
            settings |= {"PREFECT_UI_API_URL": url, "PREFECT_SERVER_UI_API_URL": url}
        return settings

    def _wait(self, url: str) -> None:
        import httpx

        assert self._process is not None
        deadline = time.monotonic() + _START_SECONDS
        # One client, without certificates: reading those at every try costs as much as the start.
        with httpx.Client(timeout=1, verify=False) as client:
            while self._process.poll() is None and time.monotonic() < deadline:
                try:
                    if client.get(f"{url}/health").is_success:
                        return
                except httpx.TransportError:
                    time.sleep(0.05)
        if self._process.poll() is None:
            raise InputError(
                f"Prefect's server did not start within {_START_SECONDS} s: try again when the "
                "machine is less busy, or start one yourself and name it with PREFECT_API_URL"
            )
        raise InputError(
            f"Prefect's server did not start: {self._reason()}; run 'prefect server start' to see "
            "more"
        )

    def _reason(self) -> str:
        """The last error that it wrote before it ended."""
        self._said.seek(0)
        errors = _ERROR.findall(self._said.read().decode(errors="replace"))
        assert self._process is not None
        return errors[-1] if errors else f"exit code {self._process.returncode}"

    def _watch(self) -> None:
        """Ends the command when its server has ended, which it would look for for minutes."""
        assert self._process is not None
        code = self._process.wait()
        if self._wanted_still:
            end_now(Ending(1, f"Prefect's server has ended (exit code {code})"))


def _free_port(wanted: int | None) -> int:
    with socket.socket() as free:
        # As a server binds: a port whose last connections are just closing is free.
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            free.bind(("127.0.0.1", wanted or 0))
        except OSError as error:
            raise InputError(
                f"port {wanted} is taken: name another with --port, or the server that "
                "has it with PREFECT_API_URL"
            ) from error
        port: int = free.getsockname()[1]
        return port


def _end_with_parent() -> None:
    """Asks Linux to end the server when this process is killed and can no longer do it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
