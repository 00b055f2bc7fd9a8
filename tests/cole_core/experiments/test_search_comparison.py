"""Searches that are compared: resolved, named, split into what is still to be run."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cole_core.encodings.vectors import LabelledVectors
from cole_core.errors import InputError
from cole_core.experiments.search_comparison import (
    SearchComparison,
    make_search_comparison,
    missing_searches,
    reading,
)
from cole_core.experiments.searches import SearchConfiguration, SearchProtocol
from cole_core.search import Step
from tests.cole_core.experiments.cells import SPACE, TARGET, labelled, source

PATH = SearchConfiguration(encoding="path")
GRAF = SearchConfiguration(encoding="graf")
RANDOM = SearchConfiguration(algorithm="random_search")
QUICK = SearchProtocol(seeds=4, budget=12, first_seed=2)


def compare(
    *configurations: SearchConfiguration,
    protocol: SearchProtocol = QUICK,
    pool: LabelledVectors | None = None,
) -> SearchComparison:
    found = {}
    for each in reading(configurations):
        assert each.encoding is not None
        found[each] = (source(each.encoding), pool or labelled(each.encoding))
    return make_search_comparison(SPACE, None, configurations, found, TARGET, protocol, {})


def test_only_what_reads_vectors_asks_for_some_and_each_once() -> None:
    asked = reading([PATH, RANDOM, GRAF, PATH.change(batch=7)])
    assert [each.encoding for each in asked] == ["path", "graf"]


def test_each_search_is_named_by_what_sets_it_apart() -> None:
    made = compare(PATH, GRAF, RANDOM, PATH.change(batch=7))
    assert made.labels == [
        "bananas · path · default",
        "bananas · graf · default",
        "random search",
        "bananas · path · default but batches of 7",
    ]
    assert made.experiment == "custom"
    assert made.best == max(labelled("path").values)
    first = made.searches[0]
    assert made.search_ids(first) == [first.search_id(seed) for seed in (2, 3, 4, 5)]


def test_the_same_search_under_two_names_is_no_comparison() -> None:
    again = replace(PATH, lm="another")  # which says nothing for a structural encoding
    assert len(compare(PATH, again, GRAF).searches) == 2
    with pytest.raises(InputError, match="nothing to compare: name an experiment, or give two or"):
        compare(PATH, again)


def test_what_cannot_be_searched_is_refused() -> None:
    forms = len(set(labelled("path").canonical_ids))
    with pytest.raises(InputError, match=f"--budget 500: {forms} different architectures"):
        compare(PATH, GRAF, protocol=replace(QUICK, budget=500))
    alike = replace(labelled("path"), values=np.full(60, 5.0))
    with pytest.raises(InputError, match="all 60 measured values are 5: nothing can be ranked"):
        compare(PATH, PATH.change(batch=7), pool=alike)


def steps(made: SearchComparison, length: int, value: float = 1.0) -> list[Step]:
    return [Step(i, made.searches[0].labelled.natives[i], value) for i in range(length)]


def nothing(made: SearchComparison) -> dict[str, list[Step]]:
    return {id_: [] for each in made.searches for id_ in made.search_ids(each)}


def test_what_is_missing_is_spread_over_the_processes() -> None:
    made = compare(PATH, RANDOM)
    first, second = (made.search_ids(each) for each in made.searches)
    stored = nothing(made) | {id_: steps(made, 12) for id_ in first}
    stored |= {second[0]: steps(made, 20), second[1]: steps(made, 5)}
    stacks = missing_searches(made, stored, processes=2)
    assert [(list(stack.seeds), [len(h) for h in stack.histories]) for stack in stacks] == [
        ([3, 5], [5, 0]),
        ([4], [0]),
    ]
    for stack in stacks:
        assert stack.made is made.searches[1]
        assert (stack.budget, stack.until) == (12, None)


def test_until_reached_all_seeds_of_a_configuration_go_together() -> None:
    protocol = replace(QUICK, until_reached=True, percent=(90.0, 99.0), margin=())
    made = compare(PATH, RANDOM, protocol=protocol)
    first, second = (made.search_ids(each) for each in made.searches)
    # Of the one all seeds are there after three evaluations; of the other one seed is not.
    stored = nothing(made) | {id_: steps(made, 3, made.best) for id_ in (*first, *second[1:])}
    (stack,) = missing_searches(made, stored, processes=2)
    assert stack.made is made.searches[1]
    assert (list(stack.seeds), [len(h) for h in stack.histories]) == ([2, 3, 4, 5], [0, 3, 3, 3])
    assert stack.until == pytest.approx(0.99 * made.best)


def test_the_id_follows_searches_seeds_and_budget() -> None:
    first = compare(PATH, RANDOM)
    assert compare(PATH, RANDOM).comparison_id == first.comparison_id
    changes: list[dict[str, Any]] = [{"budget": 13}, {"seeds": 5}, {"first_seed": 0}]
    changed = [
        first,
        compare(RANDOM, PATH),
        compare(PATH, GRAF),
        *(compare(PATH, RANDOM, protocol=replace(QUICK, **change)) for change in changes),
    ]
    assert len({each.comparison_id for each in changed}) == len(changed)
