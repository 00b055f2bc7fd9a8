"""NSGA-II (Deb et al., 2002), with the sorting, crowding and survival of pymoo."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cole_core.errors import InputError
from cole_core.search.base import (
    Proposal,
    SearchAlgorithm,
    SearchProblem,
    Step,
    random_proposals,
    seen_forms,
)

_TRIES = 100  # children that may turn out to be twins before a newcomer takes the place


class NSGA2(SearchAlgorithm):
    """Evolution by fronts: parents win tournaments by front, then by how alone they stand on it.

    A child is a mutation of a parent, as a space has mutations and not always crossings.

    Args:
        population: Survivors of a generation, and its children.
        edits: Most edits of a mutation.
    """

    name = "nsga2"
    several = True

    def __init__(self, population: int = 20, edits: int = 1) -> None:
        if population < 2 or edits < 1:
            raise InputError(
                f"population = {population}, edits = {edits}: give at least 2 and at least 1"
            )
        self.population = population
        self.edits = edits

    def batch_start(self, length: int) -> int:
        return length - length % self.population

    def propose(
        self, problem: SearchProblem, history: Sequence[Step], rng: np.random.Generator
    ) -> list[Proposal]:
        if len(history) < self.population:
            return random_proposals(problem, history, rng, self.population)
        alive = self._survivors(history)
        seen = seen_forms(problem, history)
        children: list[Proposal] = []
        for _ in range(_TRIES * self.population):
            parent = _winner(alive, rng).X[0]
            child = problem.space.mutate(parent, rng, int(rng.integers(1, self.edits + 1)))
            if problem.is_new(child, seen):
                seen.add(problem.canonical(child))
                children.append(Proposal(child))
                if len(children) == self.population:
                    return children
        while len(children) < self.population:
            newcomer = problem.random_unseen(seen, rng)
            if newcomer is None:
                break
            seen.add(problem.canonical(newcomer))
            children.append(Proposal(newcomer))
        return children

    def _survivors(self, history: Sequence[Step]) -> Any:
        """Who is alive after the generations of a history: one survival after the other."""
        try:
            from pymoo.core.population import Population
            from pymoo.core.problem import Problem
            from pymoo.operators.survival.rank_and_crowding import RankAndCrowding
        except ImportError as error:
            raise InputError(
                "nsga2 needs pymoo: install it with: pip install 'cole-warehouse[pareto]'"
            ) from error
        problem, survival = Problem(n_var=1), RankAndCrowding()
        alive = Population.empty()
        for start in range(0, len(history), self.population):
            steps = history[start : start + self.population]
            born = Population.new(
                X=np.array([[step.native] for step in steps], dtype=object),
                F=-np.array([step.values for step in steps], dtype=float),  # pymoo minimises
            )
            alive = survival.do(
                problem,
                Population.merge(alive, born),
                n_survive=min(self.population, len(alive) + len(born)),
                random_state=np.random.default_rng(start),
            )
        return alive


def _winner(alive: Any, rng: np.random.Generator) -> Any:
    """Of two at random the one on the earlier front, or on an equal one the more lonely."""
    first, second = (alive[int(place)] for place in rng.integers(len(alive), size=2))
    ahead = (first.get("rank"), -first.get("crowding")) <= (
        second.get("rank"),
        -second.get("crowding"),
    )
    return first if ahead else second
