"""The page: sections of HTML around the charts, everything inside one file."""

import functools
import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources

import polars as pl
import vl_convert

from cole_core.statistics import CurveCrossing, EvaluationsToReach, kendall_tau
from flows.report.cells import highlight_code
from flows.report.charts import (
    map_chart,
    map_domain,
    prediction_charts,
    search_chart,
    search_domain,
    tau_chart,
)
from flows.report.comparisons import comparisons_section
from flows.report.data import BestCell, ReportData
from flows.report.markup import figure, missing, table
from flows.report.search_comparisons import search_comparisons_section
from flows.report.summaries import SearchSummary, summarize_searches, summarize_trials
from flows.search_table import told_threshold

# The browser itself holds the page to its word: nothing is fetched, from anywhere.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data:"
)


def render_report(data: ReportData) -> str:
    """The report as one HTML file that needs no network.

    Args:
        data: What to show; sections without data say which command makes them.

    Returns:
        The HTML text, to be written as UTF-8.
    """
    searches, trials = data.searches, data.trials
    summaries = (
        []
        if searches is None or searches.is_empty()
        else summarize_searches(searches, data.threshold)
    )
    taus = None if trials is None or trials.is_empty() else summarize_trials(trials)
    sections = [
        ("search", "Search", _search(data, summaries)),
        ("search-comparisons", "Searches compared", search_comparisons_section(data)),
        ("predictions", "Predicted against measured", _predictions(data)),
        ("training-size", "Kendall tau by training size", _taus(data, taus)),
        ("comparisons", "Predictors compared", comparisons_section(data)),
        ("map", "Embedding map", _map(data)),
        ("best", "Best architectures", _best(data)),
        ("provenance", "What was run", _provenance(data)),
    ]
    body = "".join(
        f'<section id="{name}"><h2>{title}</h2>{content}</section>'
        for name, title, content in sections
    )
    links = "".join(f'<a href="#{name}">{title}</a>' for name, title, _ in sections)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(data.space_label)}: {escape(data.target_label)}</title>"
        f"<style>{_resource('style.css')}</style></head><body>"
        f'<header><p class="eyebrow">COLE warehouse</p><h1>{escape(data.space_label)}</h1>'
        f'<p class="lead">{escape(data.target_label)}, from {escape(data.target.source)}</p>'
        f"{_findings(data, summaries, taus)}{_counts(data.counts)}<nav>{links}</nav></header>"
        f"<main>{body}</main>"
        f"<footer>Made {data.created_at:%Y-%m-%d %H:%M} by <code>cole report "
        f"{escape(data.space)}</code>. This file holds all it shows and fetches nothing.</footer>"
        f"<script>{_vega()}</script><script>{_resource('charts.js')}</script></body></html>"
    )


def _findings(
    data: ReportData, summaries: Sequence[SearchSummary], taus: pl.DataFrame | None
) -> str:
    tiles = []
    if data.best:
        best = data.best[0]
        note = best.found_by or "of the measured architectures"
        tiles.append(_tile("Best architecture", f"{best.value:.2f}", "%", note))
    tiles += _arrival_tile(data, summaries)
    ranked = None if taus is None else taus.drop_nulls("mean")
    if ranked is not None and not ranked.is_empty():
        row = ranked.sort("n", "mean", descending=True).row(0, named=True)
        note = f"{row['head']} on {row['series']}, trained on {row['n']:,} architectures"
        tiles.append(_tile("Kendall tau, held out", f"{row['mean']:.3f}", "", note))
    return f'<dl class="findings">{"".join(tiles)}</dl>' if tiles else ""


def _arrival_tile(data: ReportData, summaries: Sequence[SearchSummary]) -> list[str]:
    """How soon a search is near the best: by the first comparison, else by the fastest search."""
    if data.search_comparisons:
        rows = data.search_comparisons[0].rows
        told = rows.filter(pl.col("threshold") == told_threshold(rows)).sort("evaluations")
        best = told.row(0, named=True)
        reference = told.filter(pl.col("position") == 0).row(0, named=True)
        mean, note = best["evaluations"], best["label"]
        is_bound = best["censored"] > 0
        name = f"Evaluations to {best['threshold_value']:.2f} %, {best['threshold']} of the best"
        if best["position"] != 0:
            bound = _lower_bound(reference["censored"] > 0)
            note += f"; {reference['label']} {bound}{reference['evaluations']:.0f}"
    else:
        fastest = next((s for s in summaries if s.arrival and not s.is_baseline), None)
        if fastest is None or fastest.arrival is None:
            return []
        mean, note = fastest.arrival.mean, fastest.label
        is_bound = fastest.arrival.mean_is_lower_bound
        name = f"Evaluations to within {_percent(data.margin)} of the best"
        baseline = next((s.arrival for s in summaries if s.arrival and s.is_baseline), None)
        if baseline is not None:
            bound = _lower_bound(baseline.mean_is_lower_bound)
            note += f"; random search {bound}{baseline.mean:.0f}"
    return [_tile(name, f"{_lower_bound(is_bound)}{mean:.0f}", "mean per seed", note)]


def _tile(name: str, figure: str, unit: str, note: str) -> str:
    return (
        f'<div class="finding"><dt>{escape(name)}</dt><dd class="figure">{escape(figure)} '
        f'<small>{escape(unit)}</small></dd><dd class="note">{escape(note)}</dd></div>'
    )


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"


def _lower_bound(is_bound: bool) -> str:
    return "≥ " if is_bound else ""


def _counts(counts: Mapping[str, int]) -> str:
    items = "".join(f"<li><b>{count:,}</b> {escape(name)}</li>" for name, count in counts.items())
    return f'<ul class="counts">{items}</ul>' if items else ""


def _search(data: ReportData, summaries: Sequence[SearchSummary]) -> str:
    space, dataset = data.space, data.target.dataset
    if not summaries:
        return missing(
            "No searches of this target are stored.",
            f"cole search {space} --algorithm bananas --dataset {dataset}",
            f"cole search {space} --algorithm random_search --dataset {dataset}",
        )
    low, _ = search_domain(summaries, data.best_known)
    seeds = {len(summary.curves) for summary in summaries}
    band = "The band is one standard error of the mean. " if max(seeds) > 1 else ""
    caption = (
        f"The best so far of each search, mean over seeds. {band}"
        f"The vertical axis begins at {low:g} %, below which the first evaluations lie. "
        "Click a name to single it out."
    )
    return (
        "<p>How many architectures must be evaluated before a good one is found. Every search "
        "reads the value of what it evaluates and nothing else.</p>"
        + figure([search_chart(summaries, data.best_known, data.threshold)], caption, "search")
        + _search_table(data, summaries)
    )


def _search_table(data: ReportData, summaries: Sequence[SearchSummary]) -> str:
    rows = []
    for summary in summaries:
        seeds, budget = summary.curves.shape
        size = f"{seeds} × {budget}"
        if summary.unfinished:
            size += f"<br><small>{summary.unfinished} unfinished left out</small>"
        final = f"{summary.mean[-1]:.2f}"
        if seeds > 1:
            final += f" <small>± {summary.standard_error[-1]:.2f}</small>"
        row = [escape(summary.label), size, final]
        if summary.arrival and summary.crossing:
            row += _arrival_cells(summary.arrival, summary.crossing)
        rows.append(row)
    head = ["search", "seeds × evaluations", "best found (%)"]
    caption = "Means over seeds, ± one standard error."
    if data.threshold is not None:
        head += ["evaluations per seed", "95 % interval", "median", "mean curve crosses at"]
        caption = (
            f"Evaluations until the best so far is at {data.threshold:.2f} %, "
            f"{_percent(1 - data.margin)} of the space's best. {caption} The interval is of the "
            "mean, bootstrapped over seeds. ≥ where some seeds never got there: they count with "
            "all their evaluations."
        )
    return table(head, rows, caption, numbers=range(1, len(head)))


def _arrival_cells(arrival: EvaluationsToReach, crossing: CurveCrossing) -> list[str]:
    several = len(arrival.counts) > 1
    mean, interval = f"{arrival.mean:.1f}", "–"
    if any(arrival.censored):
        arrived = len(arrival.censored) - sum(arrival.censored)
        mean = f"≥ {mean}<br><small>{arrived} of {len(arrival.censored)} got there</small>"
    elif several:
        mean += f" <small>± {arrival.standard_error:.1f}</small>"
        interval = f"{arrival.interval[0]:.1f} to {arrival.interval[1]:.1f}"
    median = "not reached" if arrival.median is None else f"{arrival.median:g}"
    crosses = "not reached" if crossing.evaluation is None else str(crossing.evaluation)
    # Where resampled curves stay below the threshold, the spread is only a lower bound.
    if several and crossing.evaluation is not None and crossing.resamples_below == 0:
        crosses += f" <small>± {crossing.standard_error:.1f}</small>"
    return [mean, interval, median, crosses]


def _predictions(data: ReportData) -> str:
    predictions = data.predictions
    if predictions is None or predictions.frame.is_empty():
        return missing(
            "No head with held-out predictions is stored.",
            f"cole train {data.space} --encoding code.expression --dataset {data.target.dataset}",
        )
    frame = predictions.frame
    tau = kendall_tau(frame["true"].to_numpy(), frame["predicted"].to_numpy())
    shown = min(frame.height, data.sample)
    sampled = "" if shown == frame.height else f" {shown:,} of them are drawn."
    caption = (
        f"{escape(predictions.label)}, trained on {predictions.n_train:,} architectures, against "
        f"the {frame.height:,} it was not trained on: Kendall tau {tau:.3f}.{sampled} Left the "
        "values, right their ranks (100 is the best), which are all that Kendall tau and a "
        "search go by. On the dashed line a prediction is exact."
    )
    return "<p>What a head says of architectures whose accuracy it has never seen.</p>" + figure(
        prediction_charts(predictions, data.sample), caption, "predictions"
    )


def _taus(data: ReportData, taus: pl.DataFrame | None) -> str:
    if taus is None:
        return missing(
            "No trained heads of this target are stored.",
            f"cole train {data.space} --encoding code.expression "
            f"--dataset {data.target.dataset} -n 55",
        )
    return (
        "<p>How well a head ranks held-out architectures, by the number it was trained on. "
        "Kendall tau is 1 for the same order, 0 for no relation.</p>"
        + figure(
            [tau_chart(taus)],
            "Mean over draws of the training set, with one standard error. "
            "Click a name to single it out.",
            "taus",
        )
        + _tau_table(taus)
    )


def _tau_table(taus: pl.DataFrame) -> str:
    sizes = sorted(taus["n"].unique().to_list())
    highest = dict(taus.group_by("n").agg(pl.col("mean").max()).iter_rows())
    rows = []
    for (series, head), group in taus.group_by("series", "head", maintain_order=True):
        by_size = {row["n"]: row for row in group.iter_rows(named=True)}
        cells = []
        for size in sizes:
            row = by_size.get(size)
            if row is None:
                cells.append("–")
                continue
            if row["mean"] is None:
                cells.append("collapsed")
                continue
            text = f"{row['mean']:.3f}"
            text = f"<strong>{text}</strong>" if row["mean"] == highest[size] else text
            error = "" if row["error"] is None else f" <small>± {row['error']:.3f}</small>"
            cells.append(text + error)
        draws = sorted({row["draws"] for row in by_size.values()})
        spread = f"{draws[0]}" if len(draws) == 1 else f"{draws[0]} to {draws[-1]}"
        rows.append([escape(str(series)), escape(str(head)), spread, *cells])
    head_row = ["encoding", "head", "draws", *(f"n = {size:,}" for size in sizes)]
    caption = "Kendall tau, mean ± standard error over draws; the highest of each size in bold."
    if taus["mean"].has_nulls():
        caption += " A collapsed head predicted one value for all in at least one draw."
    return table(head_row, rows, caption, numbers=range(2, len(head_row)))


def _map(data: ReportData) -> str:
    if data.map is None or data.map.frame.is_empty():
        return missing(
            "No embeddings are stored.",
            f"cole embed {data.space} --encoding code.expression --lm minilm",
        )
    frame = data.map.frame
    shown = min(frame.height, data.sample)
    sampled = (
        f"All {frame.height:,} architectures."
        if shown == frame.height
        else f"{shown:,} of {frame.height:,} architectures: the 50 best, the others at random."
    )
    low, _ = map_domain(frame)
    caption = (
        f"{escape(data.map.label)}. {sampled} Colour: {escape(data.target_label)}; all below "
        f"{low:.1f} %, a tenth of them, have the darkest colour, those not measured are grey. "
        "Drag to move, Shift and wheel to zoom, double-click to reset."
    )
    return (
        "<p>The vectors that heads read, seen in the plane where they vary most. Neighbours "
        "that share a colour are what makes accuracies predictable from few examples.</p>"
        + figure([map_chart(data.map, data.sample)], caption, "map", renderer="canvas")
    )


def _best(data: ReportData) -> str:
    if not data.best:
        return missing(
            "No measured architectures are stored.", f"cole ingest {data.space} analog-nasbench"
        )
    cards = "".join(_card(rank, cell) for rank, cell in enumerate(data.best, start=1))
    return (
        f"<p>The highest {escape(data.target_label)}, with the text that a language model "
        f'reads.</p><div class="cells">{cards}</div>'
    )


def _card(rank: int, cell: BestCell) -> str:
    about = []
    if cell.predicted is not None:
        about.append(f"predicted {cell.predicted:.2f} %")
    if cell.parameters is not None:
        about.append(f"{cell.parameters / 1e6:.3f} M parameters")
    if cell.found_by:
        about.append(cell.found_by)
    return (
        f'<article{"" if cell.picture else " class=plain"}><header><span class="rank">{rank}</span>'
        f'<span class="value">{cell.value:.2f} %</span>'
        f'<span class="about">{escape(" · ".join(about))}</span></header>'
        f'<p class="mono">{escape(cell.native)}</p>{cell.picture or ""}'
        f'<pre title="{escape(cell.encoding)}"><code>{highlight_code(cell.code)}</code></pre>'
        "</article>"
    )


def _provenance(data: ReportData) -> str:
    parts = []
    if data.sources is not None and not data.sources.is_empty():
        parts.append(_sources_table(data.sources))
    if data.specifications:
        rows = [
            [
                f"<code>{escape(item.spec_id)}</code>",
                escape(item.language_model),
                escape(" · ".join(f"{name} {value}" for name, value in item.details.items())),
                f"{item.vectors:,}",
                f"{item.truncated:,}",
            ]
            for item in data.specifications
        ]
        head = ["specification", "language model", "details", "vectors", "cut texts"]
        parts.append(table(head, rows, "Embedding specifications.", numbers=(3, 4)))
    if data.runs is not None and not data.runs.is_empty():
        parts.append(_runs_table(data.runs))
    if data.versions:
        items = " · ".join(
            f"{escape(package)} <b>{escape(version)}</b>"
            for package, version in data.versions.items()
        )
        parts.append(f"<p>{items}</p>")
    if not parts:
        return missing("Nothing was run yet.", f"cole run {data.space}")
    return "".join(parts)


def _sources_table(sources: pl.DataFrame) -> str:
    rows = [
        [
            escape(row["source"]),
            escape(row["dataset"]),
            escape(row["metric"]),
            escape(row["split"]),
            "unknown" if row["epochs"] is None else str(row["epochs"]),
            f"{row['evaluations']:,}",
        ]
        for row in sources.iter_rows(named=True)
    ]
    head = ["source", "data set", "metric", "split", "epochs", "evaluations"]
    return table(head, rows, "Measured accuracies.", numbers=(4, 5))


def _runs_table(runs: pl.DataFrame) -> str:
    rows = []
    for row in runs.iter_rows(named=True):
        started, ended = row["started_at"], row["ended_at"]
        took = "did not end" if ended is None else f"{(ended - started).total_seconds():,.1f} s"
        rows.append(
            [
                escape(row["flow"]),
                f"<code>{escape(row['run_id'])}</code>",
                f"{started:%Y-%m-%d %H:%M:%S}",
                took,
                escape(_summary_words(row["summary"] or "")),
            ]
        )
    head = ["flow", "flow run", "started", "took", "did"]
    listed = table(head, rows, "", numbers=(3,))
    return f"<details><summary>{len(rows)} flow runs, newest first</summary>{listed}</details>"


def _summary_words(summary: str) -> str:
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


def _resource(name: str) -> str:
    return resources.files("flows.report").joinpath(name).read_text("utf-8")


@functools.cache
def _vega() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, which begins by defining `vegaEmbed`."""
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return re.sub("</(script)", r"<\\/\1", bundle, flags=re.IGNORECASE)
