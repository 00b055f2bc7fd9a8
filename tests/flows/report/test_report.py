"""The report: what its numbers are, and that it stands alone."""

import io
import json
import re
from dataclasses import fields, replace
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
import vl_convert
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from cole_core.encodings.registry import make_text_encoding
from cole_core.spaces import get_space
from cole_core.spaces.nasbench201.drawing import draw
from cole_core.statistics import kendall_tau
from flows.report import EmbeddingMap, ReportData, principal_plane, render_report
from flows.report.summaries import sample_rows, summarize_searches, summarize_trials
from flows.report.trusted import highlight_code
from tests.flows.report.sample_report import EMPTY, NATIVE, TARGET, Page, full, searches, trials


def test_every_chart_compiles_and_has_its_place() -> None:
    page = Page(render_report(full()))
    places = {a["data-specification"] for tag, a in page.elements if a.get("class") == "chart"}
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
    ("section", "command"),
    [
        ("searches", "cole search nasbench201 --algorithm bananas --dataset cifar100"),
        ("predictions", "cole train nasbench201 --encoding code.bare --dataset cifar100"),
        ("trials", "--dataset cifar100 -n 55"),
        ("comparisons", "cole compare predictors primitives --dataset cifar100"),
        ("search_comparisons", "cole compare search defaults --dataset cifar100"),
        ("map", "cole embed nasbench201 --encoding code.bare --lm minilm"),
        ("best", "cole ingest nasbench201 analog-nasbench"),
    ],
)
def test_a_section_without_data_says_which_command_makes_it(section: str, command: str) -> None:
    default = {field.name: field.default for field in fields(ReportData)}[section]
    without = replace(full(), **{section: default, "target": TARGET})
    assert command in Page(render_report(without)).words
    assert command not in Page(render_report(replace(full(), target=TARGET))).words


def test_a_flows_summary_is_read_out() -> None:
    data = full()
    assert data.runs is not None
    summary = '{"newly_embedded": 4930, "stages": {"a": 1}, "report": "r.html"}'
    runs = data.runs.with_columns(summary=pl.lit(summary))
    text = Page(render_report(replace(data, runs=runs))).words
    assert "newly embedded 4,930 · report r.html" in text


def test_an_empty_warehouse_has_a_report() -> None:
    text = Page(render_report(EMPTY)).words
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
    text = Page(render_report(data)).words
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


def test_the_search_table_says_who_did_not_arrive() -> None:
    frame = searches(3, 50).filter((pl.col("search_id") != "bananas-1") | (pl.col("step") < 20))
    words = Page(render_report(replace(EMPTY, searches=frame, best_known=90.0))).words
    assert "2 × 50 1 unfinished left out" in words
    assert "≥ 50.0 0 of 2 got there – not reached not reached" in words
    one = searches(1, 50)
    words = Page(render_report(replace(EMPTY, searches=one, best_known=60.0))).words
    assert f"code.expression 1 × 50 {one['value'].max():.2f} 1.0 – 1 1" in words


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


def test_a_size_that_nothing_was_trained_on_is_a_dash() -> None:
    sizes = trials(kendall_tau=[0.2, 0.4, 0.9], n=[14, 14, 1055], series=["a", "a", "b"])
    words = Page(render_report(replace(EMPTY, trials=sizes))).words
    assert "n = 14 n = 1,055 b ridge 1 – 0.900 a ridge 2 0.300 ± 0.100 –" in words


def test_a_collapsed_head_shows_as_collapsed() -> None:
    data = replace(full(), trials=trials(kendall_tau=[0.2, float("nan"), 0.3], n=[14, 14, 55]))
    assert "collapsed" in Page(render_report(data)).words


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
    encoding = make_text_encoding(get_space("nasbench201"), "code.inline", "none")
    code = encoding.render(NATIVE)
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
    words = Page(html).words
    assert "5,260 architectures, one of each canonical form; 10 × 10 folds" in words
    assert "ours 0.612 ± 0.010 0.612 ± 0.010 0.800 – 0.500 other 0.612 ± 0.010 p < 0.001" in words
    assert "p < 0.001 · 90/1/9 collapsed in 100 of 100 0/0/100 – – –" in words
    assert html.count("<strong>0.612</strong>") == 3  # equals at 14, one alone at 55


def test_a_comparison_of_searches_says_what_its_tables_hold() -> None:
    page = Page(html := render_report(full("ours")))
    assert "3 seeds × 40 evaluations, 5,260 architectures" in page.words
    # 99 % is reached with the 21st evaluation, or never.
    assert "median 1 21.0 ± 0.0 21 to 21 · median 21 other 3.3 ± 0.3" in page.words
    assert "≥ 40.0 ± 0.0 40 to 40 · median – 3 never arrive +90%, p < 0.001" in page.words
    assert "<strong>21.0</strong>" in html
    assert "<strong>≥ 40.0</strong>" not in html
    assert "other 3 3 to 4 +200%, p < 0.001 not reached Regret" in page.words
    # The second one's seeds ended before; the first one's took 30 s, all three.
    assert re.search(r"ours [^–]* 10\.0 s other 3\.76 [^≤]* ≤ 3\.76 [^≤]* –", page.words)
    curves = pl.read_csv(io.StringIO(curve_csv(page)))
    assert curves["search"].unique().sort().to_list() == ["other", "ours"]
    assert curves.filter(search="ours", evaluation=40)["mean"].to_list() == [73.5]


def curve_csv(page: Page) -> str:
    datasets = page.specifications["search-comparison-0-0"]["datasets"].values()
    return next(csv for csv in datasets if csv.startswith("search,"))
