"""The process that becomes a command's server: nothing of it is there before the word."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from cole_core.errors import InputError
from flows.cli import WITH_FLOWS
from flows.cli.app import _COMMANDS
from flows.running import server_process
from flows.running.server_process import ServerProcess, prepared, take

PATIENCE = 240  # seconds for a server to start, on a busy machine


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Prefect's, with nothing in it."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    return tmp_path / "prefect"


def answer(port: int) -> httpx.Response:
    """What the server says of itself, once it is there."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/api/admin/settings")
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_it_waits_for_the_word_and_then_serves(home: Path) -> None:
    process = ServerProcess()
    try:
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{process.port}/api/health")
        process.serve()
        settings = answer(process.port).json()
        assert (home / "prefect.db").exists()
    finally:
        process.end(5)
    assert process.has_ended()
    # It tells nobody about itself, and does what a server does that is there for one command.
    assert settings["server"]["analytics_enabled"] is False
    assert settings["server"]["ui"]["enabled"] is False
    services = settings["server"]["services"]
    assert services["event_persister"]["enabled"]
    assert not services["scheduler"]["enabled"]
    assert not services["late_runs"]["enabled"]


def test_it_ends_untouched_where_no_word_comes(home: Path) -> None:
    with prepared():
        process = take()
        assert process is not None
        assert take() is None  # one alone has it
        process.end(5)
    assert not home.exists()


def test_what_nobody_has_taken_ends_with_the_block(home: Path) -> None:
    with prepared():
        (process,) = [server_process._prepared]
        assert process is not None
        assert not process.has_ended()
    assert process.has_ended()
    assert take() is None


def test_none_is_prepared_where_a_server_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    with prepared():
        assert take() is None


def test_its_port_is_held_from_the_beginning(home: Path) -> None:
    process = ServerProcess()
    try:
        with pytest.raises(InputError, match=f"port {process.port} is taken: name another"):
            ServerProcess(process.port)
    finally:
        process.end(5)


def test_nothing_of_the_folder_that_somebody_is_in_is_imported(home: Path, tmp_path: Path) -> None:
    """`python -m` would take a user's file for Prefect or uvicorn."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "uvicorn.py").write_text("raise SystemExit(7)")
    script = (
        "import sys; sys.path.remove('')\n"
        "from flows.running.server_process import ServerProcess\n"
        "process = ServerProcess()\n"
        "process._process.stdin.close()\n"
        "print(process.wait())\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[3])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "0\n"


def test_each_command_that_prepares_one_is_there() -> None:
    commands = {name for group in _COMMANDS.values() for name in group}
    assert commands >= WITH_FLOWS
