"""A search that looks beside the best."""

import numpy as np

from cole_core.errors import InputError
from cole_core.search.base import Proposal, SearchAlgorithm, random_proposals, seen_forms


class NearestFirst(SearchAlgorithm):
    """Evaluates what is nearest to the best, by its vectors.

    Args:
        start: Architectures at random at the beginning.
        tries: Mutants that are looked at where there is no list of architectures.
    """

    name = "nearest_first"
    reads_vectors = True

    def __init__(self, start: int = 5, tries: int = 20):
        if start < 1:
            raise InputError(f"start = {start}: give 1 or more")
        self.start = start
        self.tries = tries

    def batch_start(self, length):
        return 0 if length < self.start else length

    def propose(self, problem, history, rng):
        if len(history) < self.start:
            return random_proposals(problem, history, rng, self.start)
        best = max(history, key=lambda step: step.value).native
        seen = seen_forms(problem, history)
        around = problem.candidates
        if around is None:
            around = [problem.space.mutate(best, rng) for _ in range(self.tries)]
        new = [native for native in around if problem.is_new(native, seen)]
        if not new:
            return random_proposals(problem, history, rng, 1)
        away = np.linalg.norm(problem.vectors(new) - problem.vectors([best]), axis=1)
        return [Proposal(new[int(away.argmin())])]
