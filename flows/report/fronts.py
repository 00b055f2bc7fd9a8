"""Searches of several objectives: what they evaluated, and the front of it."""

import json
from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from cole_core.experiments.search_labels import describe_search, search_labels
from cole_core.hashing import hash_json
from cole_core.search.dominance import hypervolume, hypervolume_curve, nadir, nondominated
from flows.report.charts import BASELINE_COLOUR, COLOURS, Spec, finish, inline, series_colour
from flows.report.data import Front
from warehouse import Warehouse


def gather_fronts(
    warehouse: Warehouse, searches: pl.DataFrame, specifications: Mapping[str, Any]
) -> list[Front]:
    """The fronts of all searches with the same objectives.

    Args:
        warehouse: Holds their steps.
        searches: Rows of `Warehouse.searches_of`.
        specifications: Rows of the warehouse's specifications by spec_id.
    """
    together: dict[str, list[dict[str, Any]]] = {}
    for row in searches.iter_rows(named=True):
        row["configuration"] = json.loads(row["configuration"])
        ways = {each["name"]: each["direction"] for each in row["configuration"]["objectives"]}
        together.setdefault(json.dumps(ways), []).append(row)
    return [
        _front(warehouse, json.loads(ways), rows, specifications) for ways, rows in together.items()
    ]


def _front(
    warehouse: Warehouse,
    objectives: dict[str, str],
    rows: list[dict[str, Any]],
    specifications: Mapping[str, Any],
) -> Front:
    labels = _labels(rows, specifications)
    ids = [row["search_id"] for row in rows]
    about = pl.DataFrame({"search_id": ids, "label": labels, "seed": [row["seed"] for row in rows]})
    steps = warehouse.search_steps(ids)
    told = [json.loads(text) for text in steps["objectives"]]
    steps = steps.select("search_id", "step", "native").with_columns(
        pl.Series(name, [each[name] for each in told], dtype=pl.Float64) for name in objectives
    )
    points = about.join(steps, on="search_id").drop("search_id")
    values = points.select(list(objectives)).to_numpy() * _signs(objectives)
    reference = _reference(rows, objectives, nadir(values))
    return Front(objectives, points.with_columns(front=nondominated(values)), reference)


def _signs(objectives: Mapping[str, str]) -> np.ndarray:
    return np.array([-1.0 if way == "lower" else 1.0 for way in objectives.values()])


def _reference(
    rows: list[dict[str, Any]], objectives: Mapping[str, str], worst: np.ndarray
) -> tuple[float, ...]:
    """What the searches were told where they agree; else what their values tell."""
    told: dict[str, set[float | None]] = {name: set() for name in objectives}
    for row in rows:
        for each in row["configuration"]["objectives"]:
            told[each["name"]].add(each.get("reference"))
    reference = (worst * _signs(objectives)).tolist()
    for place, said in enumerate(told.values()):
        one = said.pop() if len(said) == 1 else None
        reference[place] = reference[place] if one is None else one
    return tuple(reference)


def _labels(rows: list[dict[str, Any]], specifications: Mapping[str, Any]) -> list[str]:
    described: dict[str, dict[str, Any]] = {}
    ids = []
    for row in rows:
        configuration = {k: v for k, v in row["configuration"].items() if k != "seed"}
        ids.append(hash_json(configuration))
        described[ids[-1]] = describe_search(configuration, specifications.get(row["spec_id"]))
    names = search_labels(list(described.values()), list(described), ("algorithm", "encoding"))
    label_of = dict(zip(described, names, strict=True))
    return [label_of[id_] for id_ in ids]


def shown_front(front: Front) -> dict[str, Any]:
    """What fronts.html.jinja shows of a front.

    Returns:
        title, names, charts (the front, hypervolume by evaluations), reference by name, rows of
        the front (best in the first objective first, each architecture once), evaluated.
    """
    names = list(front.objectives)
    first = front.objectives[names[0]]
    rows = front.points.filter("front").unique("native", keep="first", maintain_order=True)
    rows = rows.sort(names[0], descending=first == "higher")
    return {
        "title": " and ".join(f"{name} ({way})" for name, way in front.objectives.items()),
        "names": names,
        "charts": [_chart(front), _hypervolume_chart(front)],
        "reference": dict(zip(names, front.reference, strict=True)),
        "rows": rows.to_dicts(),
        "evaluated": front.points.height,
    }


def _chart(front: Front) -> Spec:
    """The first objective against the second: all that was evaluated, and the front."""
    y, x, *rest = front.objectives
    frame = front.points.select(
        pl.col(x).alias("x"),
        pl.col(y).alias("y"),
        pl.when("front").then(pl.lit("on the front")).otherwise(pl.lit("evaluated")).alias("kind"),
        "native",
        "label",
        "step",
    ).sort("kind")  # the front last, on top
    kinds = ["on the front", "evaluated"]
    base = alt.Chart(inline(frame)).encode(
        x=alt.X("x:Q", title=x.replace("_", " "), scale=alt.Scale(zero=False)),
        y=alt.Y("y:Q", title=y.replace("_", " "), scale=alt.Scale(zero=False)),
    )
    points = base.mark_circle(size=42, opacity=0.8).encode(
        color=alt.Color(
            "kind:N",
            title=None,
            scale=alt.Scale(domain=kinds, range=[COLOURS[1], BASELINE_COLOUR]),
            legend=alt.Legend(orient="top", symbolType="circle", symbolStrokeWidth=0),
        ),
        tooltip=[
            alt.Tooltip("native:N", title="architecture"),
            alt.Tooltip("y:Q", title=y, format=".4g"),
            alt.Tooltip("x:Q", title=x, format=".4g"),
            alt.Tooltip("label:N", title="search"),
            alt.Tooltip("step:Q", title="evaluation"),
        ],
    )
    if rest:  # a front of more objectives is no line in this plane
        return finish(points, height=340)
    line = (
        base.transform_filter("datum.kind == 'on the front'")
        .mark_line(color=COLOURS[1], strokeWidth=1.5, interpolate="linear")
        .encode(order="x:Q")
    )
    return finish(alt.layer(line, points), height=340)


def hypervolumes(front: Front) -> pl.DataFrame:
    """How much each search had found after each evaluation.

    Returns:
        search, evaluation, mean over seeds as far as all of them are, low and high (the least and
        the most of a seed), seeds; in percent of the hypervolume of all that was evaluated.
    """
    names, signs = list(front.objectives), _signs(front.objectives)
    reference = signs * front.reference
    whole = hypervolume(front.points.select(names).to_numpy() * signs, reference)
    rows = []
    for (label,), points in front.points.group_by("label", maintain_order=True):
        curves = [
            hypervolume_curve(each.sort("step").select(names).to_numpy() * signs, reference)
            for _, each in points.group_by("seed", maintain_order=True)
        ]
        length = min(map(len, curves))
        share = 100 * np.stack([curve[:length] for curve in curves]) / (whole or 1.0)
        rows.append(
            pl.DataFrame(
                {
                    "search": label,
                    "evaluation": np.arange(1, length + 1),
                    "mean": share.mean(axis=0),
                    "low": share.min(axis=0),
                    "high": share.max(axis=0),
                    "seeds": len(curves),
                }
            )
        )
    return pl.concat(rows)


def _hypervolume_chart(front: Front) -> Spec:
    """Hypervolume so far against evaluations, a line for each search."""
    frame = hypervolumes(front)
    labels = frame["search"].unique(maintain_order=True).to_list()
    base = alt.Chart(inline(frame)).encode(
        x=alt.X("evaluation:Q", title="architectures evaluated", scale=alt.Scale(nice=False)),
        color=series_colour(labels, [False] * len(labels), "search"),
    )
    title = "hypervolume, % of all that was found"
    area = base.mark_area(opacity=0.18, interpolate="step-after").encode(
        y=alt.Y("low:Q", title=title), y2="high:Q"
    )
    line = base.mark_line(strokeWidth=2.25, interpolate="step-after").encode(
        y=alt.Y("mean:Q", title=title),
        tooltip=[
            alt.Tooltip("search:N"),
            alt.Tooltip("evaluation:Q", title="evaluations"),
            alt.Tooltip("mean:Q", title="mean over seeds, %", format=".1f"),
            alt.Tooltip("seeds:Q"),
        ],
    )
    return finish(alt.layer(area, line), height=280)
