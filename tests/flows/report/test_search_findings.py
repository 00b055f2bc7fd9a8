"""What a report says first of its searches: how soon they are among the best, how far before."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from flows.cli.printing import Printer
from flows.report.data import ReportData, Top
from flows.report.gather import gather, top_of
from flows.report.page import render_report, said_of_searches
from flows.resolve.requests import Measured
from flows.resolve.values import one_target
from tests.flows.cli.printed import printed
from tests.flows.conftest import SIZE, SPACE, Small
from tests.flows.report.sample_report import EMPTY, Page, searches

TOP = Top(16, 15_625, 0.001, 73.2)
BANANAS = searches(4, 60, label="bananas · code.bare")
RANDOM = searches(4, 60, "random_search", "random search").with_columns(pl.col("value") - 0.5)
DATA = replace(EMPTY, searches=pl.concat([BANANAS, RANDOM]), best_known=73.5, top=TOP)


def plain(frame: pl.DataFrame) -> tuple[float, float]:
    """Mean evaluations to 73.2 (all, where a seed never gets there), mean distance after 50."""
    counts, distances = [], []
    for seed in range(4):
        values = frame.filter(pl.col("search_id").str.ends_with(f"-{seed}"))["value"].to_list()
        counts.append(next((i for i, value in enumerate(values, 1) if value >= 73.2), 60))
        distances.append(73.5 - max(values[:50]))
    return float(np.mean(counts)), float(np.mean(distances))


def test_they_agree_with_a_plain_loop() -> None:
    arrival, distance = said_of_searches(DATA)
    ours, rival = plain(BANANAS), plain(RANDOM)
    assert arrival.name == "Evaluations to one of the best 0.1 % (16 of 15,625), 73.20 % or more"
    assert arrival.unit == "mean per seed, 4 seeds"
    assert arrival.figure.removeprefix("≥ ") == f"{ours[0]:.0f}"
    assert arrival.note.startswith("bananas · code.bare; random search")
    assert arrival.note.endswith(f"{rival[0]:.0f}")
    assert distance.name == "Distance from the best after 50 evaluations"
    assert distance.figure == f"{ours[1]:.2f}"
    assert distance.unit == "points, mean of 4 seeds"
    assert distance.note == f"bananas · code.bare; random search {rival[1]:.2f}"


def test_short_searches_are_told_at_their_end() -> None:
    short = DATA.searches.filter(pl.col("step") < 20) if DATA.searches is not None else None
    *_, distance = said_of_searches(replace(DATA, searches=short))
    assert distance.name == "Distance from the best after 20 evaluations"


@pytest.mark.parametrize("data", [EMPTY, replace(DATA, best_known=None, top=None)])
def test_nothing_is_said_without_searches_or_a_best(data: ReportData) -> None:
    assert said_of_searches(data) == []


def test_the_page_says_them_and_which_threshold_is_meant() -> None:
    html = render_report(DATA)
    assert "one of the best 0.1 % (16 of 15,625), 73.20 %" in html  # beside its line in the chart
    words = Page(html).words
    for finding in said_of_searches(DATA):
        assert finding.name in words
        assert finding.note in words
    assert "until the best so far is one of the best 0.1 % (16 of 15,625), at 73.20 %" in words
    assert "of each seed, and where the mean curve over seeds crosses that value" in words
    assert "from the best after 50" in words
    assert f"{plain(RANDOM)[1]:.2f}" in words


def test_the_terminal_says_them_at_the_end_of_a_run() -> None:
    found = {"best": "|a|", "best_value": 94.07, "found_after": 41, "seed": 2}
    said = [vars(each) for each in said_of_searches(DATA)]
    stages = {
        "train": {"trials": 0, "skipped": 6, "kendall_tau": []},
        "search (bananas)": {"evaluations": 500, "skipped": 0, "searches": [found]},
        "report": {"reports": 1, "skipped": 0, "report": "page.html", "findings": said},
    }
    text = printed(lambda: Printer(False).pipeline(stages), 200, terminal=False)
    for each in said:
        assert f"{each['name']}:\n  {each['figure']} {each['unit']} ({each['note']})\n" in text


@pytest.mark.parametrize(
    ("architectures", "count"), [(1, 1), (60, 1), (1_000, 1), (1_001, 2), (15_625, 16)]
)
def test_the_best_thousandth(architectures: int, count: int) -> None:
    values = np.random.default_rng(0).permutation(architectures).astype(float)
    top = top_of(np.sort(values)[::-1])
    assert (top.count, top.architectures) == (count, architectures)
    assert sum(value >= top.value for value in values) == count


def test_of_a_space_that_was_measured_whole(made: Small) -> None:
    target = one_target(made.warehouse, SPACE, Measured(dataset="cifar10"))
    data = gather(made.warehouse, SPACE, target)
    assert data.top == Top(1, SIZE, 0.001, max(made.accuracies.values()))
    assert data.arrival == f"the best of {SIZE}"
