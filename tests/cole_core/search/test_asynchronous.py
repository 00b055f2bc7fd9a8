"""Searches that propose whenever a value arrives: what they do follows from seed and order."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from cole_core.encodings.base import VectorEncoding
from cole_core.hashing import hash_text
from cole_core.search import SearchProblem, make_algorithm
from cole_core.search.asynchronous import AsynchronousSearch, Running
from cole_core.search.base import SearchAlgorithm, Step, batch_generator, random_proposals
from cole_core.spaces import get_space

SPACE = get_space("nasbench201")
ENCODING = SPACE.encoding("adjacency")
BUDGET, AT_ONCE = 20, 4
ALGORITHMS: dict[str, dict[str, object]] = {
    "bananas": {
        "head": "gaussian_process",
        "acquisition": "ucb",
        "initial": 6,
        "batch": 3,
        "n_candidates": 20,
        "reduction": "zscore",
        "fitted_on": "labelled",
        "structural": True,
    },
    "regularized_evolution": {"population": 6, "sample": 3},
    "random_search": {},
    "local_search": {},
}

Order = Callable[[list[str]], str]


def value(native: str) -> float:
    """Convolutions, and a little that tells the rest apart."""
    return native.count("nor_conv") + int(hash_text(native)[:4], 16) / 2**16


def problem() -> SearchProblem:
    assert isinstance(ENCODING, VectorEncoding)
    return SearchProblem(
        space=SPACE, canonical=SPACE.canonical_form, vectors=ENCODING.encode, evaluate=value
    )


def algorithm(name: str) -> SearchAlgorithm:
    return make_algorithm(name, **ALGORITHMS[name])


def started(name: str, seed: int = 0) -> AsynchronousSearch:
    return AsynchronousSearch(algorithm(name), problem(), BUDGET, seed)


def advance(search: AsynchronousSearch, order: Order, steps: int) -> list[tuple[Step, Running]]:
    """Keeps four at work; the next to arrive is what `order` says."""

    def fill() -> None:
        while len(search.running) < AT_ONCE and search.propose() is not None:
            pass

    fill()
    found = []
    while search.running and len(found) < steps:
        found.append(search.observe(order([each.proposal.native for each in search.running])))
        fill()
    return found


def shuffled(seed: int) -> Order:
    rng = np.random.default_rng(seed)
    return lambda running: running[int(rng.integers(len(running)))]


def as_told(steps: list[tuple[Step, Running]]) -> Order:
    """The order in which steps arrived before."""
    names = iter([step.native for step, _ in steps])
    return lambda running: next(names)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_same_order_gives_the_same_steps(name: str) -> None:
    first = advance(started(name), shuffled(0), BUDGET)
    assert len(first) == BUDGET
    assert advance(started(name), as_told(first), BUDGET) == first
    assert sorted(was.number for _, was in first) == list(range(BUDGET))
    assert [step.index for step, _ in first] == list(range(BUDGET))
    assert all(step.value == value(step.native) for step, _ in first)
    assert len({SPACE.canonical_form(step.native) for step, _ in first}) == BUDGET


@pytest.mark.parametrize("name", ALGORITHMS)
def test_an_interrupted_search_goes_on_as_if_it_had_not_been(name: str) -> None:
    whole = advance(started(name), shuffled(1), BUDGET)
    for cut in (2, 9, 17):
        before = started(name)
        done = advance(before, as_told(whole), cut)
        after = AsynchronousSearch(
            algorithm(name), problem(), BUDGET, 0, [step for step, _ in done], before.running
        )
        assert done + advance(after, as_told(whole[cut:]), BUDGET) == whole


def test_another_order_or_seed_gives_others() -> None:
    in_turn = {step.native for step, _ in advance(started("bananas"), lambda r: r[0], BUDGET)}
    last_first = {step.native for step, _ in advance(started("bananas"), lambda r: r[-1], BUDGET)}
    other_seed = {s.native for s, _ in advance(started("bananas", 1), lambda r: r[0], BUDGET)}
    assert in_turn != last_first
    assert in_turn != other_seed


def test_the_first_are_those_of_a_search_by_batches() -> None:
    expected = random_proposals(problem(), [], batch_generator(0, 0), 6)
    found = advance(started("bananas"), lambda running: running[0], 6)
    assert [step.native for step, _ in found] == [each.native for each in expected]


def test_what_runs_is_believed_to_come_out_as_expected() -> None:
    """The surrogate is fitted on it: one that expects the known values alone proposes others."""
    search = started("bananas")
    advance(search, lambda running: running[0], 8)
    expected = [each.proposal.predicted_mean for each in search.running]
    assert None not in expected
    believed = search._believed()
    assert [step.value for step in believed] == expected
    assert [step.native for step in believed] == [e.proposal.native for e in search.running]

    early = started("bananas")
    done = advance(early, lambda running: running[0], 2)
    mean = np.mean([step.value for step, _ in done])
    np.testing.assert_allclose([step.value for step in early._believed()], mean)


def test_an_evaluation_costs_as_many_candidates_as_one_of_a_batch() -> None:
    """Vectors are what a step costs, where a text is embedded or a network traced for each."""
    assert isinstance(ENCODING, VectorEncoding)
    asked: list[set[str]] = []

    def vectors(natives: Sequence[str]) -> np.ndarray:
        asked.append(set(natives))
        return ENCODING.encode(natives)

    search = AsynchronousSearch(
        algorithm("bananas"), replace(problem(), vectors=vectors), BUDGET, seed=0
    )
    steps = advance(search, shuffled(0), BUDGET)
    known = {step.native for step, _ in steps}
    scored = [len(natives) for natives in asked if not natives <= known]
    assert len(scored) >= BUDGET - 6 - AT_ONCE
    assert max(scored) == 7  # 20 candidates for a batch of 3
