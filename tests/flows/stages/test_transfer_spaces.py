"""Learning from tasks of other spaces, whose vectors one specification made."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.hashing import hash_text
from cole_core.language_models.texts import EmbeddedTexts
from cole_core.spaces import get_space
from cole_core.spaces.base import SearchSpace
from flows.questions.best import BestRequest, best
from flows.resolve.requests import Measured
from flows.stages import compare_predictors as predictors
from flows.stages.compare_predictors import ComparePredictorsRequest
from flows.stages.fit_heads import FitHeadsRequest, fit_heads, plan
from flows.stages.search import SearchRequest, search
from flows.stages.search import plan as plan_search
from flows.tasks.vectors import add_vectors
from flows.upkeep.forgetting import forget
from tests.flows.conftest import Cole
from tests.flows.resolve.small_warehouses import USUAL, add_architectures
from warehouse import Warehouse

CELLS, NETWORKS = get_space("nasbench201"), get_space("einspace")
BIGGER = get_space("einspace", input_shape=(1, 8, 8), classes=10)
COUNT, WIDTH = 60, 6
ENCODING = "code.expression"


def vector(text: str) -> np.ndarray:
    """What a language model could make of a text: the same of the same."""
    return np.random.default_rng(int(hash_text(text)[:8], 16)).normal(size=WIDTH)


def goodness(text: str) -> float:
    """What is good about a network, wherever it is from."""
    made = vector(text)
    return float(50 + 10 * (np.tanh(made[0]) + made[1] - 0.5 * made[2] ** 2))


def fill(
    warehouse: Warehouse,
    space: SearchSpace,
    dataset: str,
    measured: int = COUNT,
    source: str = "mine.csv",
    **specification: Any,
) -> None:
    """Architectures, texts, vectors and values of a space."""
    if warehouse.has_catalog and not warehouse.architectures(space).is_empty():
        architectures = warehouse.architectures(space)
    else:
        add_architectures(warehouse, space, COUNT)
        architectures = warehouse.architectures(space)
        texts = architectures.select(
            "architecture_id",
            encoding=pl.lit(ENCODING),
            context=pl.lit("none"),
            text=pl.format("{} {}", pl.lit(space.full_name), "native"),
        )
        with warehouse.writer("test", "run") as writer:
            writer.add_renderings(texts)
        rows = warehouse.texts(space, ENCODING, "none")
        vectors = np.stack([vector(text) for text in rows["text"]]).astype(np.float32)
        made = EmbeddedTexts(vectors, np.full(len(rows), 9), np.full(len(rows), False))
        chosen = replace(USUAL, hidden_size=WIDTH, **specification)
        with warehouse.writer("test", "run") as writer:
            add_vectors(writer, chosen, rows["text_hash"].to_list(), made)
    target = Target(dataset, "accuracy", "test", 8, source)
    values = [goodness(f"{space.full_name} {native}") for native in architectures["native"]]
    evaluations = architectures.with_columns(value=pl.Series(values)).head(measured)
    with warehouse.writer("test", "run") as writer:
        writer.add_evaluations(
            evaluations.select(
                "architecture_id",
                "native",
                "value",
                *(pl.lit(v).alias(k) for k, v in target.key.items() if k != "epochs"),
                epochs=pl.lit(8, pl.Int32),
                seed=pl.lit(None, pl.Int32),
            )
        )


@pytest.fixture
def both(tmp_path: Path) -> Warehouse:
    """A warehouse of cells and of networks."""
    warehouse = Warehouse(tmp_path / "home")
    fill(warehouse, CELLS, "cifar10", source="cells.csv")
    fill(warehouse, NETWORKS, "digits")
    return warehouse


def training(warehouse: Warehouse, **changes: Any) -> FitHeadsRequest:
    usual: dict[str, Any] = {
        "space": "einspace",
        "home": warehouse.home,
        "measured": Measured(dataset="digits"),
        "vectors": Vectors(encoding=ENCODING),
        "sizes": (6,),
        "draws": 6,
        "transfer": "nasbench201/cifar10",
    }
    return FitHeadsRequest(**(usual | changes))


def comparing(warehouse: Warehouse, **changes: Any) -> ComparePredictorsRequest:
    usual: dict[str, Any] = {
        "experiment": "transfer_spaces",
        "space": "einspace",
        "home": warehouse.home,
        "measured": Measured(dataset="digits"),
        "head": "gaussian_process",
        "sizes": (6,),
        "folds": 5,
        "repeats": 1,
    }
    return ComparePredictorsRequest(**(usual | changes))


def test_a_head_learns_from_a_task_of_another_space(both: Warehouse) -> None:
    did = fit_heads(training(both))
    without = fit_heads(training(both, transfer="none"))
    assert did["kendall_tau"][0]["mean"] > without["kendall_tau"][0]["mean"] + 0.05
    [task] = did["transfer"]
    assert task["task"] == "cifar10 test accuracy, 8 epochs, of nasbench201"
    assert task["values"] == COUNT
    [old] = plan(training(both)).trials.configuration["transfer"]
    assert (old["space"], old["dataset"]) == ("nasbench201", "cifar10")
    # A stored head needs neither the other space nor what was kept of it.
    found = best(
        BestRequest(
            space="einspace",
            home=both.home,
            measured=Measured(dataset="digits"),
            predicted=True,
            head=plan(training(both)).trials.trials[0].trial_id,
        )
    )
    assert found["rows"][0]["predicted"] > 50
    forget(both.home, "cells.csv")
    left = both.sql("SELECT configuration FROM trials")["configuration"]
    assert len(left) == 6
    assert not any("transfer" in json.loads(each) for each in left)


def test_the_same_space_with_other_parameters_is_another(both: Warehouse) -> None:
    fill(both, BIGGER, "digits")
    asked = training(both, transfer=f"{BIGGER.full_name}/digits")
    [old] = plan(asked).trials.configuration["transfer"]
    assert old["space"] == BIGGER.full_name != NETWORKS.full_name


def test_a_task_that_another_space_alone_has_is_named_with_its_space(both: Warehouse) -> None:
    with pytest.raises(InputError, match="--transfer cifar10: einspace has no such task") as told:
        plan(training(both, transfer="cifar10"))

    assert "nasbench201/cifar10:test:accuracy:8" in str(told.value)


def test_a_search_learns_from_another_space_and_from_its_own(both: Warehouse) -> None:
    fill(both, NETWORKS, "add-digits")
    asked = SearchRequest(
        space="einspace",
        home=both.home,
        measured=Measured(dataset="digits"),
        vectors=Vectors(encoding=ENCODING),
        budget=8,
        transfer="nasbench201/cifar10:test:accuracy:8,add-digits",
    )
    tasks = plan_search(asked).searches.configuration["transfer"]
    assert [(task["dataset"], task.get("space")) for task in tasks] == [
        ("add-digits", None),
        ("cifar10", "nasbench201"),
    ]
    did = search(asked)
    assert len(did["searches"][0]["old_task_weights"]) == 2
    automatic = plan_search(replace(asked, transfer="auto")).old
    assert automatic is not None
    assert [task.space for task in automatic.tasks] == [None]


def test_the_experiment_sets_with_and_without_beside_each_other(both: Warehouse) -> None:
    fill(both, BIGGER, "digits")
    fill(both, CELLS, "svhn", measured=10, source="few.csv")  # too few to speak
    did = predictors.compare_predictors(comparing(both))
    rows = pl.DataFrame(did["rows"]).sort("position")
    bigger = f"{BIGGER.full_name}/digits"
    assert rows["label"].to_list() == [
        ENCODING,
        f"{ENCODING} · learning from {bigger}",
        f"{ENCODING} · learning from nasbench201/cifar10",
        f"{ENCODING} · learning from {bigger}, nasbench201/cifar10",
        "counts",
    ]
    tau = rows["kendall_tau"].to_list()
    assert min(tau[1:4]) > tau[0]


def test_the_experiment_says_what_is_missing(both: Warehouse) -> None:
    forget(both.home, "cells.csv")
    with pytest.raises(InputError, match="no other space has measured values and vectors of"):
        predictors.plan(comparing(both))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"transfer": "einspace/digits"}, "is the space itself, name the task alone: digits"),
        ({"transfer": "darts/cifar10"}, "darts"),
        ({"transfer": "nasbench201/svhn"}, "nasbench201 has no such task, choose from cifar10:"),
        ({"transfer": "nasbenchgraph/cora"}, "nasbenchgraph has no vectors of code.expression"),
        ({"vectors": Vectors(encoding="counts")}, "vectors of counts are einspace's own"),
        ({"vectors": Vectors(encoding="derivation")}, "cole render"),
    ],
)
def test_what_no_other_space_can_say_is_one_line(
    both: Warehouse, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError) as told:
        plan(training(both, **given))
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_vectors_of_another_specification_are_not_compared(tmp_path: Path, cole: Cole) -> None:
    warehouse = Warehouse(tmp_path / "home")
    fill(warehouse, CELLS, "cifar10", pooling="mean")
    fill(warehouse, NETWORKS, "digits")
    code, out, err = cole(
        *("train", "einspace", "--dataset", "digits", "-n", 6, "--home", warehouse.home),
        *("--transfer", "nasbench201/cifar10"),
    )
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    options = "--lm minilm --pooling avg_avg --precision bf16"
    assert f"cole embed nasbench201 --encoding {ENCODING} {options}" in err
    assert "cole render" not in err
    assert warehouse.sql("SELECT * FROM trials").is_empty()
