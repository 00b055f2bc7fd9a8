"""The section on comparisons of predictors: for each a sentence, a chart and a table."""

from typing import Any

import polars as pl

from flows.report.charts import tau_chart
from flows.report.data import Comparison
from flows.report.rows import spread

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


def compared_predictors(comparison: Comparison) -> dict[str, Any]:
    """What comparisons.html.jinja shows of a comparison.

    Returns:
        comparison, title, why (None where there is nothing to say), charts, sizes, and rows by
        position and label, whose cells have is_highest as well.
    """
    rows = comparison.rows.sort("position").with_columns(
        is_highest=pl.col("kendall_tau") == pl.col("kendall_tau").max().over("n")
    )
    sizes = sorted(rows["n"].unique().to_list())
    deviation = pl.col("kendall_tau_std").fill_null(0)
    charted = comparison.rows.select(
        "n",
        series="label",
        head=pl.lit(""),
        draws="trials",
        mean="kendall_tau",
        error="kendall_tau_std",
        low=pl.col("kendall_tau") - deviation,
        high=pl.col("kendall_tau") + deviation,
    )
    return {
        "comparison": comparison,
        "title": _TITLES.get(comparison.experiment, "Comparison"),
        "why": _WHY.get(comparison.experiment),
        "charts": [tau_chart(charted, "configuration", "± standard deviation")],
        "sizes": sizes,
        "rows": spread(rows, ["position", "label"], "n", sizes),
    }
