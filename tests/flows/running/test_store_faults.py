"""Vectors in a real object store, and processes that die: the command is repeated, all is right."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from flows.resolve.requests import AskedEmbeddings
from flows.running.cluster import Cluster
from flows.stages import embed as embedding
from flows.stages.embed import EmbedRequest, embed
from flows.stages.ingest import IngestRequest, ingest
from flows.stages.render import RenderRequest, render
from flows.tasks import vectors as vector_tasks
from tests.flows.conftest import SIZE, Small
from tests.object_store import ObjectStore
from tests.object_store import object_store as started_store
from warehouse import Warehouse
from warehouse.health import examine

OPTIONS = AskedEmbeddings(pooling="mean", precision="fp32")
SPEC = OPTIONS.specification().spec_id

# `cole embed` in shards of four, a commit each; it says so after each.
EMBED = """
import sys, time
from flows.stages import embed as embedding
from flows.tasks import vectors
from warehouse.writer import Writer
embedding.SHARD, embedding.WRITTEN_SHARD, vectors.GATHERED_ROWS = 4, 4, 4
add = Writer.add_embeddings
def announced(self, *arguments):
    added = add(self, *arguments)
    print("committed", flush=True)
    time.sleep(0.2)
    return added
Writer.add_embeddings = announced
from flows.cli import main
sys.argv = ["cole", "embed", "nasbench201", "--home", sys.argv[1], "--precision", "fp32",
            "--pooling", "mean", *sys.argv[2:]]
main()
"""


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHARD", "WRITTEN_SHARD"):
        monkeypatch.setattr(embedding, name, 4)
    monkeypatch.setattr(vector_tasks, "GATHERED_ROWS", 4)


def rendered(made: Small, home: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """The texts of the small warehouse in a new one with its vectors in a store."""
    monkeypatch.setenv("COLE_VECTORS", place)
    ingest(IngestRequest(space="nasbench201", origin=str(made.table), home=home))
    render(RenderRequest(space="nasbench201", home=home))
    monkeypatch.delenv("COLE_VECTORS")
    return Warehouse(home)


def asked(warehouse: Warehouse, cluster: Cluster) -> EmbedRequest:
    where = {"space": "nasbench201", "home": warehouse.home}
    return EmbedRequest(**where, options=OPTIONS, cluster=cluster)


def check_whole(warehouse: Warehouse, server: ObjectStore) -> None:
    """Every text once, in the store and in the catalog, and nothing that no table names."""
    again = Warehouse(warehouse.home)
    examine(again, repair=True)
    found, _ = examine(again)
    assert [finding.line for finding in found if finding.kind != "unfinished runs"] == []
    texts = again.sql("SELECT DISTINCT text_hash FROM renderings")["text_hash"].to_list()
    keys = again.vectors.keys(SPEC)["text_hash"].to_list()
    assert sorted(keys) == sorted(texts)
    assert 30 < len(texts) <= SIZE
    promised = again.read("promised_embeddings", spec_id=SPEC)["text_hash"].to_list()
    assert sorted(promised) == sorted(texts)
    dataset = again.vectors.dataset(SPEC)
    assert dataset is not None
    dataset.cleanup_old_versions(older_than=timedelta(0))
    named = {file.path for fragment in dataset.get_fragments() for file in fragment.data_files()}
    there = server.names(f"{again.vectors.path(SPEC)}/data")
    assert sorted(there) == sorted(named)


class Killer(threading.Thread):
    """Ends a worker of Ray, by SIGKILL, at work, after the first commit."""

    def __init__(self, warehouse: Warehouse) -> None:
        super().__init__(daemon=True)
        self.home = warehouse.home
        self.killed = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.02) and not self.killed:
            if Warehouse(self.home).vectors.count(SPEC) == 0:
                continue
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if process.cmdline()[:1] == ["ray::embed and write shard"]:
                        process.kill()
                        self.killed = process.pid
                        return


@pytest.mark.slow  # a Ray cluster of its own, and a worker that starts anew: half a minute
@pytest.mark.usefixtures("small_shards", "prefect_server")
def test_two_workers_write_fragments_and_one_is_killed(
    made: Small, tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch,
    object_store: ObjectStore,
) -> None:  # fmt: skip
    pytest.importorskip("prefect_ray", reason="Ray is not installed: pip install '.[ray]'")
    warehouse = rendered(made, tmp_path / "new", bucket, monkeypatch)
    killer = Killer(warehouse)
    killer.start()
    try:
        summary = embed(asked(warehouse, Cluster(runner="ray", workers=2)))
    finally:
        killer.ended.set()
        killer.join()
    assert killer.killed
    assert summary["skipped"] == 0
    check_whole(warehouse, object_store)
    assert embed(asked(warehouse, Cluster()))["embedded"] == 0


@pytest.mark.slow  # a Dask cluster of its own: a quarter of a minute
@pytest.mark.usefixtures("small_shards", "prefect_server")
def test_dask_workers_write_the_vectors_that_one_process_makes(
    made: Small, small: Small, tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch,
    object_store: ObjectStore,
) -> None:  # fmt: skip
    pytest.importorskip("prefect_dask", reason="Dask is not installed: pip install '.[dask]'")
    warehouse = rendered(made, tmp_path / "new", bucket, monkeypatch)
    there = embed(asked(warehouse, Cluster(runner="dask", workers=2)))
    here = embed(asked(small.warehouse, Cluster()))
    assert {**there, "recovered": 0} == {**here, "recovered": 0}
    hashes = warehouse.vectors.keys(SPEC)["text_hash"].to_list()
    ours = warehouse.vectors.vectors_of(SPEC, hashes)
    theirs = small.warehouse.vectors.vectors_of(SPEC, hashes)
    assert len(ours) == len(theirs) == there["embedded"]
    assert max(abs(ours[each] - theirs[each]).max() for each in hashes) < 1e-5
    check_whole(warehouse, object_store)


@contextlib.contextmanager
def embedding_process(
    home: Path, server: ObjectStore, *options: str
) -> Iterator[subprocess.Popen[str]]:
    """`cole embed` in a process group of its own, which is gone at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", EMBED, str(home), *options],
        env=os.environ | server.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def wait_for_commits(process: subprocess.Popen[str], commits: int) -> None:
    assert process.stdout is not None
    for _ in range(commits):
        assert process.stdout.readline() == "committed\n", process.stderr


@pytest.mark.slow  # three processes with a model and a server each: a minute
@pytest.mark.usefixtures("small_shards", "prefect_server")
def test_a_coordinator_that_is_killed_and_two_writers_after_it(
    made: Small,
    tmp_path: Path,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
    object_store: ObjectStore,
) -> None:
    warehouse = rendered(made, tmp_path / "new", bucket, monkeypatch)
    with embedding_process(warehouse.home, object_store) as process:
        wait_for_commits(process, 2)
    there = Warehouse(warehouse.home).vectors.count(SPEC)
    assert 8 <= there < 30
    with (
        embedding_process(warehouse.home, object_store, "--json") as one,
        embedding_process(warehouse.home, object_store, "--json") as other,
    ):
        said = [process.communicate(timeout=300) for process in (one, other)]
        assert (one.returncode, other.returncode) == (0, 0), said
    check_whole(warehouse, object_store)


@pytest.mark.slow  # a server that is killed and started again, and waited for: a minute
@pytest.mark.usefixtures("small_shards", "prefect_server")
def test_a_server_that_is_killed_in_the_middle(
    made: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started_store(tmp_path / "server") as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        warehouse = rendered(made, tmp_path / "new", server.bucket("own"), monkeypatch)
        with embedding_process(warehouse.home, server) as process:
            wait_for_commits(process, 2)
            server.kill()
            _, said = process.communicate(timeout=300)
        assert process.returncode == 2, said
        line = f"cole: s3://own at {server.endpoint} does not answer: see that it runs"
        assert line in said
        assert "Traceback" not in said
        server.start()
        until_listed(lambda: Warehouse(warehouse.home).vectors.count(SPEC))
        assert embed(asked(warehouse, Cluster()))["embedded"] > 0
        check_whole(warehouse, server)


def until_listed(look: Callable[[], int]) -> None:
    """A server that has just started answers before all of its parts do."""
    for _ in range(100):
        with contextlib.suppress(ValueError, OSError):
            if look():
                return
        time.sleep(0.1)
    raise AssertionError("the object store lost what it had")
