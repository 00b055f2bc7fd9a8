"""What the searches of a target learned from other tasks."""

import json
from collections.abc import Mapping

import polars as pl

from cole_core.evaluation.target import Target
from cole_core.spaces.base import SearchSpace
from flows.resolve.tasks import task_in_words
from warehouse import Warehouse


def transfer_weights(warehouse: Warehouse, space: SearchSpace, target: Target) -> pl.DataFrame:
    """How much each old task counted: task, step, weight (mean over searches), searches.

    Empty where no search learned from another task.
    """
    searches = warehouse.searches_of(space, target).select("search_id", "configuration")
    return weights_of(warehouse, dict(searches.iter_rows()))


def weights_of(warehouse: Warehouse, configurations: Mapping[str, str]) -> pl.DataFrame:
    """The same of some searches.

    Args:
        warehouse: Holds their steps.
        configurations: Of each, as JSON, by search_id.
    """
    tasks: dict[str, list[str]] = {}
    for search_id, configuration in configurations.items():
        transfer = json.loads(configuration).get("transfer", [])
        if transfer:
            tasks[search_id] = [f"{task_in_words(task)} ({task['source']})" for task in transfer]
    schema = {"task": pl.String, "step": pl.Int64, "weight": pl.Float64}
    steps = warehouse.search_steps(list(tasks)).select("search_id", "step", "old_task_weights")
    rows = [
        (task, step, weight)
        for search_id, step, weights in steps.iter_rows()
        for task, weight in zip(tasks[search_id], weights or (), strict=False)
    ]
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .group_by("task", "step")
        .agg(pl.col("weight").mean(), searches=pl.len())
        .sort("task", "step")
    )
