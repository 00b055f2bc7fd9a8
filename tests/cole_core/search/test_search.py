"""Search on the real space of NAS-Bench-201 with a made-up accuracy."""

from functools import cache

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from cole_core.errors import InputError
from cole_core.search import SearchProblem, Step, make_algorithm, run_search, searches
from cole_core.search.acquisitions import get_acquisition
from cole_core.search.together import run_searches
from cole_core.spaces import get_space

SPACE = get_space("nasbench201")
CANONICAL = cache(SPACE.canonical_form)
OPERATIONS = {"nor_conv_3x3": 3.0, "nor_conv_1x1": 2.0, "skip_connect": 1.0, "avg_pool_3x3": 0.2}

MUTATED = {"candidates": "mutation", "structural": True}
QUICK = {
    "random_search": {},
    "regularized_evolution": {"population": 8, "sample": 4},
    "local_search": {},
    "bananas": {"initial": 8, "batch": 5, "n_candidates": 30, "epochs": 15},
    "nsga2": {"population": 8},
    "pareto": {"initial": 8, "batch": 5, "n_candidates": 30} | MUTATED,
}


def accuracy(native):
    """Rises with what the canonical form computes; twins differ by a hair, as trained ones do."""
    form = CANONICAL(native)
    gain = sum(native.count(operation) * weight for operation, weight in OPERATIONS.items())
    return 60 + 10 * np.tanh(len(form) / 80) + gain / 4 + 0.01 * (len(native) % 7)


@cache
def adjacency():
    return get_space("nasbench201").encoding("adjacency")


def problem(candidates=None, evaluated=None):
    def evaluate(native):
        if evaluated is not None:
            evaluated.append(native)
        return accuracy(native)

    return SearchProblem(
        space=SPACE,
        canonical=CANONICAL,
        vectors=lambda natives: adjacency().encode(natives),
        evaluate=evaluate,
        candidates=candidates,
    )


def natives(steps):
    return [step.native for step in steps]


def together_natives(algorithm, problem, budget, seeds, **more):
    found = [natives(history) for history in more.get("histories", [()] * len(seeds))]
    for batch in run_searches(algorithm, problem, budget, seeds, **more):
        for place, steps in batch.items():
            assert [step.index for step in steps] == list(
                range(len(found[place]), len(found[place]) + len(steps))
            )
            found[place] += natives(steps)
    return found


@pytest.mark.parametrize("name", list(searches))
def test_no_twin_is_proposed_and_no_other_value_is_read(name):
    evaluated = []
    steps = list(
        run_search(make_algorithm(name, **QUICK[name]), problem(evaluated=evaluated), 40, seed=1)
    )
    assert [step.index for step in steps] == list(range(40))
    assert evaluated == natives(steps)
    assert len({CANONICAL(step.native) for step in steps}) == 40
    assert [step.value for step in steps] == [accuracy(step.native) for step in steps]


@pytest.mark.parametrize("name", list(searches))
@pytest.mark.parametrize("stop", [0, 5, 8, 15, 29])
def test_a_resumed_search_takes_the_same_way(name, stop):
    algorithm = make_algorithm(name, **QUICK[name])
    whole = list(run_search(algorithm, problem(), 30, seed=2))
    evaluated = []
    rest = list(run_search(algorithm, problem(evaluated=evaluated), 30, 2, history=whole[:stop]))
    assert whole[:stop] + rest == whole
    assert evaluated == natives(rest)


@pytest.mark.parametrize("name", list(searches))
def test_a_larger_budget_extends_and_seeds_differ(name):
    algorithm = make_algorithm(name, **QUICK[name])
    short, long, other = (
        natives(run_search(algorithm, problem(), budget, seed))
        for budget, seed in ((12, 3), (27, 3), (12, 4))
    )
    assert long[:12] == short
    assert other != short


def test_resuming_what_was_not_proposed_is_refused():
    algorithm = make_algorithm("bananas", **QUICK["bananas"])
    steps = list(run_search(algorithm, problem(), 11, seed=0))
    steps[9] = Step(9, steps[0].native, 1.0)
    with pytest.raises(InputError, match="step 9 of the stored search"):
        list(run_search(algorithm, problem(), 20, seed=0, history=steps))


@pytest.mark.parametrize("name", ["regularized_evolution", "local_search", "bananas"])
def test_every_algorithm_beats_random_search(name):
    def best(algorithm):
        return np.mean(
            [max(s.value for s in run_search(algorithm, problem(), 60, seed)) for seed in range(5)]
        )

    settings = {**QUICK[name], **({"epochs": 60} if name == "bananas" else {})}
    assert best(make_algorithm(name, **settings)) > best(make_algorithm("random_search"))


@pytest.mark.parametrize("acquisition", ["its", "ucb", "ei", "exploit"])
@pytest.mark.parametrize("head", ["mlp", "gaussian_process"])
def test_whole_space_search_predicts_in_accuracy_units(acquisition, head):
    pool = list(SPACE.enumerate())[::20]
    algorithm = make_algorithm(
        "bananas",
        initial=10,
        batch=5,
        acquisition=acquisition,
        candidates="space",
        head=head,
        structural=True,
        **({"epochs": 20} if head == "mlp" else {}),
    )
    steps = list(run_search(algorithm, problem(pool), 25, seed=0))
    assert set(natives(steps)) <= set(pool)
    assert all(step.predicted_mean is None for step in steps[:10])
    assert all(50 < step.predicted_mean < 90 for step in steps[10:])
    assert all(0 <= step.predicted_std < 20 for step in steps[10:])


@pytest.mark.parametrize("name", [*searches, "space"])
def test_an_exhausted_pool_ends_the_search(name):
    pool = list(SPACE.enumerate())[:40]
    forms = {CANONICAL(native) for native in pool}
    extra = {"candidates": "space"} if name == "space" else {}
    name = "bananas" if name == "space" else name
    algorithm = make_algorithm(name, **QUICK[name], **extra)
    steps = list(run_search(algorithm, problem(pool), 60, seed=0))
    found = {CANONICAL(native) for native in natives(steps)}
    assert len(found) == len(steps)
    if name == "random_search" or extra:
        assert found == forms


def test_a_reduction_of_the_space_is_fitted_once():
    pool = list(SPACE.enumerate())[::10]
    calls = []

    def vectors(some):
        calls.append(len(some))
        return adjacency().encode(some)

    whole = SearchProblem(SPACE, CANONICAL, vectors, accuracy, pool)
    algorithm = make_algorithm(
        "bananas", initial=10, batch=5, head="gaussian_process", candidates="space"
    )
    assert len(list(run_search(algorithm, whole, 40, seed=0))) == 40
    assert calls == [len(pool)]
    with pytest.raises(InputError, match="fitted_on=labelled"):
        next(run_search(algorithm, problem(), 40, seed=0))


@pytest.mark.parametrize("head", ["mlp", "gaussian_process"])
def test_searches_side_by_side_are_those_one_by_one(head):
    extra = {"epochs": 10} if head == "mlp" else {"fitted_on": "labelled", "reduction": "none"}
    algorithm = make_algorithm(
        "bananas", initial=8, batch=5, n_candidates=30, head=head, acquisition="ucb", **extra
    )
    together = together_natives(algorithm, problem(), 28, [5, 6, 7])
    alone = [list(run_search(algorithm, problem(), 28, seed)) for seed in (5, 6, 7)]
    assert together == [natives(steps) for steps in alone]


@pytest.mark.parametrize("name", list(searches))
def test_searches_side_by_side_go_on_from_histories_of_any_length(name):
    """In the middle of a batch, at its end, at the budget, and not begun."""
    algorithm = make_algorithm(name, **QUICK[name])
    whole = [list(run_search(algorithm, problem(), 28, seed)) for seed in range(5)]
    histories = [steps[:stop] for steps, stop in zip(whole, (0, 10, 13, 28, 27), strict=True)]
    evaluated = []
    rest = together_natives(
        algorithm, problem(evaluated=evaluated), 28, list(range(5)), histories=histories
    )
    assert rest == [natives(steps) for steps in whole]
    assert len(evaluated) == 5 * 28 - 10 - 13 - 28 - 27


def test_a_begun_batch_that_was_rounded_otherwise_is_filled_up():
    algorithm = make_algorithm("bananas", **QUICK["bananas"])
    steps = list(run_search(algorithm, problem(), 13, seed=0))
    swapped = [*steps[:8], *(Step(8 + i, s.native, s.value) for i, s in enumerate(steps[11:13]))]
    (gone_on,) = together_natives(algorithm, problem(), 13, [0], histories=[swapped])
    assert gone_on[:10] == natives(swapped)
    assert sorted(gone_on) == sorted(natives(steps))


@pytest.mark.parametrize("pool", [None, 400])
def test_all_algorithms_begin_with_the_same_architectures(pool):
    listed = None if pool is None else list(SPACE.enumerate())[::39]
    for seed in (0, 1):
        at_random = natives(run_search(make_algorithm("random_search"), problem(listed), 30, seed))
        for name, settings, initial in (
            ("bananas", {"initial": 20, "epochs": 2}, 20),
            ("bananas", {"initial": 10, "batch": 5, "epochs": 2}, 10),
            ("regularized_evolution", {"population": 25}, 25),
            ("local_search", {}, 1),
        ):
            algorithm = make_algorithm(name, **settings)
            begun = natives(run_search(algorithm, problem(listed), initial, seed))
            assert begun == at_random[:initial]


def test_side_by_side_runs_any_algorithm():
    together = together_natives(make_algorithm("random_search"), problem(), 5, [1, 2])
    assert together[1] == natives(run_search(make_algorithm("random_search"), problem(), 5, 2))


def test_side_by_side_ends_the_searches_that_are_finished():
    algorithm = make_algorithm("local_search")
    found = together_natives(
        algorithm,
        problem(),
        9,
        [1, 2],
        finished=lambda all_steps: [len(all_steps[0]) >= 7, False],
    )
    assert [len(steps) for steps in found] == [7, 9]
    assert found[1] == natives(run_search(algorithm, problem(), 9, 2))


def test_evolution_mutates_the_living_only():
    algorithm = make_algorithm("regularized_evolution", population=5, sample=5)
    steps = list(run_search(algorithm, problem(), 30, seed=0))

    def edits(a, b):
        return sum(x != y for x, y in zip(a.split("|"), b.split("|"), strict=True))

    for i in range(5, 30):
        parent = max(steps[i - 5 : i], key=lambda step: step.value)
        assert edits(parent.native, steps[i].native) == 1


def test_expected_improvement_is_its_integral():
    mean, std, best = 0.3, 0.8, 0.9
    expected, _ = quad(lambda f: (f - best) * norm.pdf(f, mean, std), best, 12)
    rng = np.random.default_rng(0)
    got = get_acquisition("ei")(np.array([mean]), np.array([std]), best, 0.0, rng)
    assert got[0] == pytest.approx(expected)


def test_thompson_draws_have_the_moments():
    rng = np.random.default_rng(0)
    draws = get_acquisition("its")(np.full(20000, 2.0), np.full(20000, 0.5), 0.0, 0.0, rng)
    assert (draws.mean(), draws.std()) == pytest.approx((2, 0.5), abs=0.02)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("annealing", {}, "choose one of bananas"),
        ("bananas", {"acquisition": "pi"}, "unknown acquisition function 'pi'"),
        ("bananas", {"candidates": "all"}, "choose mutation or space"),
        ("bananas", {"head": "forest"}, "unknown head 'forest'"),
        ("bananas", {"initial": 1}, "initial = 1"),
        ("regularized_evolution", {"sample": 90}, "sample = 90"),
        ("random_search", {"depth": 1}, "search algorithm 'random_search'"),
    ],
)
def test_unknown_names_are_refused(name, parameters, message):
    with pytest.raises(InputError, match=message):
        make_algorithm(name, **parameters)


def test_the_whole_space_needs_candidates():
    algorithm = make_algorithm("bananas", candidates="space", initial=3, epochs=2)
    with pytest.raises(InputError, match="search it by mutation"):
        list(run_search(algorithm, problem(), 5, seed=0))
