"""What a search is: a problem, a history of steps, an algorithm that proposes the next ones."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cole_core.errors import InputError
from cole_core.spaces.base import SearchSpace

_TRIES = 200  # draws at random before the rest of a finite pool is listed


@dataclass(frozen=True)
class Step:
    """One evaluated architecture.

    Attributes:
        index: Place in the search, from 0.
        native: The architecture.
        value: Its measured value; more is better.
        predicted_mean: What the surrogate expected, in the unit of the value; None without one.
        predicted_std: How sure it was.
        old_task_weights: How much each old task counted in that; empty where none did.
        others: Its values by the objectives after the first; more is better.
    """

    index: int
    native: str
    value: float
    predicted_mean: float | None = None
    predicted_std: float | None = None
    old_task_weights: tuple[float, ...] = ()
    others: tuple[float, ...] = ()

    @property
    def values(self) -> tuple[float, ...]:
        """Its values by all objectives."""
        return (self.value, *self.others)


@dataclass(frozen=True)
class Proposal:
    """An architecture to evaluate next, with what the surrogate expects of it."""

    native: str
    predicted_mean: float | None = None
    predicted_std: float | None = None
    old_task_weights: tuple[float, ...] = ()

    def evaluated(self, index: int, value: float, others: tuple[float, ...] = ()) -> Step:
        """The step that it becomes.

        Args:
            index: Its place in the search.
            value: By the first objective.
            others: By the objectives after it.
        """
        return Step(
            index,
            self.native,
            value,
            self.predicted_mean,
            self.predicted_std,
            self.old_task_weights,
            others,
        )


@dataclass(frozen=True, eq=False)
class SearchProblem:
    """What a search may ask.

    Attributes:
        space: Samples and mutates.
        canonical: Native string to canonical form.
        vectors: Native strings to what a surrogate reads, shape (n, d).
        evaluate: The measured value of an architecture. Called for proposals only, so the value
            of a canonical twin is never read.
        candidates: The whole pool, where it is finite and its vectors are at hand; None otherwise.
            No other architecture is proposed.
        is_prepared: Whether an algorithm's `prepare` made it.
        widths: Columns of each encoding in prepared vectors that hold several side by side.
        announce: Told of the architectures that `evaluate` is about to be called for, of all
            searches that go together, so that they can be evaluated at once.
        others: An evaluated architecture's values by the objectives after the first, if there are
            several.
        reference: From which value on each objective counts, NaN where nobody said; None: of none.
    """

    space: SearchSpace
    canonical: Callable[[str], str]
    vectors: Callable[[Sequence[str]], np.ndarray]
    evaluate: Callable[[str], float]
    candidates: Sequence[str] | None = None
    is_prepared: bool = False
    widths: tuple[int, ...] = ()
    announce: Callable[[Sequence[str]], None] = lambda _: None
    others: Callable[[str], tuple[float, ...]] = lambda _: ()
    reference: np.ndarray | None = None

    def is_new(self, native: str, seen: set[str]) -> bool:
        """Whether an architecture may be proposed: a candidate, and no twin of a seen one."""
        return (self.candidates is None or native in self._listed) and self.canonical(
            native
        ) not in seen

    @cached_property
    def _listed(self) -> frozenset[str]:
        return frozenset(self.candidates or ())

    @cached_property
    def memo(self) -> dict[tuple[Any, ...], Any]:
        """What an algorithm works out of the problem alone and would only work out again.

        Algorithms keep nothing themselves, since one may be asked of several problems.
        """
        return {}

    @cached_property
    def pool(self) -> "Pool":
        """The candidates by canonical form, with their vectors.

        Raises:
            InputError: There are no candidates.
        """
        if not self.candidates:
            raise InputError("this space has no list of candidates: search it by mutation")
        return Pool(self)

    def random_unseen(self, seen: set[str], rng: np.random.Generator) -> str | None:
        """An architecture at random that is no twin of a seen one; None when nothing is left."""
        for _ in range(_TRIES):
            native = (
                self.space.sample(rng)
                if self.candidates is None
                else self.candidates[int(rng.integers(len(self.candidates)))]
            )
            if self.is_new(native, seen):
                return native
        rest = [c for c in self.candidates or () if self.canonical(c) not in seen]
        return rest[int(rng.integers(len(rest)))] if rest else None


class Pool:
    """Candidates grouped by canonical form.

    Args:
        problem: A problem with candidates.
    """

    def __init__(self, problem: SearchProblem) -> None:
        natives = list(problem.candidates or ())
        forms = [problem.canonical(native) for native in natives]
        self._number = {form: i for i, form in enumerate(dict.fromkeys(forms))}
        numbers = np.array([self._number[form] for form in forms])
        order = np.argsort(numbers, kind="stable")
        self.natives = [natives[i] for i in order]
        self.vectors = np.asarray(problem.vectors(self.natives))
        self._sizes = np.bincount(numbers)
        self._starts = np.cumsum(self._sizes) - self._sizes

    def unseen(self, seen: set[str], rng: np.random.Generator) -> np.ndarray:
        """Rows of one member at random of each canonical form that is not seen.

        A member at random, because twins train to different values and none is to be preferred.
        """
        rows = self._starts + (rng.random(len(self._sizes)) * self._sizes).astype(np.int64)
        keep = np.ones(len(rows), dtype=bool)
        keep[[self._number[form] for form in seen if form in self._number]] = False
        return rows[keep]


class SearchAlgorithm(ABC):
    """Proposes what to evaluate next, from the history and a generator alone.

    An algorithm keeps no state between proposals: a search that is stopped and resumed, or
    extended, takes the same way. What it evaluates at random before it has learned anything comes
    as one batch from `random_proposals`: so all algorithms start with the same architectures at
    the same seed, as many as each wants.
    """

    name: str
    reads_vectors: bool = False
    several: bool = False  # whether it serves several objectives

    def get_params(self) -> dict[str, Any]:
        """What the constructor was given."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    @property
    def needs_candidates(self) -> bool:
        """Whether it scores a list of all candidates, which an open-ended space has not."""
        return False

    def surrogate_params(self) -> dict[str, Any] | None:
        """Every setting of its surrogate but the seed; None where it has none.

        An algorithm that has one `reads_vectors`, and its constructor takes what
        `cole_core.encodings.side_by_side.surrogate_kind` says of them.
        """
        return None

    def prepare(self, problem: SearchProblem) -> SearchProblem:
        """The problem with what this algorithm computes once for all its proposals.

        A prepared problem is given back as it is, so that searches with other seeds can share it.
        """
        return problem

    def batch_start(self, length: int) -> int:
        """Where the batch starts that the step after `length` steps belongs to."""
        return length

    def one_at_a_time(self) -> "SearchAlgorithm":
        """The algorithm for a search that evaluates the first of each batch alone.

        One that looks at many candidates for a batch looks at fewer: as many for an evaluation.
        """
        return self

    @abstractmethod
    def propose(
        self, problem: SearchProblem, history: Sequence[Step], rng: np.random.Generator
    ) -> list[Proposal]:
        """The next batch; no canonical twins of the history or of each other.

        Args:
            problem: What `prepare` gave.
            history: All steps before the batch.
            rng: The batch's generator.

        Returns:
            Proposals in the order to evaluate them; empty when the space is exhausted.
        """


def batch_generator(seed: int, start: int) -> np.random.Generator:
    """The generator of the batch that starts at a step of a search."""
    return np.random.default_rng([seed, start])


def seen_forms(problem: SearchProblem, history: Sequence[Step | Proposal]) -> set[str]:
    """Canonical forms of what is or will be evaluated."""
    return {problem.canonical(step.native) for step in history}


def random_proposals(
    problem: SearchProblem,
    history: Sequence[Step | Proposal],
    rng: np.random.Generator,
    count: int,
) -> list[Proposal]:
    """Up to `count` architectures at random, no twins among them or of the history."""
    seen = seen_forms(problem, history)
    proposals: list[Proposal] = []
    while len(proposals) < count:
        native = problem.random_unseen(seen, rng)
        if native is None:
            break
        seen.add(problem.canonical(native))
        proposals.append(Proposal(native))
    return proposals


def run_search(
    algorithm: SearchAlgorithm,
    problem: SearchProblem,
    budget: int,
    seed: int,
    history: Sequence[Step] = (),
) -> Iterator[Step]:
    """Runs a search, or goes on with one.

    Args:
        algorithm: What to run.
        problem: What to search.
        budget: Evaluations in all, those of the history included.
        seed: Seed of the search.
        history: Steps that were evaluated already; they are not evaluated again.

    Yields:
        The steps after the history, each as soon as it is evaluated.

    Raises:
        InputError: The history is not one that this algorithm and seed would have made.
    """
    steps = list(history)
    if len(steps) >= budget:
        return
    problem = algorithm.prepare(problem)
    while len(steps) < budget:
        start = algorithm.batch_start(len(steps))
        proposals = algorithm.propose(problem, steps[:start], batch_generator(seed, start))
        done = len(steps) - start
        check_resumed(steps[start:], proposals)
        if done >= len(proposals):
            return
        for proposal in proposals[done : budget - start]:
            native = proposal.native
            step = proposal.evaluated(len(steps), problem.evaluate(native), problem.others(native))
            steps.append(step)
            yield step


def check_resumed(steps: Sequence[Step], proposals: Sequence[Proposal]) -> None:
    """Refuses to go on with a search that took another way.

    Raises:
        InputError: The steps of a begun batch are not its first proposals.
    """
    for step, proposal in zip(steps, proposals, strict=False):
        if step.native != proposal.native:
            raise InputError(
                f"step {step.index} of the stored search is {step.native}, and these settings"
                f" propose {proposal.native}: resume with the settings it was started with"
            )
