"""Searches of several objectives: what they evaluated, and the front of it."""

import json
from collections.abc import Mapping
from typing import Any

import altair as alt
import polars as pl

from cole_core.experiments.search_labels import describe_search, search_labels
from cole_core.hashing import hash_json
from cole_core.search.dominance import nondominated
from flows.report.charts import BASELINE_COLOUR, COLOURS, Spec, finish, inline
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
    signs = [-1 if way == "lower" else 1 for way in objectives.values()]
    on_front = nondominated(points.select(list(objectives)).to_numpy() * signs)
    return Front(objectives, points.with_columns(front=on_front))


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
        title, names, charts, rows of the front (best in the first objective first, each
        architecture once), evaluated.
    """
    names = list(front.objectives)
    first = front.objectives[names[0]]
    rows = front.points.filter("front").unique("native", keep="first", maintain_order=True)
    rows = rows.sort(names[0], descending=first == "higher")
    return {
        "title": " and ".join(f"{name} ({way})" for name, way in front.objectives.items()),
        "names": names,
        "charts": [_chart(front)],
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
