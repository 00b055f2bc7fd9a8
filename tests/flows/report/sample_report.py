"""A report with everything in it, and its page as a browser would split it."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser

import numpy as np
import polars as pl

from cole_core.evaluation.target import Target
from cole_core.experiments.search_table import SearchResult, regret_table, threshold_table
from cole_core.spaces.nasbench201.drawing import draw
from flows.report import (
    BestCell,
    Comparison,
    EmbeddingMap,
    Predictions,
    ReportData,
    SearchComparison,
    Specification,
)

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
        reference_encoding="code.bare",
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
        if tag == "br":
            self.text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = None

    def handle_data(self, data: str) -> None:
        if self._script is None:
            self.text.append(data)
        else:
            self.scripts.append((self._script, data))

    @property
    def words(self) -> str:
        """The text as it is read: a browser shows any white space as one space."""
        return " ".join("".join(self.text).split())

    @property
    def specifications(self) -> dict[str, dict]:
        return {
            str(attributes["id"]): json.loads(content)
            for attributes, content in self.scripts
            if attributes.get("type") == "application/json"
        }
