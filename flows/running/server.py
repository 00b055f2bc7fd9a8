"""A Prefect server for one command.

Prefect starts one by itself as well, but after importing the server into the client, which takes
seconds more, and it outlives a command that is killed.
"""

import contextlib
import threading
import time
from collections.abc import Iterator

from cole_core.errors import InputError
from flows.running.endings import Ending, end_now, ending
from flows.running.server_process import ServerProcess, end_prepared, take
from flows.running.services import check_home, check_server, watched

_START_SECONDS = 300  # five on an idle machine; a busy one takes minutes


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

        self._process: ServerProcess | None = None
        if PREFECT_API_URL.value():
            end_prepared()
            check_server()
            return self
        check_home()
        usual = self._wanted is None and not self._ui
        self._process = (take() if usual else None) or ServerProcess(self._wanted, self._ui)
        self._wanted_still = True
        self._process.serve()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None:
            return
        self._wanted_still = False
        self._process.end(1 if ending() else 5)

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
        return f"http://127.0.0.1:{self._process.port}"

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

        url = f"{self.page}/api"
        self._wait(url)
        threading.Thread(target=self._watch, daemon=True).start()
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
            while not self._process.has_ended() and time.monotonic() < deadline:
                try:
                    if client.get(f"{url}/health").is_success:
                        return
                except httpx.TransportError:
                    time.sleep(0.05)
        if not self._process.has_ended():
            raise InputError(
                f"Prefect's server did not start within {_START_SECONDS} s: try again when the "
                "machine is less busy, or start one yourself and name it with PREFECT_API_URL"
            )
        raise InputError(
            f"Prefect's server did not start: {self._process.reason()}; run 'prefect server start' "
            "to see more"
        )

    def _watch(self) -> None:
        """Ends the command when its server has ended, which it would look for for minutes."""
        assert self._process is not None
        code = self._process.wait()
        if self._wanted_still:
            end_now(Ending(1, f"Prefect's server has ended (exit code {code})"))
