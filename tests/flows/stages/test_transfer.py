"""A search that learns from other tasks: which, how they are kept, what is told of them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from flows.report.transfers import transfer_weights
from flows.resolve.algorithms import AlgorithmOptions
from flows.resolve.requests import Measured
from flows.stages.ingest import IngestRequest, ingest
from flows.stages.report import ReportRequest, report
from flows.stages.search import SearchRequest, plan, search
from flows.upkeep.forgetting import forget
from tests.flows.conftest import SPACE, Cole, Small

ASKED = SearchRequest(
    space="nasbench201",
    measured=Measured(dataset="cifar10", epochs=200),
    vectors=Vectors(precision="fp32"),
    budget=12,
    transfer="auto",
)


def add_task(small: Small, column: str, values: dict[str, float], name: str = "other.csv") -> None:
    """Takes in values of another task."""
    path = small.home.parent / name
    pl.DataFrame({"arch_str": list(values), column: list(values.values())}).write_csv(path)
    ingest(IngestRequest(space="nasbench201", origin=str(path), home=small.home))


def agreeing(small: Small) -> dict[str, float]:
    """Values on another dataset that have the same order."""
    return {native: value / 2 for native, value in small.accuracies.items()}


@pytest.fixture
def two(small: Small) -> Small:
    add_task(small, "cifar100_test_accuracy_200", agreeing(small))
    return small


def test_a_past_with_the_same_order_gives_the_best_at_once(two: Small) -> None:
    did = search(replace(ASKED, home=two.home))
    [found] = did["searches"]
    assert found["found_after"] <= 3
    assert [old["task"] for old in did["transfer"]] == ["cifar100 test accuracy, 200 epochs"]
    steps = two.warehouse.sql("SELECT step, old_task_weights, predicted_mean FROM searches")
    weights = steps.sort("step")["old_task_weights"].to_list()
    assert weights[:3] == [[0.25]] * 3  # from the prior
    assert weights[3:5] == [None, None]  # at random
    assert all(len(each) == 1 and each[0] > 0.3 for each in weights[5:])


def test_a_reversed_past_counts_nothing(small: Small) -> None:
    past = {native: 100 - value for native, value in small.accuracies.items()}
    add_task(small, "cifar100_test_accuracy_200", past)
    search(replace(ASKED, home=small.home))
    steps = small.warehouse.sql("SELECT old_task_weights FROM searches WHERE step > 5")
    assert steps["old_task_weights"].to_list() == [[0.0]] * 7


def test_what_was_transferred_is_part_of_the_identity_only_where_it_was(two: Small) -> None:
    asked = replace(ASKED, home=two.home)
    without = plan(replace(asked, transfer="none")).searches
    assert "transfer" not in without.configuration
    alone = replace(asked, measured=Measured(dataset="cifar100"))
    assert plan(alone).searches.search_id(0) != plan(asked).searches.search_id(0)
    with_auto, named = plan(asked).searches, plan(replace(asked, transfer="cifar100")).searches
    assert with_auto.search_id(0) == named.search_id(0) != without.search_id(0)
    [task] = with_auto.configuration["transfer"]
    assert task["dataset"] == "cifar100"


def test_one_task_transfers_nothing(small: Small) -> None:
    asked = replace(ASKED, home=small.home)
    nothing = plan(replace(asked, transfer="none")).searches
    assert plan(asked).searches.search_id(0) == nothing.search_id(0)
    assert plan(asked).old is None


def test_auto_takes_other_datasets_of_the_same_metric_alone(two: Small) -> None:
    same = {native: value - 1 for native, value in two.accuracies.items()}
    add_task(two, "cifar10_test_accuracy_12", same, "fidelity.csv")
    add_task(two, "cifar100_latency", agreeing(two), "latency.csv")
    add_task(two, "svhn_test_accuracy_200", dict(list(same.items())[:10]), "few.csv")
    old = plan(replace(ASKED, home=two.home)).old
    assert old is not None
    assert [task.key["dataset"] for task in old.targets] == ["cifar100"]
    asked = replace(ASKED, home=two.home, transfer="cifar10:test:accuracy:12,cifar100")
    old = plan(asked).old
    assert old is not None
    assert [task.epochs for task in old.targets] == [12, 200]


def test_old_surrogates_are_kept_and_made_anew_when_their_labels_change(two: Small) -> None:
    kept = Path(two.warehouse.artifacts / "old_tasks")
    search(replace(ASKED, home=two.home))
    [first] = kept.iterdir()
    written = first.stat().st_mtime_ns
    search(replace(ASKED, home=two.home, budget=20, seeds=(0, 1)))
    assert [first] == list(kept.iterdir())
    assert first.stat().st_mtime_ns == written
    first.write_bytes(b"damaged")
    search(replace(ASKED, home=two.home, budget=25))
    assert first.stat().st_size > 1000
    before = plan(replace(ASKED, home=two.home)).searches.search_id(0)
    forget(two.home, "other.csv")
    changed = {native: np.sqrt(value) for native, value in agreeing(two).items()}
    add_task(two, "cifar100_test_accuracy_200", changed)
    search(replace(ASKED, home=two.home))
    assert [first] != list(kept.iterdir())
    assert plan(replace(ASKED, home=two.home)).searches.search_id(0) != before


def test_a_search_goes_on_as_if_it_had_not_stopped(two: Small) -> None:
    search(replace(ASKED, home=two.home, budget=7))
    search(replace(ASKED, home=two.home, budget=20))
    search(replace(ASKED, home=two.home, budget=20, seeds=(0,)))
    continued = two.warehouse.sql("SELECT native FROM searches ORDER BY step")["native"].to_list()
    made = plan(replace(ASKED, home=two.home))
    assert len(set(continued)) == len(continued) == 20
    assert made.searches.searcher.batch_start(7) == 5
    rows = two.warehouse.sql("SELECT configuration FROM searches LIMIT 1")["configuration"]
    assert json.loads(rows[0])["transfer"] == made.searches.configuration["transfer"]


def test_what_cannot_be_is_one_line(two: Small, cole: Cole) -> None:
    add_task(two, "svhn_test_accuracy_200", dict(list(two.accuracies.items())[:10]), "few.csv")
    asked = ("search", "nasbench201", "--dataset", "cifar10", "--home", two.home)
    for task, said in (
        ("imagenet", "has no such task, choose from cifar100:test:accuracy:200"),
        ("cifar10", "that is what is searched"),
        ("svhn", "has 10 architectures with a vector and a value, and 20"),
    ):
        code, out, err = cole(*asked, "--transfer", task)
        assert (code, out) == (2, "")
        assert said in err
        assert task in err
        assert err.count("\n") == 1
    assert not (two.warehouse.artifacts / "old_tasks").exists()


def test_an_algorithm_without_a_surrogate_has_nothing_to_learn_with(two: Small) -> None:
    random = replace(ASKED, home=two.home, algorithm=AlgorithmOptions(name="random_search"))
    assert plan(random).old is None
    with pytest.raises(InputError, match="random_search has no surrogate"):
        plan(replace(random, transfer="cifar100"))


def test_forgetting_a_source_takes_the_searches_that_learned_from_it(two: Small) -> None:
    search(replace(ASKED, home=two.home))
    search(replace(ASKED, home=two.home, transfer="none"))
    forget(two.home, "other.csv")
    left = two.warehouse.sql("SELECT DISTINCT configuration FROM searches")["configuration"]
    assert [("transfer" in json.loads(each)) for each in left] == [False]
    assert not (two.warehouse.artifacts / "old_tasks").exists()


def test_the_report_says_what_was_transferred(two: Small) -> None:
    search(replace(ASKED, home=two.home, seeds=(0, 1)))
    search(replace(ASKED, home=two.home, transfer="none"))
    configuration = plan(replace(ASKED, home=two.home)).searches.configuration
    target = Target(**json.loads(configuration["target"]))
    weights = transfer_weights(two.warehouse, SPACE, target)
    stored = two.warehouse.sql(
        "SELECT step, avg(old_task_weights[1]) AS weight, count(*) AS searches FROM searches "
        "WHERE old_task_weights IS NOT NULL GROUP BY step ORDER BY step"
    )
    assert weights["weight"].to_list() == pytest.approx(stored["weight"].to_list())
    assert weights["searches"].to_list() == stored["searches"].to_list()
    did = report(ReportRequest(space="nasbench201", home=two.home, measured=ASKED.measured))
    page = " ".join(Path(did["report"]).read_text().split())
    assert "learning from cifar100" in page
    assert (
        "cifar100 test accuracy, 200 epochs (other.csv), whose weight went from 0.25 to "
        f"{weights['weight'][-1]:.2f}" in page
    )
