"""Flow: the texts of a space's architectures into the warehouse."""

from typing import Any

import polars as pl
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from cole_core.encodings import TextEncoding, get_encoding
from cole_core.errors import InputError
from cole_core.spaces import get_space
from flows.progress import track
from flows.runs import recorded_run
from warehouse import Warehouse

NO_CONTEXT = "none"
SHARD = 5_000


@flow(name="render")
def render(
    home: str, space: str, encoding: str = "code.expression", context: str = NO_CONTEXT
) -> dict[str, Any]:
    """Renders the architectures that have no text under an encoding yet.

    Args:
        home: The warehouse.
        space: The search space.
        encoding: A text encoding of the space.
        context: What stands around the architecture: none, network or comment.

    Raises:
        InputError: The space, the encoding or the context is unknown.
    """
    text_encoding = plan(home, space, encoding, context)
    parameters = {"space": space, "encoding": encoding, "context": context}
    with (
        recorded_run(home, "render", parameters) as run,
        run.warehouse.writer("cole render", run.run_id) as writer,
    ):
        search_space = get_space(space)
        stored = run.warehouse.architectures(search_space).height
        missing = run.warehouse.missing_renderings(search_space, encoding, context)
        with track("render · architectures", missing.height) as advance:
            for shard in missing.iter_slices(SHARD):
                writer.add_renderings(render_shard(text_encoding, context, shard))
                advance(shard.height)
        run.summary = {"renderings": missing.height, "skipped": stored - missing.height}
    return run.summary


def plan(
    home: str, space: str, encoding: str = "code.expression", context: str = NO_CONTEXT
) -> TextEncoding:
    """The encoding that the flow will use; its arguments and errors are the flow's."""
    Warehouse(home)
    return get_text_encoding(space, encoding, context)


@task(name="render shard", cache_policy=NO_CACHE, persist_result=False)
def render_shard(encoding: TextEncoding, context: str, shard: pl.DataFrame) -> pl.DataFrame:
    """The texts of a shard of architectures."""
    inner = None if context == NO_CONTEXT else context
    return pl.DataFrame(
        {
            "architecture_id": shard["architecture_id"],
            "encoding": encoding.name,
            "context": context,
            "text": [encoding.render(native, inner) for native in shard["native"]],
        }
    )


def get_text_encoding(space: str, encoding: str, context: str) -> TextEncoding:
    """A text encoding that knows the context.

    Raises:
        InputError: It is unknown, or is a vector already, or does not know the context.
    """
    found = get_encoding(space, encoding)
    if not isinstance(found, TextEncoding):
        raise InputError(
            f"encoding '{encoding}' is a vector already: give it to 'cole train' or 'cole search'"
        )
    known = [inner or NO_CONTEXT for inner in found.contexts]
    if context not in known:
        raise InputError(
            f"encoding '{encoding}' has no context '{context}': choose one of {', '.join(known)}"
        )
    return found
