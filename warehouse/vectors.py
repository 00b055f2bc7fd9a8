"""The vectors: one LanceDB table per embedding specification."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from cole_core.errors import InputError
from warehouse.errors import raise_full_disk
from warehouse.fragments import FORMAT, WrittenVectors, commit_vectors, vector_schema
from warehouse.location import is_remote
from warehouse.object_storage import check_store, folders_below, storage_options
from warehouse.store_faults import told

if TYPE_CHECKING:
    import lance  # which brings pandas and takes half a second; many a command reads no vector

_SUFFIX: Final = ".lance"
# Rows of a fragment that is not made larger: of a few an exact search takes two thirds of the time.
FRAGMENT = 1 << 17
_MANY_FRAGMENTS = 32  # one per commit: from here on a scan spends its time opening them
_READERS_HOLD = timedelta(hours=1)  # longer than anybody reads one version
_INDEX_CACHE, _METADATA_CACHE = 1 << 30, 1 << 27  # bytes at most
# Of an approximate search: partitions of the index that are read, rows per answer whose distances
# are computed again from the vectors themselves, and the fewest nodes that a graph search visits.
_PROBES = 20
_REFINE = 10
_LEAST_VISITED = 200
_BLOCK = 2_048  # rows of a scan at once: as many as DuckDB takes, few enough for a cache
_READ_AHEAD = 32 << 20  # bytes from a disk: few enough for memory to be used again, not asked for


class VectorStore:
    """The LanceDB tables below one directory or object-storage URI.

    Args:
        uri: Where the tables are.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri

    @property
    def is_remote(self) -> bool:
        """Whether the tables are in an object store."""
        return is_remote(self.uri)

    def check(self) -> None:
        """Checks that an object store answers.

        Raises:
            InputError: It does not; says what to do.
        """
        check_store(self.uri)

    @cached_property
    def _session(self) -> "lance.Session":
        """What datasets have read of their indices and files: a query of a freshly opened table
        would otherwise spend most of its time reading them again."""
        import lance

        return lance.Session(
            index_cache_size_bytes=_INDEX_CACHE, metadata_cache_size_bytes=_METADATA_CACHE
        )

    def dataset(self, spec_id: str) -> "lance.LanceDataset | None":
        """The table as a pyarrow dataset, which DuckDB scans without a copy; None if not there.

        Raises:
            InputError: It is damaged, or the store is at fault.
        """
        import lance

        self.check()
        path, scan = self.path(spec_id), {"batch_size": _BLOCK}
        if not self.is_remote:
            if not Path(path).exists():
                return None
            scan["io_buffer_size"] = _READ_AHEAD
        try:
            with told(self.uri):
                return lance.dataset(
                    path,
                    session=self._session,
                    default_scan_options=scan,  # type: ignore[arg-type]
                    storage_options=storage_options(self.uri),
                )
        except InputError:
            raise
        except ValueError as error:
            if "was not found" in str(error):
                return None
            raise _damaged(path) from error

    def path(self, spec_id: str) -> str:
        """Where a table is: where LanceDB looks for one of that name."""
        return f"{self.uri}/{spec_id}{_SUFFIX}"

    def spec_ids(self) -> list[str]:
        """The specifications that have a table, sorted."""
        self.check()
        names = folders_below(self.uri)
        return [name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)]

    def keys(self, spec_id: str) -> pl.DataFrame:
        """`text_hash`, `n_tokens`, `truncated` of every stored row.

        Raises:
            InputError: A file of the table cannot be read.
        """
        dataset = self.dataset(spec_id)
        columns = ["text_hash", "n_tokens", "truncated"]
        if dataset is None:
            return pl.DataFrame(
                schema=dict(zip(columns, (pl.String, pl.Int32, pl.Boolean), strict=True))
            )
        try:
            with told(self.uri):
                return pl.from_arrow(dataset.to_table(columns=columns))  # type: ignore[return-value]
        except InputError:
            raise
        except (ValueError, OSError) as error:
            raise _damaged(self.path(spec_id)) from error

    def append(self, spec_id: str, rows: pa.Table) -> None:
        """Adds rows in one atomic Lance commit.

        The caller holds the writer lock and knows that no `text_hash` of them is there: Lance
        would have to read the column to find out.

        Args:
            spec_id: The table; made if it is not there.
            rows: See `vector_rows`.

        Raises:
            OSError: The disk is full (errno ENOSPC), or cannot be written.
            InputError: The object store is at fault.
        """
        import lance

        dataset = self.dataset(spec_id)
        try:
            with told(self.uri):
                if dataset is None:
                    lance.write_dataset(
                        rows,
                        self.path(spec_id),
                        data_storage_version=FORMAT,
                        storage_options=storage_options(self.uri),
                    )
                else:
                    dataset.insert(rows)
        except OSError as error:
            raise_full_disk(error)
            raise

    def commit(self, spec_id: str, written: Sequence[WrittenVectors]) -> None:
        """Adds what workers have written below the table's path; as `append`, in one commit.

        Args:
            spec_id: The table; made if it is not there.
            written: Fragments of it.

        Raises:
            InputError: The object store is at fault.
        """
        dataset = self.dataset(spec_id)
        version = None if dataset is None else dataset.version
        commit_vectors(self.path(spec_id), written, version)

    def compact(self, spec_id: str) -> int:
        """Joins small fragments where there are many, and drops versions nobody reads any more.

        Returns:
            How many fewer fragments there are.
        """
        dataset = self.dataset(spec_id)
        if dataset is None:
            return 0
        fragments = dataset.get_fragments()
        if sum(fragment.count_rows() < FRAGMENT for fragment in fragments) < _MANY_FRAGMENTS:
            return 0
        dataset.optimize.compact_files(target_rows_per_fragment=FRAGMENT)
        dataset.cleanup_old_versions(older_than=_READERS_HOLD)
        return len(fragments) - len(dataset.get_fragments())

    def vector(self, spec_id: str, text_hash: str) -> np.ndarray | None:
        """The vector (d,) of a text, None if it is not there."""
        dataset = self.dataset(spec_id)
        if dataset is None:
            return None
        rows = dataset.to_table(columns=["vector"], filter=pc.field("text_hash") == text_hash)
        return np.array(rows["vector"][0].as_py(), np.float32) if len(rows) else None

    def vectors_of(self, spec_id: str, text_hashes: list[str]) -> dict[str, np.ndarray]:
        """The vectors (d,) float32 of those texts that have one, by their hash."""
        dataset = self.dataset(spec_id)
        if dataset is None or not text_hashes:
            return {}
        rows = dataset.to_table(
            columns=["text_hash", "vector"], filter=pc.field("text_hash").isin(text_hashes)
        )
        vectors = np.array(rows["vector"].to_pylist(), np.float32)
        return dict(zip(rows["text_hash"].to_pylist(), vectors, strict=True))

    def index(self, spec_id: str) -> str | None:
        """The kind of the index over a table's vectors, such as IVF_HNSW_SQ; None without one."""
        dataset = self.dataset(spec_id)
        return None if dataset is None else _index_of(dataset)

    def count(self, spec_id: str) -> int:
        """Number of stored vectors."""
        dataset = self.dataset(spec_id)
        return 0 if dataset is None else dataset.count_rows()

    def nearest(
        self, spec_id: str, vector: np.ndarray, k: int, use_index: bool = False
    ) -> pl.DataFrame:
        """The k nearest rows by cosine distance.

        Args:
            spec_id: The table.
            vector: (d,) what is looked for.
            k: How many rows.
            use_index: Whether an index may answer, approximately; rows that came after it was made
                are read as well. The distances are exact either way.

        Returns:
            `text_hash`, `distance`, nearest first.
        """
        dataset = self.dataset(spec_id)
        if dataset is None:
            return pl.DataFrame(schema={"text_hash": pl.String, "distance": pl.Float32})
        nearest = {
            "column": "vector",
            "q": np.asarray(vector, np.float32),
            "k": k,
            "metric": "cosine",
            "use_index": use_index,
        }
        if use_index:
            nearest |= {"nprobes": _PROBES, "refine_factor": _REFINE}
            if "HNSW" in str(_index_of(dataset)):
                nearest["ef"] = max(_LEAST_VISITED, 2 * _REFINE * k)
        found = dataset.to_table(columns=["text_hash", "_distance"], nearest=nearest)
        return pl.DataFrame(pl.from_arrow(found)).rename({"_distance": "distance"})

    def distances(self, spec_id: str, vector: np.ndarray) -> pl.DataFrame:
        """`text_hash`, `distance` (cosine, float64) of every stored row, block by block."""
        dataset = self.dataset(spec_id)
        if dataset is None:
            return pl.DataFrame(schema={"text_hash": pl.String, "distance": pl.Float64})
        query = np.asarray(vector, np.float64) / np.linalg.norm(vector)
        blocks = []
        for batch in dataset.to_batches(columns=["text_hash", "vector"]):
            matrix = batch["vector"].flatten().to_numpy().reshape(len(batch), -1)
            cosine = (matrix @ query) / np.linalg.norm(matrix, axis=1)
            hashes = pl.Series(pl.from_arrow(batch["text_hash"]), dtype=pl.String)
            blocks.append(pl.DataFrame({"text_hash": hashes, "distance": 1 - cosine}))
        return (
            pl.concat(blocks)
            if blocks
            else pl.DataFrame(schema={"text_hash": pl.String, "distance": pl.Float64})
        )


def _damaged(path: str) -> InputError:
    return InputError(f"the vector table {path} is damaged: 'cole doctor' says what is lost")


def _index_of(dataset: "lance.LanceDataset") -> str | None:
    found = dataset.describe_indices()
    return next((i.index_type for i in found if i.field_names == ["vector"]), None)


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
    columns = [
        pa.array(text_hashes, pa.string()),
        pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
        pa.array(n_tokens, pa.int32()),
        pa.array(truncated, pa.bool_()),
    ]
    return pa.table(columns, schema=vector_schema(vectors.shape[1]))
