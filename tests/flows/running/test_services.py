"""What a command needs of Prefect and does not find: one line within seconds, and nothing done."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from tests.flows.conftest import Cole, Small

RENDER = ("render", "nasbench201", "--encoding", "arch_str")
SECONDS = 10.0  # a busy machine; Prefect's own client goes on for minutes


class Silent(http.server.BaseHTTPRequestHandler):
    """Knows no method, as says its answer."""

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def another() -> Iterator[str]:
    """The address of a server that is not Prefect's."""
    with http.server.HTTPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()


def refused(cole: Cole, small: Small, settings: dict[Any, Any]) -> str:
    """The line that refuses a command under some settings; nothing has run."""
    before, begun = small.warehouse.recent_runs(100).height, time.monotonic()
    with temporary_settings(settings):
        code, out, err = cole(*RENDER, "--home", small.home)
    assert (code, out) == (2, "")
    assert time.monotonic() - begun < SECONDS
    assert small.warehouse.recent_runs(100).height == before
    assert err.startswith("cole: ")
    assert err.count("\n") == 1
    return err


def test_nobody_answers_where_a_server_is_configured(cole: Cole, small: Small) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/api"
        line = refused(cole, small, {PREFECT_API_URL: url})
    assert f"PREFECT_API_URL {url}: no Prefect server answers there" in line
    assert "start it, or unset PREFECT_API_URL" in line


def test_somebody_else_answers(cole: Cole, small: Small, another: str) -> None:
    line = refused(cole, small, {PREFECT_API_URL: another})
    assert f"PREFECT_API_URL {another}: no Prefect server answers there (status 501)" in line


@pytest.mark.parametrize("url", ["nonsense", "localhost:4200", "ftp://localhost/api"])
def test_an_address_that_is_none(cole: Cole, small: Small, url: str) -> None:
    assert f"PREFECT_API_URL {url}: " in refused(cole, small, {PREFECT_API_URL: url})


def test_a_home_that_cannot_be_made(cole: Cole, small: Small, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "prefect"
    line = refused(cole, small, {PREFECT_API_URL: None, PREFECT_HOME: home})
    assert f"PREFECT_HOME {home}: Not a directory; name a folder that can be written to" in line


@pytest.mark.usefixtures("made")
def test_a_server_that_cannot_start_says_why(
    cole: Cole, small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "prefect.db").write_text("no database")
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))  # the server's own process reads it
    with temporary_settings({PREFECT_API_URL: None, PREFECT_HOME: tmp_path}):
        code, out, err = cole(*RENDER, "--home", small.home)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "Prefect's server did not start: " in err
    assert "file is not a database" in err
