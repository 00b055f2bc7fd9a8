"""Networks evaluated, and what came of them stored as it comes."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

import polars as pl
from prefect import task
from prefect.cache_policies import NO_CACHE

from cole_core.evaluation.attempts import AnyEvaluator
from cole_core.evaluation.outcomes import OK, TIMED_OUT, TOO_LARGE, Attempt, Score
from cole_core.evaluation.pool import NetworkPool
from cole_core.evaluation.settings import Limits
from cole_core.evaluation.target import BY_NAME
from cole_core.sources.metrics import direction_of, unit_of
from flows.running.runs import Run
from warehouse import Warehouse
from warehouse.writer import Writer

SHARD = 25  # networks of a Prefect task
COMMIT_SECONDS = 1.0  # a finished network waits at most to be stored with others
NAMED = 3  # failed networks that are named


def not_evaluated(
    warehouse: Warehouse,
    evaluator: AnyEvaluator,
    natives: Sequence[str],
    seed: int,
    retry_failed: bool = False,
) -> list[str]:
    """Those architectures whose evaluation would say something new.

    A network that was beyond a limit is tried again when that limit is higher now.
    """
    space = evaluator.space
    tried = warehouse.trainings(space, evaluator.settings_id, seed)
    known = set()
    for id_, status, limits in tried.select("architecture_id", "status", "limits").iter_rows():
        before = Limits(**json.loads(limits))
        again = status != OK and retry_failed
        again |= status == TOO_LARGE and evaluator.limits.mebibytes > before.mebibytes
        again |= status == TIMED_OUT and evaluator.limits.seconds > before.seconds
        if not again:
            known.add(id_)
    return [native for native in natives if space.architecture_id(native) not in known]


def evaluate_all(
    run: Run,
    evaluator: AnyEvaluator,
    pool: NetworkPool,
    natives: Sequence[str],
    seed: int,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Attempt]:
    """What comes of networks, stored as it comes.

    Args:
        run: Writes.
        evaluator: What the pool runs.
        pool: Where it runs.
        natives: The networks, whose architectures are in the warehouse.
        seed: Of each.
        advance: Told of each commit.
    """
    for native in natives:
        pool.submit(native, seed)
    attempts: list[Attempt] = []
    while pool.pending:
        attempts += evaluate_shard(run, evaluator, pool, advance)
    return attempts


@task(
    name="evaluate shard",
    task_run_name="evaluate {evaluator.space.name} · {evaluator.dataset_name}",
    cache_policy=NO_CACHE,
    persist_result=False,
)
def evaluate_shard(
    run: Run, evaluator: AnyEvaluator, pool: NetworkPool, advance: Callable[[int], None]
) -> list[Attempt]:
    """Takes the next networks as they are done and stores them.

    Args:
        run: Writes.
        evaluator: What evaluates them.
        pool: Where they run; those of later shards are at work already.
        advance: Told of each commit.
    """
    shard: list[Attempt] = []
    waiting: list[Attempt] = []
    due = time.monotonic()
    while waiting or (pool.pending and len(shard) < SHARD):
        waiting += pool.done(max(due - time.monotonic(), 0.0) if waiting else None)
        if waiting and (time.monotonic() >= due or not pool.pending):
            store(run, evaluator, waiting)
            advance(len(waiting))
            shard += waiting
            waiting, due = [], time.monotonic() + COMMIT_SECONDS
    return shard


def store(run: Run, evaluator: AnyEvaluator, attempts: Sequence[Attempt]) -> None:
    """Writes what came of networks, in one go."""
    with run.warehouse.writer("cole evaluate", run.run_id) as writer:
        add_attempts(writer, evaluator, attempts)


def add_attempts(writer: Writer, evaluator: AnyEvaluator, attempts: Sequence[Attempt]) -> None:
    """Writes what came of networks and the values that they have."""
    space, dataset, settings_id = evaluator.space, evaluator.dataset_name, evaluator.settings_id
    trainings = pl.DataFrame(
        {
            "architecture_id": space.architecture_id(attempt.native),
            "settings_id": settings_id,
            "seed": attempt.seed,
            "dataset": dataset,
            "dataset_hash": evaluator.dataset_hash,
            "settings": json.dumps(evaluator.settings.to_dict(), sort_keys=True),
            "status": attempt.status,
            "error": attempt.error,
            "seconds": attempt.seconds,
            "parameters": attempt.parameters,
            "flops": attempt.flops,
            "memory": attempt.memory,
            "limits": json.dumps(asdict(evaluator.limits), sort_keys=True),
        }
        for attempt in attempts
    )
    values = pl.DataFrame(
        [
            (space.architecture_id(attempt.native), attempt.native, attempt.seed, *score)
            for attempt in attempts
            for score in (
                (s.metric, s.split, s.epochs, s.value, s.unit or unit_of(s.metric), direction(s))
                for s in attempt.scores
            )
        ],
        schema={
            "architecture_id": pl.String,
            "native": pl.String,
            "seed": pl.Int32,
            "metric": pl.String,
            "split": pl.String,
            "epochs": pl.Int32,
            "value": pl.Float64,
            "unit": pl.String,
            "direction": pl.String,
        },
        orient="row",
    ).with_columns(dataset=pl.lit(dataset), source=pl.lit(evaluator.source))
    writer.add_trainings(trainings, values)


def direction(score: Score) -> str | None:
    """Whether a higher value is a better one, as people said it or the vocabulary knows."""
    return direction_of(score.metric) if score.direction == BY_NAME else score.direction


def report_failures(failed: Sequence[Attempt]) -> None:
    """Says on standard error what went wrong with some networks; all of it is in the warehouse."""
    for attempt in failed[:NAMED]:
        print(f"cole: {attempt.status}: {attempt.native}: {attempt.error}", file=sys.stderr)
    if len(failed) > NAMED:
        print(
            f'cole: and {len(failed) - NAMED} more; see "SELECT native, status, error FROM '
            "trainings WHERE status <> 'ok'\"",
            file=sys.stderr,
        )
