"""What a command needs of Prefect, looked at before it begins: one line where it is not there."""

import tempfile

import httpx

from cole_core.errors import InputError

_SECONDS = 5  # that a server may take to answer


def check_server() -> None:
    """Checks that the configured server answers.

    Raises:
        InputError: It does not, or its address is none.
    """
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    url = PREFECT_API_URL.value()
    # Prefect's own client knows keys and certificates; by itself it would try for minutes.
    with (
        temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),
        get_client(sync_client=True, httpx_settings={"timeout": _SECONDS}) as client,
    ):
        fault = client.api_healthcheck()
    if fault is not None:
        raise InputError(
            f"PREFECT_API_URL {url}: no Prefect server answers there ({_words(fault)}): start it, "
            "or unset PREFECT_API_URL and the command has one of its own"
        )


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
