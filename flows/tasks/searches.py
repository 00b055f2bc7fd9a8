"""Searches and their steps into the warehouse and out of it."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from cole_core.search import Step
from cole_core.search.dominance import hypervolume
from cole_core.search.objectives import Objectives, front
from flows.running.runs import Run
from warehouse import Warehouse

COMMIT_SECONDS = 2.0  # what a crash can cost


def register(run: Run, rows: Sequence[Mapping[str, Any]]) -> None:
    """Registers searches, before their first step."""
    if not rows:
        return
    with run.warehouse.writer("cole search", run.run_id) as writer:
        writer.add_searches(rows)


def store_steps(run: Run, rounds: Iterable[pl.DataFrame], advance: Callable[[int], None]) -> None:
    """Stores steps as they come, every few seconds."""
    waiting: list[pl.DataFrame] = []
    committed = time.monotonic()

    def commit() -> None:
        with run.warehouse.writer("cole search", run.run_id) as writer:
            writer.add_search_steps(pl.concat(waiting))
        waiting.clear()

    try:
        for rows in rounds:
            waiting.append(rows)
            advance(rows.height)
            if time.monotonic() - committed > COMMIT_SECONDS:
                commit()
                committed = time.monotonic()
    finally:
        if waiting:  # what was evaluated before an interruption is kept as well
            commit()


def step_rows(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Steps as the warehouse takes them."""
    kinds = {"predicted_mean": pl.Float64, "predicted_std": pl.Float64}
    return pl.DataFrame(
        list(rows), schema_overrides={**kinds, "old_task_weights": pl.List(pl.Float64)}
    )


def stored_steps(
    warehouse: Warehouse,
    search_ids: Sequence[str],
    sign: int = 1,
    objectives: Objectives | None = None,
) -> dict[str, list[Step]]:
    """The steps of searches that are in the warehouse, by id and in the order of the ids.

    Args:
        warehouse: Holds them, with values as they were measured.
        search_ids: Of the searches.
        sign: Of the target: searches take the highest value for the best.
        objectives: Of searches that have several.
    """
    found: dict[str, list[Step]] = {id_: [] for id_ in search_ids}
    rows = warehouse.search_steps(list(search_ids)).drop("seconds", "proposed", "running")
    for search_id, step, native, value, mean, std, weights, told in rows.iter_rows():
        mean = None if mean is None else sign * mean
        others = () if objectives is None else objectives.from_json(told)[1:]
        old = tuple(weights or ())
        found[search_id].append(Step(step - 1, native, sign * value, mean, std, old, others))
    return found


def summarise(
    warehouse: Warehouse,
    known: Mapping[str, Sequence[Step]],
    seeds: Sequence[int],
    budget: int,
    sign: int = 1,
    objectives: Objectives | None = None,
) -> list[dict[str, Any]]:
    """What searches found.

    Args:
        warehouse: Holds their steps.
        known: Those that were stored before, by search_id and in the order of the seeds.
        seeds: Of the searches.
        budget: How many steps count.
        sign: Of the target.
        objectives: Where there are several.
    """
    found = stored_steps(warehouse, list(known), sign, objectives)
    return [
        _outcome(search_id, seed, steps[:budget], len(known[search_id][:budget]), sign)
        | ({} if objectives is None else _front(steps[:budget], objectives))
        for (search_id, steps), seed in zip(found.items(), seeds, strict=True)
    ]


def _outcome(
    search_id: str, seed: int, steps: Sequence[Step], known: int, sign: int
) -> dict[str, Any]:
    best = max(steps, key=lambda step: step.value)
    weights = [step.old_task_weights for step in steps if step.old_task_weights]
    return {
        "search_id": search_id,
        "seed": seed,
        "evaluations": len(steps) - known,
        "skipped": known,
        "best": best.native,
        "best_value": sign * best.value,
        "found_after": best.index + 1,
        **({"old_task_weights": weights[-1]} if weights else {}),
    }


def _front(steps: Sequence[Step], objectives: Objectives) -> dict[str, Any]:
    """The front of what a search evaluated, and how much of all it encloses."""
    enclosed = hypervolume(np.array([step.values for step in steps]), objectives.reference)
    return {
        "front": [
            {"native": step.native, "step": step.index + 1, **objectives.as_measured(step.values)}
            for step in front(steps)
        ],
        "hypervolume": enclosed / objectives.hypervolume if objectives.hypervolume else None,
    }
