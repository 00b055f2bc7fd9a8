"""Ours beside published figures as a page of Markdown, and as a picture."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

import altair as alt
import jinja2
import polars as pl
import vl_convert

from cole_core.experiments.published.protocols import PublishedProtocol
from flows.report.charts import BASELINE_COLOUR, COLOURS
from flows.report.filters import FILTERS

OURS = "#d1495b"
_THEIRS = [colour for colour in COLOURS if colour != OURS]
_RANDOM = "random search"

Row = Mapping[str, Any]


def results_page(
    rows: Sequence[Row],
    protocols: Mapping[str, PublishedProtocol],
    missing: Mapping[str, str],
    command_of: Callable[[str | None], str],
    picture: str,
) -> str:
    """The page.

    Args:
        rows: As `cole_core.experiments.published.figures` gives them.
        protocols: By name.
        missing: Why a protocol was not run, by its name.
        command_of: The command that made the part on a protocol; of None all of it.
        picture: Name of the picture's file.

    Returns:
        Markdown.
    """
    parts = [
        {"protocol": protocols[name], "rows": list(own)}
        for name, own in groupby(rows, key=lambda row: row["protocol"])
    ]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("flows.report"),
        autoescape=False,  # Markdown, and its words are our own
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    page = environment.get_template("results.md.jinja")
    return page.render(parts=parts, missing=missing, command_of=command_of, picture=picture)


def results_picture(rows: Sequence[Row], protocols: Mapping[str, PublishedProtocol]) -> str:
    """A panel for each protocol, ours in red: an SVG that needs nothing else."""
    panels = [
        _panel(protocols[name], list(own))
        for name, own in groupby(rows, key=lambda row: row["protocol"])
    ]
    chart = (
        alt.concat(*panels, columns=2)
        .resolve_scale(color="independent")
        .configure(background="white", font="sans-serif")
        .configure_title(anchor="start", fontSize=13)
        .configure_legend(title=None, orient="bottom", columns=3, labelLimit=260)
    )
    return vl_convert.vegalite_to_svg(chart.to_dict())


def _panel(protocol: PublishedProtocol, rows: Sequence[Row]) -> alt.LayerChart | alt.FacetChart:
    points = [_point(row["label"], row["size"], row["ours"], row["deviation"]) for row in rows]
    points += [
        _point(work.name, size, value, None)
        for work in protocol.works
        for size, value in work.figures.items()
    ]
    frame = pl.DataFrame(points, infer_schema_length=None).drop_nulls("figure")
    series = frame["series"].unique(maintain_order=True).to_list()
    ours = {row["label"] for row in rows} - {_RANDOM}
    theirs = iter(_THEIRS)
    colours = [
        BASELINE_COLOUR if name == _RANDOM else OURS if name in ours else next(theirs)
        for name in series
    ]
    counted = "evaluations" if protocol.is_search else "labelled architectures"
    is_wide = max(protocol.sizes) >= 10 * min(protocol.sizes)
    scale: Any = {"type": "log"} if is_wide else {"zero": False}
    base = alt.Chart(alt.InlineData(values=frame.to_dicts())).encode(
        x=alt.X(
            "size:Q",
            title=counted,
            scale=alt.Scale(**scale, nice=False, padding=16),
            axis=alt.Axis(values=list(protocol.sizes), grid=False),
        ),
        color=alt.Color("series:N", sort=series, scale=alt.Scale(domain=series, range=colours)),
    )
    height = alt.Y("figure:Q", title=rows[0]["score"], scale=alt.Scale(zero=False))
    bars = base.mark_rule().encode(y=alt.Y("low:Q", scale=alt.Scale(zero=False)), y2="high:Q")
    line, dots = base.mark_line(), base.mark_circle(size=55, opacity=1)
    layers = alt.layer(bars, line.encode(y=height), dots.encode(y=height))
    return layers.properties(width=330, height=220, title=protocol.title)


def _point(series: str, size: int, figure: float | None, deviation: float | None) -> dict[str, Any]:
    spread = deviation or 0.0
    return {
        "series": series,
        "size": size,
        "figure": figure,
        "low": None if figure is None else figure - spread,
        "high": None if figure is None else figure + spread,
    }
