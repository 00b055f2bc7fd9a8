"""The report: what its numbers are, that it stands alone, and that nothing in its data runs."""

import io
import json
from dataclasses import fields, replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
import vl_convert
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from cole_core.encodings import get_encoding
from cole_core.spaces.nasbench201.drawing import draw
from cole_core.statistics import kendall_tau
from flows.report import (
    BestCell,
    Comparison,
    EmbeddingMap,
    Predictions,
    ReportData,
    SearchComparison,
    Specification,
    principal_plane,
    render_report,
)
from flows.report.cells import highlight_code
from flows.report.summaries import sample_rows, summarize_searches, summarize_trials
from flows.search_table import SearchResult, regret_table, threshold_table
from warehouse import Target

NOW = datetime(2026, 5, 4, 14, 30)
TARGET = Target("cifar100", "accuracy", "test", 200, "table.parquet")
EMPTY = ReportData("nasbench201", TARGET, NOW)
NATIVE = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"


def searches(
    seeds: int, budget: int, algorithm: str = "bananas", label: str = "bananas · code.expression"
) -> pl.DataFrame:
    values = np.random.default_rng(seeds).uniform(60, 73.5, seeds * budget)
    return pl.DataFrame(
        [
            (f"{algorithm}-{seed}", algorithm, label, step, value)
            for (seed, step), value in zip(np.ndindex(seeds, budget), values, strict=True)
        ],
        schema={
            "search_id": pl.String,
            "algorithm": pl.String,
            "label": pl.String,
            "step": pl.Int64,
            "value": pl.Float64,
        },
        orient="row",
    )


def trials(**columns: list[object]) -> pl.DataFrame:
    count = len(columns["kendall_tau"])
    plain: dict[str, object] = {
        "series": ["code.expression · minilm"] * count,
        "head": ["ridge"] * count,
        "n": [14] * count,
    }
    return pl.DataFrame(plain | columns)


def comparison_rows(label: str) -> pl.DataFrame:
    """Two configurations at two sizes; the second collapses in each trial of the larger one."""
    row = {"trials": 100, "collapsed": 0, "kendall_tau": 0.612, "kendall_tau_std": 0.01}
    row |= {"spearman": 0.8, "mse": None, "top_recall": 0.5}
    tested = {"p_value": 0.0004, "wins": 90, "ties": 1, "losses": 9}
    collapsed = {"collapsed": 100, "kendall_tau": None, "kendall_tau_std": None, "p_value": None}
    collapsed |= {"wins": 0, "ties": 0, "losses": 100, "spearman": None, "top_recall": None}
    untested = dict.fromkeys(tested)
    return pl.DataFrame(
        [
            {"n": 14, "position": 0, "label": label} | row | untested,
            {"n": 14, "position": 1, "label": "other"} | row | tested,
            {"n": 55, "position": 0, "label": label} | row | untested,
            {"n": 55, "position": 1, "label": "other"} | row | collapsed,
        ],
        schema_overrides={"mse": pl.Float64},
    )


def search_comparison(label: str) -> SearchComparison:
    """Two configurations with three seeds; the second never arrives at the second threshold."""
    rng = np.random.default_rng(0)
    first = np.maximum.accumulate(rng.uniform(68, 72.5, (3, 40)), axis=1)
    second = np.maximum.accumulate(rng.uniform(60, 70, (3, 40)), axis=1)
    first[:, 20:] = 73.5
    results = [
        SearchResult(label, first.tolist(), 30.0),
        SearchResult("other", [row.tolist()[:30] for row in second], None),
    ]
    return SearchComparison(
        experiment=label,
        architectures=5260,
        best=73.5,
        seeds=3,
        budget=40,
        finding=label,
        rows=threshold_table(results, {"90 %": 66.15, "99 %": 72.765}, 40),
        regrets=regret_table(results, 73.5, [20, 40], 40),
        curves={label: first, "other": second[:, :30]},
    )


def full(text: str = "some words") -> ReportData:
    """A report with every section, `text` wherever words can stand."""
    rng = np.random.default_rng(0)
    true = rng.uniform(1, 73, 300)
    natives = [f"{text} {index}" for index in range(300)]
    return ReportData(
        space="nasbench201",
        target=replace(TARGET, source=text, metric=text),
        created_at=NOW,
        counts={text: 15_625},
        searches=pl.concat(
            [searches(4, 60, label=text), searches(3, 60, "random_search", "random search")]
        ),
        best_known=73.5,
        predictions=Predictions(
            pl.DataFrame(
                {"native": natives, "true": true, "predicted": true + rng.normal(0, 5, 300)}
            ),
            text,
            55,
        ),
        trials=trials(
            kendall_tau=[0.5, 0.6, 0.7, 0.4], n=[14, 14, 55, 14], series=["a", "a", "a", text]
        ),
        comparisons=[Comparison(text, "canonical", 5260, 10, 10, text, comparison_rows(text))],
        search_comparisons=[search_comparison(text)],
        map=EmbeddingMap(
            pl.DataFrame({"native": natives, "x": true, "y": true, "value": true}), text, (text, "")
        ),
        best=[BestCell(text, 73.5, f"# {text}", text, text, 72.0, 1_289_000, draw(NATIVE))],
        specifications=[Specification(text, text, {text: text}, 4930, 0)],
        sources=pl.DataFrame(
            {
                "source": [text],
                "dataset": [text],
                "metric": [text],
                "split": [text],
                "epochs": [None],
                "evaluations": [15_625],
            }
        ),
        runs=pl.DataFrame(
            {
                "flow": [text, text],
                "run_id": [text, "b"],
                "started_at": [NOW, NOW],
                "ended_at": [NOW + timedelta(seconds=12.3), None],
                "summary": [text, None],
            }
        ),
        versions={text: text},
    )


class Page(HTMLParser):
    """The elements and scripts of a page, as a browser would split them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text: list[str] = []
        self._script: dict[str, str | None] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._script = dict(attrs) if tag == "script" else None

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = None

    def handle_data(self, data: str) -> None:
        if self._script is None:
            self.text.append(data)
        else:
            self.scripts.append((self._script, data))

    @property
    def specifications(self) -> dict[str, dict]:
        return {
            str(attributes["id"]): json.loads(content)
            for attributes, content in self.scripts
            if attributes.get("type") == "application/json"
        }


def test_every_chart_compiles_and_has_its_place() -> None:
    page = Page(render_report(full()))
    places = {a["data-specification"] for tag, a in page.elements if tag == "div" and len(a) == 3}
    assert places == set(page.specifications)
    assert len(places) == 7
    for specification in page.specifications.values():
        svg = vl_convert.vegalite_to_svg(specification | {"width": 400})
        assert svg.startswith("<svg")


def test_the_page_names_nothing_outside_itself_and_forbids_fetching() -> None:
    page = Page(render_report(full()))
    links = [v for _, a in page.elements for k, v in a.items() if k in ("src", "href", "data")]
    assert links
    assert all(link is not None and link.startswith("#") for link in links)
    assert not {tag for tag, _ in page.elements} & {"link", "iframe", "img", "object", "embed"}
    policy = next(a["content"] for tag, a in page.elements if a.get("http-equiv"))
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "http" not in policy
    for specification in page.specifications.values():
        assert '"url"' not in json.dumps(specification)


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "</script><b>", '"><img src=x>', "a & b 'c'", "<!--"]
)
def test_nothing_in_the_data_becomes_an_element(text: str) -> None:
    plain, hostile = Page(render_report(full())), Page(render_report(full(text)))
    # Highlighting gives every token a span, so their number says nothing.
    plain_tags, hostile_tags = (
        [tag for tag, _ in page.elements if tag != "span"] for page in (plain, hostile)
    )
    assert plain_tags == hostile_tags
    assert text in "".join(hostile.text)
    (points_csv,) = hostile.specifications["map-0"]["datasets"].values()
    points = pl.read_csv(io.StringIO(points_csv))
    assert points["native"].str.starts_with(text).all()


@pytest.mark.parametrize(
    ("section", "command"),
    [
        ("searches", "cole search nasbench201 --algorithm bananas --dataset cifar100"),
        ("predictions", "cole train nasbench201 --encoding code.expression --dataset cifar100"),
        ("trials", "--dataset cifar100 -n 55"),
        ("comparisons", "cole compare predictors primitives --dataset cifar100"),
        ("search_comparisons", "cole compare search defaults --dataset cifar100"),
        ("map", "cole embed nasbench201 --encoding code.expression --lm minilm"),
        ("best", "cole ingest nasbench201 analog-nasbench"),
    ],
)
def test_a_section_without_data_says_which_command_makes_it(section: str, command: str) -> None:
    default = {field.name: field.default for field in fields(ReportData)}[section]
    without = replace(full(), **{section: default, "target": TARGET})
    assert command in "".join(Page(render_report(without)).text)
    assert command not in "".join(Page(render_report(replace(full(), target=TARGET))).text)


def test_a_flows_summary_is_read_out() -> None:
    data = full()
    assert data.runs is not None
    summary = '{"newly_embedded": 4930, "stages": {"a": 1}, "report": "r.html"}'
    runs = data.runs.with_columns(summary=pl.lit(summary))
    text = "".join(Page(render_report(replace(data, runs=runs))).text)
    assert "newly embedded 4,930 · report r.html" in text


def test_an_empty_warehouse_has_a_report() -> None:
    text = "".join(Page(render_report(EMPTY)).text)
    assert "cole run nasbench201" in text
    assert "CIFAR-100 test accuracy, 200 epochs" in text


def test_frames_without_rows_are_as_good_as_none() -> None:
    data = full()
    assert data.searches is not None
    assert data.trials is not None
    emptied = replace(data, searches=data.searches.clear(), trials=data.trials.clear())
    assert "No searches of this target" in render_report(emptied)


def test_the_report_says_the_numbers_of_its_data() -> None:
    data = full()
    assert data.predictions is not None
    text = "".join(Page(render_report(data)).text)
    frame = data.predictions.frame
    tau = kendall_tau(frame["predicted"].to_numpy(), frame["true"].to_numpy())
    assert f"Kendall tau {tau:.3f}" in text
    assert "73.50 %" in text
    assert "15,625" in text
    assert "did not end" in text


@settings(max_examples=30, deadline=None)
@given(seeds=st.integers(1, 4), budget=st.integers(1, 30), threshold=st.floats(60, 74))
def test_search_summaries_agree_with_a_plain_loop(
    seeds: int, budget: int, threshold: float
) -> None:
    frame = searches(seeds, budget)
    (summary,) = summarize_searches(frame.sample(fraction=1, shuffle=True, seed=1), threshold)
    counts = []
    for seed in range(seeds):
        values = frame.filter(search_id=f"bananas-{seed}").sort("step")["value"].to_list()
        best = [max(values[: step + 1]) for step in range(budget)]
        assert summary.curves[seed].tolist() == best
        counts.append(next((i + 1 for i, value in enumerate(best) if value >= threshold), budget))
    assert summary.arrival is not None
    assert summary.arrival.counts == tuple(counts)


def test_unfinished_seeds_are_left_out_and_counted() -> None:
    frame = searches(3, 50).filter((pl.col("search_id") != "bananas-1") | (pl.col("step") < 20))
    (summary,) = summarize_searches(frame, None)
    assert summary.curves.shape == (2, 50)
    assert summary.unfinished == 1


def test_labels_are_curves_of_their_own_and_random_search_comes_last() -> None:
    ucb = searches(2, 20, label="UCB").with_columns(search_id="ucb" + pl.col("search_id"))
    random = searches(2, 20, "random_search", "random search")
    frame = pl.concat([random, searches(2, 20), ucb])
    labels = [summary.label for summary in summarize_searches(frame, 70.0)]
    assert sorted(labels[:2]) == ["UCB", "bananas · code.expression"]
    assert labels[2] == "random search"


def test_trials_are_summarized_by_series_head_and_size() -> None:
    taus = summarize_trials(
        trials(
            kendall_tau=[0.2, 0.4, 0.9, 0.1], n=[14, 14, 55, 55], head=["a b", "a b", "a b", "c"]
        )
    )
    assert taus.select("series", "head", "n", "draws", "mean").rows() == [
        ("code.expression · minilm", "a b", 14, 2, pytest.approx(0.3)),
        ("code.expression · minilm", "a b", 55, 1, 0.9),
        ("code.expression · minilm", "c", 55, 1, 0.1),
    ]
    assert taus["error"].to_list() == [
        pytest.approx(np.std([0.2, 0.4], ddof=1) / 2**0.5),
        None,
        None,
    ]


def test_a_collapsed_head_shows_as_collapsed() -> None:
    data = replace(full(), trials=trials(kendall_tau=[0.2, float("nan"), 0.3], n=[14, 14, 55]))
    assert "collapsed" in "".join(Page(render_report(data)).text)


def test_structural_encodings_have_no_language_model() -> None:
    taus = summarize_trials(trials(kendall_tau=[0.2], series=["path"]))
    assert taus["series"].to_list() == ["path"]


def test_a_sample_keeps_the_best_and_repeats() -> None:
    frame = pl.DataFrame({"value": np.random.default_rng(0).permutation(1000) / 10})
    sample = sample_rows(frame, 200, by="value", keep=20)
    assert sample.height == sample["value"].n_unique() == 200
    assert set(frame["value"].top_k(20)) <= set(sample["value"])
    assert sample.equals(sample_rows(frame, 200, by="value", keep=20))
    assert sample_rows(frame, 1000, by="value").equals(frame)


def test_the_principal_plane_is_that_of_scikit_learn() -> None:
    vectors = np.random.default_rng(0).normal(size=(200, 12)) * np.arange(1, 13) + 5
    plane, shares = principal_plane(vectors.astype(np.float32))
    pca = PCA(2).fit(vectors)
    expected = pca.transform(vectors)
    assert np.abs(plane) == pytest.approx(np.abs(expected), abs=1e-3)
    assert shares == pytest.approx(pca.explained_variance_ratio_, rel=1e-4)


def test_equal_vectors_have_a_plane() -> None:
    plane, shares = principal_plane(np.ones((5, 3)))
    assert not plane.any()
    assert shares == (0.0, 0.0)


def test_the_map_takes_architectures_that_were_not_measured() -> None:
    frame = pl.DataFrame(
        {"native": ["a", "b"], "x": [0.0, 1.0], "y": [0.0, 1.0], "value": [None, None]},
        schema_overrides={"value": pl.Float64},
    )
    page = Page(render_report(replace(EMPTY, map=EmbeddingMap(frame, "m", ("x", "y")))))
    assert "map-0" in page.specifications


def test_a_drawing_has_an_arc_for_each_edge_but_none() -> None:
    drawn = ElementTree.fromstring(draw(NATIVE))
    operations = [path.get("class") for path in drawn.iter("path")]
    named = ("nor_conv_3x3", "skip_connect", "avg_pool_3x3", "nor_conv_1x1")
    assert operations == [f"edge {name}" for name in named]
    words = [element.text for element in drawn.iter("text") if element.get("class") != "name"]
    assert words == ["conv 3×3", "skip", "pool 3×3", "conv 1×1"]
    assert [text.text for text in drawn.iter("text")][:4] == ["in", "1", "2", "out"]
    assert drawn.get("aria-label") == (
        "0 to 1 nor_conv_3x3; 1 to 2 skip_connect; 0 to 3 avg_pool_3x3; 2 to 3 nor_conv_1x1"
    )


def test_a_cell_without_edges_is_drawn_as_its_nodes() -> None:
    drawn = ElementTree.fromstring(draw("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"))
    assert drawn.get("aria-label") == "no edges"
    assert len(list(drawn.iter("circle"))) == 4
    assert not list(drawn.iter("path"))


def test_highlighting_changes_no_character_of_the_code() -> None:
    code = get_encoding("nasbench201", "code.inline").render(NATIVE)
    page = Page(f"<pre>{highlight_code(code)}</pre>")
    assert "".join(page.text) == code.rstrip()


def test_a_large_report_stays_small() -> None:
    rng = np.random.default_rng(0)
    natives = [NATIVE] * 15_625
    frame = pl.DataFrame(rng.normal(size=(15_625, 3)), schema=["x", "y", "value"])
    data = replace(
        EMPTY,
        map=EmbeddingMap(frame.with_columns(native=pl.Series(natives)), "m", ("x", "y")),
        searches=searches(30, 500),
        best_known=73.5,
    )
    assert len(render_report(data).encode()) < 2_000_000


def test_a_comparison_says_what_its_table_holds() -> None:
    html = render_report(full("ours"))
    assert "5,260 architectures, one of each canonical form; 10 × 10 folds" in html
    assert "p &lt; 0.001 · 90/1/9" in html
    assert "collapsed in 100 of 100" in html


def test_a_comparison_of_searches_says_what_its_tables_hold() -> None:
    page = Page(html := render_report(full("ours")))
    assert "3 seeds × 40 evaluations, 5,260 architectures" in html
    assert "3 never arrive" in html
    assert "≥ 40.0" in html
    assert "<strong>21.0</strong>" in html  # 99 % is reached with the 21st evaluation
    assert "not reached" in html
    assert "≤ " in html  # the second one's seeds ended before
    assert "10.0 s" in html  # 30 s for three seeds
    curves = pl.read_csv(io.StringIO(curve_csv(page)))
    assert curves["search"].unique().sort().to_list() == ["other", "ours"]
    assert curves.filter(search="ours", evaluation=40)["mean"].to_list() == [73.5]


def curve_csv(page: Page) -> str:
    datasets = page.specifications["search-comparison-0-0"]["datasets"].values()
    return next(csv for csv in datasets if csv.startswith("search,"))
