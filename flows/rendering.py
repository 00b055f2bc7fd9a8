"""Flow: the texts of a space's architectures into the warehouse."""

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from cole_core.encodings import RenderingError, TextEncoding, get_encoding
from cole_core.errors import InputError
from cole_core.spaces.base import SearchSpace
from flows.progress import track
from flows.runs import recorded_run
from flows.spaces import find_space
from warehouse import Warehouse

NO_CONTEXT = "none"
SHARD = 5_000  # architectures between two commits
SLOW_SHARD = 500  # of an encoding that takes long: what a crash can cost
PIECE = 20  # architectures that a process of a slow encoding takes at a time
NAMED = 3  # failed architectures that are named


@flow(name="render")
def render(
    home: str,
    space: str,
    encoding: str = "code.expression",
    context: str = NO_CONTEXT,
    samples: int | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Renders the architectures that have no text under an encoding yet.

    Args:
        home: The warehouse.
        space: The search space.
        encoding: A text encoding of the space.
        context: What stands around the architecture: none, network or comment.
        samples: How many of the stored architectures, drawn at random; None renders all.
        seed: Seed of the draw.

    Raises:
        InputError: The space, the encoding or the context is unknown, or fewer are stored.
    """
    text_encoding = plan(home, space, encoding, context, samples, seed)
    parameters = {
        "space": space,
        "encoding": encoding,
        "context": context,
        "samples": samples,
        "seed": seed,
    }
    shard_size = SLOW_SHARD if text_encoding.is_slow else SHARD
    failed: list[str] = []
    with (
        recorded_run(home, "render", parameters) as run,
        run.warehouse.writer("cole render", run.run_id) as writer,
        processes(text_encoding) as executor,
    ):
        search_space = find_space(run.warehouse, space)
        wanted = draw(run.warehouse.architectures(search_space), samples, seed)
        missing = run.warehouse.missing_renderings(search_space, encoding, context)
        missing = missing.join(wanted, on="architecture_id", how="semi", maintain_order="left")
        with track("render · architectures", missing.height) as advance:
            for shard in missing.iter_slices(shard_size):
                rows, errors = render_shard(text_encoding, context, shard, executor, advance)
                writer.add_renderings(rows)
                failed += errors
        report_failures(failed)
        run.summary = {
            "renderings": missing.height - len(failed),
            "skipped": wanted.height - missing.height,
        }
        if failed:
            run.summary["failed"] = len(failed)
    return run.summary


def plan(
    home: str,
    space: str,
    encoding: str = "code.expression",
    context: str = NO_CONTEXT,
    samples: int | None = None,
    seed: int = 0,
) -> TextEncoding:
    """The encoding that the flow will use; its arguments and errors are the flow's."""
    warehouse = Warehouse(home)
    search_space = find_space(warehouse, space)
    found = get_text_encoding(search_space, encoding, context)
    if samples is not None:
        draw(warehouse.architectures(search_space), samples, seed)
    return found


def draw(architectures: pl.DataFrame, samples: int | None, seed: int) -> pl.DataFrame:
    """A number of the architectures at random, in their order; all without a number.

    Raises:
        InputError: There are fewer, or the number is not positive.
    """
    if samples is None:
        return architectures
    if not 1 <= samples <= architectures.height:
        raise InputError(
            f"--samples {samples}: {architectures.height:,} architectures are stored, ask for "
            "at least 1 and at most that"
        )
    rows = np.random.default_rng(seed).choice(architectures.height, samples, replace=False)
    return architectures[np.sort(rows)]


@task(name="render shard", cache_policy=NO_CACHE, persist_result=False)
def render_shard(
    encoding: TextEncoding,
    context: str,
    shard: pl.DataFrame,
    executor: Executor | None,
    advance: Callable[[int], None],
) -> tuple[pl.DataFrame, list[str]]:
    """The texts of a shard of architectures.

    Args:
        encoding: A text encoding.
        context: The context.
        shard: architecture_id, native.
        executor: Where a slow encoding is worked on; None does it here.
        advance: Told of each piece that is done.

    Returns:
        Rows as `Writer.add_renderings` takes them, and what was wrong with those that have none.
    """
    natives = shard["native"].to_list()
    write = partial(_write, encoding, None if context == NO_CONTEXT else context)
    size = PIECE if executor else len(natives)
    pieces = [natives[start : start + size] for start in range(0, len(natives), size)]
    texts: list[str | None] = []
    errors: list[str] = []
    for written in executor.map(write, pieces) if executor else map(write, pieces):
        texts += [text for text, _ in written]
        errors += [error for _, error in written if error is not None]
        advance(len(written))
    rows = pl.DataFrame(
        {
            "architecture_id": shard["architecture_id"],
            "encoding": encoding.name,
            "context": context,
            "text": pl.Series(texts, dtype=pl.String),
        }
    )
    return rows.drop_nulls("text"), errors


@contextlib.contextmanager
def processes(encoding: TextEncoding) -> Iterator[Executor | None]:
    """A process for each core, for an encoding that takes long; None for the others."""
    if not encoding.is_slow:
        yield None
        return
    # Forked processes would inherit the locks of Prefect's and PyTorch's threads.
    spawn = multiprocessing.get_context("spawn")
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    with ProcessPoolExecutor(cores, mp_context=spawn, initializer=_one_thread) as executor:
        yield executor


def report_failures(failed: Sequence[str]) -> None:
    """Says on standard error which architectures have no text; they count as missing still."""
    for error in failed[:NAMED]:
        print(f"cole: skipped {error}", file=sys.stderr)
    if len(failed) > NAMED:
        print(f"cole: and {len(failed) - NAMED} more", file=sys.stderr)


def _write(
    encoding: TextEncoding, context: str | None, natives: Sequence[str]
) -> list[tuple[str | None, str | None]]:
    """For each architecture its text, or what was wrong with it."""
    written: list[tuple[str | None, str | None]] = []
    for native in natives:
        try:
            written.append((encoding.render(native, context), None))
        except RenderingError as error:
            written.append((None, str(error)))
    return written


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def get_text_encoding(space: SearchSpace, encoding: str, context: str) -> TextEncoding:
    """A text encoding that knows the context.

    Raises:
        InputError: It is unknown, or is a vector already, or does not know the context.
    """
    found = get_encoding(space.name, encoding, **space.parameters)
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
