"""The vectors: one LanceDB table per embedding specification."""

from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lance
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import lancedb

_MANY_FRAGMENTS = 32  # one per commit: from here on a scan spends its time opening them
_READERS_HOLD = timedelta(hours=1)  # longer than anybody reads one version


class VectorStore:
    """The LanceDB tables below one directory or object-storage URI.

    Args:
        uri: Where the tables are.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri

    @cached_property
    def _database(self) -> "lancedb.DBConnection":
        import lancedb  # two seconds, and readers do without

        return lancedb.connect(self.uri)

    def dataset(self, spec_id: str) -> lance.LanceDataset | None:
        """The table as a pyarrow dataset, which DuckDB scans without a copy; None if not there."""
        path = self._path(spec_id)
        if "://" not in self.uri and not Path(path).exists():
            return None
        try:
            return lance.dataset(path)
        except ValueError:  # what Lance raises for a table that is not there
            return None

    def _path(self, spec_id: str) -> str:
        return f"{self.uri}/{spec_id}.lance"  # where LanceDB looks for a table of that name

    def keys(self, spec_id: str) -> pl.DataFrame:
        """`text_hash`, `n_tokens`, `truncated` of every stored row."""
        dataset = self.dataset(spec_id)
        columns = ["text_hash", "n_tokens", "truncated"]
        if dataset is None:
            return pl.DataFrame(
                schema=dict(zip(columns, (pl.String, pl.Int32, pl.Boolean), strict=True))
            )
        return pl.from_arrow(dataset.to_table(columns=columns))  # type: ignore[return-value]

    def append(self, spec_id: str, rows: pa.Table) -> None:
        """Adds rows in one atomic Lance commit.

        The caller holds the writer lock and knows that no `text_hash` of them is there: Lance
        would have to read the column to find out.

        Args:
            spec_id: The table; made if it is not there.
            rows: See `vector_rows`.
        """
        dataset = self.dataset(spec_id)
        if dataset is None:
            lance.write_dataset(rows, self._path(spec_id))
        else:
            dataset.insert(rows)

    def compact(self, spec_id: str) -> int:
        """Joins small fragments where there are many, and drops versions nobody reads any more.

        Returns:
            How many fewer fragments there are.
        """
        dataset = self.dataset(spec_id)
        if dataset is None or (before := len(dataset.get_fragments())) < _MANY_FRAGMENTS:
            return 0
        dataset.optimize.compact_files(compaction_mode="try_binary_copy")
        dataset.cleanup_old_versions(older_than=_READERS_HOLD)
        return before - len(dataset.get_fragments())

    def vector(self, spec_id: str, text_hash: str) -> np.ndarray | None:
        """The vector (d,) of a text, None if it is not there."""
        dataset = self.dataset(spec_id)
        if dataset is None:
            return None
        rows = dataset.to_table(columns=["vector"], filter=pc.field("text_hash") == text_hash)
        return np.array(rows["vector"][0].as_py(), np.float32) if len(rows) else None

    def nearest(self, spec_id: str, vector: np.ndarray, k: int) -> pl.DataFrame:
        """The k nearest rows by cosine distance: `text_hash`, `distance`, nearest first."""
        query: Any = self._database.open_table(spec_id).search(vector)
        found = query.distance_type("cosine").select(["text_hash", "_distance"]).limit(k).to_arrow()
        return pl.DataFrame(pl.from_arrow(found)).rename({"_distance": "distance"})


def vector_rows(
    text_hashes: list[str], vectors: np.ndarray, n_tokens: np.ndarray, truncated: np.ndarray
) -> pa.Table:
    """Rows of a vector table.

    Args:
        text_hashes: n hashes.
        vectors: (n, d) float32.
        n_tokens: (n,) tokens that the model read, special tokens included.
        truncated: (n,) whether a hard maximum length cut the text.

    Raises:
        ValueError: A vector is not finite.
    """
    if not np.isfinite(vectors).all():
        bad = text_hashes[int(np.argmin(np.isfinite(vectors).all(axis=1)))]
        raise ValueError(f"the vector of text {bad} is not finite")
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).ravel())
    return pa.table(
        {
            "text_hash": pa.array(text_hashes, pa.string()),
            "vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
            "n_tokens": pa.array(n_tokens, pa.int32()),
            "truncated": pa.array(truncated, pa.bool_()),
        }
    )
