"""Clusters of two nodes on this machine, of which one may die: real processes on loopback."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

_BIN = Path(sys.executable).parent
_START_SECONDS = 120
# Of these clusters alone, whatever tokens there are here; Ray reads it once in a process.
_TOKEN = secrets.token_hex(24)


@dataclass(frozen=True)
class TwoNodes:
    """A cluster that runs, each node with room for one network.

    Attributes:
        runner: ray or dask.
        address: Where it is joined.
        first: The process of the node that stays.
        second: The process of the node that may be killed.
        environment: What who joins it must have set.
    """

    runner: str
    address: str
    first: "subprocess.Popen[bytes]"
    second: "subprocess.Popen[bytes]"
    environment: dict[str, str]

    def kill_second(self) -> None:
        """Ends a node with all its processes, as when its machine is switched off."""
        _kill(self.second)

    def kill_worker(self) -> int | None:
        """Ends one process that has a network; None where there is none now."""
        for node in (self.second, self.first):
            for process in _below(node):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if any(_trains(child) for child in process.children()):
                        process.send_signal(signal.SIGKILL)
                        return process.pid
        return None


def _trains(process: psutil.Process) -> bool:
    """Whether it is a process that networks run in: started by ours, and no tracker of it."""
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        words = " ".join(process.cmdline())
        return "multiprocessing.spawn" in words and process.cpu_times().user > 0.5
    return False


@contextlib.contextmanager
def two_nodes(runner: str) -> Iterator[TwoNodes]:
    """Starts a cluster of two nodes, and ends all its processes."""
    make = {"ray": _ray, "dask": _dask}[runner]
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory(prefix="two") as folder:
        yield make(Path(folder), stack)
        stack.close()


def _ray(folder: Path, stack: contextlib.ExitStack) -> TwoNodes:
    port = free_port()
    given = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": _TOKEN,
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    command = [str(_BIN / "ray"), "start", "--block", "--num-cpus=1", "--node-ip-address=127.0.0.1"]
    head = ["--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={folder / 'ray'}"]
    client = [f"--ray-client-server-port={free_port()}", "--object-store-memory=100000000"]
    first = _start([*command, *head, *client], given, folder / "first", stack)
    _wait_for(port, first, folder / "first")
    second = [*command, f"--address=127.0.0.1:{port}", "--object-store-memory=100000000"]
    node = _start(second, given, folder / "second", stack)
    _wait_until(lambda: b"Ray runtime started" in (folder / "second").read_bytes(), node, folder)
    return TwoNodes("ray", f"127.0.0.1:{port}", first, node, given)


def _dask(folder: Path, stack: contextlib.ExitStack) -> TwoNodes:
    port = free_port()
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host=127.0.0.1"]
    scheduler = _start([*dask, f"--port={port}", "--no-dashboard"], {}, folder / "scheduler", stack)
    _wait_for(port, scheduler, folder / "scheduler")
    address = f"tcp://127.0.0.1:{port}"
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads=1"]
    worker += ["--no-dashboard", "--host=127.0.0.1", f"--local-directory={folder}"]
    nodes = [_start(worker, {}, folder / f"worker{i}", stack) for i in (1, 2)]
    for i, node in enumerate(nodes, 1):
        log = folder / f"worker{i}"
        _wait_until(lambda log=log: b"Registered to" in log.read_bytes(), node, folder)
    return TwoNodes("dask", address, *nodes, {})


def _start(
    command: list[str], given: dict[str, str], log: Path, stack: contextlib.ExitStack
) -> "subprocess.Popen[bytes]":
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            env=os.environ | given,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    stack.callback(_kill, process)
    return process


def _below(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _kill(process: "subprocess.Popen[bytes]") -> None:
    found = _below(process)
    for each in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    process.wait()
    psutil.wait_procs(found, timeout=20)


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    def listens() -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        return False

    _wait_until(listens, process, log.parent)


def _wait_until(
    condition: Callable[[], bool], process: "subprocess.Popen[bytes]", folder: Path
) -> None:
    end = time.monotonic() + _START_SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > end:
            logs = [p.read_text(errors="replace")[-2000:] for p in folder.iterdir() if p.is_file()]
            raise RuntimeError("\n".join(["the cluster does not start", *logs]))
        time.sleep(0.1)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
