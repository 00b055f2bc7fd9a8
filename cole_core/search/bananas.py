"""BANANAS (White et al., arXiv 1910.11858) with any surrogate."""

import inspect
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cole_core.errors import InputError
from cole_core.predictors import surrogate_parameters
from cole_core.predictors.transfer.weights import prior_weights
from cole_core.registry import check_parameters
from cole_core.search.acquisitions import WITHOUT_BEST, get_acquisition
from cole_core.search.base import (
    Proposal,
    SearchAlgorithm,
    SearchProblem,
    Step,
    random_proposals,
    seen_forms,
)
from cole_core.search.first_evaluations import first_proposals

if TYPE_CHECKING:
    from cole_core.predictors.surrogate import Surrogate

Candidates = Literal["mutation", "space"]

# The ensemble of the paper's search.
_ENSEMBLE: dict[str, Any] = {"members": 3, "epochs": 200, "dropout": 0.0}


class Bananas(SearchAlgorithm):
    """Fits a surrogate to what is measured and evaluates what looks most worth it.

    Args:
        initial: Architectures at random before the first surrogate.
        batch: Architectures between two surrogates.
        acquisition: `its`, `ucb`, `ei`, `exploit`, or one that another package registers.
        beta: Exploration weight of `ucb`.
        candidates: `mutation` of the best, or the whole `space`.
        parents: Best architectures that are mutated.
        edits: Most edits of a mutation.
        n_candidates: Mutations that the surrogate scores.
        head: Name of the surrogate's head; `mlp` is the paper's ensemble.
        structural: Whether the vectors are a structural encoding.
        **surrogate: Further arguments of `make_surrogate`.
    """

    name = "bananas"
    reads_vectors = True

    def __init__(
        self,
        initial: int = 20,
        batch: int = 10,
        acquisition: str = "its",
        beta: float = 1.0,
        candidates: Candidates = "mutation",
        parents: int = 16,
        edits: int = 3,
        n_candidates: int = 200,
        head: str = "mlp",
        structural: bool = False,
        **surrogate: Any,
    ) -> None:
        if initial < 2 or batch < 1:
            raise InputError(f"initial = {initial}, batch = {batch}: give at least 2 and 1")
        if candidates not in ("mutation", "space"):
            raise InputError(f"candidates '{candidates}': choose mutation or space")
        self.initial = initial
        self.batch = batch
        self.acquisition = acquisition
        self.beta = beta
        self.candidates = candidates
        self.parents = parents
        self.edits = edits
        self.n_candidates = n_candidates
        self.head = head
        self.structural = structural
        check_parameters(
            f"search algorithm '{self.name}' with head '{head}'",
            [name for name in surrogate if name not in ("blocks", "old_tasks")],
            [*_own_parameters(), *surrogate_parameters(head)],
        )
        self.surrogate = {**(_ENSEMBLE if head == "mlp" else {}), **surrogate}
        get_acquisition(acquisition)
        self._make(0)

    def _make(self, seed: int) -> "Surrogate":
        from cole_core.predictors import make_surrogate

        return make_surrogate(self.head, structural=self.structural, seed=seed, **self.surrogate)

    @property
    def needs_candidates(self) -> bool:
        return self.candidates == "space"

    def surrogate_params(self) -> dict[str, Any]:
        """Every setting of the surrogate, the head's defaults among them, but its seed."""
        parameters = self._make(0).get_params()
        return {k: v for k, v in parameters.items() if k not in ("head", "head__seed")}

    def prepare(self, problem: SearchProblem) -> SearchProblem:
        """Applies a reduction that is fitted on the space once, instead of at each fit.

        Raises:
            InputError: Such a reduction, and no vectors of the space.
        """
        template = self._make(0)
        if problem.is_prepared or template.fitted_on != "space":
            return problem
        if not problem.candidates:
            raise InputError(
                "the surrogate's reduction is fitted on the space, which has no list of"
                " candidates: use fitted_on=labelled"
            )
        natives = list(problem.candidates)
        vectors = problem.vectors(natives)
        reduction = template.fit_reduction(vectors)
        reduced = template.reduced(vectors, reduction).astype(np.float32)
        row = {native: i for i, native in enumerate(natives)}
        return replace(
            problem,
            vectors=lambda some: reduced[[row[native] for native in some]],
            is_prepared=True,
            widths=tuple(getattr(reduction, "widths_", ())),
        )

    def new_surrogate(self, rng: np.random.Generator) -> "Surrogate":
        """A fresh surrogate for the vectors that `prepare` left."""
        surrogate = self._make(int(rng.integers(2**32)))
        reads_blocks = getattr(surrogate.head, "reads_blocks", False) and surrogate.blocks
        if surrogate.fitted_on == "space" and not reads_blocks:
            surrogate.set_params(reduction="none", fitted_on="labelled", blocks=None)
        return surrogate

    def batch_start(self, length: int) -> int:
        if length < self.initial:
            return 0
        return length - (length - self.initial) % self.batch

    def one_at_a_time(self) -> "Bananas":
        one = copy(self)
        one.n_candidates = -(-self.n_candidates // self.batch)
        return one

    def propose(
        self, problem: SearchProblem, history: Sequence[Step], rng: np.random.Generator
    ) -> list[Proposal]:
        if len(history) < self.initial:
            if not self.surrogate.get("old_tasks"):
                return random_proposals(problem, history, rng, self.initial)
            return first_proposals(problem, rng, self.initial, self._expected(problem, rng))
        from cole_core.predictors.reductions.side_by_side import AlreadySideBySide

        surrogate = self.new_surrogate(rng)
        surrogate.fit(
            *self.training_set(problem, history), unlabelled=AlreadySideBySide(problem.widths)
        )
        return self.select(problem, history, surrogate, rng)

    def _expected(self, problem: SearchProblem, rng: np.random.Generator) -> list[Proposal]:
        """Candidates by what old tasks expect of them before anything is measured."""
        from cole_core.predictors.transfer.surrogate import TransferSurrogate

        surrogate = self._make(0)
        assert isinstance(surrogate, TransferSurrogate)
        if self.candidates == "space":
            natives, vectors = self._unseen(problem, set(), rng)
        else:
            drawn = random_proposals(problem, [], rng, self.n_candidates)
            natives = [proposal.native for proposal in drawn]
            vectors = problem.vectors(natives)
        best = np.argsort(-surrogate.expectation(vectors), kind="stable")
        weights = tuple(map(float, prior_weights(surrogate.old_tasks)))
        return [Proposal(natives[i], old_task_weights=weights) for i in best]

    @staticmethod
    def training_set(
        problem: SearchProblem, history: Sequence[Step]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Vectors and values of the evaluated architectures."""
        return (
            problem.vectors([step.native for step in history]),
            np.array([step.value for step in history]),
        )

    def select(
        self,
        problem: SearchProblem,
        history: Sequence[Step],
        surrogate: "Surrogate",
        rng: np.random.Generator,
    ) -> list[Proposal]:
        """The batch that a fitted surrogate finds most worth evaluating."""
        natives, vectors = self.scored(problem, history, seen_forms(problem, history), rng)
        if not natives:
            return []
        mean, std = surrogate.predict_scores(vectors)
        best = -np.inf
        if self.acquisition not in WITHOUT_BEST:
            # Against the surrogate's own opinion: a lucky measurement is no bar to clear.
            known = surrogate.predict_scores(problem.vectors([step.native for step in history]))
            best = float(known[0].max())
        worth = get_acquisition(self.acquisition)(mean, std, best, self.beta, rng)
        chosen = np.argsort(-worth, kind="stable")[: self.batch]
        values = surrogate.target_.inverse(mean[chosen])
        deviations = surrogate.target_.inverse_std(mean[chosen], std[chosen])
        return [
            Proposal(natives[i], float(value), float(deviation), surrogate.old_task_weights)
            for i, value, deviation in zip(chosen, values, deviations, strict=True)
        ]

    def scored(
        self,
        problem: SearchProblem,
        history: Sequence[Step],
        seen: set[str],
        rng: np.random.Generator,
    ) -> tuple[list[str], np.ndarray]:
        """What a surrogate scores, none of it a twin of the history, and the vectors."""
        if self.candidates == "space":
            return self._unseen(problem, seen, rng)
        natives = self._mutations(problem, history, seen, rng)
        return natives, problem.vectors(natives) if natives else np.empty((0, 0))

    def best_of(self, history: Sequence[Step]) -> list[Step]:
        """The architectures that are mutated."""
        return sorted(history, key=lambda step: -step.value)[: self.parents]

    @staticmethod
    def _unseen(
        problem: SearchProblem, seen: set[str], rng: np.random.Generator
    ) -> tuple[list[str], np.ndarray]:
        """One candidate of each canonical form that is not seen, with its vector."""
        rows = problem.pool.unseen(seen, rng)
        return [problem.pool.natives[i] for i in rows], problem.pool.vectors[rows]

    def _mutations(
        self,
        problem: SearchProblem,
        history: Sequence[Step],
        seen: set[str],
        rng: np.random.Generator,
    ) -> list[str]:
        """Mutations of the best, none a twin of the history or of another."""
        best = self.best_of(history)
        taken = set(seen)
        children: list[str] = []
        for _ in range(10 * self.n_candidates):
            parent = best[int(rng.integers(len(best)))]
            child = problem.space.mutate(parent.native, rng, int(rng.integers(1, self.edits + 1)))
            if problem.is_new(child, taken):
                taken.add(problem.canonical(child))
                children.append(child)
                if len(children) == self.n_candidates:
                    return children
        # Around a nearly exhausted peak the batch is filled from anywhere.
        while len(children) < self.batch:
            newcomer = problem.random_unseen(taken, rng)
            if newcomer is None:
                break
            taken.add(problem.canonical(newcomer))
            children.append(newcomer)
        return children


def _own_parameters() -> list[str]:
    """What of the constructor people choose; whether vectors are structural, these say."""
    named = inspect.signature(Bananas).parameters.values()
    chosen = [each.name for each in named if each.kind is not each.VAR_KEYWORD]
    return [name for name in chosen if name != "structural"]
