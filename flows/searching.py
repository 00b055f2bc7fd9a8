"""Flow: a search that reads cached vectors and measured values."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl
from prefect import flow

from cole_core.errors import InputError
from cole_core.hashing import hash_json, hash_text
from cole_core.search import SearchAlgorithm, SearchProblem, Step, make_algorithm, run_search
from cole_core.search.bananas import Bananas
from cole_core.spaces import get_space
from cole_core.spaces.base import SearchSpace
from flows.choices import Measured, Vectors
from flows.pools import Features, LabelledPool, find_features, find_labelled_pool
from flows.progress import track
from flows.runs import Run, recorded_run
from warehouse import Warehouse

COMMIT_EVERY = 20  # evaluations: what a crash can cost

# What `bananas` does unless asked otherwise; the paper's settings are the class's own defaults.
RECOMMENDED: dict[str, Any] = {
    "head": "gaussian_process",
    "acquisition": "ucb",
    "candidates": "space",
    "initial": 10,
    "batch": 5,
}


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
    with recorded_run(home, "search", made.configuration | {"budget": budget}) as run:
        searches = [run_one(run, made, budget, seed) for seed in seeds]
        run.summary = {
            "evaluations": sum(each["evaluations"] for each in searches),
            "skipped": sum(each["skipped"] for each in searches),
            "searches": searches,
        }
    return run.summary


def run_one(run: Run, made: "Plan", budget: int, seed: int) -> dict[str, Any]:
    """Runs or continues the search of one seed, committing as it goes."""
    search_id = made.search_id(seed)
    with run.warehouse.writer("cole search", run.run_id) as writer:
        writer.add_search(made.row(seed))
    history = stored_steps(run.warehouse, search_id)[:budget]
    steps = run_search(made.searcher, made.problem, budget, seed, history)
    with track(f"search · {made.searcher.name}", budget - len(history)) as advance:
        for batch in batched(steps, COMMIT_EVERY):
            with run.warehouse.writer("cole search", run.run_id) as writer:
                writer.add_search_steps(made.step_rows(search_id, batch))
            advance(len(batch))
    stored = stored_steps(run.warehouse, search_id)[:budget]
    best = max(stored, key=lambda step: step.value)
    return {
        "search_id": search_id,
        "seed": seed,
        "evaluations": budget - len(history),
        "skipped": len(history),
        "best": best.native,
        "best_value": best.value,
        "found_after": best.index + 1,
    }


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

    def search_id(self, seed: int) -> str:
        """Content hash of configuration and seed; the budget is no part of it."""
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

    def step_rows(self, search_id: str, steps: Sequence[Step]) -> pl.DataFrame:
        """Steps as the warehouse takes them, counted from 1."""
        id_of = dict(zip(self.pool.natives, self.pool.architecture_ids, strict=True))
        return pl.DataFrame(
            {
                "search_id": search_id,
                "step": [step.index + 1 for step in steps],
                "architecture_id": [id_of[step.native] for step in steps],
                "value": [step.value for step in steps],
                "predicted_mean": pl.Series([s.predicted_mean for s in steps], dtype=pl.Float64),
                "predicted_std": pl.Series([s.predicted_std for s in steps], dtype=pl.Float64),
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
    searcher = make_algorithm(algorithm, **given)
    features = find_features(warehouse, search_space, vectors)
    if searcher.reads_vectors and features.spec_id is None:
        searcher = make_algorithm(algorithm, **given, structural=True)
    target = warehouse.target(search_space, **vars(measured))
    pool = find_labelled_pool(warehouse, search_space, features, target)
    distinct = len(set(pool.canonical_ids))
    if not 1 <= budget <= distinct:
        raise InputError(
            f"--budget {budget}: {distinct} different architectures have a vector and a value, "
            f"so ask for 1 to {distinct}"
        )
    columns = {
        "space": space,
        "algorithm": algorithm,
        **_features_columns(searcher, features),
        "target": target.to_json(),
    }
    configuration = columns | {
        "parameters": searcher.get_params(),
        "labels_hash": pool.labels_hash,
        "variant": _variant(searcher),
    }
    return Plan(searcher, search_space, pool, columns, configuration)


def stored_steps(warehouse: Warehouse, search_id: str) -> list[Step]:
    """The steps of a search that are in the warehouse."""
    return [
        Step(step - 1, native, value, mean, std)
        for step, native, value, mean, std in warehouse.search_steps(search_id).iter_rows()
    ]


def batched(steps: Iterable[Step], size: int) -> Iterator[list[Step]]:
    """Lists of up to `size` steps."""
    iterator = iter(steps)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


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


def _variant(searcher: SearchAlgorithm) -> str | None:
    """What tells settings of one algorithm apart in a report, in words; None for the usual."""
    settings = searcher.get_params()
    if not isinstance(searcher, Bananas) or settings == Bananas(**RECOMMENDED).get_params():
        return None
    return ", ".join(f"{name} {settings[name]}" for name in RECOMMENDED)
