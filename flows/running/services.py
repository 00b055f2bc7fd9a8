"""What a command needs of Prefect, looked at before it begins: one line where it is not there."""

import contextlib
import contextvars
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import httpx

from cole_core.errors import InputError

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

_SECONDS = 5  # that a server may take to answer
_PAUSE = 1.0  # seconds between two looks at it


def check_server() -> None:
    """Checks that the configured server answers.

    Raises:
        InputError: It does not, or its address is none.
    """
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    with _client() as client:
        fault = client.api_healthcheck()
    if fault is not None:
        raise InputError(
            f"PREFECT_API_URL {url}: no Prefect server answers there ({_words(fault)}): start it, "
            "or unset PREFECT_API_URL and the command has one of its own"
        )


@contextlib.contextmanager
def watched(gone: Callable[[str], None]) -> Iterator[None]:
    """Watches the configured server for the time of a block.

    Prefect's client looks for minutes for one that is gone, and fails with all that it tried.

    Args:
        gone: Told in a line, from a thread, when nobody listens there any more.
    """
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    done = threading.Event()

    def watch() -> None:
        with _client() as client:
            # A look knocks four times within 1.5 s. One that is busy answers late, or not at all:
            # that is not to be gone.
            while not isinstance(client.api_healthcheck(), httpx.ConnectError):
                if done.wait(_PAUSE):
                    return
        if not done.is_set():
            gone(f"the Prefect server at {url} is gone")

    # Prefect's settings are the context's, which a thread does not have by itself.
    watcher = threading.Thread(target=contextvars.copy_context().run, args=(watch,), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join(_SECONDS)


@contextlib.contextmanager
def _client() -> Iterator["SyncPrefectClient"]:
    """Prefect's own client, which knows keys and certificates, but asks only once."""
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    with (
        temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),
        get_client(sync_client=True, httpx_settings={"timeout": _SECONDS}) as client,
    ):
        yield client


def check_home() -> None:
    """Checks that Prefect's server has a place for its database.

    Raises:
        InputError: It cannot be written to.
    """
    from prefect.settings import PREFECT_HOME

    home = PREFECT_HOME.value()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise InputError(
            f"PREFECT_HOME {home}: {error.strerror}; name a folder that can be written to, or "
            "unset it"
        ) from error


def _words(fault: Exception) -> str:
    if isinstance(fault, httpx.HTTPStatusError):
        return f"status {fault.response.status_code}"
    return str(fault) or type(fault).__name__
