"""Upkeep of what many commits leave behind: fragments, old versions, an index out of date.

Lance commits each step atomically and readers keep the version that they opened, so a killed
optimisation loses nothing and the next one does what is left.

The index, measured on 100,000 vectors of 384 dimensions like those of all-MiniLM-L6-v2, ten nearest
by cosine distance, ten times as many refined (two busy cores; CPU seconds to build):

    kind          build    recall at 10    p50
    IVF_SQ        1.3 s    1.000           4 ms (5 of 24 partitions)
    IVF_FLAT      1.6 s    1.000           4 ms, and a second copy of every vector
    IVF_HNSW_SQ  33 s      1.000           4 ms (1 partition)
    IVF_PQ       73 s      1.000           5 ms (5 of 24 partitions, 48 subvectors)

so IVF_SQ: one byte per dimension, the vectors themselves decide among the best.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import lance
import numpy as np

from warehouse.vectors import FRAGMENT, VectorStore

INDEX_ABOVE = 50_000  # below, computing every distance takes no longer
KIND = "IVF_SQ"
_NAME = "vector_idx"
_PARTITION = 4_096  # vectors
_STALE = 4  # an index with a quarter of its size beside it is made anew, or its partitions mislead
_COSINE_SAMPLE, _K = 20, 10


@dataclass(frozen=True)
class Optimized:
    """What was done to one table.

    Attributes:
        fragments: How many fewer there are.
        bytes_removed: Of old versions that nobody reads any more.
        index: "built", "refreshed", or None where nothing had to be done or the table is small.
        recall: At 10, of the index against every distance, over a few stored vectors; None where
            the index is not new.
    """

    fragments: int
    bytes_removed: int
    index: str | None
    recall: float | None


def optimize_table(
    store: VectorStore, spec_id: str, older_than: timedelta, index_above: int = INDEX_ABOVE
) -> Optimized:
    """Compacts a table, drops old versions, and makes or refreshes its index.

    The caller holds the writer lock.

    Args:
        store: Where the table is.
        spec_id: Which.
        older_than: Versions older than that are dropped; whoever reads one by then is cut off.
        index_above: Vectors from which on there is an index.
    """
    dataset = store.dataset(spec_id)
    if dataset is None:
        return Optimized(0, 0, None, None)
    before = len(dataset.get_fragments())
    dataset.optimize.compact_files(target_rows_per_fragment=FRAGMENT)
    index = _index(dataset, index_above)
    # Latest of all, so that what compaction and a new index replaced is dropped by the next run.
    removed = dataset.cleanup_old_versions(older_than=older_than).bytes_removed
    return Optimized(
        before - len(dataset.get_fragments()),
        removed,
        index,
        None if index is None else measure_recall(store, spec_id),
    )


def measure_recall(
    store: VectorStore, spec_id: str, queries: int = _COSINE_SAMPLE, k: int = _K, seed: int = 0
) -> float:
    """Share of the k nearest that the index finds, over stored vectors drawn at random."""
    dataset = store.dataset(spec_id)
    assert dataset is not None
    count = dataset.count_rows()
    rows = np.random.default_rng(seed).choice(count, min(queries, count), replace=False)
    vectors = dataset.take(np.sort(rows).tolist(), columns=["vector"])["vector"].to_pylist()
    found = 0
    for vector in vectors:
        exact = store.nearest(spec_id, np.array(vector, np.float32), k)
        near = store.nearest(spec_id, np.array(vector, np.float32), k, use_index=True)
        # Equal distances stand in no order: what is as near as the last of the exact ones counts.
        found += int((near["distance"] <= exact["distance"].max() + 1e-6).sum())  # type: ignore[operator]
    return found / (len(vectors) * min(k, count))


def _index(dataset: lance.LanceDataset, index_above: int) -> str | None:
    rows = dataset.count_rows()
    described = next((i for i in dataset.describe_indices() if i.field_names == ["vector"]), None)
    indexed = 0 if described is None else described.num_rows_indexed
    if rows < index_above or rows == indexed:
        return None
    if indexed and described is not None and described.index_type == KIND and _few(rows, indexed):
        dataset.optimize.optimize_indices(index_names=[described.name])
        return "refreshed"
    parameters: Mapping[str, Any] = {"num_partitions": max(rows // _PARTITION, 1)}
    dataset.create_index("vector", KIND, name=_NAME, metric="cosine", replace=True, **parameters)
    return "built"


def _few(rows: int, indexed: int) -> bool:
    return (rows - indexed) * _STALE <= indexed
