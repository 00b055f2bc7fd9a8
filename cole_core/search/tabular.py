"""Searches of one configuration, resolved: what they see, and how a stack of them is run.

Without Prefect, so that processes that only search start quickly.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from cole_core.encodings.side_by_side import surrogate_kind
from cole_core.encodings.vectors import LabelledVectors, VectorSource
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.hashing import hash_json, hash_text
from cole_core.search import SearchAlgorithm, SearchProblem, Step, for_several, make_algorithm
from cole_core.search.objectives import Objectives
from cole_core.spaces.base import SearchSpace
from cole_core.statistics import reached


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
    def sign(self) -> int:
        """What measured values are multiplied by so that a higher one is better."""
        return -1 if self.configuration.get("direction") == "lower" else 1

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
class TabularSearch(StoredSearches):
    """Searches over architectures whose vectors and values are at hand.

    Attributes:
        searcher: The algorithm.
        space: The search space.
        labelled: The measured architectures and their vectors; a higher value is better.
        objectives: All objectives and their values of the same architectures, where there are
            several; those of the first are the labels.
    """

    searcher: SearchAlgorithm
    space: SearchSpace
    labelled: LabelledVectors
    objectives: Objectives | None = None

    @cached_property
    def problem(self) -> SearchProblem:
        """The architectures as the searches see it, with what the algorithm computes once."""
        row_of = {native: row for row, native in enumerate(self.labelled.natives)}
        labelled = self.labelled
        problem = SearchProblem(
            space=self.space,
            canonical=_canonical(self.space, labelled),
            vectors=lambda natives: labelled.vectors[[row_of[native] for native in natives]],
            evaluate=lambda native: float(labelled.values[row_of[native]]),
            candidates=labelled.natives,
        )
        if self.objectives is not None:
            rest = self.objectives.values[:, 1:].tolist()
            problem = replace(
                problem,
                others=lambda native: tuple(rest[row_of[native]]),
                reference=self.objectives.said,
            )
        return self.searcher.prepare(problem)

    def with_expectations(self, expected: np.ndarray) -> "TabularSearch":
        """The searches with what old tasks expect of the architectures beside their vectors.

        Args:
            expected: Shape (n, tasks).
        """
        return replace(self, labelled=self.labelled.beside(expected))

    @cached_property
    def _id_of(self) -> dict[str, str]:
        return dict(zip(self.labelled.natives, self.labelled.architecture_ids, strict=True))

    def step_rows(self, search_id: str, steps: Sequence[Step], seconds: float) -> pl.DataFrame:
        """Steps as the warehouse takes them, counted from 1, with values as they were measured."""
        sign = self.sign
        means = [None if s.predicted_mean is None else sign * s.predicted_mean for s in steps]
        rows = pl.DataFrame(
            {
                "search_id": search_id,
                "step": [step.index + 1 for step in steps],
                "architecture_id": [self._id_of[step.native] for step in steps],
                "value": [sign * step.value for step in steps],
                "predicted_mean": pl.Series(means, dtype=pl.Float64),
                "predicted_std": pl.Series([s.predicted_std for s in steps], dtype=pl.Float64),
                "old_task_weights": weights_column(steps),
                "seconds": seconds,
            }
        )
        if self.objectives is None:
            return rows
        told = [self.objectives.to_json(step.values) for step in steps]
        return rows.with_columns(objectives=pl.Series(told, dtype=pl.String))


def make_tabular_search(
    space: SearchSpace,
    source: VectorSource,
    target: Target,
    labelled: LabelledVectors,
    algorithm: str,
    parameters: Mapping[str, Any],
    objectives: Objectives | None = None,
    where: str | None = None,
    old_tasks: Sequence[Mapping[str, Any]] = (),
) -> TabularSearch:
    """Searches whose vectors and values are at hand.

    Args:
        space: The search space.
        source: Where the vectors are from.
        target: What the best is sought of.
        labelled: The architectures that may be evaluated; a higher value is better.
        algorithm: The search algorithm.
        parameters: Its parameters; those of the class where nothing is said.
        objectives: All objectives, where there are several.
        where: The condition that the architectures fit.
        old_tasks: What tells apart the tasks whose expectations will stand beside the vectors.

    Raises:
        InputError: The algorithm or a parameter is unknown, or the algorithm has one objective.
    """
    searcher = make_algorithm(algorithm, **parameters)
    if objectives is not None and not searcher.several:
        raise InputError(
            f"algorithm '{algorithm}' looks at one objective, and {len(objectives.of)} are given: "
            f"choose one of {', '.join(for_several())}"
        )
    if searcher.reads_vectors:
        kind = surrogate_kind(space, source, labelled)
        if old_tasks:
            kind |= {"old_tasks": len(old_tasks)}
        searcher = make_reader(searcher, algorithm, parameters, kind)
    columns = {
        "space": space.name,
        "algorithm": algorithm,
        **source_columns(searcher, source),
        "target": target.to_json(),
    }
    configuration = columns | {
        "parameters": searcher.get_params(),
        "labels_hash": labelled.labels_hash,
        **target.orientation,
    }
    if old_tasks:
        configuration["transfer"] = list(old_tasks)
    surrogate = searcher.surrogate_params()
    if surrogate is not None:
        # A setting that is not used says nothing: one that is new later leaves the ids as they are.
        configuration["surrogate"] = {k: v for k, v in surrogate.items() if v is not None}
    if objectives is not None:
        configuration["objectives"] = objectives.configuration
    if where is not None:
        configuration["where"] = where
    return TabularSearch(columns, configuration, searcher, space, labelled, objectives)


def make_reader(
    searcher: SearchAlgorithm,
    algorithm: str,
    parameters: Mapping[str, Any],
    kind: Mapping[str, Any],
) -> SearchAlgorithm:
    """An algorithm made again for the vectors that it reads, if it has a surrogate of ours.

    Args:
        searcher: What `parameters` make.
        algorithm: Its name.
        parameters: What people say.
        kind: What `surrogate_kind` says of the vectors.

    Raises:
        InputError: People say what the vectors say.
    """
    if searcher.surrogate_params() is None:
        return searcher
    for name in kind:
        if name in parameters:
            raise InputError(f"parameter '{name}': the vectors say that, leave it out")
    return make_algorithm(algorithm, **parameters, **kind)


def check_budget(labelled: LabelledVectors, budget: int) -> None:
    """Checks that a budget can be spent on architectures.

    Raises:
        InputError: It is above the number of canonical forms, or below 1.
    """
    distinct = len(set(labelled.canonical_ids))
    if not 1 <= budget <= distinct:
        raise InputError(
            f"--budget {budget}: {distinct} different architectures have a vector and a value, "
            f"so ask for 1 to {distinct}"
        )


def search_rounds(
    made: TabularSearch,
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
    if all(len(steps) >= budget for steps in histories):
        return  # what a search would need is not worked out for none
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


def source_columns(searcher: SearchAlgorithm, source: VectorSource) -> dict[str, Any]:
    """What the catalog says of the vectors that an algorithm reads, if it reads any."""
    if not searcher.reads_vectors:
        return {"encoding": "none", "context": "none", "spec_id": None}
    return {"encoding": source.encoding, "context": source.context, "spec_id": source.spec_id}


def weights_column(steps: Sequence[Step]) -> pl.Series:
    """How much each old task counted in each step; null where nothing was transferred."""
    weights = [list(step.old_task_weights) or None for step in steps]
    return pl.Series(weights, dtype=pl.List(pl.Float64))


def _canonical(space: SearchSpace, labelled: LabelledVectors) -> Callable[[str], str]:
    """Canonical ids that are at hand; those of other architectures are worked out."""
    known = dict(zip(labelled.natives, labelled.canonical_ids, strict=True))
    return lambda native: known.get(native) or hash_text(space.canonical_form(native))
