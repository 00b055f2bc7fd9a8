"""Charts of searches for ECharts. Their words are drawn, never read as HTML."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from flows.explorer.searching import believed
from flows.report.charts import BASELINE_COLOUR, COLOURS
from flows.report.data import Front

_GRID = {"left": 56, "right": 18, "top": 28, "bottom": 40}
_WORDS = {"color": "#8b93a1"}  # in light and dark
_SPLIT = {
    "splitLine": {"lineStyle": {"color": "#8b93a1", "opacity": 0.25}},
    "nameTextStyle": _WORDS,
    "axisLabel": _WORDS,
}
_EVALUATIONS = {"type": "value", "name": "evaluations", "nameLocation": "middle", "nameGap": 26}
_TOOLTIP = {"renderMode": "richText"}


def chart(rows: pl.DataFrame) -> dict[str, Any]:
    """Best so far of each seed by evaluations."""
    series = [
        {
            "type": "line",
            "step": "end",
            "showSymbol": False,
            "name": f"seed {seed}",
            "data": part.select("step", "best_so_far").rows(),
            "lineStyle": {"width": 1.5},
        }
        for (seed, _), part in rows.group_by("seed", "search_id", maintain_order=True)
    ]
    # The first evaluations are far below what the lines are about.
    late = rows.filter(pl.col("step") >= pl.col("step").max() // 20)["best_so_far"].to_list()
    ends = late or [0.0, 1.0]
    return {
        "animation": False,
        "grid": _GRID,
        "tooltip": _TOOLTIP | {"trigger": "axis"},
        "xAxis": _EVALUATIONS | _SPLIT,
        "yAxis": {
            "type": "value",
            **_SPLIT,
            "min": _tenth(min(ends), math.floor),
            "max": _tenth(max(ends), math.ceil),
        },
        "series": series,
    }


def _tenth(value: float, rounded: Callable[[float], int]) -> float:
    """The end of an axis, as its marks are written."""
    size = 10.0 ** (math.floor(math.log10(abs(value))) - 2) if value else 1.0
    return float(f"{rounded(value / size) * size:.6g}")


def beliefs_chart(rows: pl.DataFrame) -> dict[str, Any]:
    """What the surrogate believed against what came out."""
    known = believed(rows)
    both = pl.concat([known["predicted_mean"], known["value"]])
    # A surrogate's first beliefs are far away.
    low, high = (both.quantile(0.02), both.to_list()) if known.height else (0.0, [1.0])
    ends = [_tenth(low or 0.0, math.floor), _tenth(max(high), math.ceil)]
    axis = {"type": "value", "scale": True, "min": ends[0], "max": ends[1]} | _SPLIT
    about = {"name": "came out", "nameLocation": "middle", "nameGap": 26}
    return {
        "animation": False,
        "grid": _GRID,
        "xAxis": axis | about,
        "yAxis": axis | {"name": "believed"},
        "series": [
            {
                "type": "scatter",
                "symbolSize": 6,
                "itemStyle": {"opacity": 0.6},
                "data": known.select("value", "predicted_mean").rows(),
            },
            {
                "type": "line",
                "showSymbol": False,
                "lineStyle": {"type": "dashed", "width": 1, "color": "#8b93a1"},
                "data": [[ends[0], ends[0]], [ends[1], ends[1]]],
            },
        ],
    }


def front_chart(found: Front) -> dict[str, Any]:
    """The first objective against the second: all that was evaluated, and the front on top."""
    y, x, *rest = found.objectives
    best = found.points.filter("front").sort(x)
    series = [
        _points("evaluated", found.points.filter(~pl.col("front")), x, y, BASELINE_COLOUR),
        _points("on the front", best, x, y, COLOURS[1]),
    ]
    if not rest:  # a front of more objectives is no line in this plane
        line = {"type": "line", "showSymbol": False, "silent": True, "data": best[x, y].rows()}
        series.append(line | {"lineStyle": {"width": 1.5, "color": COLOURS[1]}})
    return {
        "animation": False,
        "grid": _GRID | {"top": 48},
        "legend": {"top": 0, "left": 0, "textStyle": _WORDS, "data": ["evaluated", "on the front"]},
        "tooltip": _TOOLTIP,
        "xAxis": _named(x, "middle") | {"nameGap": 26},
        "yAxis": _named(y, "end"),
        "series": series,
    }


def _named(name: str, place: str) -> dict[str, Any]:
    words = name.replace("_", " ")
    return {"type": "value", "scale": True, "name": words, "nameLocation": place} | _SPLIT


def _points(name: str, rows: pl.DataFrame, x: str, y: str, colour: str) -> dict[str, Any]:
    places: Sequence[dict[str, Any]] = [
        {"value": [across, up], "name": f"{native}, evaluation {step}"}
        for across, up, native, step in rows[x, y, "native", "step"].rows()
    ]
    shown = {"type": "scatter", "symbolSize": 8, "itemStyle": {"color": colour, "opacity": 0.8}}
    return shown | {"name": name, "data": places}


def weights_chart(weights: pl.DataFrame) -> dict[str, Any]:
    """How much each old task counted, by evaluations.

    Args:
        weights: Of `learned`.
    """
    series = [
        {
            "type": "line",
            "step": "end",
            "symbolSize": 4,
            "name": task,
            "data": rows["step", "weight"].rows(),
        }
        for (task,), rows in weights.group_by("task", maintain_order=True)
    ]
    return {
        "animation": False,
        "grid": _GRID | {"top": 56},
        "legend": {"type": "scroll", "top": 0, "left": 0, "textStyle": _WORDS},
        "tooltip": _TOOLTIP | {"trigger": "axis"},
        "xAxis": _EVALUATIONS | _SPLIT,
        "yAxis": {"type": "value", "min": 0, "name": "weight"} | _SPLIT,
        "series": series,
    }
