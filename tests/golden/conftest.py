"""One Prefect server for all commands of these tests."""

from collections.abc import Iterator

import pytest
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    temporary_settings,
)
from prefect.testing.utilities import prefect_test_harness


@pytest.fixture(scope="session", autouse=True)
def prefect_server() -> Iterator[None]:
    # Without heartbeats, whose thread would be waited for at the end of each of the many flows.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        if PREFECT_API_URL.value():  # other tests in this process have one
            yield
            return
        with prefect_test_harness(server_startup_timeout=300):
            yield
