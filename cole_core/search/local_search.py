"""Local search (White et al., "Local search is state of the art for NAS", arXiv 2005.02960)."""

from collections.abc import Sequence

import numpy as np

from cole_core.hashing import hash_text
from cole_core.search.base import (
    Proposal,
    SearchAlgorithm,
    SearchProblem,
    Step,
    random_proposals,
    seen_forms,
)

_DRAWS = 200  # mutations that list a neighbourhood: 24 neighbours are all met but once in 200 times


class LocalSearch(SearchAlgorithm):
    """Climbs from a random start to the first better neighbour, and starts again at a peak."""

    name = "local_search"

    def propose(
        self, problem: SearchProblem, history: Sequence[Step], rng: np.random.Generator
    ) -> list[Proposal]:
        # The way so far is walked again: where the climber stands follows from the steps alone.
        seen: set[str] = set()
        ahead: list[str] = []
        height = -np.inf
        for step in history:
            ahead = [n for n in ahead if problem.canonical(n) not in seen]
            if not ahead or step.value > height:
                height = step.value
                ahead = self._neighbours(problem, step.native)
            seen.add(problem.canonical(step.native))
        seen |= seen_forms(problem, history)
        ahead = [n for n in ahead if problem.canonical(n) not in seen]
        return [Proposal(ahead[0])] if ahead else random_proposals(problem, history, rng, 1)

    def _neighbours(self, problem: SearchProblem, native: str) -> list[str]:
        """One native string for each canonical form one edit away, in a fixed random order."""
        # Remembered, because the walk is repeated at each proposal.
        key = (self.name, native)
        if key not in problem.memo:
            problem.memo[key] = self._list_neighbours(problem, native)
        neighbours: list[str] = problem.memo[key]
        return neighbours

    @staticmethod
    def _list_neighbours(problem: SearchProblem, native: str) -> list[str]:
        rng = np.random.default_rng(int(hash_text(native), 16))
        found: dict[str, str] = {}
        for _ in range(_DRAWS):
            neighbour = problem.space.mutate(native, rng)
            if problem.is_new(neighbour, set()):
                found.setdefault(problem.canonical(neighbour), neighbour)
        return list(found.values())
