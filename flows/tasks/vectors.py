"""Vectors of texts into the warehouse."""

import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from cole_core.language_models.specification import EmbeddingSpecification
from cole_core.language_models.texts import EmbeddedTexts, embed_texts
from warehouse.writer import Writer


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


def add_vectors(
    writer: Writer,
    specification: EmbeddingSpecification,
    text_hashes: list[str],
    made: EmbeddedTexts,
) -> None:
    """Stores vectors, and the specification before them."""
    spec_id = specification.spec_id
    writer.add_specification(
        spec_id,
        specification.language_model,
        specification.pooling,
        specification.precision,
        specification.to_json(),
        made.vectors.shape[1],
    )
    writer.add_embeddings(spec_id, text_hashes, made.vectors, made.n_tokens, made.truncated)
