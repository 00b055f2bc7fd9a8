"""The ways in which a command can end before its time, in a real terminal.

Run with `-m slow -s` to read the whole table: stage, signal, seconds, exit code, processes left.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.resolve.requests import AskedEmbeddings
from flows.running.server import LocalServer
from flows.stages.enumerate import EnumerateRequest, enumerate_architectures
from flows.stages.render import RenderRequest, render
from tests.flows.cli.terminals import CODES, WAYS, Ended, Terminal
from tests.flows.conftest import SPACE, Small
from warehouse import Warehouse
from warehouse.health import examine

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

NB = "nasbench201"
SAMPLES = 600  # texts that are being embedded for as long as a signal needs to come
SECONDS = 5.0  # that an ending may take
GO_ON = "what it stored is kept; run the same command again, it goes on from there"
REASONS = {
    "Ctrl-C": "interrupted",
    "Ctrl-C twice": "interrupted",
    "SIGTERM": "ended by SIGTERM",
    "SIGTERM to its group": "ended by SIGTERM",
    "server killed": "Prefect's server has ended (exit code -9)",
}
VALUES = ("--dataset", "cifar10", "--precision", "fp32")
TWO = ("--dataset", "cifar10", "-c", "encoding=path", "-c", "encoding=adjacency")

SEEDS = tuple(word for seed in range(8) for word in ("--seed", str(seed)))


@dataclass(frozen=True)
class Stage:
    """A command that is ended at work.

    Attributes:
        command: Its words, without --home.
        sign: What its terminal shows when it is at work; nothing: from its very start on.
        complete: Counts what is to be there after a rerun, and how much that is.
    """

    command: tuple[str, ...]
    sign: str
    complete: Callable[[Warehouse], tuple[int, int]] | None = None


def vectors(warehouse: Warehouse) -> tuple[int, int]:
    spec_id = AskedEmbeddings(precision="fp32").specification().spec_id
    wanted = set(warehouse.texts(SPACE, "code.bare", "none")["text_hash"])
    stored = warehouse.vectors.keys(spec_id)["text_hash"].to_list()
    assert len(stored) == len(set(stored))
    return len(wanted & set(stored)), len(wanted)


def renderings(encoding: str) -> Callable[[Warehouse], tuple[int, int]]:
    def count(warehouse: Warehouse) -> tuple[int, int]:
        found = warehouse.sql(f"SELECT count(*) AS n FROM renderings WHERE encoding = '{encoding}'")
        return found["n"][0], warehouse.architectures(SPACE).height

    return count


def rows(view: str, wanted: int) -> Callable[[Warehouse], tuple[int, int]]:
    def count(warehouse: Warehouse) -> tuple[int, int]:
        return warehouse.sql(f"SELECT count(*) AS n FROM {view}")["n"][0], wanted

    return count


STAGES = {
    "start": Stage(("render", NB, "--encoding", "arch_str"), "", renderings("arch_str")),
    "enumerate": Stage(("enumerate", NB), "enumerate ·", rows("architectures", 15_625)),
    "render": Stage(
        ("render", NB, "--encoding", "onnx", "--samples", "200"),
        "render ·",
        rows("renderings WHERE encoding = 'onnx'", 200),
    ),
    "embed": Stage(("embed", NB, "--precision", "fp32"), "embed ·", vectors),
    "evaluate": Stage(
        ("evaluate", NB, "--dataset", "digits", "--limit", "24", "--epochs", "3"),
        "evaluate ·",
        rows("trainings WHERE status = 'ok'", 24),
    ),
    "train": Stage(
        ("train", NB, *VALUES, "--head", "mlp", "-n", "40", "--draws", "40"),
        "train ·",
        rows("trials", 40),
    ),
    "search": Stage(
        ("search", NB, *VALUES, "--budget", "50", *SEEDS), "search ·", rows("searches", 8 * 50)
    ),
    "compare predictors": Stage(
        ("compare", "predictors", *TWO, "--head", "mlp", "-n", "14", "-n", "40"),
        "compare ·",
        rows("trials", 2 * 2 * 10 * 10),
    ),
    "compare search": Stage(
        ("compare", "search", *TWO, "--seeds", "4", "--budget", "40", "--processes", "2"),
        "compare ·",
        rows("searches", 2 * 4 * 40),
    ),
}
QUICK = [
    ("start", "SIGTERM"),
    ("embed", "Ctrl-C"),
    ("embed", "server killed"),
    ("render", "SIGTERM to its group"),
    ("evaluate", "Ctrl-C twice"),
    ("train", "SIGHUP"),
]


@pytest.fixture(scope="session")
def larger(made: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small warehouse, with more texts that have no vector yet."""
    home = tmp_path_factory.mktemp("larger") / "home"
    shutil.copytree(made.home, home)
    enumerate_architectures(EnumerateRequest(space=NB, home=home, samples=SAMPLES, seed=1))
    render(RenderRequest(space=NB, home=home))
    return home


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of commands in terminals: servers of their own, one after the other on one database."""
    return {"PREFECT_HOME": str(tmp_path_factory.mktemp("prefect"))}


@pytest.fixture
def home(larger: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(larger, tmp_path / "home"))


def end(stage: Stage, way: str, home: Path, settings: dict[str, str]) -> Ended:
    """Ends a command at work, and checks all that every ending has in common."""
    terminal = Terminal((*stage.command, "--home", str(home)), settings)
    if stage.sign:
        terminal.wait_for(stage.sign)
    else:
        terminal.wait_a_moment()
    ended = terminal.end(way)
    print(f"{stage.command[0]:<10} {way:<21} {ended.seconds:4.1f} s  {ended.code}  {ended.left}")
    assert ended.code == CODES.get(way, 143), ended.lines
    assert ended.seconds < SECONDS
    assert ended.left == []
    if way != "SIGHUP":  # whose terminal shows nothing any more
        assert ended.lines == [f"cole: {REASONS[way]}: {GO_ON}"]
        assert ended.cursor
    return ended


def finish(stage: Stage, home: Path, settings: dict[str, str]) -> None:
    """Runs the same command again, to its end: it completes the work."""
    assert Terminal((*stage.command, "--home", str(home)), settings).run() == 0
    warehouse = Warehouse(home, wait_seconds=0)
    if stage.complete is not None:
        done, wanted = stage.complete(warehouse)
        assert done == wanted
    assert examine(warehouse) == ([], [])


@pytest.mark.parametrize(("name", "way"), QUICK)
def test_an_ending(name: str, way: str, home: Path, settings: dict[str, str]) -> None:
    end(STAGES[name], way, home, settings)
    assert [found for found in examine(Warehouse(home))[0] if not found.harmless] == []


def test_a_command_that_was_interrupted_goes_on(home: Path, settings: dict[str, str]) -> None:
    end(STAGES["embed"], "Ctrl-C", home, settings)
    finish(STAGES["embed"], home, settings)


def test_a_configured_server_that_is_gone_ends_the_command(
    home: Path, settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the command's own: Prefect's client would try for minutes, and tell all of it."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    with (
        temporary_settings(restore_defaults={PREFECT_API_URL}),
        LocalServer() as server,
        server.ready(),
    ):
        url = f"{server.page}/api"
        of_it = settings | {"PREFECT_API_URL": url}
        terminal = Terminal((*STAGES["embed"].command, "--home", str(home)), of_it)
        terminal.wait_for(STAGES["embed"].sign)
    ended = terminal.see_end()
    assert ended.code == 1
    assert ended.lines == [f"cole: the Prefect server at {url} is gone: {GO_ON}"]
    assert ended.seconds < SECONDS
    assert ended.left == []


BUSY = """
import hashlib, logging
from flows.running.endings import Endings
with Endings(), logging._lock:
    print("busy", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"a", b"b", 1 << 26)  # half a minute, in which others may run
"""


def test_who_listens_waits_for_no_lock_of_who_works() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "busy\n"
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=SECONDS)
    assert (process.returncode, said) == (143, f"cole: {REASONS['SIGTERM']}: {GO_ON}\n")


FAILING = """
import time
from flows.running import endings
def kill_children():
    raise OSError("a process that cannot be looked at")
endings.kill_children = kill_children
with endings.Endings():
    print("busy", flush=True)
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:  # as a library that does not let go
            pass
"""


def test_a_command_ends_whatever_is_wrong_with_its_children() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", FAILING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "busy\n"
    process.send_signal(signal.SIGTERM)
    try:
        _, said = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    assert (process.returncode, said) == (143, f"cole: {REASONS['SIGTERM']}: {GO_ON}\n")


def start(
    command: tuple[str, ...], settings: dict[str, str], **how: Any
) -> "subprocess.Popen[bytes]":
    kept = {name: value for name, value in os.environ.items() if "PREFECT" not in name}
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *command], env=kept | settings, **how
    )


@pytest.mark.parametrize(
    "command",
    [("--help",), ("status",), ("sql", "SELECT * FROM architectures", "--json")],
    ids=" ".join,
)
def test_nobody_reads_what_is_printed(
    command: tuple[str, ...], home: Path, settings: dict[str, str]
) -> None:
    there = () if command == ("--help",) else ("--home", str(home))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = start((*command, *there), settings, **pipes)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141  # as a shell tells SIGPIPE


def test_nobody_reads_at_the_end_of_a_stage(home: Path, settings: dict[str, str]) -> None:
    """As behind `2>&1 | head -1`: what was done is there."""
    command = (*STAGES["start"].command, "--home", str(home))
    process = start(command, settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait() == 141
    done, wanted = renderings("arch_str")(Warehouse(home))
    assert done == wanted


def test_a_command_under_nohup_goes_on(home: Path, settings: dict[str, str]) -> None:
    command = (*STAGES["start"].command, "--home", str(home))
    terminal = Terminal(command, settings, hang_up=signal.SIG_IGN)
    terminal.wait_a_moment()
    os.kill(terminal.pid, signal.SIGHUP)
    assert terminal.run() == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_every_ending_of_a_stage(name: str, home: Path, settings: dict[str, str]) -> None:
    for way in WAYS:
        if name != "start" or way != "server killed":  # it has none yet
            end(STAGES[name], way, home, settings)
    finish(STAGES[name], home, settings)
