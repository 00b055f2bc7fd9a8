"""The pipeline killed at random moments and run again: it comes to what an undisturbed run has.

Each stage of each pipeline is killed by SIGKILL several times, each time at a seeded moment between
its recorded beginning and its end, and then run to its end; the next stage goes on from there. Run
with -s to read the kills per stage.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from prefect.settings import PREFECT_API_URL

from tests.cole_core.language_models.zoo import make_model
from tests.flows.conftest import SPACE
from tests.flows.running.killable import options
from warehouse import Warehouse, catalog
from warehouse.health import examine

PIPELINE = ("enumerate", "render", "embed", "ingest", "train", "search", "optimize")
KILLS_PER_STAGE = 2
PIPELINES = 3
MIGRATIONS = 6
ROWS = 40_000  # of the old catalog that is migrated
TIMES = ("run_id", "seconds", "evaluated_at", "started_at", "ended_at")


class Killable:
    """The process that forks stages, see `tests.flows.running.killable`."""

    def __init__(self, model: Path, table: Path) -> None:
        self._files = {"model": str(model), "table": str(table)}
        url = PREFECT_API_URL.value()
        assert url, "a server for all of the test session"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.flows.running.killable"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PREFECT_API_URL": url, "PREFECT_LOGGING_LEVEL": "ERROR"},
        )
        self._expect("ready")

    def run(self, stage: str, home: Path, kill_after: float | None = None) -> tuple[int, float]:
        """Runs a stage in a child.

        Args:
            stage: Its name.
            home: The warehouse.
            kill_after: Seconds after the stage began.

        Returns:
            The exit code, -9 where it was killed, and the seconds from beginning to end.
        """
        assert self._process.stdin is not None
        command = self._files | {"stage": stage, "home": str(home)}
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        child, begun, ending = 0, 0.0, 0.0
        while not (line := self._line()).startswith("status"):
            word, value = line.split()
            if word == "child":
                child = int(value)
            elif word == "begun":
                begun = float(value)
            else:
                ending = float(value)
            if child and begun and kill_after is not None:
                time.sleep(max(begun + kill_after - time.monotonic(), 0))
                with contextlib.suppress(ProcessLookupError):  # it may have ended meanwhile
                    os.kill(child, signal.SIGKILL)
                kill_after = None
        return int(line.split()[1]), ending - begun

    def stop(self) -> None:
        """Ends it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def _line(self) -> str:
        """The next line of the protocol; what else stages print is passed over."""
        assert self._process.stdout is not None
        while line := self._process.stdout.readline():
            if line.split(" ")[0].strip() in ("ready", "child", "begun", "ending", "status"):
                return line.strip()
        raise AssertionError("the process that runs the stages is gone")

    def _expect(self, line: str) -> None:
        assert self._line() == line


@dataclass(frozen=True)
class Reference:
    """An undisturbed run.

    Attributes:
        home: Its warehouse.
        seconds: What each stage took between its beginning and its end.
        spec_id: Of its vectors.
    """

    home: Path
    seconds: dict[str, float]
    spec_id: str


@pytest.fixture(scope="module")
def killable(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> Iterator[Killable]:
    folder = tmp_path_factory.mktemp("crashes")
    rng = np.random.default_rng(1)
    natives: dict[str, None] = {}
    while len(natives) < 100:  # as `cole enumerate --samples 100 --seed 1` draws them
        natives[SPACE.sample(rng)] = None
    values = [
        50 + sum(map(len, native.split("conv"))) / 10 + i / 50 for i, native in enumerate(natives)
    ]
    table = folder / "mine.csv"
    pl.DataFrame({"arch_str": list(natives), "mine_test_accuracy_200": values}).write_csv(table)
    process = Killable(make_model("bert", folder / "model", seed=1), table)
    yield process
    process.stop()


@pytest.fixture(scope="module")
def reference(killable: Killable, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    home = tmp_path_factory.mktemp("reference") / "home"
    seconds = {}
    for stage in PIPELINE:
        status, seconds[stage] = killable.run(stage, home)
        assert status == 0, stage
    model = killable._files["model"]
    return Reference(home, seconds, options(model).specification().spec_id)


def content(home: Path, spec_id: str) -> dict[str, Any]:
    """Everything that is to be the same, read by DuckDB alone."""
    found: dict[str, Any] = {}
    with duckdb.connect(home / "catalog.duckdb", read_only=True) as connection:
        for table in (
            *("architectures", "texts", "renderings", "specifications", "embeddings"),
            *("evaluations", "trials", "heads", "searches", "search_steps"),
        ):
            rows = connection.table(f"store.{table}").pl()
            # A head's file holds the time at which it was written.
            rows = rows.drop(*TIMES, "artifact_hash", strict=False)
            found[table] = sorted(rows.rows(), key=repr)
    dataset = Warehouse(home).vectors.dataset(spec_id)
    assert dataset is not None
    stored = dataset.to_table().sort_by("text_hash")
    found["text_hashes"] = stored["text_hash"].to_pylist()
    found["vectors"] = np.array(stored["vector"].to_pylist())
    return found


def assert_same(home: Path, reference: Reference) -> None:
    """Same keys, texts, evaluations, trajectories; near vectors; no duplicates, orphans or lock."""
    mine, theirs = content(home, reference.spec_id), content(reference.home, reference.spec_id)
    vectors, others = mine.pop("vectors"), theirs.pop("vectors")
    for name in theirs:
        assert mine[name] == theirs[name], name
    assert np.abs(vectors - others).max() < 1e-4
    assert len(set(mine["text_hashes"])) == len(mine["text_hashes"])
    assert not (home / "writer.json").exists()
    assert examine(Warehouse(home, wait_seconds=0)) == ([], [])
    assert not list((home / "artifacts").rglob("*.part"))


def kill(
    killable: Killable, stage: str, home: Path, seconds: float, rng: np.random.Generator
) -> None:
    """Kills a stage inside; where it was quicker than the moment drawn, draws an earlier one."""
    before = home.with_name("before")
    latest = seconds
    while True:
        if home.exists():
            shutil.copytree(home, before)
        status, _ = killable.run(stage, home, kill_after=float(rng.uniform(0, latest)))
        if status == -signal.SIGKILL:
            shutil.rmtree(before, ignore_errors=True)
            return
        assert status == 0, f"{stage} ended with {status}"
        latest *= 0.7
        shutil.rmtree(home)
        if before.exists():
            before.rename(home)


def killed_pipeline(
    killable: Killable, reference: Reference, home: Path, seed: int, kills: int
) -> Counter[str]:
    rng = np.random.default_rng(seed)
    count: Counter[str] = Counter()
    for stage in PIPELINE:
        left = reference.seconds[stage]
        for _ in range(kills):
            kill(killable, stage, home, left, rng)
            count[stage] += 1
            left *= 0.7  # some of it is done by now
        status, _ = killable.run(stage, home)
        assert status == 0, f"{stage} did not go on"
    assert_same(home, reference)
    return count


def old_catalog(home: Path) -> None:
    """What the program of the first version left, large enough for a migration to take a while."""
    home.mkdir()
    old = catalog.Catalog(home / "catalog.duckdb")
    old.make(1)
    with duckdb.connect(old.path) as connection:
        connection.execute(
            "INSERT INTO store.embeddings SELECT 'spec', 'text' || range, 7, false, 'old' "
            f"FROM range({ROWS})"
        )
        connection.execute(
            "INSERT INTO store.trials SELECT 't' || range, '{}', 'nasbench201', 'path', 'none', "
            "NULL, 'ridge', '{}', 14, 0, 6, 'h', 0.5, 0.6, 1.0, 'old' "
            f"FROM range({ROWS})"
        )


def killed_migrations(killable: Killable, folder: Path, kills: int) -> Counter[str]:
    """Each kill on a copy of one old catalog, each copy migrated to its end after it."""
    old_catalog(folder / "old")
    shutil.copytree(folder / "old", folder / "whole")
    status, seconds = killable.run("migrate", folder / "whole")
    assert status == 0
    rng = np.random.default_rng(2)
    for number in range(kills):
        home = folder / f"migrated-{number}"
        shutil.copytree(folder / "old", home)
        kill(killable, "migrate", home, seconds, rng)
        assert killable.run("migrate", home)[0] == 0
        with duckdb.connect(home / "catalog.duckdb", read_only=True) as connection:
            for table in ("embeddings", "trials"):
                assert connection.table(f"store.{table}").count("*").fetchall() == [(ROWS,)]
        assert catalog.Catalog(home / "catalog.duckdb").version() == catalog.newest_version()
    return Counter(migrate=kills)


@pytest.mark.slow
def test_one_kill_of_each_stage(killable: Killable, reference: Reference, tmp_path: Path) -> None:
    count = killed_pipeline(killable, reference, tmp_path / "home", seed=0, kills=1)
    count += killed_migrations(killable, tmp_path, 1)
    assert count.total() == len(PIPELINE) + 1


@pytest.mark.slow
def test_forty_kills_and_more(killable: Killable, reference: Reference, tmp_path: Path) -> None:
    count: Counter[str] = Counter()
    for seed in range(1, PIPELINES + 1):
        count += killed_pipeline(
            killable, reference, tmp_path / f"home-{seed}", seed, KILLS_PER_STAGE
        )
    count += killed_migrations(killable, tmp_path, MIGRATIONS)
    per_stage = ", ".join(f"{stage} {count[stage]}" for stage in (*PIPELINE, "migrate"))
    print(f"\n{count.total()} kills, all recovered: {per_stage}")
    assert count.total() >= 40
