"""Searches as the explorer shows them: what each has come to, and step by step."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from cole_core.evaluation.target import Target
from cole_core.hashing import hash_json
from cole_core.spaces.base import SearchSpace
from warehouse import Warehouse

GROUPS = 200
"""That are offered, the latest ones."""

_GRID = {"left": 56, "right": 18, "top": 28, "bottom": 40}
_SPLIT = {"splitLine": {"lineStyle": {"color": "#8b93a1", "opacity": 0.25}}}  # in light and dark


@dataclass(frozen=True)
class Group:
    """Searches that differ in their seed alone.

    Attributes:
        key: Hash of what they share.
        label: In words.
        target: What they look for the best of.
        search_ids: Of each.
        seeds: Of each.
        steps: Evaluations of them all.
        best: The best value that one has found, as it was measured.
        compared: Whether a comparison ran them.
    """

    key: str
    label: str
    target: Target
    search_ids: tuple[str, ...]
    seeds: tuple[int, ...]
    steps: int
    best: float
    compared: bool


def groups(warehouse: Warehouse, space: SearchSpace) -> list[Group]:
    """The searches of a space, the latest first, those that comparisons ran last."""
    rows_of: dict[str, list[dict[str, Any]]] = {}
    for row in warehouse.read("searches_at_a_glance", space=space.name).iter_rows(named=True):
        shared = json.loads(row["configuration"])
        shared.pop("seed", None)
        rows_of.setdefault(hash_json(shared), []).append(row)
        if len(rows_of) > GROUPS:
            break
    return [_group(key, rows) for key, rows in rows_of.items()]


def _group(key: str, rows: list[dict[str, Any]]) -> Group:
    first, rows = rows[0], sorted(rows, key=lambda row: int(row["seed"]))
    direction = json.loads(first["configuration"]).get("direction", "higher")
    target = Target(**json.loads(first["target"]), direction=direction)
    reads = [each for each in (first["encoding"], first["language_model"]) if each != "none"]
    words = [first["algorithm"], *reads, f"{first['dataset']} {first['metric']}", key[:6]]
    better = min if target.direction == "lower" else max
    return Group(
        key=key,
        label=" · ".join(filter(None, words)),
        target=target,
        search_ids=tuple(row["search_id"] for row in rows),
        seeds=tuple(row["seed"] for row in rows),
        steps=sum(row["steps"] for row in rows),
        best=better(row["best"] for row in rows),
        compared=bool(first["compared"]),
    )


def steps(warehouse: Warehouse, group: Group) -> pl.DataFrame:
    """search_id, seed, step, native, architecture_id, value, best_so_far, predicted_mean,
    predicted_std, seconds, evaluated_at of every step of a group's searches."""
    return warehouse.read("steps_of_searches", search_ids=list(group.search_ids))


def believed(rows: pl.DataFrame) -> pl.DataFrame:
    """The steps of which the surrogate believed something: predicted_mean, predicted_std, value."""
    known = pl.col("predicted_mean").is_not_null() & pl.col("predicted_mean").is_finite()
    return rows.filter(known).select("seed", "step", "predicted_mean", "predicted_std", "value")


def chart(rows: pl.DataFrame) -> dict[str, Any]:
    """Best so far of each seed by evaluations, for ECharts; its words are drawn, never HTML."""
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
    early = rows.filter(pl.col("step") >= pl.col("step").max() // 20)["best_so_far"].to_list()
    ends = (*early, *rows["best_so_far"].to_list()) or (0.0, 1.0)
    return {
        "animation": False,
        "grid": _GRID,
        "tooltip": {"trigger": "axis", "renderMode": "richText"},
        "xAxis": {"type": "value", "name": "evaluations", "nameLocation": "middle", "nameGap": 26}
        | _SPLIT,
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
    """What the surrogate believed against what came out, for ECharts."""
    known = believed(rows)
    both = pl.concat([known["predicted_mean"], known["value"]])
    ends = [both.quantile(0.02), both.max()] if known.height else [0, 1]
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
