"""The section on comparisons of predictors: for each a sentence, a chart and a table."""

from html import escape

import polars as pl

from flows.report.charts import tau_chart
from flows.report.data import Comparison, ReportData
from flows.report.markup import figure, missing, table

_TITLES = {
    "primitives": "How the cell is written",
    "context": "What stands around the cell",
    "precision": "Precision of the language model",
    "pooling": "How token states become one vector",
    "pca": "Principal components",
    "loss": "Loss",
    "head": "Head",
    "language_models": "Language model",
    "onnx": "ONNX graph against code",
    "controls": "Controls: what is left without the language model",
}

_WHY = {
    "head": "Why the default head is the Gaussian process: it ranked best on CIFAR-10, where its "
    "kernel, its priors, the whitening over the whole space and the rank transform of the targets "
    "were chosen. On another dataset the table only tells what the choice is worth there."
}


def comparisons_section(data: ReportData) -> str:
    """The section; without comparisons, which command makes one."""
    if not data.comparisons:
        return missing(
            "No comparisons of this target are stored.",
            f"cole compare predictors primitives --dataset {data.target.dataset}",
        )
    return (
        "<p>Surrogates that differ in one thing, on the same splits: each is trained on n "
        "architectures of a training pool and ranks the whole fold that was held out. p is of "
        "the corrected paired t-test (Nadeau and Bengio) against the first row, and "
        "win/tie/loss counts the splits.</p>"
        + "".join(
            _comparison(each, f"comparison-{place}") for place, each in enumerate(data.comparisons)
        )
    )


def _comparison(comparison: Comparison, name: str) -> str:
    title = _TITLES.get(comparison.experiment, "Comparison")
    about = f"{comparison.architectures:,} architectures"
    if comparison.population == "canonical":
        about += ", one of each canonical form"
    about += f"; {comparison.repeats} × {comparison.folds} folds"
    rows = comparison.rows
    charted = rows.select(
        "n",
        series="label",
        head=pl.lit(""),
        draws="trials",
        mean="kendall_tau",
        error="kendall_tau_std",
        low=pl.col("kendall_tau") - pl.col("kendall_tau_std").fill_null(0),
        high=pl.col("kendall_tau") + pl.col("kendall_tau_std").fill_null(0),
    )
    return (
        f"<h3>{escape(title)}</h3>"
        + (f"<p>{_WHY[comparison.experiment]}</p>" if comparison.experiment in _WHY else "")
        + f"<p>{escape(comparison.finding)}</p>"
        + figure(
            [tau_chart(charted, "configuration", "± standard deviation")],
            f"{escape(about)}. Mean over splits, with one standard deviation. "
            "Click a name to single it out.",
            name,
        )
        + _table(rows)
    )


def _table(rows: pl.DataFrame) -> str:
    sizes = sorted(rows["n"].unique().to_list())
    highest = dict(rows.group_by("n").agg(pl.col("kendall_tau").max()).iter_rows())
    body = []
    for (_, label), group in rows.sort("position").group_by(
        "position", "label", maintain_order=True
    ):
        by_size = {row["n"]: row for row in group.iter_rows(named=True)}
        cells = [_tau(by_size.get(size), highest[size]) for size in sizes]
        last = by_size.get(sizes[-1])
        others = ["–"] * 3
        if last is not None:
            others = [
                _mean(last["spearman"], 3),
                _mean(last["mse"], 2),
                _mean(last["top_recall"], 3),
            ]
        body.append([escape(str(label)), *cells, *others])
    head = ["configuration", *(f"n = {size:,}" for size in sizes)]
    head += ["Spearman", "MSE", "best tenth"]
    caption = (
        "Kendall tau, mean ± standard deviation over splits, p and win/tie/loss against the first "
        f"row; the highest of each size in bold. The last three columns are for n = {sizes[-1]:,}: "
        "Spearman correlation, mean squared error (– where a loss ranks and has no unit), and how "
        "much of the best tenth is among the tenth predicted best."
    )
    return table(head, body, caption, numbers=range(1, len(head)))


def _tau(row: dict[str, object] | None, highest: float | None) -> str:
    if row is None:
        return "–"
    parts = []
    if row["kendall_tau"] is not None:
        text = f"{row['kendall_tau']:.3f}"
        text = f"<strong>{text}</strong>" if row["kendall_tau"] == highest else text
        std = row["kendall_tau_std"]
        parts.append(text + ("" if std is None else f" <small>± {std:.3f}</small>"))
    if row["collapsed"]:
        parts.append(f"<small>collapsed in {row['collapsed']} of {row['trials']}</small>")
    if row["position"]:
        p = "" if row["p_value"] is None else f"p {_p_value(row['p_value'])} · "
        parts.append(f"<small>{p}{row['wins']}/{row['ties']}/{row['losses']}</small>")
    return "<br>".join(parts)


def _p_value(p: object) -> str:
    return "&lt; 0.001" if isinstance(p, float) and p < 0.001 else f"{p:.3f}"


def _mean(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
