"""An asynchronous search: what is begun, what arrives, and how both are kept."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cole_core.evaluation.pool import NetworkPool
from cole_core.search.asynchronous import AsynchronousSearch, Running
from cole_core.search.base import Proposal, Step
from flows.tasks.new_architectures import NewValues
from warehouse import Warehouse

AHEAD = 1  # waits at hand, so that a free worker has it while the next is thought out


@dataclass(frozen=True)
class Arrived:
    """A step of an asynchronous search.

    Attributes:
        step: Its place is that of its arrival.
        was: What it was while it ran.
        running: What runs when its successor is begun.
        seconds: Since the step before.
    """

    step: Step
    was: Running
    running: tuple[Running, ...]
    seconds: float


def stored_running(warehouse: Warehouse, search_id: str, sign: int) -> list[Running]:
    """What ran when the last step of a search was stored.

    Args:
        warehouse: Holds it.
        search_id: Of the search.
        sign: Of its target: searches take the highest value for the best.
    """
    said = warehouse.search_steps([search_id])["running"]
    if said.is_empty() or said[-1] is None:
        return []
    return [
        Running(
            each["number"],
            Proposal(
                each["native"], _turned(each["mean"], sign), each["std"], tuple(each["weights"])
            ),
        )
        for each in json.loads(said[-1])
    ]


def arriving_steps(
    search: AsynchronousSearch, values: NewValues, pool: NetworkPool
) -> Iterator[Arrived]:
    """Goes on with a search, as many at a time as there is room for.

    Args:
        search: Proposes.
        values: Has networks trained.
        pool: Where they run.

    Yields:
        Each step as its value arrives.
    """
    started = time.perf_counter()
    for each in search.running:  # when the search was interrupted
        values.begin(each.proposal.native)
    _fill(search, values, pool)
    while search.running:
        for native in values.arrived():
            # One by one: what is proposed follows from the order alone.
            step, was = search.observe(native)
            _fill(search, values, pool)
            yield Arrived(step, was, search.running, time.perf_counter() - started)
            started = time.perf_counter()


def arrival_row(was: Running, running: tuple[Running, ...], sign: int) -> dict[str, Any]:
    """What a step's row holds beside what every search's has."""
    kept = [
        {
            "number": each.number,
            "native": each.proposal.native,
            "mean": _turned(each.proposal.predicted_mean, sign),
            "std": each.proposal.predicted_std,
            "weights": list(each.proposal.old_task_weights),
        }
        for each in running
    ]
    return {"proposed": was.number, "running": json.dumps(kept)}


def _fill(search: AsynchronousSearch, values: NewValues, pool: NetworkPool) -> None:
    while len(search.running) < pool.slots + AHEAD:
        proposed = search.propose()
        if proposed is None:
            return
        values.begin(proposed.proposal.native)


def _turned(mean: float | None, sign: int) -> float | None:
    """A prediction as values are measured, and back."""
    return None if mean is None else sign * mean
