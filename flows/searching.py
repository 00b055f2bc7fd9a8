"""Flow: a search that reads cached vectors and measured values."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from prefect import flow

from cole_core.search import Step, make_algorithm
from cole_core.search.bananas import Bananas
from flows.choices import Measured, Vectors
from flows.pools import find_features, find_labelled_pool
from flows.progress import track
from flows.runs import Run, recorded_run
from flows.search_experiments import RECOMMENDED
from flows.search_plan import Plan, check_budget, make_plan, outcome, search_rounds
from flows.spaces import find_space
from warehouse import Warehouse

COMMIT_SECONDS = 2.0  # what a crash can cost


@flow(name="search")
def search(
    home: str,
    space: str,
    measured: Measured,
    vectors: Vectors = Vectors(),
    algorithm: str = "bananas",
    algorithm_parameters: dict[str, Any] | None = None,
    budget: int = 100,
    seeds: Sequence[int] = (0,),
) -> dict[str, Any]:
    """Searches a space whose values were measured; a stored search is continued, not repeated.

    Args:
        home: The warehouse.
        space: The search space.
        measured: Which measured values to maximise.
        vectors: Which stored vectors the algorithm reads, if it reads any.
        algorithm: The search algorithm.
        algorithm_parameters: Its parameters other than the defaults.
        budget: Number of evaluations of each search.
        seeds: One search for each seed.

    Raises:
        InputError: A name is unknown, something was not made yet, or the budget is above the pool.
    """
    made = plan(home, space, measured, vectors, algorithm, algorithm_parameters, budget, seeds)
    seeds = list(dict.fromkeys(seeds))
    with recorded_run(home, "search", made.configuration | {"budget": budget}) as run:
        known = stored_steps(run.warehouse, [made.search_id(seed) for seed in seeds])
        left = sum(max(budget - len(steps), 0) for steps in known.values())
        with track(f"search · {made.searcher.name}", left) as advance:
            register(run, [made.row(seed) for seed in seeds])
            store(run, search_rounds(made, budget, seeds, list(known.values())), advance)
        searches = [
            outcome(search_id, seed, steps[:budget], len(known[search_id][:budget]))
            for (search_id, steps), seed in zip(
                stored_steps(run.warehouse, list(known)).items(), seeds, strict=True
            )
        ]
        run.summary = {
            "evaluations": sum(each["evaluations"] for each in searches),
            "skipped": sum(each["skipped"] for each in searches),
            "searches": searches,
        }
    return run.summary


def register(run: Run, rows: Sequence[Mapping[str, Any]]) -> None:
    """Registers searches, before their first step."""
    if not rows:
        return
    with run.warehouse.writer("cole search", run.run_id) as writer:
        writer.add_searches(rows)


def store(run: Run, rounds: Iterable[pl.DataFrame], advance: Callable[[int], None]) -> None:
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


def plan(
    home: str,
    space: str,
    measured: Measured,
    vectors: Vectors = Vectors(),
    algorithm: str = "bananas",
    algorithm_parameters: dict[str, Any] | None = None,
    budget: int = 100,
    seeds: Sequence[int] = (0,),
) -> Plan:
    """Resolves and checks what the flow is given; its arguments and errors are the flow's."""
    warehouse = Warehouse(home)
    search_space = find_space(warehouse, space)
    given = algorithm_parameters or {}
    if algorithm == Bananas.name:
        given = RECOMMENDED | given
    make_algorithm(algorithm, **given)  # a name that is wrong is said before anything is looked up
    features = find_features(warehouse, search_space, vectors)
    target = warehouse.target(search_space, **vars(measured))
    pool = find_labelled_pool(warehouse, search_space, features, target)
    made = make_plan(search_space, features, target, pool, algorithm, given)
    check_budget(pool, budget)
    return made


def stored_steps(warehouse: Warehouse, search_ids: Sequence[str]) -> dict[str, list[Step]]:
    """The steps of searches that are in the warehouse, by id and in the order of the ids."""
    found: dict[str, list[Step]] = {id_: [] for id_ in search_ids}
    rows = warehouse.search_steps(list(search_ids)).drop("seconds")
    for search_id, step, native, value, mean, std in rows.iter_rows():
        found[search_id].append(Step(step - 1, native, value, mean, std))
    return found
