"""`cole deploy` as a person and a service manager meet it: what it says, its page, its end."""

import re
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.browser import browser
from tests.flows.cli.terminals import Terminal, screen
from tests.flows.conftest import Small

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

EVERY = timedelta(seconds=12)
TIME = r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC"


@pytest.fixture
def port() -> int:
    """One that is free, and not the usual one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def deploy(small: Small, tmp_path: Path, port: int) -> Terminal:
    """It serves two schedules, one of which is due soon and often."""
    never = [f"--{name}=never" for name in ("heads", "comparison")]
    every = f"every {EVERY.seconds} seconds"
    command = ("deploy", "--home", str(small.home), "--port", str(port), *never)
    terminal = Terminal(
        (*command, "--embeddings", every, "--optimize", "0 4 * * *"),
        {"PREFECT_HOME": str(tmp_path / "prefect")},
    )
    terminal.wait_for("optimize:")
    return terminal


@pytest.fixture
def deployed(small: Small, tmp_path: Path, port: int) -> Iterator[Terminal]:
    terminal = deploy(small, tmp_path, port)
    yield terminal
    if terminal.running:
        terminal.end("SIGTERM to its group")


def moment(words: str) -> datetime:
    return datetime.strptime(words, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def test_what_it_says_and_how_it_ends(deployed: Terminal, port: int) -> None:
    page, embeddings, optimize = (line for line in screen(deployed.output) if line)
    assert page == f"Page: http://127.0.0.1:{port}"
    (due,) = re.fullmatch(rf"embeddings: every 0:00:12, next {TIME}", embeddings).groups()
    assert datetime.now(UTC) - EVERY <= moment(due) <= datetime.now(UTC) + EVERY
    (daily,) = re.fullmatch(rf"optimize: '0 4 \* \* \*' \(UTC\), next {TIME}", optimize).groups()
    now = datetime.now(UTC)
    four = now.replace(hour=4, minute=0, second=0, microsecond=0)
    assert moment(daily) == (four if four > now else four + timedelta(days=1))

    deployed.wait_for("completed after")
    listed = httpx.post(
        f"http://127.0.0.1:{port}/api/flow_runs/filter",
        json={"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}},
    ).json()
    (run,) = [line for line in screen(deployed.output) if "completed" in line]
    (ended, seconds) = re.fullmatch(
        rf"{TIME} embeddings: completed after (\d+\.\d) s", run
    ).groups()
    (first,) = listed[:1]
    assert first["end_time"].startswith(ended.replace(" ", "T"))
    assert float(seconds) == pytest.approx(first["total_run_time"], abs=0.06)

    over = deployed.end("SIGTERM to its group")
    assert over.code == 143
    assert over.seconds < 5
    assert over.left == []
    assert over.lines[-1].startswith("cole: ended by SIGTERM: ")
    assert len([line for line in over.lines if line.startswith("cole: ")]) == 1


def test_its_page_on_another_port_shows_its_runs(
    deployed: Terminal, port: int, tmp_path: Path
) -> None:
    deployed.wait_for("completed after")
    ended = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
    listed = httpx.post(f"http://127.0.0.1:{port}/api/flow_runs/filter", json=ended).json()
    picture = tmp_path / "runs.png"
    with browser(tmp_path) as page:
        page.open(f"http://127.0.0.1:{port}/runs")
        page.wait_for(listed[0]["name"])
        page.screenshot(picture)
        assert page.errors == []
    asked = {address.split("/")[2] for address in page.asked if "/api/" in address}
    assert asked == {f"127.0.0.1:{port}"}
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_run_that_was_left_half_way_keeps_no_other_from_running(
    deployed: Terminal, small: Small, tmp_path: Path, port: int
) -> None:
    """Ended in the midst of a run, as when its machine stops: the schedule goes on all the same."""
    api = f"http://127.0.0.1:{port}/api"
    listed = httpx.post(f"{api}/deployments/filter", json={}).json()
    (id_,) = [each["id"] for each in listed if each["name"] == "embeddings"]
    later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2100-01-01T00:00:00Z"}}
    asked = httpx.post(f"{api}/deployments/{id_}/create_flow_run", json={"state": later})
    run = asked.json()
    begun = httpx.post(
        f"{api}/flow_runs/{run['id']}/set_state", json={"state": {"type": "PENDING"}}
    )
    assert begun.json()["status"] == "ACCEPT"
    deployed.end("SIGTERM")

    again = deploy(small, tmp_path, port)
    again.wait_for("embeddings: c")  # cancelled, where the run that was left holds its place
    assert "embeddings: completed after" in again.output.decode()
    left = httpx.get(f"{api}/flow_runs/{run['id']}").json()
    assert left["state"]["type"] == "CRASHED"
    again.end("SIGTERM")
