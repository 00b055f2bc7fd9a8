"""Nothing in a report's data runs: it makes no element, no attribute and ends no script."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from importlib import resources

import polars as pl
import pytest

from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.spaces.nasbench201.drawing import draw
from flows.report import BestCell, ReportData, render_report
from flows.report.trusted import picture
from tests.flows.report.sample_report import EMPTY, NATIVE, NOW, Page, full

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><b>",
    '"><img src=x onerror=alert(1)>',
    "a & b 'c' &amp; &lt;i&gt;",
    "<!--",
    "]]>",
    "{{ 7*7 }} {% raw %} {# #}",
    """<script>x</script> "q" 'q' </script> </style> </title> {{ 7*7 }} ]]> <!-- <a href=//x>""",
)


def everywhere(text: str) -> ReportData:
    """`full`, with the text for names of space and dataset and in a flow's summary as well."""
    data = full(text)
    assert data.runs is not None
    summary = json.dumps({text: 1, "report": text, "stages": [text]})
    return replace(
        data,
        space=text,
        target=replace(data.target, dataset=text, split=text),
        runs=data.runs.with_columns(summary=pl.Series([summary, text])),
    )


def nothing_but(text: str) -> ReportData:
    """A report without data: each section names a command."""
    return ReportData(text, Target(text, text, text, None, text), NOW)


def shape(page: Page) -> list[object]:
    """The elements with their attributes; what highlighting makes of tokens says nothing."""
    return [
        (tag, {name: value for name, value in attributes.items() if name != "title"})
        for tag, attributes in page.elements
        if not (tag == "span" and len(attributes.get("class") or "") < 3)
    ]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("make", [everywhere, nothing_but])
def test_data_makes_no_element_and_no_attribute_and_reads_as_it_was(
    make: Callable[[str], ReportData], text: str
) -> None:
    plain, hostile = Page(render_report(make("PLAIN"))), Page(render_report(make(text)))
    assert shape(hostile) == shape(plain)
    titles = [attributes.get("title") for tag, attributes in hostile.elements if tag == "pre"]
    assert titles == ([text] if make is everywhere else [])
    assert plain.words.count("PLAIN") > 10
    assert hostile.words == " ".join(plain.words.replace("PLAIN", text).split())


@pytest.mark.parametrize("text", HOSTILE)
def test_charts_hold_the_data_as_it_was_and_end_no_script(text: str) -> None:
    page = Page(render_report(everywhere(text)))
    assert len(page.specifications) == 7
    for attributes, content in page.scripts:
        if attributes:
            assert not set("<>&'") & set(content)
    (points_csv,) = page.specifications["map-0"]["datasets"].values()
    points = pl.read_csv(io.StringIO(points_csv))
    assert points["native"].to_list() == [
        f"{text} {index}" for index in points["native"].str.extract(r"(\d+)$")
    ]
    named = page.specifications["taus-0"]["datasets"].values()
    series = {name for csv in named for name in pl.read_csv(io.StringIO(csv))["series"]}
    assert series == {"a", text}


def test_only_one_module_marks_anything_safe() -> None:
    folder = resources.files("flows.report")
    templates = list(folder.joinpath("templates").iterdir())
    assert len(templates) == 12
    for file in [*folder.iterdir(), *templates]:
        if file.name.endswith((".py", ".jinja")) and file.name != "trusted.py":
            text = file.read_text("utf-8")
            assert not re.search(r"Markup|\bescape\(|\|\s*safe\b|autoescape (?!=)", text), file.name


def test_a_picture_is_drawn_as_its_space_made_it() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" class="cell" viewBox="0 0 9 9"><g>'
        '<text class="a&quot;b">&lt;b&gt; &amp; c</text><path d="M0 0"/></g></svg>'
    )
    page = Page(picture(svg))
    assert page.elements == [
        ("svg", {"class": "cell", "viewbox": "0 0 9 9"}),
        ("g", {}),
        ("text", {"class": 'a"b'}),
        ("path", {"d": "M0 0"}),
    ]
    assert page.text == ["<b> & c"]


@pytest.mark.parametrize(
    "svg",
    [
        "",
        "<svg>",
        "<p>words</p>",
        "<svg></svg><script>alert(1)</script>",
        "<svg><script>alert(1)</script></svg>",
        "<svg><foreignObject><p>words</p></foreignObject></svg>",
        '<svg onload="alert(1)"/>',
        '<svg ONLOAD="alert(1)"/>',
        '<svg><a href="https://example.org"/></svg>',
        '<svg><path href="x"/></svg>',
        '<svg xmlns:xlink="http://www.w3.org/1999/xlink"><text xlink:href="x"/></svg>',
        "<svg><style>* { display: none }</style></svg>",
        "<svg><svg/></svg>",
        '<x:svg xmlns:x="http://www.w3.org/1999/xhtml"/>',
    ],
)
def test_a_picture_that_does_more_than_draw_is_refused(svg: str) -> None:
    with pytest.raises(InputError, match="picture"):
        picture(svg)
    best = BestCell("native", 73.5, "code", "code.expression", picture=svg)
    with pytest.raises(InputError, match="picture"):
        render_report(replace(EMPTY, best=[best]))


def test_an_architecture_without_a_picture_has_the_whole_width() -> None:
    cell = BestCell("native", 73.5, "code", "code.expression")
    page = Page(render_report(replace(EMPTY, best=[cell, replace(cell, picture=draw(NATIVE))])))
    assert [a for tag, a in page.elements if tag == "article"] == [{"class": "plain"}, {}]
    assert [tag for tag, _ in page.elements].count("svg") == 1
