"""Fragments of a vector table that a worker writes by itself, to be committed by whoever may write.

A fragment is files that no version of the table names: nobody reads it until one process, which
holds the writer lock, commits it with others. A worker that dies leaves files and nothing else.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from warehouse.object_storage import check_store, storage_options
from warehouse.store_faults import told

FORMAT: Final = "2.0"
"""Measured on a million vectors: 2.0 keeps them as they are, and a scan takes two thirds of the
time of 2.2, which unpacks them."""

_KEYS = ["text_hash", "n_tokens", "truncated"]


@dataclass(frozen=True)
class WrittenVectors:
    """Vectors that are in a table's folder and not yet of the table.

    Attributes:
        fragments: Descriptions of the fragments, as JSON.
        keys: `text_hash`, `n_tokens`, `truncated` of their rows.
        dimension: Of the vectors.
    """

    fragments: tuple[str, ...]
    keys: pa.Table
    dimension: int

    @property
    def n_tokens(self) -> np.ndarray:
        """(n,) token counts."""
        return self.keys["n_tokens"].to_numpy()

    @property
    def truncated(self) -> np.ndarray:
        """(n,) whether the text was cut."""
        return self.keys["truncated"].to_numpy()


def write_vectors(path: str, rows: pa.Table) -> WrittenVectors:
    """Writes fragments of a table without committing them, on whatever worker.

    Args:
        path: The table's, see `VectorStore.path`.
        rows: See `warehouse.vectors.vector_rows`.

    Raises:
        InputError: The object store is at fault.
    """
    from lance.fragment import write_fragments

    store = path.rpartition("/")[0]
    check_store(store)
    with told(store):
        made: Any = write_fragments(
            rows,
            path,
            rows.schema,
            mode="overwrite",  # looks at no table, which need not be there yet
            data_storage_version=FORMAT,
            storage_options=storage_options(path),
        )
    described = tuple(json.dumps(fragment.to_json()) for fragment in made)
    return WrittenVectors(described, rows.select(_KEYS), rows.schema.field("vector").type.list_size)


def commit_vectors(path: str, written: Sequence[WrittenVectors], version: int | None) -> None:
    """Makes written fragments rows of their table, in one atomic commit.

    The caller holds the writer lock, and knows that no `text_hash` of them is there.

    Args:
        path: The table's.
        written: What workers wrote below that path.
        version: The table's latest version; None where there is no table yet.

    Raises:
        InputError: The object store is at fault.
    """
    import lance
    from lance.fragment import FragmentMetadata

    fragments = [FragmentMetadata.from_json(text) for each in written for text in each.fragments]
    operation: Any
    if version is None:
        schema = vector_schema(written[0].dimension)
        operation = lance.LanceOperation.Overwrite(schema, fragments)
    else:
        operation = lance.LanceOperation.Append(fragments)
    with told(path.rpartition("/")[0]):
        lance.LanceDataset.commit(
            path, operation, read_version=version, storage_options=storage_options(path)
        )


def vector_schema(dimension: int) -> pa.Schema:
    """The columns of a vector table."""
    return pa.schema(
        {
            "text_hash": pa.string(),
            "vector": pa.list_(pa.float32(), dimension),
            "n_tokens": pa.int32(),
            "truncated": pa.bool_(),
        }
    )
