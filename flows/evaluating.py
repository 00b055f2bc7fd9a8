"""Flow: networks trained on a dataset, and their zero-cost proxies, into the warehouse."""

import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from cole_core.errors import InputError
from cole_core.evaluation.attempts import Evaluator, ProxyEvaluator, TrainingEvaluator
from cole_core.evaluation.datasets import Dataset
from cole_core.evaluation.outcomes import (
    CRASHED,
    DIVERGED,
    FAILED,
    OK,
    TIMED_OUT,
    TOO_LARGE,
    Attempt,
)
from cole_core.evaluation.settings import Limits, ProxySettings, source_name
from cole_core.evaluation.workers import Workers
from cole_core.spaces.base import SearchSpace
from flows.enumeration import add_architectures, sample_distinct
from flows.progress import track
from flows.runs import Run, recorded_run
from flows.training_task import TrainingTask
from warehouse import Warehouse
from warehouse.writer import Writer

SHARD = 25  # networks of a Prefect task
COMMIT_SECONDS = 1.0  # of finished networks at most is what a crash can cost
NAMED = 3  # failed networks that are named


@dataclass(frozen=True)
class Plan:
    """What the flow will do.

    Attributes:
        space: The search space whose architectures fit the dataset.
        evaluators: One for training, one for proxies, as asked for.
        natives: Architectures that are to be added before.
    """

    space: SearchSpace
    evaluators: list[Evaluator]
    natives: list[str]


@flow(name="evaluate")
def evaluate(
    home: str,
    space: str,
    work: TrainingTask = TrainingTask(),
    samples: int | None = None,
    limit: int | None = None,
    train: bool = True,
    proxies: bool = False,
    retry_failed: bool = False,
) -> dict[str, Any]:
    """Trains the networks that were not trained yet on a dataset, under the same settings.

    Args:
        home: The warehouse.
        space: The search space.
        work: What they are trained on, and how.
        samples: Draw so many architectures (with the seed of `work`), add those that are new, and
            evaluate these alone; None evaluates what the warehouse holds.
        limit: Evaluate the first so many of the space's architectures alone.
        train: Whether to train.
        proxies: Whether to compute zero-cost proxies as well.
        retry_failed: Try those again that failed before.

    Raises:
        InputError: A name is unknown, the dataset is not right, or there is no architecture.
    """
    made = plan(home, space, work, samples, limit, train, proxies, retry_failed)
    parameters = {
        "space": space,
        "task": asdict(work),
        "samples": samples,
        "limit": limit,
        "train": train,
        "proxies": proxies,
        "retry_failed": retry_failed,
    }
    with recorded_run(home, "evaluate", parameters) as run:
        natives = architectures(run, made, limit)
        for evaluator in made.evaluators:
            wanted = missing(run.warehouse, evaluator, natives, work.seed, retry_failed)
            counts = evaluate_missing(run, evaluator, wanted, work)
            kind = "proxies" if isinstance(evaluator, ProxyEvaluator) else "trainings"
            run.summary |= {
                kind: counts[OK],
                f"{kind}_skipped" if kind == "proxies" else "skipped": len(natives) - len(wanted),
                **{
                    f"{kind}_{status}": counts[status]
                    for status in (DIVERGED, TOO_LARGE, TIMED_OUT, FAILED, CRASHED)
                    if counts[status]
                },
                f"{kind}_source": source_name(evaluator.settings_id),
            }
    return run.summary


def plan(
    home: str,
    space: str,
    work: TrainingTask = TrainingTask(),
    samples: int | None = None,
    limit: int | None = None,
    train: bool = True,
    proxies: bool = False,
    retry_failed: bool = False,
) -> Plan:
    """Resolves and checks what the flow is given; its arguments and errors are the flow's."""
    warehouse = Warehouse(home)
    work.check()
    if samples is not None and limit is not None:
        raise InputError("--samples draws architectures and --limit takes stored ones: give one")
    if limit is not None and limit < 1:
        raise InputError(f"--limit {limit}: at least 1")
    dataset = work.load()
    search_space = work.space(space, dataset)
    natives = [] if samples is None else sample_distinct(search_space, samples, work.seed)
    if samples is None and (
        not warehouse.has_catalog or warehouse.architectures(search_space).is_empty()
    ):
        raise InputError(
            f"no architectures of {space} for images of shape {dataset.input_shape} in "
            f"{dataset.classes} classes: add --samples N"
        )
    evaluators: list[Evaluator] = []
    if train:
        evaluators.append(training_evaluator(search_space, dataset, work))
    if proxies:
        settings = ProxySettings(macro=work.settings_for(search_space).macro)
        evaluators.append(
            ProxyEvaluator(search_space, dataset, work.limits, work.place(), settings)
        )
    if not evaluators:
        raise InputError("nothing to do: train, or compute --proxies")
    return Plan(search_space, evaluators, natives)


def training_evaluator(
    space: SearchSpace, dataset: Dataset, work: TrainingTask
) -> TrainingEvaluator:
    """What trains networks of a space as a task asks for.

    Raises:
        InputError: The space does not take the settings' macro-architecture.
    """
    settings = work.settings_for(space)
    return TrainingEvaluator(space, dataset, work.limits, work.place(), settings)


def architectures(run: Run, made: Plan, limit: int | None) -> list[str]:
    """The architectures to evaluate, in the warehouse by then."""
    if made.natives:
        with run.warehouse.writer("cole evaluate", run.run_id) as writer:
            add_architectures(run.warehouse, writer, made.space, made.natives)
        return made.natives
    return run.warehouse.architectures(made.space)["native"].to_list()[:limit]


def missing(
    warehouse: Warehouse,
    evaluator: Evaluator,
    natives: Sequence[str],
    seed: int,
    retry_failed: bool = False,
) -> list[str]:
    """Those architectures whose evaluation would say something new.

    A network that was beyond a limit is tried again when that limit is higher now.
    """
    tried = warehouse.trainings(evaluator.space, evaluator.settings_id, seed)
    known = set()
    for native, status, limits in tried.select("native", "status", "limits").iter_rows():
        before = Limits(**json.loads(limits))
        again = status != OK and retry_failed
        again |= status == TOO_LARGE and evaluator.limits.mebibytes > before.mebibytes
        again |= status == TIMED_OUT and evaluator.limits.seconds > before.seconds
        if not again:
            known.add(native)
    return [native for native in natives if native not in known]


def evaluate_missing(
    run: Run, evaluator: Evaluator, natives: Sequence[str], work: TrainingTask
) -> Counter[str]:
    """Evaluates networks and stores what comes of them, as it comes.

    Returns:
        How many came to which status.
    """
    what = "proxies" if isinstance(evaluator, ProxyEvaluator) else "trainings"
    with (
        Workers(evaluator, work.workers) as workers,
        track(f"evaluate · {what}", len(natives)) as advance,
    ):
        attempts = evaluate_all(run, evaluator, workers, natives, work.seed, advance)
    report_failures([attempt for attempt in attempts if attempt.status != OK])
    return Counter(attempt.status for attempt in attempts)


def evaluate_all(
    run: Run,
    evaluator: Evaluator,
    workers: Workers,
    natives: Sequence[str],
    seed: int,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Attempt]:
    """What comes of networks, stored as it comes.

    Args:
        run: Writes.
        evaluator: What the workers run.
        workers: Where it runs.
        natives: The networks, whose architectures are in the warehouse.
        seed: Of each.
        advance: Told of each commit.
    """
    running = workers.run((native, seed) for native in natives)
    shards = range(0, len(natives), SHARD)
    return [each for _ in shards for each in evaluate_shard(run, evaluator, running, advance)]


@task(name="evaluate shard", cache_policy=NO_CACHE, persist_result=False)
def evaluate_shard(
    run: Run, evaluator: Evaluator, attempts: Iterator[Attempt], advance: Callable[[int], None]
) -> list[Attempt]:
    """Takes the next networks as they are done and stores them.

    Args:
        run: Writes.
        evaluator: What evaluates them.
        attempts: Networks as they are done; those of later shards are at work already.
        advance: Told of each commit.
    """
    shard: list[Attempt] = []
    waiting: list[Attempt] = []
    due = time.monotonic() + COMMIT_SECONDS
    for attempt in itertools.islice(attempts, SHARD):
        waiting.append(attempt)
        if time.monotonic() > due:
            store(run, evaluator, waiting)
            advance(len(waiting))
            shard += waiting
            waiting, due = [], time.monotonic() + COMMIT_SECONDS
    if waiting:
        store(run, evaluator, waiting)
        advance(len(waiting))
    return shard + waiting


def store(run: Run, evaluator: Evaluator, attempts: Sequence[Attempt]) -> None:
    """Writes what came of networks, in one go."""
    with run.warehouse.writer("cole evaluate", run.run_id) as writer:
        add_attempts(writer, evaluator, attempts)


def add_attempts(writer: Writer, evaluator: Evaluator, attempts: Sequence[Attempt]) -> None:
    """Writes what came of networks and the values that they have."""
    space, dataset, settings_id = evaluator.space, evaluator.dataset, evaluator.settings_id
    trainings = pl.DataFrame(
        {
            "architecture_id": space.architecture_id(attempt.native),
            "settings_id": settings_id,
            "seed": attempt.seed,
            "dataset": dataset.name,
            "dataset_hash": dataset.content_hash,
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
            for score in ((s.metric, s.split, s.epochs, s.value) for s in attempt.scores)
        ],
        schema={
            "architecture_id": pl.String,
            "native": pl.String,
            "seed": pl.Int32,
            "metric": pl.String,
            "split": pl.String,
            "epochs": pl.Int32,
            "value": pl.Float64,
        },
        orient="row",
    ).with_columns(dataset=pl.lit(dataset.name), source=pl.lit(source_name(settings_id)))
    writer.add_trainings(trainings, values)


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
