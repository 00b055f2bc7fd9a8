"""A search on stored vectors and values goes on where it was, and takes the same way."""

from dataclasses import replace
from pathlib import Path

import pytest

from cole_core.encodings.vectors import Vectors
from flows.resolve.algorithms import AlgorithmOptions
from flows.resolve.requests import Measured
from flows.stages.search import SearchRequest, search
from tests.flows.conftest import SPACE, Small, make_small

ASKED = SearchRequest(
    space="nasbench201", measured=Measured(dataset="cifar10"), vectors=Vectors(precision="fp32")
)


@pytest.mark.parametrize("algorithm", ["bananas", "random_search", "regularized_evolution"])
def test_a_search_is_continued_and_never_repeated(small: Small, algorithm: str) -> None:
    options = AlgorithmOptions(name=algorithm)
    asked = replace(ASKED, home=small.home, algorithm=options, seeds=(5,))
    short = search(replace(asked, budget=13))
    assert (short["evaluations"], short["skipped"]) == (13, 0)
    longer = search(replace(asked, budget=25))
    assert (longer["evaluations"], longer["skipped"]) == (12, 13)
    assert longer["searches"][0]["search_id"] == short["searches"][0]["search_id"]
    again = search(replace(asked, budget=25))
    assert (again["evaluations"], again["skipped"]) == (0, 25)

    steps = small.warehouse.sql("SELECT * FROM searches ORDER BY step")
    assert steps["step"].to_list() == list(range(1, 26))
    assert steps["value"].to_list() == [small.accuracies[native] for native in steps["native"]]
    assert steps["value"].cum_max().to_list() == steps["best_so_far"].to_list()
    canonical = {SPACE.canonical_form(native) for native in steps["native"]}
    assert len(canonical) == 25


def test_a_continued_search_is_the_undisturbed_one(small: Small, tmp_path: Path) -> None:
    asked = replace(ASKED, home=small.home, seeds=(7,))
    search(replace(asked, budget=12))
    search(replace(asked, budget=30))
    continued = small.warehouse.sql("SELECT native FROM searches ORDER BY step")
    other = make_small(tmp_path / "other", small.table)
    search(replace(asked, home=other.home, budget=30))
    undisturbed = other.warehouse.sql("SELECT native FROM searches ORDER BY step")
    assert continued.equals(undisturbed)
