"""The few numbers at the top of the page."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cole_core.experiments.search_table import told_threshold
from flows.report.data import ReportData, SearchComparison
from flows.report.filters import fixed, grouped, percent
from flows.report.measure import Measure
from flows.report.summaries import SearchSummary


@dataclass(frozen=True)
class Finding:
    """A number and what it is of.

    Attributes:
        name: What it is.
        figure: The number.
        note: Where it comes from.
        unit: Its unit, if it has one.
    """

    name: str
    figure: str
    note: str
    unit: str = ""


def findings(
    data: ReportData, summaries: Sequence[SearchSummary], taus: pl.DataFrame | None
) -> list[Finding]:
    """The best architecture, how soon a search is near it, and how well a head ranks."""
    found = []
    if data.best:
        best = data.best[0]
        note = best.found_by or "of the measured architectures"
        found.append(
            Finding("Best architecture", fixed(best.value, 2), note, data.measure.unit or "")
        )
    if data.search_comparisons:
        found.append(_compared_arrival(data.search_comparisons[0], data.measure))
    elif arrival := _fastest_arrival(data, summaries):
        found.append(arrival)
    ranked = None if taus is None else taus.drop_nulls("mean")
    if ranked is not None and not ranked.is_empty():
        row = ranked.sort("n", "mean", descending=True).row(0, named=True)
        note = f"{row['head']} on {row['series']}, trained on {grouped(row['n'])} architectures"
        found.append(Finding("Kendall tau, held out", fixed(row["mean"], 3), note))
    return found


def _compared_arrival(comparison: SearchComparison, measure: Measure) -> Finding:
    rows = comparison.rows
    told = rows.filter(pl.col("threshold") == told_threshold(rows)).sort("evaluations")
    best = told.row(0, named=True)
    note = best["label"]
    if best["position"] != 0:
        reference = told.filter(pl.col("position") == 0).row(0, named=True)
        mean = _mean(reference["evaluations"], reference["censored"] > 0)
        note += f"; {reference['label']} {mean}"
    return Finding(
        f"Evaluations to {measure.shown(best['threshold_value'])}, {best['threshold']} of the best",
        _mean(best["evaluations"], best["censored"] > 0),
        note,
        "mean per seed",
    )


def _fastest_arrival(data: ReportData, summaries: Sequence[SearchSummary]) -> Finding | None:
    fastest = next((s for s in summaries if s.arrival and not s.is_baseline), None)
    if fastest is None or fastest.arrival is None:
        return None
    note = fastest.label
    baseline = next((s.arrival for s in summaries if s.arrival and s.is_baseline), None)
    if baseline is not None:
        note += f"; random search {_mean(baseline.mean, baseline.mean_is_lower_bound)}"
    return Finding(
        f"Evaluations to within {percent(data.margin)} of the best",
        _mean(fastest.arrival.mean, fastest.arrival.mean_is_lower_bound),
        note,
        "mean per seed",
    )


def _mean(evaluations: float, is_lower_bound: bool) -> str:
    return f"{'≥ ' if is_lower_bound else ''}{evaluations:.0f}"
