"""A Prefect server for one command.

Prefect starts one by itself as well, but after importing the server into the client, which takes
seconds more, and it outlives a command that is killed.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator

from cole_core.errors import InputError

_START_SECONDS = 300  # five on an idle machine; a busy one takes minutes
_PR_SET_PDEATHSIG = 1
SERVER_OF = "COLE_SERVER_OF"  # in a server's environment: the process that it is for


class LocalServer:
    """A server process on the loopback interface, or none where one is configured.

    Use it as a context manager: it starts at once, `ready` waits for it, and it ends with the
    block or with this process.

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
            return self
        with socket.socket() as free:
            # As a server binds: a port whose last connections are just closing is free.
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                free.bind(("127.0.0.1", self._wanted or 0))
            except OSError as error:
                raise InputError(
                    f"port {self._wanted} is taken: name another with --port, or the server that "
                    "has it with PREFECT_API_URL"
                ) from error
            self._port = free.getsockname()[1]
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
                stderr=subprocess.DEVNULL,
                env=os.environ
                | {"PREFECT_SERVER_API_HOST": "127.0.0.1", SERVER_OF: str(os.getpid())},
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @contextlib.contextmanager
    def ready(self) -> Iterator[None]:
        """Flows of the block report to the server.

        Raises:
            RuntimeError: The server ended or did not start in time.
        """
        if self._process is None:
            yield
            return
        from prefect.settings import (
            PREFECT_API_URL,
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
            temporary_settings,
        )

        url = f"http://127.0.0.1:{self._port}/api"
        self._wait(url)
        # Heartbeats tell a server that outlives its runs which of them crashed; this one does not,
        # and waiting for their thread costs up to a second for each flow.
        with temporary_settings({PREFECT_API_URL: url, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            yield

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
        raise RuntimeError(
            f"Prefect's server did not start (exit code {self._process.poll()}): "
            "see 'prefect server start'"
        )


def _end_with_parent() -> None:
    """Asks Linux to end the server when this process is killed and can no longer do it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
