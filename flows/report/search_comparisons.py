"""The section on comparisons of searches: for each a sentence, a chart and tables."""

from typing import Any

import polars as pl

from cole_core.experiments.search_table import told_threshold
from flows.report.charts import search_chart
from flows.report.data import SearchComparison
from flows.report.measure import Measure
from flows.report.rows import spread
from flows.report.summaries import SearchSummary

_TITLES = {
    "encodings": "The paper's search, only the encoding swapped",
    "defaults": "The default search against the paper's",
    "ablation": "From the paper's search to the default, one change after the other",
    "algorithms": "Search algorithms",
}

_WHY = {
    "ablation": "Why the default search is what it is: head, acquisition, candidates and batches "
    "were chosen on CIFAR-10 alone, where this comparison kept each change that needs fewer "
    "evaluations. On another dataset the table only tells what the choice is worth there."
}


def compared_searches(comparison: SearchComparison, measure: Measure) -> dict[str, Any]:
    """What search-comparisons.html.jinja shows of a comparison.

    Returns:
        comparison, title, why (None where there is nothing to say), charts, measure; thresholds
        (threshold, threshold_value) and rows by position and label, whose cells say which
        evaluations and crossing are lowest; counts (evaluations) and rows of regrets, whose cells
        say which are lowest; seconds per seed, by position.
    """
    rows = comparison.rows.sort("position").with_columns(
        _is_lowest("evaluations", "threshold"), _is_lowest("crossing", "threshold")
    )
    thresholds = comparison.rows.select("threshold", "threshold_value").unique(maintain_order=True)
    regrets = comparison.regrets.sort("position").with_columns(_is_lowest("regret", "evaluations"))
    counts = sorted(regrets["evaluations"].unique().to_list())
    key = ["position", "label"]
    return {
        "comparison": comparison,
        "title": _TITLES.get(comparison.experiment, "Comparison of searches"),
        "why": _WHY.get(comparison.experiment),
        "charts": [_curves(comparison, measure)],
        "measure": measure,
        "thresholds": thresholds.to_dicts(),
        "rows": spread(rows, key, "threshold", thresholds["threshold"].to_list()),
        "counts": counts,
        "regrets": spread(regrets, key, "evaluations", counts),
        "seconds": _seconds_per_seed(comparison),
    }


def _curves(comparison: SearchComparison, measure: Measure) -> dict[str, Any]:
    summaries = [
        SearchSummary(label, False, curves, 0, None, None)
        for label, curves in comparison.curves.items()
    ]
    threshold = told_threshold(comparison.rows)
    value = comparison.rows.filter(pl.col("threshold") == threshold)["threshold_value"][0]
    best, value = measure.real(comparison.best), measure.real(value)
    return search_chart(summaries, best, value, 1.96, ("95 % from", "to"), measure)


def _seconds_per_seed(comparison: SearchComparison) -> dict[int, float | None]:
    took = comparison.rows.select("position", pl.col("seconds") / comparison.seeds)
    return dict(took.iter_rows())


def _is_lowest(column: str, over: str) -> pl.Expr:
    lowest = pl.col(column).min().over(over)
    return (pl.col(column) == lowest).alias(f"{column}_is_lowest")
