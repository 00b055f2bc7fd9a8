"""A small warehouse made by the real flows: real Prefect, real MiniLM, real accuracies."""

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cole_core.sources import read_evaluations
from cole_core.spaces import get_space
from flows.cli.app import main
from flows.resolve.requests import AskedEmbeddings
from flows.running.server import LocalServer
from flows.stages.embed import EmbedRequest, embed
from flows.stages.ingest import IngestRequest, ingest
from flows.stages.render import RenderRequest, render
from warehouse import Warehouse

SPACE = get_space("nasbench201")
SIZE = 60

Cole = Callable[..., tuple[int, str, str]]


@dataclass(frozen=True)
class Small:
    """A warehouse of a few dozen architectures, and the table that it was made from."""

    home: Path
    table: Path

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.home)

    @property
    def accuracies(self) -> dict[str, float]:
        return dict(pl.read_csv(self.table).iter_rows())


def make_small(home: Path, table: Path) -> Small:
    """Takes the table in, renders and embeds."""
    ingest(IngestRequest(space="nasbench201", origin=str(table), home=home))
    render(RenderRequest(space="nasbench201", home=home))
    fp32 = AskedEmbeddings(precision="fp32")
    embed(EmbedRequest(space="nasbench201", home=home, options=fp32))
    return Small(home, table)


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """One server for all flows of a session, with a database of its own; a test that runs no flow
    starts none."""
    with pytest.MonkeyPatch.context() as patched, contextlib.ExitStack() as stack:
        patched.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))
        server = stack.enter_context(LocalServer())
        patched.undo()
        stack.enter_context(server.ready())
        yield server


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, prefect_server: LocalServer) -> Small:
    """Ingested, rendered and embedded once for all tests; they work on copies."""
    folder = tmp_path_factory.mktemp("small")
    table = folder / "mine.csv"
    measured = read_evaluations("analog-nasbench", SPACE).filter(
        pl.col("metric") == "baseline_accuracy"
    )
    rows = np.random.default_rng(0).choice(measured.height, SIZE, replace=False)
    measured[np.sort(rows)].select(arch_str="native", cifar10_test_accuracy_200="value").write_csv(
        table
    )
    return make_small(folder / "home", table)


@pytest.fixture
def small(made: Small, tmp_path: Path) -> Small:
    home = tmp_path / "home"
    shutil.copytree(made.home, home)
    return Small(home, made.table)


@pytest.fixture
def cole(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cole:
    """Runs `cole ARGUMENTS`: exit code, standard output, standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cole", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        out, err = capsys.readouterr()
        code = exit_.value.code
        return (code if isinstance(code, int) else 0), out, err

    return run
