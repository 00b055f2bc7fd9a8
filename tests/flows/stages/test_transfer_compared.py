"""Comparisons of what learns from other tasks with what does not."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.predictors import make_surrogate
from cole_core.predictors.transfer.old_task import expectations, fit_old_task
from cole_core.statistics import kendall_tau
from flows.resolve.objectives import Goals
from flows.resolve.requests import Measured
from flows.stages import compare_predictors as predictors
from flows.stages import compare_searches as searches
from flows.stages.compare_predictors import ComparePredictorsRequest
from flows.stages.compare_searches import CompareSearchesRequest
from flows.stages.search import SearchRequest, search
from flows.upkeep.forgetting import forget
from flows.upkeep.forgetting import plan as plan_forgetting
from tests.flows.conftest import Cole, Small
from tests.flows.stages.test_transfer import add_task, agreeing

CIFAR10 = Measured(dataset="cifar10", epochs=200)


@pytest.fixture
def two(small: Small) -> Small:
    add_task(small, "cifar100_test_accuracy_200", agreeing(small))
    return small


def ranking(small: Small, **changes: Any) -> ComparePredictorsRequest:
    usual: dict[str, Any] = {
        "home": small.home,
        "measured": CIFAR10,
        "precision": "fp32",
        "head": "ridge",
        "sizes": (8, 20),
        "folds": 4,
        "repeats": 1,
        "transfer": "cifar100",
    }
    return ComparePredictorsRequest(**(usual | changes))


def searching(small: Small, **changes: Any) -> CompareSearchesRequest:
    usual: dict[str, Any] = {
        "home": small.home,
        "measured": CIFAR10,
        "precision": "fp32",
        "seeds": 3,
        "budget": 12,
        "percent": (100.0,),
        "margin": (),
        "processes": 1,
        "transfer": "auto",
    }
    return CompareSearchesRequest(**(usual | changes))


def test_each_is_compared_with_the_same_that_learns(two: Small) -> None:
    did = predictors.compare_predictors(ranking(two, encoding=("code.bare", "graf")))
    rows = pl.DataFrame(did["rows"]).filter(n=8).sort("position")
    assert rows["label"].to_list() == [
        "code.bare",
        "code.bare · learning from cifar100",
        "graf",
        "graf · learning from cifar100",
    ]
    tau = rows["kendall_tau"].to_list()
    assert tau[1] > tau[0] + 0.05
    assert tau[3] > tau[2]
    assert did["transfer"] == [{"task": "cifar100 test accuracy, 200 epochs", "values": 60}]
    again = predictors.compare_predictors(ranking(two, encoding=("code.bare", "graf")))
    assert (again["trials"], again["rows"]) == (0, did["rows"])


def test_a_trial_is_what_a_plain_loop_gives(two: Small) -> None:
    request = ranking(two)
    made = predictors.plan(request)
    predictors.compare_predictors(request)
    learning = made.contenders[1]
    old, fold = learning.old, made.folds[2]
    assert old is not None
    # Only what is labelled of the new task is read: the held-out values may be anything.
    values = np.full(len(learning.labelled.values), np.nan)
    labelled = fold.labelled(8)
    values[labelled] = learning.labelled.values[labelled]
    past = fit_old_task(old.tasks[0].labelled, old.tasks[0].kind, made_reduction(old))
    vectors = np.hstack([learning.labelled.vectors, expectations([past], old.vectors)])
    surrogate = make_surrogate("ridge", old_tasks=1)
    surrogate.fit(vectors[labelled], values[labelled], unlabelled=vectors)
    tau = kendall_tau(
        learning.labelled.values[fold.held_out], surrogate.predict(vectors[fold.held_out])
    )
    stored = two.warehouse.trial_results([learning.trial_id(8, 2)])
    assert stored["kendall_tau"][0] == pytest.approx(tau)
    assert stored["old_task_weights"][0].to_list() == pytest.approx(surrogate.old_task_weights)


def made_reduction(old: Any) -> Any:
    """What an old task's surrogate is reduced by: fitted on all vectors of the space."""
    return make_surrogate("gaussian_process", target="standard").fit_reduction(old.vectors)


def test_what_does_not_learn_is_the_same_trial_as_ever(two: Small) -> None:
    plain = predictors.plan(ranking(two, transfer="none", encoding=("code.bare", "graf")))
    both = predictors.plan(ranking(two, encoding=("code.bare", "graf")))
    assert [each.configuration for each in both.contenders[::2]] == [
        each.configuration for each in plain.contenders
    ]
    assert not any("transfer" in each.configuration for each in plain.contenders)


def test_one_of_a_list_may_learn(two: Small) -> None:
    request = ranking(
        two,
        transfer="none",
        encoding=("code.bare",),
        configuration=("encoding=graf,transfer=cifar100",),
    )
    labels = [each.label for each in predictors.plan(request).contenders]
    assert labels == ["code.bare", "graf · learning from cifar100"]


def test_searches_with_and_without_stand_beside_random(two: Small) -> None:
    did = searches.compare_searches(searching(two))
    rows = pl.DataFrame(did["rows"]).sort("position")
    labels = rows["label"].to_list()
    assert [label.split(" · ")[0] for label in labels] == ["bananas", "bananas", "random search"]
    assert ["learning from cifar100" in label for label in labels] == [False, True, False]
    without, learning, random = rows["evaluations"].to_list()
    assert learning < without
    assert learning < random
    # It is the search that `cole search` would run.
    asked = SearchRequest(
        space="nasbench201",
        home=two.home,
        measured=CIFAR10,
        vectors=Vectors(precision="fp32"),
        budget=12,
        seeds=(0, 1, 2),
        transfer="cifar100",
    )
    assert search(asked)["evaluations"] == 0
    again = searches.compare_searches(searching(two))
    assert (again["evaluations"], again["rows"]) == (0, did["rows"])


def test_searches_side_by_side_are_those_of_one_process(two: Small) -> None:
    alone = searches.compare_searches(searching(two, budget=8))
    steps = two.warehouse.sql("SELECT search_id, step, native FROM searches ORDER BY ALL")
    forget(two.home, "other.csv")
    add_task(two, "cifar100_test_accuracy_200", agreeing(two))
    apart = searches.compare_searches(searching(two, budget=8, processes=2))
    assert two.warehouse.sql("SELECT search_id, step, native FROM searches ORDER BY ALL").equals(
        steps
    )
    kept = [(row["label"], row["evaluations"]) for row in alone["rows"]]
    assert [(row["label"], row["evaluations"]) for row in apart["rows"]] == kept


def test_forgetting_takes_the_comparisons_that_learned(two: Small) -> None:
    predictors.compare_predictors(ranking(two))
    predictors.compare_predictors(ranking(two, transfer="none", encoding=("code.bare", "graf")))
    searches.compare_searches(searching(two))
    derived = plan_forgetting(two.home, "other.csv")["derived"]
    assert {kind: len(things) for kind, things in derived.items()} == {
        "comparison": 2,
        "search": 3,
        "trial": 8,
    }
    forget(two.home, "other.csv")
    left = two.warehouse.sql("SELECT DISTINCT label FROM comparisons ORDER BY label")
    assert left["label"].to_list() == ["code.bare", "graf"]
    assert two.warehouse.sql("SELECT * FROM search_comparisons").is_empty()
    kept = two.warehouse.sql("SELECT DISTINCT configuration FROM searches")["configuration"]
    assert not any("transfer" in json.loads(each) for each in kept)
    assert len(kept) == 6  # without, and random


def test_what_cannot_be_compared_is_one_line(small: Small, cole: Cole) -> None:
    asked = ("compare", "search", "--dataset", "cifar10", "--home", small.home)
    code, out, err = cole(*asked, "--precision", "fp32", "--transfer", "auto")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "--transfer auto" in err
    with pytest.raises(InputError, match="no accuracy of another dataset with 20 values: ingest"):
        predictors.plan(ranking(small, transfer="auto", sizes=(8,)))
    with pytest.raises(InputError, match="no accuracy of another dataset with 20 values: ingest"):
        searches.plan(searching(small))
    with pytest.raises(InputError, match="has no such task"):
        searches.plan(searching(small, transfer="svhn"))
    several = Goals(objective=("accuracy", "parameters:min"))
    with pytest.raises(InputError, match="several objectives learns from no other"):
        searches.plan(replace(searching(small), sought=several))
    random = searching(
        small, transfer="none", configuration=("algorithm=random_search,transfer=c",)
    )
    with pytest.raises(InputError, match="random_search has no surrogate"):
        searches.plan(random)
