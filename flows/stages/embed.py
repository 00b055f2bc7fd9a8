"""Stage: the vectors of a space's texts into the warehouse."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from prefect import flow

from cole_core.encodings.base import NO_CONTEXT
from cole_core.encodings.registry import make_text_encoding
from cole_core.errors import InputError
from cole_core.language_models import EmbeddingSpecification
from cole_core.spaces.base import SearchSpace
from flows.resolve.models import check_model
from flows.resolve.requests import AskedEmbeddings, Device, Flag, InWarehouse, request
from flows.resolve.spaces import known_space
from flows.running.cluster import Cluster
from flows.running.names import run_name
from flows.running.progress import track
from flows.running.runs import recorded_run
from flows.running.stage import planned
from flows.tasks.vectors import Gathering, embed_shard, write_shard
from warehouse import Warehouse
from warehouse.spool import Spool
from warehouse.vectors import VectorStore
from warehouse.writer import Writer

# What a crash can cost, what a worker takes at a time, and how often progress is seen: texts and
# characters between two commits.
SHARD = 2_000
SHARD_CHARACTERS = 2_000_000
# What a worker of a cluster embeds and writes to an object store as one file.
WRITTEN_SHARD = 10_000


@request
class EmbedRequest(InWarehouse):
    """The distinct texts that have no vector under a specification yet.

    Attributes:
        encoding: A text encoding of the space, rendered before; by default its reference.
        context: What stands around the architecture in the texts.
        options: Of the vectors.
        device: auto, cpu or cuda.
        strict_length: Embed nothing if --max-length cuts a text.
        cluster: Where shards are embedded. Their vectors come back and are stored from here; into
            an object store the workers write them themselves.
    """

    encoding: str | None = None
    context: str = NO_CONTEXT
    options: AskedEmbeddings = AskedEmbeddings()
    device: Device = "auto"
    strict_length: Flag = False
    cluster: Cluster = Cluster()


@dataclass(frozen=True)
class EmbedPlan:
    """Which texts are embedded, and what determines their vectors."""

    space: SearchSpace
    encoding: str
    specification: EmbeddingSpecification


def plan(request: EmbedRequest) -> EmbedPlan:
    """Resolves and checks a request.

    Raises:
        InputError: A name is unknown, the model or the cluster is not to be had, the model does
            not run, or nothing was rendered.
    """
    warehouse = Warehouse(request.home)
    warehouse.vectors.check()
    space = known_space(warehouse, request.space)
    encoding = space.reference(request.context) if request.encoding is None else request.encoding
    make_text_encoding(space, encoding, request.context)
    request.cluster.check()
    specification = request.options.specification()
    check_rendered(warehouse, space, encoding, request.context)
    if request.cluster.runner == "local":  # else the model may fit its workers alone
        check_model(warehouse, specification, request.device)
    return EmbedPlan(space, encoding, specification)


def check_rendered(warehouse: Warehouse, space: SearchSpace, encoding: str, context: str) -> None:
    """Checks that there are texts to embed.

    Raises:
        InputError: There are none; says which commands write them.
    """
    if (encoding, context) in warehouse.rendered_as(space):
        return
    name = space.full_name
    options = "" if encoding == space.roles.reference else f" --encoding {encoding}"
    options += "" if context == NO_CONTEXT else f" --context {context}"
    commands = f"cole render {name}{options}"
    if warehouse.architectures(space).is_empty():
        drawn = "" if space.size is not None else " --samples N"
        commands = f"cole enumerate {name}{drawn}; {commands}"
    about = encoding if context == NO_CONTEXT else f"{encoding} with context {context}"
    raise InputError(
        f"no texts of {name} in {about} are stored, so there is nothing to embed: "
        f"make them with: {commands}"
    )


@flow(name="embed", flow_run_name=run_name("space", "encoding", "options.lm"))
def embed(request: EmbedRequest) -> dict[str, Any]:
    """Embeds the texts that have no vector yet.

    Raises:
        InputError: As `plan`; or a text is cut although none may be.
    """
    made = planned(plan, request)
    specification, spec_id = made.specification, made.specification.spec_id
    where = (made.space, made.encoding, request.context, spec_id)
    with (
        recorded_run(request.home, "embed", request) as run,
        run.warehouse.writer("cole embed", run.run_id) as writer,
    ):
        adopted, withdrawn = writer.recover_embeddings(spec_id)
        texts, cut = run.warehouse.count_texts(*where)
        with run.warehouse.missing_texts(*where) as missing:
            if request.strict_length:
                check_length(specification, missing, cut)
            tokens, truncated = embed_missing(
                request, specification, missing, writer, run.warehouse.vectors
            )
        writer.compact_embeddings(spec_id)
        run.summary = {
            "spec_id": spec_id,
            "read_as": specification.reading,
            "embedded": missing.height,
            "skipped": texts - missing.height,
            "tokens": tokens,
            "truncated": truncated,
            "recovered": adopted,
            "lost": withdrawn,
        }
    return run.summary


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
        load_tokenizer(files, specification.trust_remote_code), specification, files.vocabulary
    )
    for block in missing.blocks():
        cut += int(tokenizer(block["text"].to_list()).truncated.sum())
    if cut:
        raise InputError(
            f"{cut:,} texts have more than {specification.max_length} tokens: raise --max-length, "
            "leave it out to read them in windows, or cut them without --strict-length"
        )


def embed_missing(
    request: EmbedRequest,
    specification: EmbeddingSpecification,
    missing: Spool,
    writer: Writer,
    store: VectorStore,
) -> tuple[int, int]:
    """Embeds texts and stores their vectors, shard by shard.

    Returns:
        Tokens read, texts cut.
    """
    tokens = truncated = 0
    writes = store.is_remote and request.cluster.runner != "local"
    with contextlib.ExitStack() as stack:
        if not missing.height:
            return 0, 0
        workers = stack.enter_context(request.cluster.start(request.device))
        advance = stack.enter_context(track("embed · texts", missing.height))
        gathering = Gathering(writer, specification, store.is_remote, advance)
        calls = _calls(request, specification, missing, store if writes else None)
        for text_hashes, done in workers.map(write_shard if writes else embed_shard, calls):
            gathering.add(text_hashes, done)
            tokens += int(done.n_tokens.sum())
            truncated += int(done.truncated.sum())
        gathering.commit()
    return tokens, truncated


def _calls(
    request: EmbedRequest,
    specification: EmbeddingSpecification,
    missing: Spool,
    store: VectorStore | None,
) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """The calls of a shard's task, with its texts' hashes.

    Args:
        store: Where workers write by themselves; None where vectors come back.
    """
    how = {
        "specification": specification,
        "device": request.device,
        "threads": request.cluster.threads,
    }
    size = SHARD if store is None else WRITTEN_SHARD
    for shard in missing.shards(size, SHARD_CHARACTERS * size // SHARD):
        parameters = {**how, "texts": shard["text"].to_arrow()}
        if store is not None:
            path = store.path(specification.spec_id)
            parameters |= {"text_hashes": shard["text_hash"].to_arrow(), "path": path}
        yield shard["text_hash"].to_list(), parameters
