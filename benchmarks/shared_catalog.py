"""Several processes, one warehouse: a catalog in a file beside a catalog on PostgreSQL.

    python -m benchmarks.shared_catalog [--seconds S] [--rounds N] [--layouts L ...] [--json]

Four processes are at one warehouse at once: one stores measured values (1,000 rows a commit), one
renderings and vectors with their promises (256, after a quarter of a second for the model), one
the steps of a search (one row, after a tenth of a second), one asks (a join and counts). Then, for
each layout: commits of one row, one after the other, and what they leave; processes killed in the
middle of a commit; PostgreSQL killed; four processes that store the same rows at the same moment.

`file` is the warehouse as it is: embedding holds the writer lock for its stage. `file-commits` is
the same file with the lock held for a commit. The others are the prototype in
`benchmarks.shared_warehouse`. PostgreSQL is started in a temporary folder; it must be installed
(Debian: `postgresql`), as must be DuckDB's extensions (the message says how). Exit code 2 where
they are not.
"""

import argparse
import gc
import itertools
import json
import logging
import multiprocessing
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from benchmarks.postgres_cluster import Cluster, cluster
from benchmarks.shared_warehouse import (
    Layout,
    Place,
    SharedWarehouse,
    SharedWriter,
    check_extensions,
    make,
    refusals,
    tidy,
)
from benchmarks.small_forms import Rounds
from cole_core.errors import InputError
from cole_core.hashing import hash_text
from cole_core.spaces import get_space
from warehouse import Warehouse
from warehouse.reader import space_filter, space_parameters
from warehouse.writer import Writer

FILE, FILE_COMMITS = "file", "file-commits"
LAYOUTS = (FILE, FILE_COMMITS, *Layout)
SPACE = get_space("nasbench201")
ENCODING, SPEC_ID, DIMENSION = "code.expression", "benchmark", 32
TARGET = {"dataset": "cifar10", "metric": "accuracy", "split": "test", "epochs": 200}
PAUSES = {"ingest": 0.1, "embed": 0.25, "search": 0.1, "ask": 0.1}
STAGE = 20  # commits of an embedding run
BATCH = 2_000  # rows of a commit that is killed
SAME = 100  # rows that all processes store at once
PROCESSES = 4
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Setup:
    """One warehouse that is measured.

    Attributes:
        layout: Its name.
        home: Its directory.
        place: Its shared catalog; None: the file.
    """

    layout: str
    home: Path
    place: Place | None

    def open(self) -> Warehouse:
        """The warehouse, as a process opens it."""
        logging.getLogger("warehouse.lock").setLevel(logging.ERROR)  # waiting is what is measured
        return (
            Warehouse(self.home) if self.place is None else SharedWarehouse(self.home, self.place)
        )


@dataclass
class Worked:
    """What one process did.

    Attributes:
        role: What it is at.
        rows: How many it stored or read.
        seconds: Of each commit or question, from asking for it until it is done.
        conflicts: How often a commit was done again.
    """

    role: str
    rows: int = 0
    seconds: list[float] = field(default_factory=list)
    conflicts: int = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark and prints what it found; 2 where it cannot run."""
    options = _parser().parse_args(arguments)
    try:
        check_extensions()
        with cluster() as server, tempfile.TemporaryDirectory(dir=options.folder) as folder:
            found = [_measure(Path(folder), server, layout, options) for layout in options.layouts]
            refused = _refused(Path(folder), server)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({"layouts": found, "refused": refused}))
    else:
        _print(found, refused, options.seconds)
    return 0


def small() -> Rounds:
    """Commits of one row and questions at a catalog in a file, which needs no server."""
    with tempfile.TemporaryDirectory() as folder:
        setup = Setup(FILE, Path(folder) / "home", None)
        _fill(setup, 2_000)
        warehouse = setup.open()
        for number in itertools.count():
            started = time.perf_counter()
            for step in range(20):
                with warehouse.writer("search", "benchmark") as writer:
                    writer.add_search_steps(_step("small", 20 * number + step))
            taken = (time.perf_counter() - started) / 20
            yield {"commit": taken, "question": _asking(warehouse)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=20, help="for which all four work")
    parser.add_argument("--rounds", type=int, default=10, help="kills, and rounds of equal rows")
    parser.add_argument("--commits", type=int, default=300, help="of one row, one after the other")
    parser.add_argument("--architectures", type=int, default=15_625, help="that are there before")
    parser.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=list(LAYOUTS))
    parser.add_argument("--folder", help="where the warehouses are made, and removed at the end")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser


def _measure(
    folder: Path, server: Cluster, layout: str, options: argparse.Namespace
) -> dict[str, Any]:
    """Everything about one layout, in warehouses of its own."""

    def new(about: str, architectures: int = options.architectures) -> Setup:
        print(f"{layout}: {about}", file=sys.stderr, flush=True)
        place = None
        if layout in list(Layout):
            name = f"{layout}_{about}".replace("-", "_").replace(" ", "_")
            place = Place(Layout(layout), server.database(name), folder / name / "files")
            make(place)
        setup = Setup(layout, folder / f"{layout} {about}", place)
        _fill(setup, architectures)
        return setup

    at_once = new("at once")
    lost = _rolled_back(server, at_once)
    workers = _at_once(at_once, options.seconds)
    return {
        "layout": layout,
        "workers": [vars(worked) for worked in workers],
        "rolled_back": _rolled_back(server, at_once) - lost,
        "small_commits": _small_commits(new("small commits"), server, options.commits),
        "killed": _killed(new("killed", 0), server, options.rounds),
        "database_killed": _database_killed(new("database killed", 0), server),
        "same_rows": _same_rows(new("same rows", 0), options.rounds),
    }


def _fill(setup: Setup, architectures: int) -> None:
    """Architectures that no space has, each with a text, a vector and three values."""
    with setup.open().writer("benchmark", "benchmark") as writer:
        writer.add_specification(SPEC_ID, "benchmark", "mean", "fp32", "{}", DIMENSION)
        _add_texts(writer, "filled", range(max(architectures, 1)))
        if architectures:
            for seed in range(3):
                writer.add_evaluations(_values("filled", architectures, seed))


def _add_texts(writer: Writer, of: str, numbers: range) -> int:
    ids = [f"{of}-{number}" for number in numbers]
    writer.add_architectures(_architectures(ids))
    writer.add_renderings(_renderings(ids))
    writer.add_embeddings(SPEC_ID, **_vectors(ids))
    return len(ids)


def _architectures(ids: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "architecture_id": ids,
            "space": SPACE.name,
            "space_parameters": space_parameters(SPACE),
            "native": ids,
            "canonical_id": ids,
            "position": range(len(ids)),
        }
    )


def _renderings(ids: Sequence[str]) -> pl.DataFrame:
    texts = [f"return conv(x) + pool({each})" for each in ids]
    return pl.DataFrame(
        {"architecture_id": ids, "encoding": ENCODING, "context": "none", "text": texts}
    )


def _vectors(ids: Sequence[str]) -> dict[str, Any]:
    return {
        "text_hashes": [hash_text(text) for text in _renderings(ids)["text"]],
        "vectors": np.ones((len(ids), DIMENSION), np.float32),
        "n_tokens": np.full(len(ids), 31, np.int32),
        "truncated": np.zeros(len(ids), bool),
    }


def _values(of: str, count: int, seed: int) -> pl.DataFrame:
    ids = [f"{of}-{number}" for number in range(count)]
    rows = {"architecture_id": ids, "native": ids, **TARGET, "seed": seed, "source": of}
    return pl.DataFrame(rows | {"value": np.linspace(10, 95, count)})


def _step(search: str, step: int) -> pl.DataFrame:
    row = {"search_id": search, "step": step, "architecture_id": f"filled-{step}", "value": 90.0}
    nothing = {"predicted_mean": pl.Float64, "predicted_std": pl.Float64}
    return pl.DataFrame(
        [row | dict.fromkeys(nothing) | {"seconds": 0.1, "old_task_weights": None}],
        schema_overrides={**nothing, "old_task_weights": pl.List(pl.Float64)},
    )


def _ingest(writer: Writer, number: int) -> int:
    return writer.add_evaluations(_values("ingested", 1_000, number))


def _embed(writer: Writer, number: int) -> int:
    return _add_texts(writer, "embedded", range(256 * number, 256 * (number + 1)))


def _search(writer: Writer, number: int) -> int:
    return writer.add_search_steps(_step("search", number))


def _ask(warehouse: Warehouse) -> int:
    target = {**space_filter(SPACE), **TARGET, "source": "filled"}
    rows = warehouse.read("labels", **target).height
    return (
        rows + warehouse.read("status_evaluations").height + warehouse.read("status_counts").height
    )


_ROLES: dict[str, Callable[[Writer, int], int]] = {
    "ingest": _ingest,
    "embed": _embed,
    "search": _search,
}


def _at_once(setup: Setup, seconds: float) -> list[Worked]:
    """Four processes, each at its own work for so long."""
    return _all(_work, [(setup, role, seconds) for role in PAUSES])


def _work(barrier: Barrier, setup: Setup, role: str, seconds: float) -> Worked:
    warehouse = setup.open()
    _ask(warehouse)  # what is loaded once
    worked = Worked(role)
    barrier.wait()
    end = time.monotonic() + seconds
    if role == "ask":
        while time.monotonic() < end:
            _timed(worked, lambda: _ask(warehouse))
            time.sleep(PAUSES[role])
        return worked
    done = 0
    while time.monotonic() < end:
        held = STAGE if role == "embed" and setup.layout != FILE_COMMITS else 1
        done += _stage(warehouse, worked, range(done, done + held), end)
        time.sleep(PAUSES[role])
    return worked


def _stage(warehouse: Warehouse, worked: Worked, numbers: range, end: float) -> int:
    """Commits under one writer; the first waits for whoever writes."""
    asked = time.perf_counter()
    with warehouse.writer(worked.role, "benchmark") as writer:
        for number in numbers:
            worked.rows += _ROLES[worked.role](writer, number)
            worked.seconds.append(time.perf_counter() - asked)
            if number + 1 in numbers:
                time.sleep(PAUSES[worked.role])
            asked = time.perf_counter()
            if time.monotonic() > end:
                break
        worked.conflicts += _conflicts(writer)
    return len(numbers)


def _conflicts(writer: Writer) -> int:
    return writer.conflicts if isinstance(writer, SharedWriter) else 0


def _timed(worked: Worked, work: Callable[[], int]) -> None:
    asked = time.perf_counter()
    worked.rows += work()
    worked.seconds.append(time.perf_counter() - asked)


def _small_commits(setup: Setup, server: Cluster, commits: int) -> dict[str, Any]:
    """One row after the other by one process, and what they leave."""
    warehouse = setup.open()
    before, asked = _size(setup, server), _asking(warehouse)
    lost = _rolled_back(server, setup)
    seconds = []
    for number in range(commits):
        started = time.perf_counter()
        with warehouse.writer("search", "benchmark") as writer:
            writer.add_search_steps(_step("small", number))
        seconds.append(time.perf_counter() - started)
    tenth = max(commits // 10, 1)
    result: dict[str, Any] = {
        "first": statistics.median(seconds[:tenth]),
        "last": statistics.median(seconds[-tenth:]),
        "asking_before": asked,
        "rolled_back": _rolled_back(server, setup) - lost,
        "asking_after": _asking(warehouse),
        "before": before,
        "after": _size(setup, server),
    }
    if setup.place is not None and setup.place.layout is not Layout.POSTGRES:
        started = time.perf_counter()
        tidy(setup.place)
        result["tidying"] = time.perf_counter() - started
        result["tidied"] = _size(setup, server)
        result["asking_tidied"] = _asking(setup.open())
    return result


def _asking(warehouse: Warehouse) -> float:
    """Seconds of a question about steps and of the usual ones; the median of several."""
    seconds = []
    for _ in range(7):
        started = time.perf_counter()
        warehouse.read("search_steps", search_ids=["small"])
        _ask(warehouse)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def _size(setup: Setup, server: Cluster) -> dict[str, int]:
    """Files and bytes of the catalog."""
    if setup.place is None:
        files = list(setup.home.glob("catalog.duckdb*"))
        return {"files": len(files), "bytes": sum(file.stat().st_size for file in files)}
    files = [path for path in setup.place.files.rglob("*") if path.is_file()]
    data = sum(file.stat().st_size for file in files)
    return {"files": len(files), "bytes": data + server.bytes_of(_database(setup))}


def _killed(setup: Setup, server: Cluster, kills: int) -> dict[str, Any]:
    """Processes killed while they commit texts with their renderings, both in one transaction."""
    moments = random.Random(0)
    waits, halves = [], 0
    for number in range(kills):
        ready, told = _SPAWN.Pipe(duplex=False)
        process = _SPAWN.Process(target=_commit_on, args=(told, setup, number), daemon=True)
        process.start()
        ready.recv()
        time.sleep(moments.uniform(0.0, 0.5))
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        started = time.perf_counter()
        with setup.open().writer("next", "benchmark") as writer:
            writer.add_search_steps(_step("after", number))
        waits.append(time.perf_counter() - started)
        halves += _half_there(setup.open())
    return {
        "kills": kills,
        "half_there": halves,
        "next_commit": {"median": statistics.median(waits), "longest": max(waits)},
        "unowned_files": _unowned(setup, server),
        "left_in_transaction": _left(setup, server),
    }


def _commit_on(told: Connection, setup: Setup, number: int) -> None:
    with setup.open().writer("killed", "benchmark") as writer:
        for commit in range(1_000_000):
            ids = [f"killed-{number}-{commit}-{row}" for row in range(BATCH)]
            if commit == 1:
                told.send("ready")  # the first was whole
            writer.add_renderings(_renderings(ids))


def _half_there(warehouse: Warehouse) -> int:
    """How many commits are there in part, and rows that are in one of both tables."""
    with warehouse.catalog.read() as connection:
        in_part = connection.execute(
            "SELECT count(*) FROM (SELECT count(*) AS rows FROM store.renderings "
            "WHERE starts_with(architecture_id, 'killed') "
            "GROUP BY regexp_extract(architecture_id, 'killed-\\d+-\\d+')) WHERE rows <> $batch",
            {"batch": BATCH},
        ).fetchone()
        apart = connection.execute(
            "SELECT count(*) FROM store.renderings FULL JOIN store.texts USING (text_hash) "
            "WHERE architecture_id IS NULL OR text IS NULL"
        ).fetchone()
    return sum(int(row[0]) for row in (in_part, apart) if row)


def _unowned(setup: Setup, server: Cluster) -> int:
    """Parquet files that no snapshot of a DuckLake names."""
    if setup.place is None or setup.place.layout is Layout.POSTGRES:
        return 0
    there = sum(1 for _ in setup.place.files.rglob("*.parquet"))
    return there - int(server.ask("SELECT count(*) FROM ducklake_data_file", _database(setup)))


def _left(setup: Setup, server: Cluster) -> int:
    """Transactions of dead processes that PostgreSQL still holds open."""
    if setup.place is None:
        return 0
    gc.collect()  # our own warehouses keep their connections for as long as they live
    return int(
        server.ask(
            "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' "
            f"AND datname = '{_database(setup)}'"
        )
    )


def _database_killed(setup: Setup, server: Cluster) -> dict[str, Any] | None:
    """PostgreSQL killed while a process commits one row after the other."""
    if setup.place is None:
        return None
    told_here, told = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=_tell_commits, args=(told, setup), daemon=True)
    process.start()
    acknowledged = [told_here.recv() for _ in range(50)]
    server.kill()
    started = time.perf_counter()
    server.start()
    restart = time.perf_counter() - started
    lost, again = "", None
    while again is None and time.perf_counter() < started + 60:
        said = told_here.recv()
        if isinstance(said, str):
            lost = lost or said
        elif lost:
            again = time.perf_counter() - started
        acknowledged.append(said) if isinstance(said, int) else None
    process.kill()
    process.join()
    with setup.open().catalog.read() as connection:
        rows = connection.execute("SELECT step FROM store.search_steps").fetchall()
    stored = {int(step) for (step,) in rows}
    return {
        "restart": restart,
        "error": lost,
        "goes_on_after": again,
        "acknowledged": len(acknowledged),
        "lost": len(set(acknowledged) - stored),
    }


def _tell_commits(told: Connection, setup: Setup) -> None:
    """Commits steps and tells each; after an error it tries the same one again."""
    warehouse = setup.open()
    step = 0
    with warehouse.writer("told", "benchmark") as writer:
        while True:
            try:
                writer.add_search_steps(_step("told", step))
            except duckdb.Error as error:
                told.send(str(error).splitlines()[0])
                time.sleep(0.2)
                continue
            told.send(step)
            step += 1


def _same_rows(setup: Setup, rounds: int) -> dict[str, int]:
    """Processes that store the same architectures, and then their vectors, at the same moment."""
    told = _all(_store_same, [(setup, rounds)] * PROCESSES)
    warehouse = setup.open()
    with warehouse.catalog.read() as connection:
        row = connection.execute(
            "SELECT count(*) - count(DISTINCT architecture_id) FROM store.architectures"
        ).fetchone()
    promised = warehouse.read("promised_embeddings", spec_id=SPEC_ID)["text_hash"]
    stored = warehouse.vectors.keys(SPEC_ID)["text_hash"]
    return {
        "rows": rounds * SAME,
        "conflicts": sum(conflicts for conflicts, _ in told),
        "errors": sum(errors for _, errors in told),
        "architectures_twice": int(row[0]) if row else 0,
        "vectors_twice": len(stored) - stored.n_unique(),
        "promises_twice": len(promised) - promised.n_unique(),
        "promises_missing": len(set(stored) - set(promised)),
    }


def _store_same(barrier: Barrier, setup: Setup, rounds: int) -> tuple[int, int]:
    """Conflicts that were tried again, errors that ended a commit."""
    warehouse = setup.open()
    conflicts = errors = 0
    for number in range(rounds):
        ids = [f"same-{number}-{row}" for row in range(SAME)]
        barrier.wait()
        with warehouse.writer("same", "benchmark") as writer:
            try:
                writer.add_architectures(_architectures(ids))
                writer.add_embeddings(SPEC_ID, **_vectors(ids))
            except (duckdb.Error, OSError) as error:  # Lance tells a conflict as the latter
                print(" ".join(str(error).split())[-150:], file=sys.stderr)
                errors += 1
            conflicts += _conflicts(writer)
    return conflicts, errors


def _all(work: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Calls in processes of their own, with a barrier between them; what they return."""
    barrier = _SPAWN.Barrier(len(calls))
    running = []
    for arguments in calls:
        here, there = _SPAWN.Pipe(duplex=False)
        process = _SPAWN.Process(
            target=_answer, args=(there, work, barrier, *arguments), daemon=True
        )
        process.start()
        there.close()
        running.append((process, here))
    try:
        return [here.recv() for _, here in running]
    finally:
        for process, _ in running:
            process.join()


def _answer(there: Connection, work: Callable[..., Any], *arguments: Any) -> None:
    with closing(there):
        there.send(work(*arguments))


def _database(setup: Setup) -> str:
    assert setup.place is not None
    return setup.place.database.rsplit("dbname=", 1)[1]


def _rolled_back(server: Cluster, setup: Setup) -> int:
    """Transactions that PostgreSQL refused: the conflicts that DuckLake tries again by itself."""
    if setup.place is None:
        return 0
    time.sleep(1.1)  # counts are published once a second
    name = _database(setup)
    asked = f"SELECT xact_rollback FROM pg_stat_database WHERE datname = '{name}'"
    return int(server.ask(asked))


def _refused(folder: Path, server: Cluster) -> dict[str, int]:
    """How many statements of the migrations and views a DuckLake refuses, by its words."""
    place = Place(Layout.DUCKLAKE, server.database("refused"), folder / "refused")
    return {words: len(statements) for words, statements in refusals(place).items()}


def _print(found: Sequence[dict[str, Any]], refused: dict[str, int], seconds: float) -> None:
    for line in _lines(found, refused, seconds):
        print(line)


def _lines(
    found: Sequence[dict[str, Any]], refused: dict[str, int], seconds: float
) -> Iterator[str]:
    yield f"{'layout':<16} {'process':<8} {'commits':>8} {'rows/s':>8} {'ms: median':>11} " + (
        f"{'95 %':>7} {'longest':>8} {'again':>6}"
    )
    for each in found:
        for worked in each["workers"]:
            waits = [1_000 * wait for wait in worked["seconds"]]
            yield (
                f"{each['layout']:<16} {worked['role']:<8} {len(waits):>8} "
                f"{worked['rows'] / seconds:>8.0f} {statistics.median(waits):>11.0f} "
                f"{np.quantile(waits, 0.95):>7.0f} {max(waits):>8.0f} {worked['conflicts']:>6}"
            )
    for each in found:
        yield f"\n{each['layout']}: {each['rolled_back']} transactions rolled back by PostgreSQL"
        for about in ("small_commits", "killed", "database_killed", "same_rows"):
            yield f"  {about}: {json.dumps(each[about])}"
    yield f"\nrefused by a DuckLake: {json.dumps(refused)}"


if __name__ == "__main__":
    sys.exit(main())
