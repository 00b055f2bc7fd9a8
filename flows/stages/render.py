"""Stage: the texts of a space's architectures into the warehouse."""

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from cole_core.encodings.base import NO_CONTEXT, Rendering, RenderingError, TextEncoding
from cole_core.encodings.registry import make_text_encoding
from cole_core.errors import InputError
from cole_core.processes import SPAWN
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.corpus import Corpus
from flows.resolve.corpora import RunOptions
from flows.resolve.current import current
from flows.resolve.requests import InWarehouse, Seed, request
from flows.resolve.spaces import find_space
from flows.running.failures import report_failures
from flows.running.names import run_name
from flows.running.progress import track
from flows.running.runs import Run, recorded_run
from flows.running.stage import planned
from flows.tasks.renderings import rendering_rows
from flows.tasks.tracing import trace_missing
from warehouse import Warehouse

SHARD = 5_000  # architectures between two commits
SLOW_SHARD = 500  # of an encoding that takes long: what a crash can cost
PIECE = 20  # architectures that a process of a slow encoding takes at a time


@request
class RenderRequest(InWarehouse):
    """The architectures that have no text under an encoding yet.

    Attributes:
        encoding: A text encoding of the space; by default its reference.
        context: What stands around the architecture: none, or what the encoding knows.
        samples: Render so many of the architectures, drawn at random.
        seed: Seed of the draw.
        running: Whether the code of a corpus is run, so that it can be traced.
    """

    encoding: str | None = None
    context: str = NO_CONTEXT
    samples: int | None = None
    seed: Seed = 0
    running: RunOptions = RunOptions()


@dataclass(frozen=True)
class RenderPlan:
    """What will be written: which architectures, by which encoding.

    Attributes:
        space: The search space.
        encoding: Writes the texts.
        wanted: architecture_id, native of the architectures.
    """

    space: SearchSpace
    encoding: TextEncoding
    wanted: pl.DataFrame


def plan(request: RenderRequest) -> RenderPlan:
    """Resolves and checks a request.

    Raises:
        InputError: The space, the encoding or the context is unknown, or none or fewer are stored.
    """
    warehouse = Warehouse(request.home)
    request.running.limits()
    space = find_space(warehouse, request.space, request.running.run)
    name = space.reference(request.context) if request.encoding is None else request.encoding
    encoding = make_text_encoding(space, name, request.context)
    if isinstance(space, Corpus) and not space.may_run:
        space.check_known(name)
    stored = current(space, warehouse.architectures(space))
    if stored.is_empty():
        raise InputError(
            f"no architectures of {space.full_name} are stored, so there is nothing to render: "
            f"store some with 'cole enumerate {space.full_name}"
            f"{'' if space.size is not None else ' --samples N'}'"
        )
    return RenderPlan(space, encoding, draw(stored, request.samples, request.seed))


@flow(name="render", flow_run_name=run_name("space", "encoding"))
def render(request: RenderRequest) -> dict[str, Any]:
    """Writes the architectures as texts.

    Raises:
        InputError: As `plan`.
    """
    made = planned(plan, request)
    shard_size = SLOW_SHARD if made.encoding.is_slow else SHARD
    failed: list[str] = []
    paths: Counter[str] = Counter()
    with contextlib.ExitStack() as stack:
        run = stack.enter_context(recorded_run(request.home, "render", request))
        if isinstance(made.space, Corpus) and made.space.may_run:
            made, failed = traced(run, request, made)  # before the lock: others may write
        writer = stack.enter_context(run.warehouse.writer("cole render", run.run_id))
        executor = stack.enter_context(processes(made.encoding))
        untraced = len(failed)
        missing = run.warehouse.missing_renderings(made.space, made.encoding.name, request.context)
        missing = missing.join(made.wanted, on="architecture_id", how="semi", maintain_order="left")
        with track("render · architectures", missing.height) as advance:
            for shard in missing.iter_slices(shard_size):
                rows, errors = render_shard(
                    made.encoding, request.context, shard, executor, advance
                )
                writer.add_renderings(rows)
                paths.update(rows["path"].drop_nulls())
                failed += errors
        report_failures(failed)
        run.summary = {
            "renderings": missing.height - len(failed) + untraced,
            "skipped": made.wanted.height - missing.height,
        }
        if failed:
            run.summary["failed"] = len(failed)
        if paths:
            run.summary["paths"] = dict(paths)
    return run.summary


def traced(run: Run, request: RenderRequest, made: RenderPlan) -> tuple[RenderPlan, list[str]]:
    """The plan with normal forms of all that can be traced, and why others cannot, a line each."""
    assert isinstance(made.space, Corpus)
    natives = made.wanted["native"].to_list()
    space, failed = trace_missing(run, made.space, natives, request.running.limits())
    encoding = make_text_encoding(space, made.encoding.name, request.context)
    wanted = made.wanted
    if encoding.name not in space.static:
        wanted = wanted.filter(pl.col("native").is_in(space.traced))
    return RenderPlan(space, encoding, wanted), list(failed.values())


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


@task(
    name="render shard",
    task_run_name="render {encoding.name} · {shard.height} architectures",
    cache_policy=NO_CACHE,
    persist_result=False,
)
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
    write = partial(_write, encoding, context)
    size = PIECE if executor else len(natives)
    pieces = [natives[start : start + size] for start in range(0, len(natives), size)]
    found: list[Rendering | None] = []
    errors: list[str] = []
    for written in executor.map(write, pieces) if executor else map(write, pieces):
        found += [rendering for rendering, _ in written]
        errors += [error for _, error in written if error is not None]
        advance(len(written))
    rows = rendering_rows(shard["architecture_id"], encoding.name, context, found)
    return rows, errors


@contextlib.contextmanager
def processes(encoding: TextEncoding) -> Iterator[Executor | None]:
    """A process for each core, for an encoding that takes long; None for the others."""
    if not encoding.is_slow or encoding.space.is_foreign:  # which has run by then, elsewhere
        yield None
        return
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    with ProcessPoolExecutor(cores, mp_context=SPAWN, initializer=_one_thread) as executor:
        yield executor


def _write(
    encoding: TextEncoding, context: str, natives: Sequence[str]
) -> list[tuple[Rendering | None, str | None]]:
    """For each architecture its text, or what was wrong with it."""
    written: list[tuple[Rendering | None, str | None]] = []
    for native in natives:
        try:
            written.append((encoding.written(native, context), None))
        except RenderingError as error:
            written.append((None, str(error)))
    return written


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
