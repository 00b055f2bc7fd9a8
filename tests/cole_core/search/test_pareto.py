"""Fronts, hypervolume and the search for them, against plain loops and drawing at random."""

from itertools import combinations

import numpy as np
import pytest

from cole_core.errors import InputError
from cole_core.search import SearchProblem, Step, for_several, make_algorithm, run_search
from cole_core.search.dominance import (
    directions,
    front_numbers,
    hypervolume,
    hypervolume_curve,
    nadir,
    nondominated,
    reach,
)
from cole_core.search.objectives import Objective, Objectives, front, parse_objective
from cole_core.testing.beads import Beads
from cole_core.testing.search import natives, value, vectors

SPACE = Beads()


def points(seed: int, count: int, objectives: int) -> np.ndarray:
    """With equal rows and equal values among them."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 8, (count, objectives)).astype(float)


def dominates(one: np.ndarray, other: np.ndarray) -> bool:
    return all(one >= other) and any(one > other)


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_fronts_are_those_of_a_plain_loop(seed: int, objectives: int) -> None:
    values = points(seed, 60, objectives)
    expected = [not any(dominates(other, row) for other in values) for row in values]
    assert nondominated(values).tolist() == expected
    left, number, numbers = list(range(len(values))), 0, np.full(len(values), -1)
    while left:
        best = [i for i in left if not any(dominates(values[j], values[i]) for j in left)]
        numbers[best] = number
        left, number = [i for i in left if i not in best], number + 1
    assert front_numbers(values).tolist() == numbers.tolist()


def inclusion_exclusion(values: np.ndarray, reference: np.ndarray) -> float:
    """The volume of a union of boxes."""
    total = 0.0
    for size in range(1, len(values) + 1):
        for some in combinations(values, size):
            box = np.maximum(np.min(some, axis=0) - reference, 0)
            total += (-1) ** (size + 1) * float(np.prod(box))
    return total


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_hypervolume_is_that_of_the_union_of_boxes(objectives: int) -> None:
    values = np.random.default_rng(objectives).normal(size=(9, objectives))
    reference = np.full(objectives, -0.4)  # some rows lie below it
    expected = inclusion_exclusion(values, reference)
    assert hypervolume(values, reference) == pytest.approx(expected)
    curve = hypervolume_curve(values, reference)
    assert curve == pytest.approx(
        [inclusion_exclusion(values[:count], reference) for count in range(1, 10)]
    )
    assert hypervolume(values, np.full(objectives, 99.0)) == 0


@pytest.mark.parametrize("objectives", [2, 3])
def test_what_is_reached_along_directions_measures_hypervolume(objectives: int) -> None:
    """Ratios of means over many directions are ratios of hypervolumes."""
    rng = np.random.default_rng(5)
    above = rng.random((6, objectives)) + 0.1
    along = directions(200_000, objectives, rng)
    assert np.linalg.norm(along, axis=1) == pytest.approx(1)
    reached = reach(above, along)
    reference = np.zeros(objectives)
    all_of_it = hypervolume(above, reference)
    for some in ([0], [1, 2], [0, 3, 5]):
        share = reached[some].max(axis=0).mean() / reached.max(axis=0).mean()
        assert share == pytest.approx(hypervolume(above[some], reference) / all_of_it, rel=0.02)
    assert reach(above - 5, along).max() == 0


def test_a_reference_lies_beyond_the_front() -> None:
    values = np.array([[0.0, 10.0], [5.0, 5.0], [10.0, 0.0], [-50.0, -50.0]])
    assert nadir(values).tolist() == [-1.0, -1.0]
    alone = np.array([[3.0, 3.0], [1.0, 2.0]])
    assert (nadir(alone) < alone[0]).all()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accuracy", ("accuracy", None)),
        ("pixel3_latency:min", ("pixel3_latency", "lower")),
        ("score:max", ("score", "higher")),
    ],
)
def test_objectives_as_they_are_written(text: str, expected: tuple[str, str | None]) -> None:
    assert parse_objective(text) == expected


@pytest.mark.parametrize("text", ["", ":min", "accuracy:", "accuracy:lowest", "a:min:max"])
def test_objectives_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="--objective"):
        parse_objective(text)


def test_values_as_searches_see_them_and_as_they_were_measured() -> None:
    objectives = Objectives(
        (Objective("accuracy", "higher", {}, 80.0), Objective("latency", "lower", {})),
        np.array([[90.0, -4.0], [93.0, -9.0], [85.0, -9.5]]),
    )
    assert objectives.as_measured((90.0, -4.0)) == {"accuracy": 90.0, "latency": 4.0}
    assert objectives.from_json(objectives.to_json((93.0, -9.0))) == (93.0, -9.0)
    assert objectives.reference.tolist() == [80.0, -9.5]
    assert objectives.hypervolume == pytest.approx(10 * 5.5 + 3 * 0.5)


def problem(asked: list[str] | None = None) -> SearchProblem:
    """A table of beads: how far they go in one direction, and how short they are."""
    candidates = natives(SPACE, 90)

    def evaluate(native: str) -> float:
        if asked is not None:
            asked.append(native)
        return value(SPACE, native)

    return SearchProblem(
        space=SPACE,
        canonical=SPACE.canonical_form,
        vectors=lambda some: vectors(SPACE, some),
        evaluate=evaluate,
        candidates=candidates,
        others=lambda native: (-float(len(native)),),
    )


@pytest.mark.parametrize("name", for_several())
def test_searches_of_several_objectives_keep_all_values(name: str) -> None:
    asked: list[str] = []
    steps = list(run_search(make_algorithm(name), problem(asked), 30, 4))
    assert [step.native for step in steps] == asked
    for step in steps:
        assert step.values == (value(SPACE, step.native), -len(step.native))
    forms = [SPACE.canonical_form(step.native) for step in steps]
    assert len(set(forms)) == 30
    found = front(steps)
    for step in steps:
        beaten = any(dominates(np.array(o.values), np.array(step.values)) for o in steps)
        assert (step in found) is not beaten


@pytest.mark.parametrize("candidates", ["space", "mutation"])
def test_a_search_of_two_objectives_encloses_more_than_chance(candidates: str) -> None:
    table = problem()
    everything = np.array([(table.evaluate(n), *table.others(n)) for n in table.candidates or ()])
    reference = nadir(everything)

    def enclosed(name: str, **given: str) -> float:
        algorithm = make_algorithm(name, **given)
        runs = [list(run_search(algorithm, table, 24, seed)) for seed in range(4)]
        values = [np.array([step.values for step in steps]) for steps in runs]
        return float(np.mean([hypervolume(each, reference) for each in values]))

    by_chance = enclosed("random_search")
    assert (
        by_chance < enclosed("pareto", candidates=candidates) <= hypervolume(everything, reference)
    )


def test_an_objective_that_is_the_same_for_all_changes_nothing_to_choose_by() -> None:
    table = problem()
    flat = SearchProblem(
        space=table.space,
        canonical=table.canonical,
        vectors=table.vectors,
        evaluate=table.evaluate,
        candidates=table.candidates,
        others=lambda _: (1.0,),
    )
    assert len(list(run_search(make_algorithm("pareto"), flat, 20, 0))) == 20


def test_the_front_goes_on_where_it_was_stopped() -> None:
    table = problem()
    for name in for_several():
        whole = list(run_search(make_algorithm(name), table, 40, 1))
        history: list[Step] = whole[:23]
        assert list(run_search(make_algorithm(name), table, 40, 1, history)) == whole[23:]


def test_an_acquisition_that_compares_with_one_best_is_refused() -> None:
    with pytest.raises(InputError, match="acquisition 'ei'"):
        make_algorithm("pareto", acquisition="ei")


def test_heads_that_read_encodings_apart_search_for_fronts_too() -> None:
    width = vectors(SPACE, natives(SPACE, 1)).shape[1]
    sides = ((width - 1, False), (1, True))
    members = ("gaussian_process:1+2", "ridge:2")
    algorithm = make_algorithm("pareto", initial=6, head="committee", blocks=sides, members=members)
    assert len(list(run_search(algorithm, problem(), 10, 0))) == 10
