"""Regularized evolution (Real et al., arXiv 1802.01548)."""

from collections.abc import Sequence

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

_TRIES = 100  # mutations that may turn out to be twins before a newcomer takes the place


class RegularizedEvolution(SearchAlgorithm):
    """Mutates the best of a random sample of the youngest architectures; the oldest die.

    Args:
        population: Architectures alive: always the last so many evaluated.
        sample: Architectures in a tournament.
    """

    name = "regularized_evolution"

    def __init__(self, population: int = 50, sample: int = 10) -> None:
        if not 1 <= sample <= population:
            raise InputError(f"sample = {sample}: give 1 to the population of {population}")
        self.population = population
        self.sample = sample

    def batch_start(self, length: int) -> int:
        return 0 if length < self.population else length

    def propose(
        self, problem: SearchProblem, history: Sequence[Step], rng: np.random.Generator
    ) -> list[Proposal]:
        if len(history) < self.population:
            return random_proposals(problem, history, rng, self.population)
        alive = history[-self.population :]
        seen = seen_forms(problem, history)
        for _ in range(_TRIES):
            entrants = rng.choice(len(alive), size=self.sample, replace=False)
            parent = max((alive[i] for i in entrants), key=lambda step: step.value)
            child = problem.space.mutate(parent.native, rng)
            if problem.is_new(child, seen):
                return [Proposal(child)]
        return random_proposals(problem, history, rng, 1)
