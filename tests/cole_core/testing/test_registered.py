"""Everything that is registered keeps the contract of its kind."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.neighbors import KNeighborsRegressor

from cole_core.encodings.registry import encoding_names, make_encoding
from cole_core.predictors import heads, make_head
from cole_core.predictors.base import Head
from cole_core.search import make_algorithm, searches
from cole_core.search.acquisitions import acquisitions
from cole_core.sources import sources
from cole_core.spaces import get_space, spaces
from cole_core.testing import (
    AcquisitionContract,
    EncodingContract,
    HeadContract,
    SearchContract,
    SourceContract,
    SpaceContract,
)
from cole_core.testing.beads import Beads

# Networks that are exported in a moment.
SMALL = {"einspace": get_space("einspace", input_shape=(1, 8, 8), max_modules=8, max_operations=25)}
# Networks that take no images.
OF_GRAPHS: dict[str, dict[str, Any]] = {
    "nasbenchgraph": {"input_shape": None, "task_shape": None, "most": 30_000}
}
# What makes heads and searches quick, where they are not.
HEADS: dict[str, dict[str, Any]] = {
    "mlp": {"epochs": 40, "hidden": (16,)},
    "perceiver": {"epochs": 12, "members": 1, "width": 16, "layers": 1, "learning_rate": 2e-2},
    "xgboost": {"rounds": 60},
}
ANYWHERE = {"fitted_on": "labelled", "reduction": "zscore"}  # where there is no list to fit it on
SEARCHES: dict[str, dict[str, dict[str, Any]]] = {
    "bananas": {
        "ridge": {"initial": 8, "batch": 4, "n_candidates": 20, "head": "ridge", **ANYWHERE},
        "space": {"initial": 5, "batch": 4, "head": "gaussian_process", "candidates": "space"},
        "paper": {"initial": 9, "batch": 8, "n_candidates": 15, "acquisition": "ei", "epochs": 5},
    },
    "nsga2": {"small": {"population": 6}},
    "pareto": {
        "space": {"initial": 5, "batch": 3},
        "mutation": {
            "initial": 5,
            "batch": 4,
            "n_candidates": 20,
            "candidates": "mutation",
            **ANYWHERE,
        },
    },
    "regularized_evolution": {"small": {"population": 8, "sample": 3}},
}


def table(folder: Path) -> Path:
    """A table of one's own."""
    space, rng = get_space("nasbench201"), np.random.default_rng(0)
    measured = {
        "native": list(dict.fromkeys(space.sample(rng) for _ in range(20))),
    }
    path = folder / "mine.csv"
    count = len(measured["native"])
    pl.DataFrame(measured | {"cifar10_test_accuracy_200": np.linspace(60, 93, count)}).write_csv(
        path
    )
    return path


def suite(contract: type, *names: str, **attributes: Any) -> None:
    """A class of tests for something that is registered."""
    name = "".join(["Test", contract.__name__.removesuffix("Contract"), *(f"_{n}" for n in names)])
    globals()[name] = type(name, (contract,), {"__module__": __name__, **attributes})


for name in spaces:
    suite(SpaceContract, name, space=get_space(name), **OF_GRAPHS.get(name, {}))
    for encoding in encoding_names(get_space(name)):
        slow = encoding == "onnx"
        made = make_encoding(
            SMALL.get(name, get_space(name)) if slow else get_space(name), encoding
        )
        suite(EncodingContract, name, encoding, encoding=made, samples=2 if slow else 8)
for name in heads:
    suite(HeadContract, name, head=make_head(name, **HEADS.get(name, {})))
for name in searches:
    for about, given in SEARCHES.get(name, {"": {}}).items():
        suite(SearchContract, name, about, algorithm=make_algorithm(name, **given))
for name in acquisitions:
    suite(AcquisitionContract, name, acquisition=acquisitions.load(name))


class TestTheToy(SpaceContract):
    space = Beads()


class TestTheToysVectors(EncodingContract):
    encoding = Beads().encoding("places")


class TestARegressorOfScikitLearn(HeadContract):
    head = KNeighborsRegressor(3)


class TestATable(SourceContract):
    source = sources.create("table")
    space = get_space("nasbench201")
    origin = table


class TestAnalogNASBench(SourceContract):
    source = sources.create("analog-nasbench")
    space = get_space("nasbench201")
    origin = "analog-nasbench"


class TestNASBenchGraph(SourceContract):
    source = sources.create("nas-bench-graph")
    space = get_space("nasbenchgraph")
    origin = "nas-bench-graph"


def test_what_is_registered_is_called_so() -> None:
    for registry in (spaces, searches, sources):
        for name, made in registry.loadable().items():
            assert made.name == name
    for name, head in heads.loadable().items():
        assert issubclass(head, Head)
        assert head.name == name


def test_all_sources_are_tried() -> None:
    """The one that reads published folders is tried on folders in its own tests."""
    assert {*sources} == {"analog-nasbench", "nas-bench-graph", "table", "nats-bench"}
