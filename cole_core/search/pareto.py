"""BANANAS for several objectives: a surrogate for each, and what adds most to the front."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cole_core.errors import InputError
from cole_core.search.acquisitions import WITHOUT_BEST, get_acquisition
from cole_core.search.bananas import Bananas, Candidates
from cole_core.search.base import Proposal, SearchProblem, Step, random_proposals, seen_forms
from cole_core.search.dominance import directions, front_numbers, nadir, nondominated, reach

if TYPE_CHECKING:
    from cole_core.predictors.surrogate import Surrogate

_COUNTING = 0.1  # share of the measured that is worse than the reference, at most
_DIRECTIONS = 64  # along which hypervolume is measured; drawn anew for each batch


class Pareto(Bananas):
    """Evaluates what is hoped to add most hypervolume to the front of what is measured.

    Each objective has a surrogate of its own. What an acquisition function hopes of each, in the
    objective's unit, is one hoped-for point; the batch is the greedy choice of points that add
    most hypervolume, each chosen one standing at its expected place for those after it. Where
    nobody said from which value on an objective counts, that is the worst of the front so far and a
    tenth of its range more, or what nine in ten of the measured are better than, if that is worse.

    Args:
        initial: Architectures at random before the first surrogates.
        batch: Architectures between two surrogates.
        acquisition: `ucb`, `its` or `exploit`.
        beta: Exploration weight of `ucb`.
        candidates: `mutation` of the front, or the whole `space`.
        parents: Architectures of the best fronts that are mutated.
        edits: Most edits of a mutation.
        n_candidates: Mutations that the surrogates score.
        head: Name of the surrogates' head.
        structural: Whether the vectors are a structural encoding.
        **surrogate: Further arguments of `make_surrogate`.
    """

    name = "pareto"
    several = True

    def __init__(
        self,
        initial: int = 10,
        batch: int = 2,
        acquisition: str = "ucb",
        beta: float = 1.0,
        candidates: Candidates = "space",
        parents: int = 16,
        edits: int = 3,
        n_candidates: int = 200,
        head: str = "gaussian_process",
        structural: bool = False,
        **surrogate: Any,
    ) -> None:
        super().__init__(
            initial=initial,
            batch=batch,
            acquisition=acquisition,
            beta=beta,
            candidates=candidates,
            parents=parents,
            edits=edits,
            n_candidates=n_candidates,
            head=head,
            structural=structural,
            **surrogate,
        )
        if acquisition not in WITHOUT_BEST:
            raise InputError(
                f"acquisition '{acquisition}' compares with one best, and a front has several: "
                f"choose one of {', '.join(sorted(WITHOUT_BEST))}"
            )

    def propose(
        self, problem: SearchProblem, history: Sequence[Step], rng: np.random.Generator
    ) -> list[Proposal]:
        if len(history) < self.initial:
            return random_proposals(problem, history, rng, self.initial)
        from cole_core.predictors.reductions.side_by_side import AlreadySideBySide

        vectors = problem.vectors([step.native for step in history])
        values, reduced = values_of(history), AlreadySideBySide(problem.widths)
        surrogates = [self.new_surrogate(rng) for _ in values.T]
        learned: list[Surrogate | float] = [
            surrogate.fit(vectors, column, unlabelled=reduced)
            if np.ptp(column) > 0
            else float(column[0])
            for surrogate, column in zip(surrogates, values.T, strict=True)
        ]
        natives, vectors = self.scored(problem, history, seen_forms(problem, history), rng)
        if not natives:
            return []
        reference = np.minimum(nadir(values), np.quantile(values, _COUNTING, axis=0))
        if problem.reference is not None:
            reference = np.where(np.isnan(problem.reference), reference, problem.reference)
        beliefs = [_Belief(vectors, surrogate) for surrogate in learned]
        return [
            Proposal(natives[place], *beliefs[0].said(place))
            for place in self._most_added(beliefs, values, reference, rng)
        ]

    def best_of(self, history: Sequence[Step]) -> list[Step]:
        """The first fronts, of each as it was evaluated."""
        order = np.argsort(front_numbers(values_of(history)), kind="stable")
        return [history[place] for place in order[: self.parents]]

    def _most_added(
        self,
        beliefs: "Sequence[_Belief]",
        values: np.ndarray,
        reference: np.ndarray,
        rng: np.random.Generator,
    ) -> list[int]:
        """The candidates that add most hypervolume to the front of the measured values."""
        expected = np.column_stack([belief.expected for belief in beliefs])
        scale = np.ptp(values, axis=0)
        scale[scale == 0] = 1.0
        along = directions(_DIRECTIONS, values.shape[1], rng)
        reached = reach((values[nondominated(values)] - reference) / scale, along).max(axis=0)
        chosen: list[int] = []
        left = np.ones(len(expected), dtype=bool)
        for _ in range(min(self.batch, len(expected))):
            hoped = np.column_stack(
                [belief.hoped(self.acquisition, self.beta, rng) for belief in beliefs]
            )
            beyond = reach((hoped - reference) / scale, along) - reached
            gain = np.maximum(beyond, 0).mean(axis=1)
            # Where nothing is hoped to add anything, what comes nearest to it.
            best = int(np.lexsort((beyond.max(axis=1), gain, left))[-1])
            chosen.append(best)
            left[best] = False
            added = reach((expected[[best]] - reference) / scale, along)[0]
            reached = np.maximum(reached, added)
        return chosen


class _Belief:
    """What a surrogate thinks of candidates; or the one value that an objective has had so far.

    Attributes:
        expected: Means in the objective's unit, shape (n,).
    """

    def __init__(self, vectors: np.ndarray, surrogate: "Surrogate | float") -> None:
        self._surrogate = surrogate
        if isinstance(surrogate, float):
            self.expected = np.full(len(vectors), surrogate)
        else:
            self._mean, self._std = surrogate.predict_scores(vectors)
            self.expected = surrogate.target_.inverse(self._mean)

    def hoped(self, acquisition: str, beta: float, rng: np.random.Generator) -> np.ndarray:
        """What an acquisition function makes of them, in the objective's unit, shape (n,)."""
        if isinstance(self._surrogate, float):
            return self.expected
        worth = get_acquisition(acquisition)(self._mean, self._std, -np.inf, beta, rng)
        return self._surrogate.target_.inverse(worth)

    def said(self, place: int) -> tuple[float, float]:
        """Mean and deviation of a candidate, in the objective's unit."""
        if isinstance(self._surrogate, float):
            return self._surrogate, 0.0
        at = slice(place, place + 1)
        std = self._surrogate.target_.inverse_std(self._mean[at], self._std[at])
        return float(self.expected[place]), float(std[0])


def values_of(history: Sequence[Step]) -> np.ndarray:
    """The values of all objectives, shape (n, m)."""
    return np.array([step.values for step in history], dtype=float)
