"""What a search algorithm promises, as tests."""

import json
import pickle
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from cole_core.encodings.base import VectorEncoding
from cole_core.search import SearchAlgorithm, SearchProblem, Step, make_algorithm, run_search
from cole_core.search.base import batch_generator
from cole_core.search.together import run_searches
from cole_core.spaces.base import SearchSpace
from cole_core.testing.beads import Beads
from cole_core.testing.checks import NAME, global_generators


class SearchContract:
    """Tests of a search algorithm; see `cole_core.search.base.SearchAlgorithm`.

    Attributes:
        algorithm: What is tested. Give it a start of a few architectures, and small networks.
        space: Where it searches; by default a toy.
        pool: Architectures that it may propose, where those are listed; twins are among them.
        budget: Evaluations: more than it draws at random at the beginning.
    """

    algorithm: SearchAlgorithm
    space: SearchSpace = Beads()
    pool: int = 90
    budget: int = 22

    @pytest.fixture
    def problem(self) -> SearchProblem:
        """A list of architectures with values."""
        return _problem(self.space, natives(self.space, self.pool))

    def steps(self, problem: SearchProblem, budget: int = 0, seed: int = 0) -> list[Step]:
        """A search from its start."""
        return list(run_search(self.algorithm, problem, budget or self.budget, seed))

    def test_it_has_a_name_and_parameters_that_are_kept(self) -> None:
        assert NAME.fullmatch(self.algorithm.name), f"it cannot be called {self.algorithm.name!r}"
        kept = json.loads(json.dumps(self.algorithm.get_params()))
        assert isinstance(kept, dict)
        surrogate = self.algorithm.surrogate_params()
        json.dumps(surrogate)
        if surrogate is not None:
            assert self.algorithm.reads_vectors, "it has a surrogate and reads no vectors"

    def test_no_twin_is_evaluated(self, problem: SearchProblem) -> None:
        steps = self.steps(problem)
        forms = Counter(problem.canonical(step.native) for step in steps)
        assert forms.most_common(1)[0][1] == 1, f"evaluated twice: {forms.most_common(1)[0][0]}"
        assert {step.native for step in steps} <= set(problem.candidates or ())

    def test_the_budget_is_spent_and_kept(self, problem: SearchProblem) -> None:
        for budget in (1, 2, self.budget):
            steps = self.steps(problem, budget)
            assert len(steps) == budget
            assert [step.index for step in steps] == list(range(budget))

    def test_only_proposals_are_evaluated(self) -> None:
        """The value of anything else, a twin's above all, is never read."""
        asked: list[str] = []
        problem = _problem(self.space, natives(self.space, self.pool), asked.append)
        steps = self.steps(problem)
        assert asked == [step.native for step in steps]

    def test_the_same_seed_takes_the_same_way(self, problem: SearchProblem) -> None:
        with global_generators(1):
            once = self.steps(problem)
        with global_generators(2):
            assert self.steps(problem) == once
            copy: SearchAlgorithm = pickle.loads(pickle.dumps(self.algorithm))
            assert list(run_search(copy, problem, self.budget, 0)) == once
        assert self.steps(problem, seed=1) != once, "the seed changes nothing"

    def test_a_search_goes_on_as_if_it_had_not_stopped(self, problem: SearchProblem) -> None:
        whole = self.steps(problem)
        for cut in sorted({1, self.budget // 3, self.budget // 2, self.budget - 2}):
            rest = list(run_search(self.algorithm, problem, self.budget, 0, whole[:cut]))
            assert rest == whole[cut:], f"stopped after {cut} steps it takes another way"

    def test_a_larger_budget_begins_with_the_smaller(self, problem: SearchProblem) -> None:
        assert self.steps(problem, self.budget // 2) == self.steps(problem)[: self.budget // 2]

    def test_searches_together_take_the_way_of_each(self, problem: SearchProblem) -> None:
        alone = [self.steps(problem, seed=seed) for seed in (0, 1)]
        together: dict[int, list[Step]] = {0: [], 1: []}
        for made in run_searches(self.algorithm, problem, self.budget, [0, 1]):
            for place, steps in made.items():
                together[place] += steps
        for place in (0, 1):
            expected = [(step.index, step.native, step.value) for step in alone[place]]
            found = [(step.index, step.native, step.value) for step in together[place]]
            assert found == expected

    def test_it_begins_as_random_search_does(self, problem: SearchProblem) -> None:
        baseline = list(run_search(make_algorithm("random_search"), problem, self.budget, 3))
        prepared = self.algorithm.prepare(problem)
        first = self.algorithm.propose(prepared, [], batch_generator(3, 0))
        begun = [proposal.native for proposal in first][: self.budget]
        assert begun
        assert begun == [step.native for step in baseline[: len(begun)]]

    def test_a_small_pool_is_exhausted(self) -> None:
        few = natives(self.space, 14)
        problem = _problem(self.space, few)
        forms = {problem.canonical(native) for native in few}
        steps = self.steps(problem, 50)
        assert {problem.canonical(step.native) for step in steps} == forms
        assert len(steps) == len(forms)

    def test_batches_have_one_beginning(self) -> None:
        starts = [self.algorithm.batch_start(length) for length in range(3 * self.budget)]
        for length, start in enumerate(starts):
            assert 0 <= start <= length
            assert starts[start] == start, f"the batch of step {length} does not begin at {start}"
        assert starts == sorted(starts)

    def test_proposals_say_what_is_expected_or_nothing(self, problem: SearchProblem) -> None:
        for step in self.steps(problem):
            if step.predicted_mean is None:
                assert step.predicted_std is None
            else:
                assert np.isfinite(step.predicted_mean)
                assert step.predicted_std is None or step.predicted_std >= 0

    def test_proposing_leaves_the_problem_as_it_is(self, problem: SearchProblem) -> None:
        prepared = self.algorithm.prepare(problem)
        assert self.algorithm.prepare(prepared) is prepared, "a prepared problem is prepared again"
        history = self.steps(problem, self.budget - 1)
        start = self.algorithm.batch_start(len(history))
        before = list(history[:start])
        once = self.algorithm.propose(prepared, before, batch_generator(0, start))
        assert before == history[:start], "the history is changed"
        again = self.algorithm.propose(prepared, history[:start], batch_generator(0, start))
        assert once == again, "something is remembered from one proposal to the next"

    def test_an_open_space_is_searched_by_samples_and_mutants(self) -> None:
        if self.algorithm.needs_candidates:
            pytest.skip("it scores a list of all candidates")
        steps = self.steps(_problem(self.space, None))
        for step in steps:
            self.space.validate(step.native)
        assert len({self.space.canonical_form(step.native) for step in steps}) == self.budget


def natives(space: SearchSpace, count: int) -> list[str]:
    """Distinct architectures of a space, some of them twins where it has any."""
    rng = np.random.default_rng(0)
    found: dict[str, None] = {}
    for _ in range(50 * count):
        found[space.sample(rng)] = None
        if len(found) == count:
            break
    return list(found)


def _problem(
    space: SearchSpace,
    candidates: Sequence[str] | None,
    tell: Callable[[str], Any] = lambda native: None,
) -> SearchProblem:
    """A task of a space: how far vectors go in one direction, to maximise.

    Args:
        space: The space.
        candidates: The architectures that may be proposed; None for all.
        tell: Told of what is evaluated.
    """

    def evaluate(native: str) -> float:
        tell(native)
        return value(space, native)

    return SearchProblem(
        space=space,
        canonical=space.canonical_form,
        vectors=lambda some: vectors(space, some),
        evaluate=evaluate,
        candidates=candidates,
    )


def vectors(space: SearchSpace, some: Sequence[str]) -> np.ndarray:
    """What a surrogate reads here: the space's own vectors, or counts of letters."""
    name = space.roles.classic or space.roles.rival
    made = None if name is None else space.encoding(name)
    if isinstance(made, VectorEncoding):
        return made.encode(some)
    letters = [[native.count(chr(code)) for code in range(33, 127)] for native in some]
    return np.array(letters, dtype=np.float32).reshape(len(some), 94)


def value(space: SearchSpace, native: str) -> float:
    """A measured value that vectors tell something of."""
    row = vectors(space, [native])[0].astype(float)
    return float(50 + 20 * np.tanh(row @ np.cos(np.arange(len(row)) * 1.7) / 5))
