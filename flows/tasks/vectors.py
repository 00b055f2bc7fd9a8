"""Vectors of texts into the warehouse."""

import time
from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from cole_core.language_models.specification import EmbeddingSpecification
from cole_core.language_models.texts import EmbeddedTexts, embed_texts
from warehouse.fragments import WrittenVectors, write_vectors
from warehouse.vectors import vector_rows
from warehouse.writer import Writer

# Of vectors in an object store, where every file costs a request for each reader: what is gathered
# before a commit, or how long, which is what a crash can cost.
GATHERED_ROWS: Final = 1 << 16
GATHERED_SECONDS: Final = 30.0


@task(
    name="embed shard",
    task_run_name="embed · {specification.language_model}",
    cache_policy=NO_CACHE,
    persist_result=False,
)
def embed_shard(
    specification: EmbeddingSpecification, device: str, threads: int | None, texts: pa.Array
) -> EmbeddedTexts:
    """The vectors of a shard of texts, on whatever worker it comes to.

    Args:
        specification: Of the vectors.
        device: auto, cpu or cuda.
        threads: Threads on a CPU; None leaves them as they are.
        texts: Strings.
    """
    # The task travels to workers by value; what it calls they import, so that a process has its
    # model once.
    return embed_texts(specification, device, threads, texts)


@task(
    name="embed and write shard",
    task_run_name="embed · {specification.language_model}",
    cache_policy=NO_CACHE,
    persist_result=False,
)
def write_shard(
    specification: EmbeddingSpecification,
    device: str,
    threads: int | None,
    texts: pa.Array,
    text_hashes: pa.Array,
    path: str,
) -> WrittenVectors:
    """The vectors of a shard of texts, written by the worker to an object store.

    Args:
        specification: Of the vectors.
        device: auto, cpu or cuda.
        threads: Threads on a CPU; None leaves them as they are.
        texts: Strings.
        text_hashes: Theirs.
        path: The vector table's, which the worker opens by its own environment.
    """
    made = embed_texts(specification, device, threads, texts)
    return write_vectors(path, vector_rows(text_hashes.to_pylist(), *made))


def add_vectors(
    writer: Writer,
    specification: EmbeddingSpecification,
    text_hashes: list[str],
    made: EmbeddedTexts,
) -> None:
    """Stores vectors, and the specification before them."""
    _add_specification(writer, specification, made.vectors.shape[1])
    writer.add_embeddings(specification.spec_id, text_hashes, *made)


def add_written(
    writer: Writer, specification: EmbeddingSpecification, written: list[WrittenVectors]
) -> None:
    """Commits vectors that workers wrote, the specification before them."""
    _add_specification(writer, specification, written[0].dimension)
    writer.add_fragments(specification.spec_id, written)


class Gathering:
    """Shards of vectors on their way into the warehouse, several in a commit where that is wanted.

    Args:
        writer: Stores them.
        specification: Of the vectors.
        gathers: Whether shards are gathered, as for an object store; else each is a commit.
        stored: Told how many texts have been stored by each commit.
    """

    def __init__(
        self,
        writer: Writer,
        specification: EmbeddingSpecification,
        gathers: bool,
        stored: Callable[[int], None],
    ) -> None:
        self._writer, self._specification, self._stored = writer, specification, stored
        self._rows = GATHERED_ROWS if gathers else 1
        self._hashes: list[str] = []
        self._made: list[EmbeddedTexts] = []
        self._written: list[WrittenVectors] = []
        self._since = time.monotonic()

    def add(self, text_hashes: list[str], made: EmbeddedTexts | WrittenVectors) -> None:
        """Takes a shard, and commits all that is there if it is enough or has waited long."""
        self._hashes += text_hashes
        if isinstance(made, WrittenVectors):
            self._written.append(made)
        else:
            self._made.append(made)
        waited = time.monotonic() - self._since
        if len(self._hashes) >= self._rows or waited >= GATHERED_SECONDS:
            self.commit()

    def commit(self) -> None:
        """Stores what is left."""
        if self._written:
            add_written(self._writer, self._specification, self._written)
        if self._made:
            columns = (np.concatenate(column) for column in zip(*self._made, strict=True))
            made = EmbeddedTexts(*columns)
            add_vectors(self._writer, self._specification, self._hashes, made)
        self._stored(len(self._hashes))
        self._hashes, self._made, self._written = [], [], []
        self._since = time.monotonic()


def _add_specification(
    writer: Writer, specification: EmbeddingSpecification, dimension: int
) -> None:
    writer.add_specification(
        specification.spec_id,
        specification.language_model,
        specification.pooling,
        specification.precision,
        specification.to_json(),
        dimension,
    )
