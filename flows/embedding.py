"""Flow: the vectors of a space's texts into the warehouse."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from cole_core.language_models import EmbeddingSpecification, specify
from cole_core.spaces import get_space
from flows.progress import track
from flows.rendering import NO_CONTEXT, get_text_encoding
from flows.runs import recorded_run
from warehouse import Warehouse

if TYPE_CHECKING:
    from cole_core.language_models import Embedder

SHARD = 2_000  # texts between two commits: what a crash can cost


@flow(name="embed")
def embed(
    home: str,
    space: str,
    encoding: str = "code.expression",
    lm: str = "minilm",
    context: str = NO_CONTEXT,
    pooling: str = "avg_avg",
    precision: str = "bf16",
    max_length: int | None = None,
    device: str = "auto",
) -> dict[str, Any]:
    """Embeds the distinct texts that have no vector under a specification yet.

    Args:
        home: The warehouse.
        space: The search space.
        encoding: A text encoding of the space, rendered before.
        lm: The language model: a known name, a hub id or a local path.
        context: The rendering's context.
        pooling: How token states become one vector.
        precision: Of weights and arithmetic.
        max_length: Cut texts after so many tokens; None reads long texts in windows.
        device: auto, cpu or cuda.

    Raises:
        InputError: A name is unknown, or the model is not to be had.
    """
    specification = plan(home, space, encoding, lm, context, pooling, precision, max_length, device)
    parameters = {
        "space": space,
        "encoding": encoding,
        "context": context,
        "specification": specification.to_json(),
        "device": device,
    }
    with (
        recorded_run(home, "embed", parameters) as run,
        run.warehouse.writer("cole embed", run.run_id) as writer,
    ):
        search_space, spec_id = get_space(space), specification.spec_id
        adopted, withdrawn = writer.recover_embeddings(spec_id)
        texts = run.warehouse.texts(search_space, encoding, context).height
        missing = run.warehouse.missing_texts(search_space, encoding, context, spec_id)
        tokens = truncated = 0
        with track("embed · texts", missing.height) as advance:
            for shard in missing.iter_slices(SHARD):
                vectors, n_tokens, cut = embed_shard(
                    specification, device, shard["text"].to_list(), advance
                )
                writer.add_specification(
                    spec_id,
                    specification.language_model,
                    specification.pooling,
                    specification.precision,
                    specification.to_json(),
                    vectors.shape[1],
                )
                writer.add_embeddings(spec_id, shard["text_hash"].to_list(), vectors, n_tokens, cut)
                tokens += int(n_tokens.sum())
                truncated += int(cut.sum())
        run.summary = {
            "spec_id": spec_id,
            "embedded": missing.height,
            "skipped": texts - missing.height,
            "tokens": tokens,
            "truncated": truncated,
            "recovered": adopted,
            "lost": withdrawn,
        }
    return run.summary


def plan(
    home: str,
    space: str,
    encoding: str = "code.expression",
    lm: str = "minilm",
    context: str = NO_CONTEXT,
    pooling: str = "avg_avg",
    precision: str = "bf16",
    max_length: int | None = None,
    device: str = "auto",
) -> EmbeddingSpecification:
    """The specification that the flow will use; its arguments and errors are the flow's."""
    Warehouse(home)
    get_text_encoding(space, encoding, context)
    return specify(lm, pooling=pooling, precision=precision, max_length=max_length)


@task(name="embed shard", cache_policy=NO_CACHE, persist_result=False)
def embed_shard(
    specification: EmbeddingSpecification,
    device: str,
    texts: list[str],
    advance: Callable[[int], None],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The vectors of a shard of texts.

    Returns:
        (n, d) float32 vectors, (n,) token counts, (n,) whether the text was cut.
    """
    embedder = _embedder(specification, device)
    batches = []
    for batch in embedder.embed(texts):
        batches.append(batch)
        advance(len(batch.indices))
    order = np.argsort(np.concatenate([batch.indices for batch in batches]))
    return (
        np.concatenate([batch.vectors for batch in batches])[order],
        np.concatenate([batch.n_tokens for batch in batches])[order],
        np.concatenate([batch.truncated for batch in batches])[order],
    )


@functools.lru_cache(maxsize=1)
def _embedder(specification: EmbeddingSpecification, device: str) -> "Embedder":
    """The loaded model, kept for the shards that follow."""
    from cole_core.language_models import load

    return load(specification, device=device)
