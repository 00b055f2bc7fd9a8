"""Vega-Lite specifications of the report's charts, their data as compact CSV inside them.

Colours of axes and text are left to the page, which knows whether it is light or dark.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from flows.report.data import EmbeddingMap, Predictions
from flows.report.measure import Measure
from flows.report.summaries import SearchSummary, sample_rows

BASELINE_COLOUR = "#8b93a1"
COLOURS = (
    *("#3f7fe0", "#e2793a", "#27a37a", "#c0539f", "#b08a1e", "#7a63d6", "#2ba3bf", "#d1495b"),
    *("#7b8f2e", "#9c6b4f", "#5a78a8", "#b57fd0"),
)
PERCENT = Measure()
RAMP = ("#6a4bb0", "#3d7be0", "#1fa08c", "#85c744", "#f4c20d")  # seen on white and on black
Spec = dict[str, Any]

_CURVE_POINTS = 250  # more points on a curve than pixels to tell them apart only cost bytes


def search_chart(
    summaries: Sequence[SearchSummary],
    best_known: float | None,
    threshold: float | None,
    errors: float = 1.0,
    band: tuple[str, str] = ("− standard error", "+ standard error"),
    measure: Measure = PERCENT,
    arrival: str | None = None,
) -> Spec:
    """Mean best so far against evaluations, with a band, the best and the threshold.

    Args:
        summaries: A curve for each.
        best_known: The best value, where it is known.
        threshold: At which a search has arrived.
        errors: Half the width of the band in standard errors.
        band: What its ends are called.
        measure: How values are shown; what is given here is so that a higher one is better.
        arrival: What the threshold is called; by default the share of the best that it is.
    """
    budget = max(len(summary.mean) for summary in summaries)
    frame = _curves(summaries, errors * measure.sign).with_columns(
        measure.real(pl.col("mean", "low", "high"))
    )  # the ends of the band stay what they are called when the sign is turned
    low, high = sorted(measure.real(end) for end in search_domain(summaries, best_known))
    base = alt.Chart(inline(frame)).encode(
        x=alt.X(
            "evaluation:Q",
            title="architectures evaluated",
            scale=alt.Scale(domain=[0, budget], nice=False),
        )
    )
    y_scale = alt.Scale(domain=[low, high], nice=False)
    colour = series_colour(
        [s.label for s in summaries], [s.is_baseline for s in summaries], "search"
    )
    pick = alt.selection_point(fields=["search"], bind="legend")
    fade = alt.when(pick).then(alt.value(1)).otherwise(alt.value(0.12))
    area = base.mark_area(clip=True, opacity=0.18).encode(
        y=alt.Y("low:Q", title=measure.titled("best so far, mean over seeds"), scale=y_scale),
        y2="high:Q",
        color=colour,
        opacity=alt.when(pick).then(alt.value(0.18)).otherwise(alt.value(0.03)),
    )
    line = base.mark_line(clip=True, strokeWidth=2.25, interpolate="step-after").encode(
        y=alt.Y("mean:Q", scale=y_scale), color=colour, opacity=fade
    )
    # Wide invisible points, so that a tooltip needs no steady hand.
    points = base.mark_circle(clip=True, size=120, opacity=0).encode(
        y=alt.Y("mean:Q", scale=y_scale),
        tooltip=[
            alt.Tooltip("search:N"),
            alt.Tooltip("evaluation:Q", title="evaluations"),
            alt.Tooltip("mean:Q", title=measure.titled("best so far"), format=".2f"),
            alt.Tooltip("low:Q", title=band[0], format=".2f"),
            alt.Tooltip("high:Q", title=band[1], format=".2f"),
            alt.Tooltip("seeds:Q"),
        ],
    )
    layers: list[alt.Chart] = [area, line, points.add_params(pick)]
    if threshold is not None and best_known is not None:
        layers += _levels(
            measure.real(best_known), measure.real(threshold), y_scale, measure, arrival
        )
    return finish(alt.layer(*layers), height=340)


def _curves(summaries: Sequence[SearchSummary], errors: float) -> pl.DataFrame:
    """search, evaluation, mean, low, high, seeds at no more points than a screen shows."""
    budget = max(len(summary.mean) for summary in summaries)
    evaluations = np.unique(np.linspace(1, budget, min(budget, _CURVE_POINTS)).round().astype(int))
    return pl.concat(
        [
            pl.DataFrame(
                {
                    "search": summary.label,
                    "evaluation": (at := evaluations[evaluations <= len(summary.mean)]),
                    "mean": summary.mean[at - 1],
                    "low": (summary.mean - errors * summary.standard_error)[at - 1],
                    "high": (summary.mean + errors * summary.standard_error)[at - 1],
                    "seeds": len(summary.curves),
                }
            )
            for summary in summaries
        ]
    )


def _levels(
    best_known: float,
    threshold: float,
    y_scale: alt.Scale,
    measure: Measure,
    arrival: str | None,
) -> list[alt.Chart]:
    """Rules for the best and for the threshold, each with its name."""
    rules = pl.DataFrame(
        {
            "at": [best_known, threshold],
            "text": [
                f"best of the space, {measure.shown(best_known)}",
                (f"{arrival}, " if arrival else _share(threshold, best_known))
                + measure.shown(threshold),
            ],
        }
    )
    marks = alt.Chart(inline(rules)).encode(y=alt.Y("at:Q", scale=y_scale))
    return [
        marks.mark_rule(strokeDash=[5, 4], opacity=0.55, clip=True),
        # On the left, where the curves are far below.
        marks.mark_text(align="left", dy=-6, dx=6, opacity=0.85, fontSize=11.5).encode(
            x=alt.XDatum(0), text="text:N"
        ),
    ]


def _share(threshold: float, best_known: float) -> str:
    """What share of the best the threshold is; nothing of a best of 0."""
    return f"{threshold / best_known * 100:.3g} % of it, " if best_known else ""


def weights_chart(weights: pl.DataFrame) -> Spec:
    """How much each old task counted against evaluations.

    Args:
        weights: Of `transfer_weights`.
    """
    chart = alt.Chart(inline(weights)).mark_line(point=True, interpolate="step-after")
    return finish(
        chart.encode(
            x=alt.X("step:Q", title="architectures evaluated"),
            y=alt.Y("weight:Q", title="weight, mean over searches", scale=alt.Scale(domainMin=0)),
            color=alt.Color("task:N", title="old task"),
            tooltip=["task:N", "step:Q", alt.Tooltip("weight:Q", format=".2f"), "searches:Q"],
        ),
        height=220,
    )


def search_domain(
    summaries: Sequence[SearchSummary], best_known: float | None
) -> tuple[float, float]:
    """Range of the search chart's y axis, of values of which a higher one is better.

    The first evaluations are far below what the curves are about, so the axis begins where the
    lowest curve is after a twentieth of the evaluations.
    """
    early = min(summary.mean[len(summary.mean) // 20] for summary in summaries)
    last = max(float(summary.mean[-1]) for summary in summaries)
    top = last if best_known is None else max(last, best_known)
    room = max((top - early) * 0.06, 0.05)
    return float(np.floor((early - room) * 10) / 10), float(np.ceil((top + room) * 10) / 10)


def prediction_charts(
    predictions: Predictions, limit: int, measure: Measure = PERCENT
) -> tuple[Spec, Spec]:
    """Predicted against true values, and the same as ranks, which is what Kendall tau compares."""
    count = predictions.frame.height

    def percentile(column: str) -> pl.Expr:
        return (pl.col(column).rank() - 0.5) * (100 / count)

    frame = sample_rows(
        predictions.frame.select(
            "native",
            "true",
            "predicted",
            true_rank=percentile("true").round(2),
            predicted_rank=percentile("predicted").round(2),
        ),
        limit,
        by="true",
        lowest=measure.sign < 0,
    )
    measured = measure.titled("measured")
    predicted = measure.titled("predicted") if predictions.in_percent else "predicted (score)"
    tooltip = [
        alt.Tooltip("native:N", title="architecture"),
        alt.Tooltip("true:Q", title=measured, format=".2f"),
        alt.Tooltip(
            "predicted:Q",
            title=predicted,
            format=".2f",
        ),
    ]
    values: alt.Chart | alt.LayerChart | alt.FacetChart = _scatter(
        frame, ("true", measured), ("predicted", predicted), tooltip
    )
    if predictions.in_percent:
        both = [frame["true"].min(), frame["true"].max()]
        values = _diagonal(both) + values
    ranks = _diagonal([0, 100]) + _scatter(
        frame,
        ("true_rank", "measured, rank in percent"),
        ("predicted_rank", "predicted, rank in percent"),
        tooltip,
        domain=(0, 100),
    )
    return finish(values, height=330), finish(ranks, height=330)


def tau_chart(
    taus: pl.DataFrame, series_title: str = "encoding", error_title: str = "± standard error"
) -> Spec:
    """Kendall tau against training size: a colour for each series, a dash for each head."""
    frame = taus.drop_nulls("mean").with_columns(pl.col("error").fill_null(0))
    series = taus["series"].unique(maintain_order=True).to_list()
    sizes = sorted(taus["n"].unique().to_list())
    pick = alt.selection_point(fields=["series"], bind="legend")
    fade = alt.when(pick).then(alt.value(1)).otherwise(alt.value(0.12))
    base = alt.Chart(inline(frame)).encode(
        x=alt.X(
            "n:Q",
            title="architectures trained on (log scale)",
            scale=alt.Scale(type="log", nice=False, domain=_log_domain(sizes)),
            axis=alt.Axis(values=sizes, format=",d", grid=False),
        ),
        color=series_colour(series, [False] * len(series), "series", title=series_title),
        opacity=fade,
    )
    mean = alt.Y("mean:Q", title="Kendall tau, held out", scale=alt.Scale(zero=False))
    several = taus["head"].n_unique() > 1
    dash: Any = alt.Undefined
    if several:
        legend = alt.Legend(orient="top", symbolType="stroke", symbolStrokeWidth=2, symbolSize=300)
        dash = alt.StrokeDash("head:N", title="head", legend=legend)
    line = base.mark_line(strokeWidth=2.25).encode(y=mean, strokeDash=dash, detail="head:N")
    bars = base.mark_rule(strokeWidth=1.5).encode(
        y=alt.Y("low:Q", title="Kendall tau, held out"), y2="high:Q"
    )
    points = base.mark_circle(size=62).encode(
        y=mean,
        tooltip=[
            alt.Tooltip("series:N", title=series_title),
            alt.Tooltip("head:N"),
            alt.Tooltip("n:Q", title="trained on", format=",d"),
            alt.Tooltip("mean:Q", title="Kendall tau", format=".3f"),
            alt.Tooltip("error:Q", title=error_title, format=".3f"),
            alt.Tooltip("draws:Q"),
        ],
    )
    return finish(alt.layer(bars, line, points.add_params(pick)), height=340)


def map_chart(embedding_map: EmbeddingMap, limit: int, measure: Measure = PERCENT) -> Spec:
    """The embedding map, coloured by the measured value."""
    frame = sample_rows(
        embedding_map.frame.select("native", "x", "y", "value").with_columns(
            pl.col("x", "y").round_sig_figs(4)
        ),
        limit,
        by="value",
        lowest=measure.sign < 0,
    ).sort("value", descending=measure.sign < 0, nulls_last=False)  # the best last, on top
    ends = map_domain(frame, measure)
    chart = (
        alt.Chart(inline(frame))
        .mark_circle(size=26, opacity=0.85)
        .encode(
            x=_free_axis("x", embedding_map.axes[0]),
            y=_free_axis("y", embedding_map.axes[1]),
            color=alt.condition(
                "isValid(datum.value)",
                alt.Color(
                    "value:Q",
                    title=measure.titled("measured"),
                    scale=alt.Scale(range=list(RAMP), domain=list(ends), clamp=True),
                    legend=alt.Legend(gradientLength=200, format=".1f"),
                ),
                alt.value(BASELINE_COLOUR),
            ),
            tooltip=[
                alt.Tooltip("native:N", title="architecture"),
                alt.Tooltip("value:Q", title=measure.titled("measured"), format=".2f"),
            ],
        )
        .add_params(alt.selection_interval(bind="scales", zoom="wheel![event.shiftKey]"))
    )
    return finish(chart, height=460)


def map_domain(frame: pl.DataFrame, measure: Measure = PERCENT) -> tuple[float, float]:
    """Range of the map's colours: from the worst tenth, so that a few dead cells do not take the
    whole scale, to the best."""
    values = frame["value"].drop_nulls()
    if values.is_empty():
        return 0.0, 100.0
    low, high = np.quantile(measure.real(values.to_numpy()), [0.1, 1.0])
    return measure.real(float(low)), measure.real(float(high))


def inline(frame: pl.DataFrame) -> alt.InlineData:
    """A frame as CSV inside a chart."""
    types = {
        name: "number" if dtype.is_numeric() else "string" for name, dtype in frame.schema.items()
    }
    rounded = frame.with_columns(pl.selectors.float().round(4))
    return alt.InlineData(
        values=rounded.write_csv(), format=alt.CsvDataFormat(type="csv", parse=types)
    )


def series_colour(
    labels: Sequence[str], baseline: Sequence[bool], field: str, **more: Any
) -> alt.Color:
    colours = iter(COLOURS * (len(labels) // len(COLOURS) + 1))
    scale = [BASELINE_COLOUR if is_baseline else next(colours) for is_baseline in baseline]
    return alt.Color(
        f"{field}:N",
        sort=list(labels),
        scale=alt.Scale(domain=list(labels), range=scale),
        legend=alt.Legend(
            orient="top",
            columns=3 if max(map(len, labels)) < 32 else 2,
            labelLimit=420,
            symbolType="circle",
            symbolStrokeWidth=0,
        ),
        **({"title": None} | more),
    )


def _scatter(
    frame: pl.DataFrame,
    x: tuple[str, str],
    y: tuple[str, str],
    tooltip: list[alt.Tooltip],
    domain: tuple[float, float] | None = None,
) -> alt.Chart:
    scale = alt.Scale(domain=list(domain)) if domain else alt.Scale(zero=False)
    return (
        alt.Chart(inline(frame))
        .mark_circle(size=22, opacity=0.45, color=COLOURS[0])
        .encode(
            x=alt.X(f"{x[0]}:Q", title=x[1], scale=scale),
            y=alt.Y(f"{y[0]}:Q", title=y[1], scale=scale),
            tooltip=tooltip,
        )
    )


def _diagonal(ends: Sequence[Any]) -> alt.Chart:
    ends_frame = pl.DataFrame({"from": list(ends), "to": list(ends)})
    return (
        alt.Chart(inline(ends_frame))
        .mark_line(strokeDash=[5, 4], strokeWidth=1.25, color=BASELINE_COLOUR)
        .encode(x="from:Q", y="to:Q")
    )


def _free_axis(field: str, title: str) -> alt.X | alt.Y:
    channel = alt.X if field == "x" else alt.Y
    # Coordinates on a principal component have no unit: ticks would say nothing.
    return channel(
        f"{field}:Q",
        title=title,
        scale=alt.Scale(zero=False),
        axis=alt.Axis(labels=False, ticks=False, grid=False),
    )


def _log_domain(sizes: Sequence[int]) -> list[float]:
    return [sizes[0] * 0.85, sizes[-1] * 1.18]


def finish(chart: alt.Chart | alt.LayerChart | alt.FacetChart, height: int) -> Spec:
    """A chart as wide as the page."""
    finished: Spec = chart.properties(width="container", height=height).to_dict()
    return finished
