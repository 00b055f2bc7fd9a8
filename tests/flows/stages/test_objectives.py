"""Searches of several objectives and under conditions: stored, continued, reported, forgotten."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from flows.resolve.algorithms import AlgorithmOptions
from flows.resolve.objectives import Goals
from flows.resolve.requests import Measured
from flows.stages.compare_searches import CompareSearchesRequest, compare_searches
from flows.stages.ingest import IngestRequest, ingest
from flows.stages.report import ReportRequest, report
from flows.stages.search import SearchRequest, plan, search
from flows.upkeep.forgetting import forget
from tests.flows.conftest import SPACE, Small

BOTH = Goals(objective=("accuracy", "latency:min"))
ASKED = SearchRequest(
    space="nasbench201",
    measured=Measured(dataset="cifar10"),
    vectors=Vectors(precision="fp32"),
    sought=BOTH,
    budget=20,
)


@pytest.fixture
def timed(small: Small, tmp_path: Path) -> Small:
    """The small warehouse with a latency of each architecture but one."""
    natives = list(small.accuracies)[1:]
    latencies = np.random.default_rng(1).uniform(1, 9, len(natives)).round(3)
    table = tmp_path / "times.csv"
    pl.DataFrame({"arch_str": natives, "cifar10_latency_ms": latencies}).write_csv(table)
    ingest(IngestRequest(space="nasbench201", origin=str(table), home=small.home))
    return small


def latencies_of(small: Small) -> dict[str, float]:
    rows = small.warehouse.sql("SELECT native, value FROM evaluations WHERE metric = 'latency'")
    return dict(rows.iter_rows())


def front_of(values: dict[str, tuple[float, float]]) -> set[str]:
    """Those that no other beats: accuracy higher, latency lower."""
    return {
        name
        for name, (accuracy, latency) in values.items()
        if not any(
            a >= accuracy and t <= latency and (a, t) != (accuracy, latency)
            for a, t in values.values()
        )
    }


@pytest.mark.parametrize("algorithm", ["bananas", "nsga2", "random_search"])
def test_steps_keep_all_values_and_the_front_is_theirs(timed: Small, algorithm: str) -> None:
    options = AlgorithmOptions(name=algorithm)
    asked = replace(ASKED, home=timed.home, algorithm=options, seeds=(3,))
    short = search(replace(asked, budget=14))
    assert short["searches"][0]["evaluations"] == 14
    did = search(replace(asked, budget=25))
    [found] = did["searches"]
    assert (found["evaluations"], found["skipped"]) == (11, 14)
    assert did["objectives"] == ["accuracy", "latency"]

    latencies = latencies_of(timed)
    steps = timed.warehouse.sql("SELECT native, value, objectives FROM searches ORDER BY step")
    evaluated = {}
    for native, value, told in steps.iter_rows():
        assert json.loads(told) == {"accuracy": value, "latency": latencies[native]}
        assert value == timed.accuracies[native]
        evaluated[native] = (value, latencies[native])
    assert len(evaluated) == 25
    assert {row["native"] for row in found["front"]} == front_of(evaluated)
    assert 0 < found["hypervolume"] <= 1
    whole = search(replace(asked, budget=50))
    assert found["hypervolume"] <= whole["searches"][0]["hypervolume"] <= 1


def test_one_objective_is_the_search_it_always_was(timed: Small) -> None:
    measured = Measured(dataset="cifar10", metric="accuracy")
    plain = plan(replace(ASKED, home=timed.home, measured=measured, sought=Goals())).searches
    named = plan(replace(ASKED, home=timed.home, sought=Goals(objective=("accuracy",)))).searches
    assert named.search_id(0) == plain.search_id(0)
    assert "objectives" not in plain.configuration
    lower = replace(ASKED, home=timed.home, sought=Goals(objective=("latency:min",)))
    assert plan(lower).searches.sign == -1
    ids = {plan(replace(ASKED, home=timed.home)).searches.search_id(0), plain.search_id(0)}
    told = replace(BOTH, reference=("accuracy=80",))
    ids.add(plan(replace(ASKED, home=timed.home, sought=told)).searches.search_id(0))
    assert len(ids) == 3


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("algorithm", ["bananas", "random_search"])
def test_what_a_condition_forbids_is_never_evaluated(
    timed: Small, several: bool, algorithm: str
) -> None:
    parameters = {native: SPACE.parameter_count(native) for native in timed.accuracies}
    middle = float(np.median(list(parameters.values())))
    where = f"parameters < {middle} AND latency < 8"
    goals = Goals(objective=BOTH.objective[: 1 + several], where=where)
    asked = replace(
        ASKED, home=timed.home, sought=goals, algorithm=AlgorithmOptions(name=algorithm)
    )
    latencies = latencies_of(timed)
    allowed = {n for n, t in latencies.items() if t < 8 and parameters[n] < middle}
    made = plan(replace(asked, budget=1)).searches
    assert set(made.labelled.natives) == allowed
    forms = {SPACE.canonical_form(native) for native in allowed}
    search(replace(asked, budget=len(forms)))
    evaluated = timed.warehouse.sql("SELECT native FROM searches")["native"].to_list()
    assert set(evaluated) <= allowed
    assert {SPACE.canonical_form(native) for native in evaluated} == forms
    with pytest.raises(InputError, match="--budget"):
        plan(replace(asked, budget=len(forms) + 1))


def test_the_report_shows_the_front_and_keeps_it_out_of_the_curves(timed: Small) -> None:
    search(replace(ASKED, home=timed.home, budget=15))
    page = report(
        ReportRequest(space="nasbench201", home=timed.home, measured=Measured(dataset="cifar10"))
    )
    html = Path(page["report"]).read_text()
    assert "Several objectives" in html
    assert "No searches of this target are stored" in html
    best = timed.warehouse.sql("SELECT native, value FROM searches ORDER BY value DESC LIMIT 1")
    assert html.count(best["native"][0].replace(">", "&gt;")) >= 1


def test_a_forgotten_objective_takes_its_searches_along(timed: Small) -> None:
    search(replace(ASKED, home=timed.home, budget=12))
    search(replace(ASKED, home=timed.home, budget=12, sought=Goals(objective=("accuracy",))))
    assert timed.warehouse.status()["searches"] == 2
    forget(timed.home, "times.csv")
    assert timed.warehouse.status()["searches"] == 1
    assert timed.warehouse.sql("FROM searches")["objectives"].null_count() == 12


def test_comparisons_are_of_hypervolume(timed: Small) -> None:
    request = CompareSearchesRequest(
        experiment="objectives",
        home=timed.home,
        measured=Measured(dataset="cifar10"),
        precision="fp32",
        sought=BOTH,
        seeds=2,
        budget=24,
        percent=(90.0,),
        margin=(),
        regret_at=(12, 24),
        processes=1,
    )
    did = compare_searches(request)
    assert did["best"] == 100
    assert [row["label"] for row in did["rows"]] == ["pareto · code.bare", "nsga2", "random search"]
    found = search(replace(ASKED, home=timed.home, budget=24, seeds=(0, 1)))
    assert found["evaluations"] == 0  # a comparison stores searches as `cole search` does
    shares = [100 * each["hypervolume"] for each in found["searches"]]
    regrets = {(row["label"], row["evaluations"]): row["regret"] for row in did["regrets"]}
    assert regrets["pareto · code.bare", 24] == pytest.approx(100 - np.mean(shares))
    assert regrets["pareto · code.bare", 24] <= regrets["pareto · code.bare", 12]
    assert compare_searches(request)["evaluations"] == 0
