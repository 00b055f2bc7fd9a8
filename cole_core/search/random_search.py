"""Random search: the baseline that every search must beat."""

from collections.abc import Sequence

import numpy as np

from cole_core.search.base import Proposal, SearchAlgorithm, SearchProblem, Step, random_proposals

_BATCH = 100  # as long as any start at random, so that it begins with the same architectures


class RandomSearch(SearchAlgorithm):
    """Architectures at random, without twins."""

    name = "random_search"
    several = True

    def batch_start(self, length: int) -> int:
        return length - length % _BATCH

    def propose(
        self, problem: SearchProblem, history: Sequence[Step], rng: np.random.Generator
    ) -> list[Proposal]:
        return random_proposals(problem, history, rng, _BATCH)
