"""Flow: the vectors of a space's texts into the warehouse."""

import contextlib
import functools
import re
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from cole_core.errors import InputError
from cole_core.language_models import EmbeddingSpecification, specify
from flows.cluster import Cluster
from flows.progress import track
from flows.rendering import NO_CONTEXT, get_text_encoding
from flows.runs import recorded_run
from flows.spaces import find_space
from warehouse import Warehouse
from warehouse.spool import Spool
from warehouse.writer import Writer

if TYPE_CHECKING:
    from cole_core.language_models import Embedder

# What a crash can cost, what a worker takes at a time, and how often progress is seen: texts and
# characters between two commits.
SHARD = 2_000
SHARD_CHARACTERS = 2_000_000


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
    strict_length: bool = False,
    cluster: Cluster = Cluster(),
    options: dict[str, Any] | None = None,
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
        strict_length: Embed nothing where `max_length` would cut a text.
        cluster: Where shards are embedded. Their vectors come back and are stored from here.
        options: Further arguments of `specify`: layers, echo, instruction and so on.

    Raises:
        InputError: A name is unknown, the model or the cluster is not to be had, or a text is cut
            although none may be.
    """
    specification = plan(
        home,
        space,
        encoding,
        lm,
        context,
        pooling,
        precision,
        max_length,
        device,
        strict_length,
        cluster,
        options,
    )
    parameters = {
        "space": space,
        "encoding": encoding,
        "context": context,
        "specification": specification.to_json(),
        "device": device,
        "strict_length": strict_length,
        "cluster": asdict(cluster),
    }
    search_space, spec_id = find_space(Warehouse(home), space), specification.spec_id
    with (
        recorded_run(home, "embed", parameters) as run,
        run.warehouse.writer("cole embed", run.run_id) as writer,
    ):
        adopted, withdrawn = writer.recover_embeddings(spec_id)
        texts, cut = run.warehouse.count_texts(search_space, encoding, context, spec_id)
        with run.warehouse.missing_texts(search_space, encoding, context, spec_id) as missing:
            if strict_length:
                check_length(specification, missing, cut)
            tokens, truncated = embed_missing(specification, device, cluster, missing, writer)
        writer.compact_embeddings(spec_id)
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
    strict_length: bool = False,
    cluster: Cluster = Cluster(),
    options: dict[str, Any] | None = None,
) -> EmbeddingSpecification:
    """The specification that the flow will use; its arguments and errors are the flow's."""
    get_text_encoding(find_space(Warehouse(home), space), encoding, context)
    cluster.check()
    check_device(device)
    return specify(lm, pooling=pooling, precision=precision, max_length=max_length, **options or {})


def check_device(device: str) -> None:
    """Checks a device's name without PyTorch, which takes a second to import.

    Raises:
        InputError: It is no device's.
    """
    if not re.fullmatch(r"auto|cpu|(cuda|mps|xpu)(:\d+)?", device):
        raise InputError(f"no device '{device}': choose auto, cpu or cuda")


def check_length(specification: EmbeddingSpecification, missing: Spool, cut: int) -> None:
    """Checks that no text is longer than the specification reads, by the tokenizer alone.

    Args:
        specification: Of the vectors.
        missing: Texts that are to be embedded.
        cut: How many stored texts were cut.

    Raises:
        InputError: Some are; says how many.
    """
    if specification.max_length is None:
        return
    from cole_core.language_models.files import find_model
    from cole_core.language_models.loading import load_tokenizer
    from cole_core.language_models.windows import WindowTokenizer

    files = find_model(specification.language_model, specification.revision)
    tokenizer = WindowTokenizer(
        load_tokenizer(files, specification.trust_remote_code), specification
    )
    for block in missing.blocks():
        cut += int(tokenizer(block["text"].to_list()).truncated.sum())
    if cut:
        raise InputError(
            f"{cut:,} texts have more than {specification.max_length} tokens: raise --max-length, "
            "leave it out to read them in windows, or cut them without --strict-length"
        )


def embed_missing(
    specification: EmbeddingSpecification,
    device: str,
    cluster: Cluster,
    missing: Spool,
    writer: Writer,
) -> tuple[int, int]:
    """Embeds texts and stores their vectors, shard by shard.

    Returns:
        Tokens read, texts cut.
    """
    spec_id = specification.spec_id
    tokens = truncated = 0
    with contextlib.ExitStack() as stack:
        if not missing.height:
            return 0, 0
        workers = stack.enter_context(cluster.start(device))
        advance = stack.enter_context(track("embed · texts", missing.height))
        calls = (
            (
                shard["text_hash"].to_list(),
                {
                    "specification": specification,
                    "device": device,
                    "threads": cluster.threads,
                    "texts": shard["text"].to_arrow(),
                },
            )
            for shard in missing.shards(SHARD, SHARD_CHARACTERS)
        )
        for text_hashes, (vectors, n_tokens, cut) in workers.map(embed_shard, calls):
            writer.add_specification(
                spec_id,
                specification.language_model,
                specification.pooling,
                specification.precision,
                specification.to_json(),
                vectors.shape[1],
            )
            writer.add_embeddings(spec_id, text_hashes, vectors, n_tokens, cut)
            advance(len(text_hashes))
            tokens += int(n_tokens.sum())
            truncated += int(cut.sum())
    return tokens, truncated


@task(name="embed shard", cache_policy=NO_CACHE, persist_result=False)
def embed_shard(
    specification: EmbeddingSpecification, device: str, threads: int | None, texts: pa.Array
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The vectors of a shard of texts, on whatever worker it comes to.

    Args:
        specification: Of the vectors.
        device: auto, cpu or cuda.
        threads: Threads on a CPU; None leaves them as they are.
        texts: Strings.

    Returns:
        (n, d) float32 vectors, (n,) token counts, (n,) whether the text was cut.
    """
    return _embed_texts(specification, device, threads, texts)


# The task travels to workers by value; what follows they import, so that a process has it once.


def _embed_texts(
    specification: EmbeddingSpecification, device: str, threads: int | None, texts: pa.Array
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    with _loading:  # a Dask worker may have several threads
        embedder = _embedder(specification, device)
    batches = list(embedder.embed(texts.to_pylist()))
    order = np.argsort(np.concatenate([batch.indices for batch in batches]))
    return (
        np.concatenate([batch.vectors for batch in batches])[order],
        np.concatenate([batch.n_tokens for batch in batches])[order],
        np.concatenate([batch.truncated for batch in batches])[order],
    )


_loading = threading.Lock()


@functools.lru_cache(maxsize=1)
def _embedder(specification: EmbeddingSpecification, device: str) -> "Embedder":
    """The loaded model, kept for the shards that follow."""
    from cole_core.language_models import load

    return load(specification, device=device)
