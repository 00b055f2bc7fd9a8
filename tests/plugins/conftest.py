"""Packages installed from outside, and the real `cole` beside them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL

import flows
from flows.running.server import LocalServer

PROJECT = Path(flows.__file__).parents[1]
HERE = Path(__file__).parent

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(*folders: Path, **variables: str) -> dict[str, str]:
    """What processes run in that see some folders of installed packages."""
    path = os.pathsep.join(map(str, (PROJECT, *folders)))
    return os.environ | {"PYTHONPATH": path, "COLUMNS": "200"} | variables


def install(package: Path, target: Path, work: Path) -> None:
    """Installs a package's folder as pip does, without a network."""
    source = work / package.name
    shutil.copytree(package, source)  # building leaves files beside it
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"),
            *("--no-build-isolation", "--target", str(target), str(source)),
        ],
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where cole-tiny is installed."""
    target = tmp_path_factory.mktemp("installed")
    install(HERE / "cole-tiny", target, tmp_path_factory.mktemp("source"))
    return target


@pytest.fixture(scope="session")
def api_url() -> Iterator[str]:
    """A Prefect server that all commands share."""
    with LocalServer() as server, server.ready():
        url = PREFECT_API_URL.value()
        assert url
        yield url


@pytest.fixture(scope="session")
def tiny_cole(api_url: str, tiny: Path) -> Iterator[Run]:
    """Runs `cole ARGUMENTS` in one process that sees cole-tiny."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.plugins.commands"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(tiny, PREFECT_API_URL=api_url),
    ) as process:
        into, out_of = process.stdin, process.stdout
        assert into
        assert out_of

        def run(*arguments: object) -> subprocess.CompletedProcess[str]:
            words = [str(argument) for argument in arguments]
            print(json.dumps(words), file=into, flush=True)
            code, out, err = json.loads(out_of.readline())
            return subprocess.CompletedProcess(words, code, out, err)

        yield run


@pytest.fixture(scope="session")
def cole(api_url: str) -> Run:
    """Runs `cole ARGUMENTS` in a process of its own that sees some folders of packages."""

    def run(*arguments: object, folders: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from flows.cli import main; main()", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            env=environment(*folders, PREFECT_API_URL=api_url),
        )

    return run
