"""Flow: a search that reads cached vectors and measured values."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl
from prefect import flow

from cole_core.errors import InputError
from cole_core.hashing import hash_json, hash_text
from cole_core.search import SearchAlgorithm, SearchProblem, Step, make_algorithm
from cole_core.search.bananas import Bananas
from cole_core.spaces import get_space
from cole_core.spaces.base import SearchSpace
from cole_core.statistics import reached
from flows.choices import Measured, Vectors
from flows.pools import Features, LabelledPool, find_features, find_labelled_pool
from flows.progress import track
from flows.runs import Run, recorded_run
from flows.search_experiments import RECOMMENDED
from warehouse import Target, Warehouse

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
            _found(search_id, seed, steps[:budget], len(known[search_id][:budget]))
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


def _found(search_id: str, seed: int, steps: Sequence[Step], known: int) -> dict[str, Any]:
    best = max(steps, key=lambda step: step.value)
    return {
        "search_id": search_id,
        "seed": seed,
        "evaluations": len(steps) - known,
        "skipped": known,
        "best": best.native,
        "best_value": best.value,
        "found_after": best.index + 1,
    }


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


def search_rounds(
    made: "Plan",
    budget: int,
    seeds: Sequence[int],
    histories: Sequence[Sequence[Step]],
    until: float | None = None,
) -> Iterator[pl.DataFrame]:
    """Runs the searches of several seeds as one stack.

    Args:
        made: What to run.
        budget: Evaluations of each search.
        seeds: Seed of each search.
        histories: Their stored steps.
        until: Where given, searches that are there may end, as `reached` says.

    Yields:
        The new steps of each batch, as the warehouse takes them.
    """
    from cole_core.search.together import run_searches

    def finished(searches: list[list[Step]]) -> Sequence[bool]:
        assert until is not None
        return reached([[step.value for step in steps] for steps in searches], until)

    started = time.perf_counter()
    for batch in run_searches(
        made.searcher,
        made.problem,
        budget,
        seeds,
        [steps[:budget] for steps in histories],
        None if until is None else finished,
    ):
        seconds = (time.perf_counter() - started) / sum(map(len, batch.values()))
        yield pl.concat(
            [made.step_rows(made.search_id(seeds[i]), steps, seconds) for i, steps in batch.items()]
        )
        started = time.perf_counter()


@dataclass(frozen=True)
class Plan:
    """What the flow will do.

    Attributes:
        searcher: The algorithm.
        space: The search space.
        pool: The measured architectures and their vectors.
        columns: What describes the searches in the catalog.
        configuration: Everything that decides their steps but the seed.
    """

    searcher: SearchAlgorithm
    space: SearchSpace
    pool: LabelledPool
    columns: dict[str, Any]
    configuration: dict[str, Any]

    @property
    def configuration_id(self) -> str:
        """Content hash of the configuration; the budget is no part of it."""
        return hash_json(self.configuration)

    def search_id(self, seed: int) -> str:
        """Content hash of configuration and seed."""
        return hash_json(self.configuration | {"seed": seed})

    def row(self, seed: int) -> dict[str, Any]:
        """The search of a seed as the warehouse takes it."""
        configuration = json.dumps(self.configuration | {"seed": seed}, sort_keys=True)
        return self.columns | {
            "search_id": self.search_id(seed),
            "configuration": configuration,
            "seed": seed,
        }

    @cached_property
    def problem(self) -> SearchProblem:
        """The pool as the searches see it, with what the algorithm computes once."""
        row_of = {native: row for row, native in enumerate(self.pool.natives)}
        pool = self.pool
        problem = SearchProblem(
            space=self.space,
            canonical=_canonical(self.space, pool),
            vectors=lambda natives: pool.vectors[[row_of[native] for native in natives]],
            evaluate=lambda native: float(pool.values[row_of[native]]),
            candidates=pool.natives,
        )
        return self.searcher.prepare(problem)

    @cached_property
    def _id_of(self) -> dict[str, str]:
        return dict(zip(self.pool.natives, self.pool.architecture_ids, strict=True))

    def step_rows(self, search_id: str, steps: Sequence[Step], seconds: float) -> pl.DataFrame:
        """Steps as the warehouse takes them, counted from 1."""
        return pl.DataFrame(
            {
                "search_id": search_id,
                "step": [step.index + 1 for step in steps],
                "architecture_id": [self._id_of[step.native] for step in steps],
                "value": [step.value for step in steps],
                "predicted_mean": pl.Series([s.predicted_mean for s in steps], dtype=pl.Float64),
                "predicted_std": pl.Series([s.predicted_std for s in steps], dtype=pl.Float64),
                "seconds": seconds,
            }
        )


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
    search_space, warehouse = get_space(space), Warehouse(home)
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


def make_plan(
    space: SearchSpace,
    features: Features,
    target: Target,
    pool: LabelledPool,
    algorithm: str,
    parameters: Mapping[str, Any],
) -> Plan:
    """The plan of searches whose vectors and values are at hand.

    Args:
        space: The search space.
        features: Where the vectors are from.
        target: What is maximised.
        pool: The architectures that may be evaluated.
        algorithm: The search algorithm.
        parameters: Its parameters; those of the class where nothing is said.

    Raises:
        InputError: The algorithm or a parameter is unknown.
    """
    searcher = make_algorithm(algorithm, **parameters)
    if searcher.reads_vectors and features.spec_id is None:
        searcher = make_algorithm(algorithm, **parameters, structural=True)
    columns = {
        "space": space.name,
        "algorithm": algorithm,
        **_features_columns(searcher, features),
        "target": target.to_json(),
    }
    configuration = columns | {
        "parameters": searcher.get_params(),
        "labels_hash": pool.labels_hash,
    }
    if isinstance(searcher, Bananas):
        configuration["surrogate"] = searcher.surrogate_params()
    return Plan(searcher, space, pool, columns, configuration)


def check_budget(pool: LabelledPool, budget: int) -> None:
    """Checks that a budget can be spent on a pool.

    Raises:
        InputError: It is above the number of canonical forms, or below 1.
    """
    distinct = len(set(pool.canonical_ids))
    if not 1 <= budget <= distinct:
        raise InputError(
            f"--budget {budget}: {distinct} different architectures have a vector and a value, "
            f"so ask for 1 to {distinct}"
        )


def stored_steps(warehouse: Warehouse, search_ids: Sequence[str]) -> dict[str, list[Step]]:
    """The steps of searches that are in the warehouse, by id and in the order of the ids."""
    found: dict[str, list[Step]] = {id_: [] for id_ in search_ids}
    rows = warehouse.search_steps(list(search_ids)).drop("seconds")
    for search_id, step, native, value, mean, std in rows.iter_rows():
        found[search_id].append(Step(step - 1, native, value, mean, std))
    return found


def _canonical(space: SearchSpace, pool: LabelledPool) -> Callable[[str], str]:
    """Canonical ids from the pool; those of other architectures are worked out."""
    known = dict(zip(pool.natives, pool.canonical_ids, strict=True))
    return lambda native: known.get(native) or hash_text(space.canonical_form(native))


def _features_columns(searcher: SearchAlgorithm, features: Features) -> dict[str, Any]:
    if not searcher.reads_vectors:
        return {"encoding": "none", "context": "none", "spec_id": None}
    return {
        "encoding": features.encoding,
        "context": features.context,
        "spec_id": features.spec_id,
    }
