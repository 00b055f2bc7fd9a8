"""The embed flow on real local clusters: the same vectors, each once, whatever dies meanwhile."""

import contextlib
import importlib.util
import re
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from cole_core.errors import InputError
from flows.resolve.requests import AskedEmbeddings
from flows.running import cluster
from flows.running.cluster import Cluster
from flows.stages import embed as embedding
from flows.stages.embed import EmbedRequest, embed, plan
from tests.flows.conftest import SPACE, Small

psutil = pytest.importorskip("psutil", reason="Ray is not installed: pip install '.[ray,dask]'")
pytest.importorskip("prefect_ray", reason="Ray is not installed: pip install '.[ray,dask]'")
pytest.importorskip("prefect_dask", reason="Dask is not installed: pip install '.[ray,dask]'")

OPTIONS = AskedEmbeddings(pooling="mean", precision="fp32")


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "SHARD", 4)


def asking(small: Small, where: Cluster) -> EmbedRequest:
    return EmbedRequest(space="nasbench201", home=small.home, options=OPTIONS, cluster=where)


def vectors(small: Small, spec_id: str) -> dict[str, np.ndarray]:
    dataset = small.warehouse.vectors.dataset(spec_id)
    assert dataset is not None
    rows = dataset.to_table(columns=["text_hash", "vector"]).to_pydict()
    assert len(set(rows["text_hash"])) == len(rows["text_hash"])
    return dict(zip(rows["text_hash"], np.array(rows["vector"]), strict=True))


@pytest.fixture(scope="module")
def local(made: Small, tmp_path_factory: pytest.TempPathFactory) -> tuple[Small, dict[str, Any]]:
    """A warehouse that was embedded here, and what the stage said."""
    home = tmp_path_factory.mktemp("local") / "home"
    shutil.copytree(made.home, home)
    other = Small(home, made.table)
    return other, embed(asking(other, Cluster()))


def check_against_local(small: Small, local: tuple[Small, dict[str, Any]], chosen: Cluster) -> None:
    """Embeds on a cluster, and compares."""
    other, alone = local
    summary = embed(asking(small, chosen))
    assert summary == alone
    assert summary["embedded"] == small.warehouse.texts(SPACE, "code.bare", "none").height
    found, expected = vectors(small, summary["spec_id"]), vectors(other, summary["spec_id"])
    assert found.keys() == expected.keys()
    assert len(found) == summary["embedded"]
    for text_hash, vector in expected.items():
        np.testing.assert_allclose(found[text_hash], vector, atol=1e-5)
    promised = small.warehouse.sql("SELECT text_hash FROM embeddings WHERE pooling = 'mean'")
    assert sorted(promised["text_hash"]) == sorted(found)


class Killer(threading.Thread):
    """Ends, by SIGKILL, a Ray worker in the middle of a shard, after the first commit."""

    def __init__(self, small: Small) -> None:
        super().__init__(daemon=True)
        self.warehouse = small.warehouse
        self.spec_id = OPTIONS.specification().spec_id
        self.killed = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.01) and not self.killed:
            if self.warehouse.vectors.dataset(self.spec_id) is None:
                continue
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if self.at_work(process):
                        process.suspend()  # it cannot end its shard between the look and the kill
                        if self.at_work(process):
                            process.kill()
                            self.killed = process.pid
                            return
                        process.resume()

    @staticmethod
    def at_work(process: "psutil.Process") -> bool:
        return process.cmdline()[:1] == ["ray::embed shard"]


@pytest.mark.usefixtures("small_shards")
def test_ray_with_a_worker_that_is_killed(
    small: Small, local: tuple[Small, dict[str, Any]]
) -> None:
    killer = Killer(small)
    killer.start()
    try:
        check_against_local(small, local, Cluster(runner="ray", workers=2))
    finally:
        killer.ended.set()
        killer.join()
    assert killer.killed


@pytest.mark.usefixtures("small_shards")
def test_dask(small: Small, local: tuple[Small, dict[str, Any]]) -> None:
    check_against_local(small, local, Cluster(runner="dask", workers=2))


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (Cluster(runner="spark"), "--runner spark: choose one of local, ray, dask"),
        (Cluster(workers=2), "--workers is of a cluster"),
        (Cluster(runner="ray", workers=0), "--workers 0: give at least 1"),
        (Cluster(runner="ray", workers=2, address="auto"), "give one of them"),
    ],
)
def test_a_cluster_that_cannot_be(tmp_path: Path, chosen: Cluster, message: str) -> None:
    asked = EmbedRequest(space="nasbench201", home=tmp_path / "home", cluster=chosen)
    with pytest.raises(InputError, match=re.escape(message)):
        plan(asked)
    assert not asked.home.exists()


def test_an_engine_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'cole-warehouse\[dask\]'"):
        Cluster(runner="dask").check()


def test_machines_elsewhere_need_a_server_that_they_reach() -> None:
    with (
        temporary_settings(restore_defaults={PREFECT_API_URL}),
        pytest.raises(InputError, match="PREFECT_API_URL"),
    ):
        Cluster(runner="ray", address="ray://head:10001").check()


def test_threads_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_cores", lambda: 8)
    assert [Cluster(runner="ray", workers=workers).threads for workers in (None, 1, 2, 3, 16)] == [
        1,
        8,
        4,
        2,
        1,
    ]
    assert Cluster().threads is None
    assert Cluster(runner="dask", address="tcp://127.0.0.1:8786").threads is None
