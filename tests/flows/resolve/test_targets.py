"""Which measured values are meant, out of those that a warehouse holds."""

from pathlib import Path

import polars as pl
import pytest

from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from flows.resolve.requests import Measured
from flows.resolve.values import find_targets, latest_target, one_target
from tests.warehouse.conftest import NATIVES, SPACE, architectures, evaluations, fill
from warehouse import Warehouse

MINE = Target("cifar10", "accuracy", "test", 200, "mine")
YOURS = Target("cifar10", "accuracy", "test", 200, "yours")


@pytest.fixture
def filled(tmp_path: Path) -> Warehouse:
    """Ten architectures with values of one kind."""
    return fill(Warehouse(tmp_path / "home"))


def add_yours(warehouse: Warehouse) -> None:
    """The same kind of values from another source."""
    with warehouse.writer("test", run_id="run-2") as writer:
        writer.add_evaluations(evaluations(NATIVES, [1.0] * 10, source="yours"))


def test_the_one_that_fits_is_meant(filled: Warehouse) -> None:
    assert one_target(filled, SPACE, Measured(dataset="cifar10")) == MINE
    assert one_target(filled, SPACE, Measured()) == MINE
    add_yours(filled)
    assert one_target(filled, SPACE, Measured(dataset="cifar10", source="mine")) == MINE


def test_several_that_fit_are_listed(filled: Warehouse) -> None:
    add_yours(filled)
    message = r"several kinds of evaluation fit dataset cifar10: .*source mine; .*source yours"
    with pytest.raises(InputError, match=message):
        one_target(filled, SPACE, Measured(dataset="cifar10"))
    with pytest.raises(InputError, match=r"several kinds of evaluation fit any kind: .*source m"):
        latest_target(filled, SPACE, Measured())


def test_where_none_fits_those_that_there_are_are_listed(filled: Warehouse) -> None:
    message = r"no evaluations of dataset svhn, epochs 12: choose from dataset cifar10 metric acc"
    with pytest.raises(InputError, match=message):
        one_target(filled, SPACE, Measured(dataset="svhn", epochs=12))


def test_a_space_without_values_says_how_to_get_some(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "home")
    with warehouse.writer("test", run_id="run-1") as writer:
        writer.add_architectures(architectures(NATIVES))
    with pytest.raises(InputError, match=f"ingest some with 'cole ingest {SPACE.name} SOURCE'"):
        one_target(warehouse, SPACE, Measured())


def test_what_was_searched_last_is_meant_where_several_fit(filled: Warehouse) -> None:
    add_yours(filled)
    search = {
        "search_id": "s",
        "configuration": "{}",
        "seed": 0,
        "space": SPACE.name,
        "algorithm": "random_search",
        "encoding": "none",
        "context": "none",
        "spec_id": None,
        "target": YOURS.to_json(),
    }
    step = {
        "search_id": "s",
        "step": 1,
        "architecture_id": SPACE.architecture_id(NATIVES[0]),
        "value": 1.0,
        "predicted_mean": None,
        "predicted_std": None,
        "seconds": 0.1,
    }
    with filled.writer("search", run_id="run-3") as writer:
        writer.add_searches([search])
        writer.add_search_steps(pl.DataFrame([step]))
    assert latest_target(filled, SPACE, Measured()) == YOURS
    assert latest_target(filled, SPACE, Measured(source="mine")) == MINE


def test_the_one_people_mean_comes_first(filled: Warehouse) -> None:
    others = [("ptq_accuracy", "test", 200), ("accuracy", "valid", 200), ("accuracy", "test", 12)]
    with filled.writer("test", run_id="run-2") as writer:
        for metric, split, epochs in others:
            writer.add_evaluations(
                evaluations(NATIVES, [1.0] * 10).with_columns(
                    metric=pl.lit(metric), split=pl.lit(split), epochs=pl.lit(epochs, pl.Int32)
                )
            )
    found = find_targets(filled, SPACE, Measured())
    assert [(each.metric, each.split, each.epochs) for each in found] == [
        ("accuracy", "test", 200),
        ("accuracy", "test", 12),
        ("accuracy", "valid", 200),
        ("ptq_accuracy", "test", 200),
    ]
