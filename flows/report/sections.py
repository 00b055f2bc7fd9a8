"""The page's sections: what each shows, in their order. How is for their templates to say."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from cole_core.statistics import kendall_tau
from flows.report.charts import (
    map_chart,
    map_domain,
    prediction_charts,
    search_chart,
    search_domain,
    tau_chart,
    weights_chart,
)
from flows.report.comparisons import compared_predictors
from flows.report.data import ReportData
from flows.report.fronts import shown_front
from flows.report.rows import Record, TableRow, records, spread
from flows.report.search_comparisons import compared_searches
from flows.report.summaries import SearchSummary, told_after

Content = Mapping[str, Any]


class Section(NamedTuple):
    """A section of the page.

    Attributes:
        name: Its anchor, and its template is templates/<name>.html.jinja.
        title: Its heading.
        content: What its template shows besides the report's data; None where nothing is stored,
            and the template says which command makes it.
    """

    name: str
    title: str
    content: Content | None


def sections(
    data: ReportData, summaries: Sequence[SearchSummary], taus: pl.DataFrame | None
) -> list[Section]:
    """All sections.

    Args:
        data: What the report shows.
        summaries: Of its searches.
        taus: Summary of its trials.
    """
    predictors = [compared_predictors(each) for each in data.comparisons]
    searches = [compared_searches(each, data.measure) for each in data.search_comparisons]
    fronts = [shown_front(each) for each in data.fronts]
    return [
        Section("search", "Search", _search(data, summaries)),
        *([Section("fronts", "Several objectives", {"fronts": fronts})] if fronts else []),
        Section("search-comparisons", "Searches compared", _unless_empty(compared=searches)),
        Section("predictions", "Predicted against measured", _predictions(data)),
        Section("training-size", "Kendall tau by training size", _training_size(taus)),
        Section("comparisons", "Predictors compared", _unless_empty(compared=predictors)),
        Section("map", "Embedding map", _map(data)),
        Section("best", "Best architectures", _unless_empty(cells=data.best)),
        Section("provenance", "What was run", _provenance(data)),
    ]


def _unless_empty(**parts: Any) -> Content | None:
    return parts if any(parts.values()) else None


def _search(data: ReportData, summaries: Sequence[SearchSummary]) -> Content | None:
    """Summaries, charts, the low end of their vertical axis, and after how many evaluations the
    distance from the best (as it is in summaries) is told."""
    if not summaries:
        return None
    low, _ = search_domain(summaries, data.best_known)
    measure = data.measure
    chart = search_chart(
        summaries, data.best_known, data.threshold, measure=measure, arrival=data.arrival
    )
    return {
        "summaries": summaries,
        "charts": [chart],
        "low": measure.real(low),
        "after": told_after(summaries),
        "transfer": _transfer(data.transfers),
    }


def _transfer(weights: pl.DataFrame | None) -> Content | None:
    """Chart, and first and last weight of each old task; None where nothing was transferred."""
    if weights is None or weights.is_empty():
        return None
    ends = weights.group_by("task", maintain_order=True).agg(
        first=pl.col("weight").first(), last=pl.col("weight").last()
    )
    return {"charts": [weights_chart(weights)], "tasks": ends.to_dicts()}


def _predictions(data: ReportData) -> Content | None:
    """Charts, Kendall tau, and how many architectures there are and how many of them shown."""
    predictions = data.predictions
    if predictions is None or predictions.frame.is_empty():
        return None
    frame = predictions.frame
    return {
        "charts": prediction_charts(predictions, data.sample, data.measure),
        "kendall_tau": kendall_tau(frame["true"].to_numpy(), frame["predicted"].to_numpy()),
        "architectures": frame.height,
        "shown": min(frame.height, data.sample),
    }


def _training_size(taus: pl.DataFrame | None) -> Content | None:
    """Charts, sizes, rows by series and head, and whether any head collapsed."""
    if taus is None:
        return None
    sizes = sorted(taus["n"].unique().to_list())
    marked = taus.with_columns(is_highest=pl.col("mean") == pl.col("mean").max().over("n"))
    rows = spread(marked, ["series", "head"], "n", sizes)
    return {
        "charts": [tau_chart(taus)],
        "sizes": sizes,
        "rows": [{"key": row.key, "cells": row.cells, "draws": _draws(row)} for row in rows],
        "any_collapsed": taus["mean"].has_nulls(),
    }


def _draws(row: TableRow) -> list[int]:
    """Draws of the training set: the fewest and the most of a row, or one number for all."""
    counts = {cell["draws"] for cell in row.cells if cell is not None}
    return sorted({min(counts), max(counts)})


def _map(data: ReportData) -> Content | None:
    """Charts, the low end of their colours, and how many architectures there are and shown."""
    if data.map is None or data.map.frame.is_empty():
        return None
    frame = data.map.frame
    return {
        "charts": [map_chart(data.map, data.sample, data.measure)],
        "low": map_domain(frame, data.measure)[0],
        "architectures": frame.height,
        "shown": min(frame.height, data.sample),
    }


def _provenance(data: ReportData) -> Content | None:
    """Sources, specifications, runs (with their seconds and words) and versions."""
    return _unless_empty(
        sources=records(data.sources),
        specifications=data.specifications,
        runs=[_run(row) for row in records(data.runs)],
        versions=data.versions,
    )


def _run(row: Record) -> dict[str, Any]:
    started, ended = row["started_at"], row["ended_at"]
    took = None if ended is None else (ended - started).total_seconds()
    return {**row, "seconds": took, "words": summary_words(row["summary"] or "")}


def summary_words(summary: str) -> str:
    """A flow's summary in words: the plain values of a JSON object, other text as it is."""
    try:
        values = json.loads(summary)
    except ValueError:
        return summary
    if not isinstance(values, dict):
        return summary
    return " · ".join(
        f"{name.replace('_', ' ')} {value:,}"
        if isinstance(value, int | float)
        else f"{name} {value}"
        for name, value in values.items()
        if isinstance(value, int | float | str)
    )
