"""The few numbers at the top of the page."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cole_core.experiments.search_table import told_threshold
from flows.report.data import ReportData, SearchComparison
from flows.report.filters import fixed, grouped
from flows.report.measure import Measure
from flows.report.summaries import SearchSummary, told_after


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
    found += search_findings(data, summaries)
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


def search_findings(data: ReportData, summaries: Sequence[SearchSummary]) -> list[Finding]:
    """How soon searches are among the best, and how far from the best they are before; each with
    what random search does."""
    arrived = [summary for summary in summaries if summary.arrival is not None]
    if data.threshold is None or data.best_known is None or not arrived:
        return []
    first = next((each for each in arrived if not each.is_baseline), None)
    if first is None:
        return []
    others = [first, *(each for each in arrived if each.is_baseline)]
    at = data.measure.shown(data.measure.real(data.threshold))
    better = "or less" if data.measure.sign < 0 else "or more"
    found = [
        Finding(
            f"Evaluations to {data.arrival}, {at} {better}",
            *_told([_arrival(each) for each in others], others),
            f"mean per seed, {count_of(first.seeds)}",
        )
    ]
    after = told_after(others)
    best = data.best_known
    regrets = [fixed(each.regret(best, after).mean, 2) for each in others]
    unit = "points" if data.measure.unit == "%" else data.measure.unit or ""
    return [
        *found,
        Finding(
            f"Distance from the best after {grouped(after)} evaluations",
            *_told(regrets, others),
            f"{unit}, mean of {count_of(first.seeds)}".removeprefix(", "),
        ),
    ]


def count_of(seeds: int) -> str:
    """5 seeds, 1 seed"""
    return f"{seeds} seed{'' if seeds == 1 else 's'}"


def _told(figures: Sequence[str], summaries: Sequence[SearchSummary]) -> tuple[str, str]:
    """The first one's figure; and whose it is, with those of the others."""
    said = [f"{each.label} {figure}" for each, figure in zip(summaries, figures, strict=True)]
    return figures[0], "; ".join([summaries[0].label, *said[1:]])


def _arrival(summary: SearchSummary) -> str:
    assert summary.arrival is not None
    return _mean(summary.arrival.mean, summary.arrival.mean_is_lower_bound)


def _mean(evaluations: float, is_lower_bound: bool) -> str:
    return f"{'≥ ' if is_lower_bound else ''}{evaluations:.0f}"
