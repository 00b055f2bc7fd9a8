"""Where lower is better, everything looks for the lowest; where nobody said, everything asks.

The same numbers are told twice: as `up`, of which higher is better, and negated and shifted as
`down`, of which lower is better. Whatever ranks by one must rank alike by the other.
"""

import json
from dataclasses import replace

import polars as pl
import pytest

from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from flows.questions.best import BestRequest, best
from flows.report import render_report
from flows.report.gather import gather
from flows.resolve.algorithms import AlgorithmOptions
from flows.resolve.requests import Measured
from flows.resolve.values import find_targets
from flows.stages.compare_searches import CompareSearchesRequest, compare_searches
from flows.stages.compare_searches import plan as plan_comparison
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from flows.stages.fit_heads import plan as plan_heads
from flows.stages.ingest import IngestRequest, ingest
from flows.stages.search import SearchRequest, search
from flows.stages.search import plan as plan_search
from tests.flows.conftest import SPACE, Cole, Small

NB = "nasbench201"
COLUMNS = (
    *("up=made:test:up:higher", "down=made:test:down:lower", "err=made:test:error"),
    "odd=made:test:odd",
)
GRAF = Vectors(encoding="graf")


@pytest.fixture(scope="module")
def directed(made: Small, tmp_path_factory: pytest.TempPathFactory) -> Small:
    folder = tmp_path_factory.mktemp("directed")
    table = pl.read_csv(made.table).select(
        "arch_str",
        up=pl.col("cifar10_test_accuracy_200"),
        down=64 - pl.col("cifar10_test_accuracy_200"),
        err=100 - pl.col("cifar10_test_accuracy_200"),
        odd=pl.col("cifar10_test_accuracy_200"),
    )
    table.write_csv(folder / "d.csv")
    home = folder / "home"
    ingest(IngestRequest(space=NB, origin=str(folder / "d.csv"), home=home, column=COLUMNS))
    return Small(home, folder / "d.csv")


def values(directed: Small, metric: str) -> dict[str, float]:
    table = pl.read_csv(directed.table)
    return dict(zip(table["arch_str"], table[metric], strict=True))


def measured(metric: str) -> Measured:
    return Measured(dataset="made", metric=metric)


@pytest.mark.parametrize(("metric", "column"), [("down", "down"), ("error", "err")])
def test_best_lists_the_lowest_first(directed: Small, metric: str, column: str) -> None:
    found = best(BestRequest(home=directed.home, measured=measured(metric), k=5))
    expected = sorted(values(directed, column).items(), key=lambda pair: pair[1])[:5]
    assert [(row["native"], row["value"]) for row in found["rows"]] == expected
    assert found["direction"] == "lower"


def test_a_head_of_what_is_minimised_ranks_alike_and_people_see_the_real_values(
    directed: Small,
) -> None:
    asked = FitHeadsRequest(
        space=NB, home=directed.home, measured=measured("up"), vectors=GRAF, head="ridge",
        sizes=(25,), draws=2,
    )  # fmt: skip
    fit_heads(asked)
    fit_heads(replace(asked, measured=measured("down")))
    trials = directed.warehouse.sql(
        "SELECT target ->> '$.metric' AS metric, draw, kendall_tau, top_recall, "
        "configuration ->> '$.direction' AS direction FROM trials ORDER BY metric, draw"
    )
    down, up = (trials.filter(metric=metric) for metric in ("down", "up"))
    assert down["top_recall"].to_list() == up["top_recall"].to_list()
    assert down["kendall_tau"].to_list() == pytest.approx(up["kendall_tau"].to_list())
    assert (set(down["direction"]), set(up["direction"])) == ({"lower"}, {None})
    of = {
        metric: best(
            BestRequest(home=directed.home, measured=measured(metric), predicted=True, k=10)
        )["rows"]
        for metric in ("up", "down")
    }
    assert [row["native"] for row in of["down"]] == [row["native"] for row in of["up"]]
    for lower, higher in zip(of["down"], of["up"], strict=True):
        assert lower["predicted"] == pytest.approx(64 - higher["predicted"], abs=1e-3)
        assert lower["value"] == values(directed, "down")[lower["native"]]


@pytest.mark.parametrize("algorithm", ["bananas", "regularized_evolution", "local_search"])
def test_searches_minimise_and_store_what_was_measured(directed: Small, algorithm: str) -> None:
    options = AlgorithmOptions(name=algorithm)
    asked = SearchRequest(
        space=NB, home=directed.home, measured=measured("down"), vectors=GRAF, algorithm=options
    )
    short = search(replace(asked, budget=14))
    longer = search(replace(asked, budget=25))
    assert (longer["evaluations"], longer["skipped"]) == (11, 14)
    [found] = longer["searches"]
    steps = directed.warehouse.sql(
        f"SELECT * FROM searches WHERE search_id = '{found['search_id']}' ORDER BY step"
    )
    measured_values = values(directed, "down")
    assert steps["value"].to_list() == [measured_values[native] for native in steps["native"]]
    assert steps["best_so_far"].to_list() == steps["value"].cum_min().to_list()
    assert found["best_value"] == steps["value"].min()
    assert short["searches"][0]["search_id"] == found["search_id"]
    predicted = steps.drop_nulls("predicted_mean")
    if algorithm == "bananas":
        assert predicted["predicted_mean"].mean() == pytest.approx(
            predicted["value"].mean(), abs=25
        )


def test_a_comparison_counts_evaluations_down_to_the_lowest(directed: Small) -> None:
    made = compare_searches(
        CompareSearchesRequest(
            home=directed.home,
            measured=measured("down"),
            configuration=("algorithm=random_search", "algorithm=local_search"),
            seeds=3,
            budget=30,
            percent=(99.0,),
            margin=(1.0,),
            processes=1,
        )
    )
    lowest = min(values(directed, "down").values())
    assert made["best"] == lowest
    assert lowest < 0  # so 99 % of it is a little more than it
    thresholds = {row["threshold"]: row["threshold_value"] for row in made["rows"]}
    assert thresholds == pytest.approx({"99 %": 0.99 * lowest, "within 1": lowest + 1})
    assert all(row["regret"] >= 0 for row in made["regrets"])


QUESTIONS = {
    "best": lambda **asked: best(BestRequest(**asked)),
    "train": lambda **asked: plan_heads(
        FitHeadsRequest(space=NB, vectors=GRAF, sizes=(9,), **asked)
    ),
    "search": lambda **asked: plan_search(SearchRequest(space=NB, vectors=GRAF, budget=5, **asked)),
    "compare": lambda **asked: plan_comparison(
        CompareSearchesRequest(configuration=("algorithm=random_search",), **asked)
    ),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_better_that_nobody_said_is_asked_for(directed: Small, question: str) -> None:
    with pytest.raises(InputError) as caught:
        QUESTIONS[question](home=directed.home, measured=measured("odd"))
    assert str(caught.value) == (
        "nobody said whether a higher or a lower odd is better: say --metric odd:higher or "
        "--metric odd:lower"
    )


def test_a_better_may_be_said_with_the_question(cole: Cole, directed: Small) -> None:
    ordered = sorted(values(directed, "odd").values())
    for said, first in (("lower", ordered[0]), ("higher", ordered[-1])):
        code, out, _ = cole(
            *("best", "--dataset", "made", "--metric", f"odd:{said}"),
            *("--home", directed.home, "--json"),
        )
        assert (code, json.loads(out)["rows"][0]["value"]) == (0, first)
    for metric, line in (
        ("down:higher", "the down of d.csv is stored as lower is better: leave ':higher' out"),
        ("error:higher", "a better error is lower"),
        ("odd:up", "'up' is no direction: say odd:higher or odd:lower"),
    ):
        code, out, err = cole(
            *("best", "--dataset", "made", "--metric", metric, "--home", directed.home)
        )
        assert (code, out, len(err.splitlines())) == (2, "", 1)
        assert line in err


def test_the_report_shows_what_was_measured_and_that_lower_is_better(directed: Small) -> None:
    fit_heads(
        FitHeadsRequest(
            space=NB, home=directed.home, measured=measured("down"), vectors=GRAF, head="ridge",
            sizes=(25,), draws=1,
        )
    )  # fmt: skip
    searched = SearchRequest(space=NB, home=directed.home, measured=measured("down"), vectors=GRAF)
    search(replace(searched, budget=14))
    target = find_targets(directed.warehouse, SPACE, measured("down"))[0]
    data = gather(directed.warehouse, SPACE, target)
    real = values(directed, "down")
    lowest = min(real.values())
    assert (data.best[0].value, data.best_known) == (lowest, -lowest)
    assert data.predictions is not None
    assert data.predictions.frame["true"].to_list() == [
        real[native] for native in data.predictions.frame["native"]
    ]
    assert data.map is not None
    assert dict(data.map.frame.select("native", "value").iter_rows()) == real
    page = render_report(data)
    assert "best so far, mean over seeds (lower is better)" in page
    assert f"best of the space, {lowest:.2f}" in page
    assert "above which the first evaluations lie" in " ".join(page.split())
