"""Which measured values are meant, and what they are called."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from flows.resolve.requests import Measured
from flows.resolve.values import (
    column_names,
    describe,
    find_targets,
    latest_target,
    one_target,
)
from tests.flows.resolve.small_warehouses import SPACE, add_architectures, measure, search_for
from warehouse import Warehouse

TEST = Target("cifar10", "accuracy", "test", 200, "mine")
EARLY = Target("cifar10", "accuracy", "test", 12, "mine")
VALID = Target("cifar10", "accuracy", "valid", 200, "mine")
OWN = Target("cifar10", "ptq_accuracy", "test", 200, "mine")
LOSS = Target("cifar10", "loss", "test", 200, "mine")
BASELINE = Target("cifar10", "baseline_accuracy", "test", None, "mine")
OTHER = Target("cifar100", "accuracy", "test", 200, "mine")


def measured(home: Path, *targets: Target) -> Warehouse:
    warehouse = Warehouse(home)
    add_architectures(warehouse)
    for target in targets:
        measure(warehouse, target)
    return warehouse


@pytest.mark.parametrize(
    "order",
    [
        (TEST, EARLY, VALID, BASELINE, LOSS, OWN),  # as people mean them
        (TEST, OTHER, LOSS),
    ],
)
def test_the_values_that_people_mean_come_first(tmp_path: Path, order: Sequence[Target]) -> None:
    warehouse = measured(tmp_path, *reversed(order))
    assert find_targets(warehouse, SPACE, Measured()) == list(order)


@pytest.mark.parametrize(
    ("asked", "fitting"),
    [
        ({"dataset": "cifar100"}, [OTHER]),
        ({"metric": "loss"}, [LOSS]),
        ({"split": "valid"}, [VALID]),
        ({"epochs": 12}, [EARLY]),
        ({"dataset": "cifar10", "metric": "accuracy", "epochs": 200}, [TEST, VALID]),
        ({"source": "mine", "metric": "baseline_accuracy"}, [BASELINE]),
    ],
)
def test_what_is_named_narrows(
    tmp_path: Path, asked: dict[str, Any], fitting: list[Target]
) -> None:
    warehouse = measured(tmp_path, TEST, EARLY, VALID, LOSS, BASELINE, OTHER)
    assert find_targets(warehouse, SPACE, Measured(**asked)) == fitting
    if len(fitting) == 1:
        assert one_target(warehouse, SPACE, Measured(**asked)) == fitting[0]
        return
    with pytest.raises(InputError) as caught:
        one_target(warehouse, SPACE, Measured(**asked))
    assert str(caught.value) == (
        "several kinds of evaluation fit dataset cifar10, metric accuracy, epochs 200: choose from "
        "dataset cifar10 metric accuracy split test epochs 200 source mine; "
        "dataset cifar10 metric accuracy split valid epochs 200 source mine"
    )


def test_values_of_two_sources_are_two_kinds(tmp_path: Path) -> None:
    yours = replace(TEST, source="yours")
    warehouse = measured(tmp_path, TEST, yours)
    message = r"several kinds of evaluation fit any kind: .*source mine; .*source yours"
    for find in (one_target, latest_target):
        with pytest.raises(InputError, match=message):
            find(warehouse, SPACE, Measured())
        assert find(warehouse, SPACE, Measured(source="yours")) == yours


def test_what_fits_nothing_is_told_what_there_is(tmp_path: Path) -> None:
    warehouse = measured(tmp_path)
    with pytest.raises(InputError, match=r"^nasbench201 has no evaluations: .*'cole ingest nasb"):
        find_targets(warehouse, SPACE, Measured(dataset="cifar10"))
    measure(warehouse, BASELINE)
    with pytest.raises(InputError) as caught:
        find_targets(warehouse, SPACE, Measured(dataset="mnist", epochs=3))
    assert str(caught.value) == (
        "no evaluations of dataset mnist, epochs 3: choose from dataset cifar10 metric "
        "baseline_accuracy split test epochs None source mine"
    )


def test_what_was_searched_last_is_meant_before_it_is_ambiguous(tmp_path: Path) -> None:
    warehouse = measured(tmp_path, TEST, VALID, OTHER)
    with pytest.raises(InputError, match="several kinds"):
        latest_target(warehouse, SPACE, Measured())
    search_for(warehouse, VALID)
    search_for(warehouse, OTHER)
    assert latest_target(warehouse, SPACE, Measured()) == OTHER
    assert latest_target(warehouse, SPACE, Measured(dataset="cifar10")) == VALID
    assert latest_target(warehouse, SPACE, Measured(split="test", dataset="cifar10")) == TEST


def test_names_in_a_condition() -> None:
    names = column_names([TEST, VALID, BASELINE, OTHER], taken=["cifar100", "text"])
    assert names == {
        "cifar10": TEST,
        "cifar10_test_accuracy_200": TEST,
        "cifar10_valid_accuracy_200": VALID,
        "cifar10_test_baseline_accuracy": BASELINE,
        "cifar100_test_accuracy_200": OTHER,
    }
    odd = Target("My-Data 2", "accuracy", "test", 1, "mine")
    assert list(column_names([odd], ())) == ["my_data_2", "my_data_2_test_accuracy_1"]


def test_values_in_words() -> None:
    assert describe(TEST) == "test accuracy, 200 epochs, mine"
    assert describe(BASELINE) == "test baseline_accuracy, mine"
