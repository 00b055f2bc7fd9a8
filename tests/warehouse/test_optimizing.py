"""Upkeep of vector tables: nothing is lost, nothing is done twice, the index finds what is near."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import lance
import numpy as np
import pytest

from cole_core.hashing import hash_text
from warehouse import Warehouse
from warehouse.optimizing import measure_recall, optimize_table
from warehouse.vectors import VectorStore, vector_rows

DIMENSION = 32
OPTIMIZE = """
import sys
from datetime import timedelta
from warehouse.optimizing import optimize_table
from warehouse.vectors import VectorStore
print("ready", flush=True)
optimize_table(VectorStore(sys.argv[1]), "spec", timedelta(0), index_above=1000)
"""


def fill(store: VectorStore, rows: int, commits: int, first: int = 0) -> None:
    """Vectors near a few centres, each text's from its number alone."""
    centres = np.random.default_rng(7).standard_normal((20, DIMENSION))
    for numbers in np.array_split(np.arange(first, first + rows), commits):
        noise = np.random.default_rng([1, int(numbers[0])]).standard_normal(
            (len(numbers), DIMENSION)
        )
        vectors = (centres[numbers % 20] + 0.5 * noise).astype(np.float32)
        hashes = [hash_text(str(number)) for number in numbers]
        count = np.zeros(len(numbers), np.int32)
        store.append("spec", vector_rows(hashes, vectors, count, count.astype(bool)))


def content(store: VectorStore) -> dict[str, list[float]]:
    dataset = store.dataset("spec")
    assert dataset is not None
    found = dataset.to_table().to_pydict()
    assert len(set(found["text_hash"])) == len(found["text_hash"])
    return dict(zip(found["text_hash"], found["vector"], strict=True))


def files(store: VectorStore) -> dict[Path, int]:
    return {path: path.stat().st_size for path in Path(store.uri).rglob("*") if path.is_file()}


def test_compacts_indexes_and_then_has_nothing_to_do(tmp_path: Path) -> None:
    store = VectorStore(str(tmp_path))
    fill(store, 3_000, commits=40)
    before = content(store)

    first = optimize_table(store, "spec", timedelta(0), index_above=1_000)
    assert (first.fragments, first.index) == (39, "built")
    assert first.bytes_removed > 0
    assert first.recall is not None
    assert first.recall >= 0.95
    assert content(store) == before

    optimize_table(store, "spec", timedelta(0), index_above=1_000)  # drops the last versions
    there = files(store)
    again = optimize_table(store, "spec", timedelta(0), index_above=1_000)
    assert (again.fragments, again.bytes_removed, again.index) == (0, 0, None)
    assert files(store) == there


def test_an_index_follows_what_is_added(tmp_path: Path) -> None:
    store = VectorStore(str(tmp_path))
    fill(store, 2_000, commits=2)
    assert optimize_table(store, "spec", timedelta(hours=1), 1_000).index == "built"
    fill(store, 200, commits=1, first=2_000)
    assert optimize_table(store, "spec", timedelta(hours=1), 1_000).index == "refreshed"
    assert optimize_table(store, "spec", timedelta(hours=1), 1_000).index is None
    fill(store, 2_000, commits=1, first=2_200)
    assert optimize_table(store, "spec", timedelta(hours=1), 1_000).index == "built"
    assert measure_recall(store, "spec") >= 0.95
    assert len(content(store)) == 4_200


def test_a_small_table_has_no_index(tmp_path: Path) -> None:
    store = VectorStore(str(tmp_path))
    fill(store, 900, commits=3)
    assert optimize_table(store, "spec", timedelta(hours=1), 1_000).index is None
    assert store.index("spec") is None
    assert optimize_table(store, "other", timedelta(hours=1)).fragments == 0


def test_a_reader_keeps_the_version_that_it_opened(tmp_path: Path) -> None:
    store = VectorStore(str(tmp_path))
    fill(store, 1_500, commits=5)
    reader = store.dataset("spec")
    assert reader is not None
    optimize_table(store, "spec", timedelta(hours=1), 1_000)
    assert reader.to_table().num_rows == 1_500


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_a_random_moment_loses_nothing(tmp_path: Path, seed: int) -> None:
    store = VectorStore(str(tmp_path))
    fill(store, 4_000, commits=40)
    before = content(store)
    process = subprocess.Popen(
        [sys.executable, "-c", OPTIMIZE, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(np.random.default_rng(seed).uniform(0, 0.5))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert content(VectorStore(str(tmp_path))) == before
    done = optimize_table(VectorStore(str(tmp_path)), "spec", timedelta(0), 1_000)
    assert content(VectorStore(str(tmp_path))) == before
    assert done.index in ("built", None)
    assert len(lance.dataset(str(tmp_path / "spec.lance")).get_fragments()) == 1
    assert store.index("spec") == "IVF_SQ"


def test_checkpoint_leaves_one_file(filled: Warehouse) -> None:
    with filled.writer("test", "run") as writer:
        writer.checkpoint()
    assert [path.name for path in filled.home.glob("catalog*")] == ["catalog.duckdb"]
    assert filled.status()["spaces"]["nasbench201"]["architectures"] == 10
