"""The section on comparisons of searches: for each a sentence, a chart and tables."""

from html import escape
from typing import Any

import polars as pl

from cole_core.experiments.search_table import told_threshold
from flows.report.charts import search_chart
from flows.report.data import ReportData, SearchComparison
from flows.report.markup import figure, missing, table
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


def search_comparisons_section(data: ReportData) -> str:
    """The section; without comparisons, which command makes one."""
    if not data.search_comparisons:
        return missing(
            "No comparisons of searches for this target are stored.",
            f"cole compare search defaults --dataset {data.target.dataset}",
        )
    return (
        "<p>Searches over the same seeds: at each seed all begin with the same architectures, may "
        "evaluate the same ones and spend no evaluation on a canonical twin. What counts is how "
        "many evaluations a seed spends until its best so far is at a threshold, and at which "
        "evaluation the <em>mean</em> best-so-far curve over seeds crosses it. Changes and p are "
        "against the first row: p of a paired t-test over seeds, and of a paired bootstrap for the "
        "mean curve; win/tie/loss counts the seeds.</p>"
        + "".join(
            _comparison(each, f"search-comparison-{place}")
            for place, each in enumerate(data.search_comparisons)
        )
    )


def _comparison(comparison: SearchComparison, name: str) -> str:
    summaries = [
        SearchSummary(label, False, curves, 0, None, None)
        for label, curves in comparison.curves.items()
    ]
    threshold = told_threshold(comparison.rows)
    value = comparison.rows.filter(pl.col("threshold") == threshold)["threshold_value"][0]
    about = (
        f"{comparison.seeds} seeds × {comparison.budget} evaluations, "
        f"{comparison.architectures:,} architectures, the best {comparison.best:.2f} %. Mean best "
        "so far, with its 95 % interval over seeds. Click a name to single it out."
    )
    chart = search_chart(summaries, comparison.best, value, 1.96, ("95 % from", "to"))
    return (
        f"<h3>{escape(_TITLES.get(comparison.experiment, 'Comparison of searches'))}</h3>"
        + (f"<p>{_WHY[comparison.experiment]}</p>" if comparison.experiment in _WHY else "")
        + f"<p>{escape(comparison.finding)}</p>"
        + figure([chart], about, name)
        + _threshold_table(comparison.rows, "evaluations")
        + _threshold_table(comparison.rows, "crossing")
        + _regret_table(comparison)
    )


def _threshold_table(rows: pl.DataFrame, metric: str) -> str:
    """Configurations by thresholds; the lowest number of each threshold in bold."""
    thresholds = rows.select("threshold", "threshold_value").unique(maintain_order=True)
    lowest = dict(rows.group_by("threshold").agg(pl.col(metric).min()).iter_rows())
    cell = _evaluations if metric == "evaluations" else _crossing
    body = []
    for (_, label), group in rows.sort("position").group_by(
        "position", "label", maintain_order=True
    ):
        by_name = {row["threshold"]: row for row in group.iter_rows(named=True)}
        cells = [
            cell(by_name[name], by_name[name][metric] == lowest[name])
            for name in thresholds["threshold"]
        ]
        body.append([escape(str(label)), *cells])
    head = ["configuration"]
    head += [f"{name} ({value:.2f})" for name, value in thresholds.iter_rows()]
    caption = (
        "Evaluations per seed until there: mean ± standard error, 95 % interval of the mean "
        "(bootstrap) and median; a seed that never gets there counts with all its evaluations, "
        "which makes the mean a lower bound (≥)."
        if metric == "evaluations"
        else "Evaluation at which the mean best-so-far curve crosses, with its 95 % interval "
        "(bootstrap over seeds); ≥ where resampled curves stay below."
    )
    return table(head, body, caption, numbers=range(1, len(head)))


def _evaluations(row: dict[str, Any], is_lowest: bool) -> str:
    bound = "≥ " if row["censored"] else ""
    text = f"{bound}{row['evaluations']:.1f}"
    text = f"<strong>{text}</strong>" if is_lowest else text
    median = "–" if row["median"] is None else f"{row['median']:g}"
    parts = [
        f"{text} <small>± {row['standard_error']:.1f}</small>",
        f"<small>{row['low']:.0f} to {row['high']:.0f} · median {median}</small>",
    ]
    if row["censored"]:
        parts.append(f"<small>{row['censored']} never arrive</small>")
    if row["position"]:
        counts = f"{row['wins']}/{row['ties']}/{row['losses']}"
        parts.append(f"<small>{_change(row['change'], row['p_value'])} · {counts}</small>")
    return "<br>".join(parts)


def _crossing(row: dict[str, Any], is_lowest: bool) -> str:
    if row["crossing"] is None:
        text = "not reached"
    else:
        text = f"<strong>{row['crossing']}</strong>" if is_lowest else f"{row['crossing']}"
        bound = "≥ " if row["crossing_below"] else ""
        text += f"<br><small>{row['crossing_low']:.0f} to {bound}{row['crossing_high']:.0f}</small>"
    if row["position"] and row["crossing_below"] < 1:
        change = _change(row["crossing_change"], row["crossing_p_value"])
        text += f"<br><small>{change}</small>"
    return text


def _regret_table(comparison: SearchComparison) -> str:
    counts = sorted(comparison.regrets["evaluations"].unique().to_list())
    seconds = dict(comparison.rows.select("position", "seconds").iter_rows())
    lowest = dict(
        comparison.regrets.group_by("evaluations").agg(pl.col("regret").min()).iter_rows()
    )
    body = []
    for (position, label), group in comparison.regrets.sort("position").group_by(
        "position", "label", maintain_order=True
    ):
        cells = []
        for row in group.sort("evaluations").iter_rows(named=True):
            text = f"{'≤ ' if row['ended_early'] else ''}{row['regret']:.2f}"
            if row["regret"] == lowest[row["evaluations"]]:
                text = f"<strong>{text}</strong>"
            text += f" <small>± {row['standard_error']:.2f}</small>"
            if row["position"]:
                text += f"<br><small>{_p(row['p_value'])}</small>"
            cells.append(text)
        took = seconds[position]
        time = "–" if took is None else f"{took / comparison.seeds:,.1f} s"
        body.append([escape(str(label)), *cells, time])
    head = ["configuration", *(f"after {count:,}" for count in counts), "time per seed"]
    caption = (
        "Regret: the best minus the best so far, in points, mean ± standard error over seeds; ≤ "
        "where seeds ended before, at every threshold. The time is what a search took on one core."
    )
    return table(head, body, caption, numbers=range(1, len(head)))


def _change(change: object, p: object) -> str:
    share = f"{change:+.0%}, " if isinstance(change, float) else ""
    return f"{share}{_p(p)}"


def _p(p: object) -> str:
    return "p &lt; 0.001" if isinstance(p, float) and p < 0.001 else f"p {p:.3f}"
