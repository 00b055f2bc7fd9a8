"""The tables of a comparison of searches against plain loops over the steps."""

import numpy as np
import pytest
from scipy import stats

from cole_core.experiments.search_table import (
    SearchResult,
    finding,
    regret_table,
    threshold_table,
    told_threshold,
)

BUDGET = 30
THRESHOLDS = {"99 %": 72.0, "within 0.5": 72.5, "out of reach": 80.0}


def searches(seed: int, lengths: tuple[int, ...] = (BUDGET,) * 6) -> list[list[float]]:
    rng = np.random.default_rng(seed)
    return [list(rng.uniform(60, 73, length)) for length in lengths]


RESULTS = [
    SearchResult("slow", searches(1), 9.0),
    SearchResult("fast", [[*values[:5], 72.9, *values[6:]] for values in searches(2)], None),
]


def first_at(values: list[float], threshold: float) -> int | None:
    return next((i for i, value in enumerate(values, 1) if value >= threshold), None)


def test_thresholds_are_counted_as_a_plain_loop_counts() -> None:
    table = threshold_table(RESULTS, THRESHOLDS, BUDGET)
    assert table.select("threshold", "label").rows() == [
        (name, label) for name in THRESHOLDS for label in ("slow", "fast")
    ]
    assert table["seconds"].to_list() == [9.0, None] * 3
    for row in table.iter_rows(named=True):
        threshold = THRESHOLDS[row["threshold"]]
        assert row["threshold_value"] == threshold
        counts = [
            [first_at(values, threshold) for values in each.values]
            for each in (RESULTS[0], RESULTS[row["position"]])
        ]
        shown = [[BUDGET if count is None else count for count in each] for each in counts]
        assert row["evaluations"] == pytest.approx(np.mean(shown[1]))
        assert row["censored"] == counts[1].count(None)
        assert row["low"] <= row["evaluations"] <= row["high"]
        bests = [np.maximum.accumulate(v) for v in RESULTS[row["position"]].values]
        mean = np.mean(bests, axis=0)
        assert row["crossing"] == first_at(list(mean), threshold)
        if row["position"] == 0:
            assert (row["change"], row["p_value"], row["wins"]) == (None, None, None)
            continue
        late = [[99 if count is None else count for count in each] for each in counts]
        pairs = list(zip(late[1], late[0], strict=True))
        told = (row["wins"], row["ties"], row["losses"])
        assert told == (
            sum(a < b for a, b in pairs),
            sum(a == b for a, b in pairs),
            sum(a > b for a, b in pairs),
        )
        assert row["change"] == pytest.approx(np.mean(shown[1]) / np.mean(shown[0]) - 1)
        if row["threshold"] != "out of reach":
            assert row["p_value"] == pytest.approx(stats.ttest_rel(*shown[::-1]).pvalue)


def test_a_search_that_ended_early_stays_at_its_best() -> None:
    short = searches(3, (4, BUDGET, 9))
    result = SearchResult("ended", short, None)
    curves = result.curves(BUDGET)
    assert curves.shape == (3, BUDGET)
    for curve, values in zip(curves, short, strict=True):
        expected = [max(values[: i + 1]) for i in range(BUDGET)]
        assert curve.tolist() == expected


def test_regrets_are_the_best_minus_the_best_so_far() -> None:
    ended = SearchResult("ended", searches(3, (4, 30, 30, 30, 30, 30)), None)
    table = regret_table([RESULTS[0], ended], 73.5, (3, 10), BUDGET)
    assert table.select("evaluations", "label").rows() == [
        (3, "slow"), (3, "ended"), (10, "slow"), (10, "ended"),
    ]  # fmt: skip
    regrets = {
        (count, each.label): [73.5 - max(values[:count]) for values in each.values]
        for count in (3, 10)
        for each in (RESULTS[0], ended)
    }
    for row in table.iter_rows(named=True):
        own = regrets[row["evaluations"], row["label"]]
        assert row["regret"] == pytest.approx(np.mean(own))
        assert row["standard_error"] == pytest.approx(np.std(own, ddof=1) / np.sqrt(6))
        assert row["ended_early"] == (row["label"] == "ended" and row["evaluations"] == 10)
        if row["position"]:
            test = stats.ttest_rel(own, regrets[row["evaluations"], "slow"])
            assert row["p_value"] == pytest.approx(test.pvalue)


def test_the_finding_is_told_of_the_papers_threshold() -> None:
    table = threshold_table(RESULTS, THRESHOLDS, BUDGET)
    slow, fast = table.filter(threshold="99 %").iter_rows(named=True)
    assert told_threshold(table) == "99 %"
    said = finding(table)
    start = "To be at 99 % of the best (72.00), slow needs "
    assert said.startswith(start)
    at_least = "at least " if slow["censored"] else ""
    assert said.startswith(f"{start}{at_least}{slow['evaluations']:.0f} evaluations per seed and ")
    p = "p < 0.001" if fast["p_value"] < 0.001 else f"p = {fast['p_value']:.3f}"
    assert f"; fast {fast['evaluations']:.0f} ({-fast['change']:.0%} fewer, {p}" in said
    assert said.endswith(").")


def test_without_the_papers_threshold_the_middle_share_is_told() -> None:
    for names, told in (
        (("98 %", "98.5 %", "within 1"), "98.5 %"),
        (("within 2", "within 1", "within 0.5"), "within 1"),
    ):
        table = threshold_table(RESULTS, dict.fromkeys(names, 72.0), BUDGET)
        assert told_threshold(table) == told
