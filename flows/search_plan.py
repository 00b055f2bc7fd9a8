"""Searches of one configuration, resolved: what they see, and how a stack of them is run.

Without Prefect, so that processes that only search start quickly.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from cole_core.errors import InputError
from cole_core.hashing import hash_json, hash_text
from cole_core.search import SearchAlgorithm, SearchProblem, Step, make_algorithm
from cole_core.search.bananas import Bananas
from cole_core.spaces.base import SearchSpace
from cole_core.statistics import reached
from flows.pools import Features, LabelledPool, surrogate_kind
from warehouse import Target


@dataclass(frozen=True)
class StoredSearches:
    """How searches that differ in their seed alone stand in the catalog.

    Attributes:
        columns: What describes them.
        configuration: Everything that decides their steps but the seed.
    """

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


@dataclass(frozen=True)
class Plan(StoredSearches):
    """What the flow will do.

    Attributes:
        searcher: The algorithm.
        space: The search space.
        pool: The measured architectures and their vectors.
    """

    searcher: SearchAlgorithm
    space: SearchSpace
    pool: LabelledPool

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
    if searcher.reads_vectors:
        kind = surrogate_kind(space, features, pool)
        searcher = make_algorithm(algorithm, **parameters, **kind)
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
        # A setting that is not used says nothing: one that is new later leaves the ids as they are.
        given = searcher.surrogate_params().items()
        configuration["surrogate"] = {k: v for k, v in given if v is not None}
    return Plan(columns, configuration, searcher, space, pool)


def outcome(search_id: str, seed: int, steps: Sequence[Step], known: int) -> dict[str, Any]:
    """What one search found, for the flow's summary.

    Args:
        search_id: Its id.
        seed: Its seed.
        steps: All its steps.
        known: How many of them were stored before.
    """
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


def search_rounds(
    made: Plan,
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
