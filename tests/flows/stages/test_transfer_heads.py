"""Heads that learn from other tasks: what they are, what they keep, what is told of them."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.language_models import specify
from cole_core.predictors import load_surrogate
from flows.questions.best import BestRequest, best
from flows.resolve.requests import Measured
from flows.stages.fit_heads import FitHeadsRequest, fit_heads, plan
from flows.stages.report import ReportRequest, report
from flows.upkeep.forgetting import forget
from flows.upkeep.forgetting import plan as plan_forgetting
from tests.flows.conftest import SPACE, Cole, Small
from tests.flows.stages.test_transfer import add_task, agreeing
from warehouse import Warehouse

ASKED = FitHeadsRequest(
    space="nasbench201",
    measured=Measured(dataset="cifar10", epochs=200),
    vectors=Vectors(precision="fp32"),
    sizes=(8, 20),
    draws=2,
    transfer="cifar100",
)
VALUES = Measured(dataset="cifar10")


@pytest.fixture
def two(small: Small) -> Small:
    add_task(small, "cifar100_test_accuracy_200", agreeing(small))
    return small


def vectors(small: Small) -> np.ndarray:
    spec_id = specify("minilm", precision="fp32").spec_id
    return small.warehouse.architecture_vectors(SPACE, "code.bare", "none", spec_id).vectors


def test_a_past_with_the_same_order_ranks_better_from_few_labels(two: Small) -> None:
    did = fit_heads(replace(ASKED, home=two.home))
    without = fit_heads(replace(ASKED, home=two.home, transfer="none"))
    for own, plain in zip(did["kendall_tau"], without["kendall_tau"], strict=True):
        assert own["mean"] > plain["mean"] + 0.05
    [task] = did["transfer"]
    assert (task["task"], task["values"]) == ("cifar100 test accuracy, 200 epochs", 60)
    stored = two.warehouse.sql("SELECT n, old_task_weights FROM trials WHERE n = 8 AND seconds > 0")
    weights = [each for each in stored["old_task_weights"].to_list() if each is not None]
    assert len(weights) == 2
    assert task["weights"][0] == {"n": 8, "weight": pytest.approx(np.mean(weights))}
    assert "transfer" not in without
    again = fit_heads(replace(ASKED, home=two.home))
    assert again == did | {"trials": 0, "skipped": 4}


def test_what_was_transferred_is_part_of_the_identity_only_where_it_was(two: Small) -> None:
    asked = replace(ASKED, home=two.home)
    learned, named = plan(replace(asked, transfer="auto")).trials, plan(asked).trials
    without = plan(replace(asked, transfer="none")).trials
    assert learned.trials == named.trials
    assert {"transfer", "old_tasks"} & {*without.configuration, *without.parameters} == set()
    [task] = learned.configuration["transfer"]
    assert task["dataset"] == "cifar100"
    forget(two.home, "other.csv")
    add_task(two, "cifar100_test_accuracy_200", {k: v**0.5 for k, v in agreeing(two).items()})
    changed = plan(asked).trials
    assert changed.configuration["transfer"][0]["labels_hash"] != task["labels_hash"]
    assert {each.trial_id for each in changed.trials}.isdisjoint(
        each.trial_id for each in learned.trials
    )


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ("gaussian_process", "code.bare+graf"),
        ("committee", "code.bare"),
        ("mlp", "code.bare"),
        ("xgboost", "graf"),
        ("ridge", "code.bare"),
        ("kernel_ridge", "code.bare"),
    ],
)
def test_every_head_that_learns_values_can_learn_from_old_tasks(
    two: Small, head: str, encoding: str
) -> None:
    chosen = replace(
        ASKED, home=two.home, vectors=Vectors(precision="fp32", encoding=encoding), head=head
    )
    did = fit_heads(replace(chosen, sizes=(8,)))
    assert did["transfer"][0]["weights"][0]["weight"] > 0.2
    without = fit_heads(replace(chosen, sizes=(8,), transfer="none"))
    assert did["kendall_tau"][0]["mean"] > without["kendall_tau"][0]["mean"]


def test_a_stored_head_needs_nothing_but_vectors(two: Small, tmp_path: Path) -> None:
    fit_heads(replace(ASKED, home=two.home, sizes=(20,), draws=1))
    stored = two.warehouse.sql("SELECT head_id, n FROM heads")
    path = two.warehouse.head_artifact(stored["head_id"][0])
    assert path is not None
    X = vectors(two)
    before = load_surrogate(path).predict(X, return_std=True)
    found = best(BestRequest(home=two.home, measured=VALUES, predicted=True, k=60))
    # Neither what was kept of the old task nor the warehouse that it came from is needed.
    shutil.rmtree(two.warehouse.artifacts / "old_tasks")
    elsewhere = tmp_path / "head.npz"
    shutil.copy(path, elsewhere)
    for old, new in zip(before, load_surrogate(elsewhere).predict(X, return_std=True), strict=True):
        np.testing.assert_array_equal(old, new)
    assert best(BestRequest(home=two.home, measured=VALUES, predicted=True, k=60)) == found
    assert found["rows"][0]["predicted"] == pytest.approx(before[0].max())
    assert load_surrogate(elsewhere).old_task_weights[0] > 0


def test_what_it_predicts_is_prior_and_rest_by_hand(two: Small) -> None:
    made = plan(replace(ASKED, home=two.home, sizes=(20,), draws=1))
    fit_heads(replace(ASKED, home=two.home, sizes=(20,), draws=1))
    path = two.warehouse.head_artifact(made.trials.trials[0].trial_id)
    [kept] = (two.warehouse.artifacts / "old_tasks").iterdir()
    assert path is not None
    head, old = load_surrogate(path), load_surrogate(kept)
    X = vectors(two)
    features = head.reduction_.transform(X)
    expected = old.predict(X)
    score = head.level_ + head.weights_[0] * expected + head.head.predict(features)
    # What an old task expects is kept in single precision, and its rounding depends on the batch.
    np.testing.assert_allclose(head.predict(X), head.target_.inverse(score), rtol=1e-5)
    np.testing.assert_allclose(head.predict_scores(X)[0], score, rtol=1e-5, atol=1e-5)


def test_forgetting_the_source_takes_what_learned_from_it(two: Small) -> None:
    fit_heads(replace(ASKED, home=two.home))
    fit_heads(replace(ASKED, home=two.home, transfer="none"))
    derived = plan_forgetting(two.home, "other.csv")["derived"]
    assert {kind: len(things) for kind, things in derived.items()} == {"head": 2, "trial": 4}
    forget(two.home, "other.csv")
    left = two.warehouse.sql("SELECT configuration, old_task_weights FROM trials")
    assert left.height == 4
    assert not any("transfer" in json.loads(each) for each in left["configuration"])
    assert len(list((two.warehouse.artifacts / "heads").iterdir())) == 2


def test_the_report_tells_heads_with_and_without_apart(two: Small) -> None:
    fit_heads(replace(ASKED, home=two.home))
    fit_heads(replace(ASKED, home=two.home, transfer="none"))
    did = report(ReportRequest(space="nasbench201", home=two.home, measured=ASKED.measured))
    page = " ".join(Path(did["report"]).read_text().split())
    assert "gaussian process · learning from cifar100" in page
    assert "old tasks 1" not in page


def test_auto_without_another_task_is_a_head_as_ever(small: Small) -> None:
    asked = replace(ASKED, home=small.home)
    alone = plan(replace(asked, transfer="auto"))
    assert alone.old is None
    assert alone.trials.trials == plan(replace(asked, transfer="none")).trials.trials


def test_what_cannot_be_is_one_line(two: Small, cole: Cole) -> None:
    add_task(two, "svhn_test_accuracy_200", dict(list(two.accuracies.items())[:10]), "few.csv")
    asked = ("train", "nasbench201", "--dataset", "cifar10", "-n", 20, "--precision", "fp32")
    for transfer, said in (
        (("imagenet",), "has no such task, choose from cifar100:test:accuracy:200"),
        (("svhn",), "has 10 architectures with a vector and a value, and 20"),
        (("cifar100", "--head", "mlp", "--loss", "hinge"), "loss hinge learns an order"),
    ):
        code, out, err = cole(*asked, "--home", two.home, "--transfer", *transfer)
        assert (code, out) == (2, "")
        assert said in err
        assert err.count("\n") == 1
    with pytest.raises(InputError, match="searched or predicted, choose from cifar100"):
        plan(replace(ASKED, home=two.home, transfer="cifar10"))
    assert not (two.warehouse.artifacts / "old_tasks").exists()
    assert Warehouse(two.home).sql("SELECT * FROM trials").is_empty()
