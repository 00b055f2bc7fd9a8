"""Ours beside published figures: tables taken in, what is missing, reruns, the page of results."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
import scipy.stats

from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.experiments.published.protocols import read_protocols
from cole_core.predictors import make_surrogate
from cole_core.spaces.nasbench201 import NASBench201
from flows.pipelines import published as pipeline
from flows.stages.compare_published import ComparePublishedRequest, compare_published, plan
from tests.flows.conftest import SIZE, SPACE, Cole, Small
from tests.flows.few_protocols import list_few


@pytest.fixture(autouse=True)
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protocols of as few architectures as the small warehouse has."""
    monkeypatch.setattr(NASBench201, "published", list_few(tmp_path / "listed.toml"))


@pytest.fixture
def valid(small: Small, tmp_path: Path) -> Path:
    """A table of validation accuracies, in an order of its own."""
    table = pl.read_csv(small.table)
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 1, SIZE)
    path = tmp_path / "valid.csv"
    table.select(
        "arch_str", cifar10_valid_accuracy_200=pl.col("cifar10_test_accuracy_200") - 2 + noise
    )[rng.permutation(SIZE)].write_csv(path)
    return path


def asked(small: Small, **changes: Any) -> ComparePublishedRequest:
    usual: dict[str, Any] = {"home": small.home, "draws": 3, "seeds": 2, "processes": 1}
    vectors = ComparePublishedRequest().vectors
    graf = type(vectors)(encoding="graf")
    return ComparePublishedRequest(**(usual | {"vectors": graf} | changes))


def test_all_protocols_run_and_a_rerun_runs_nothing(small: Small, valid: Path) -> None:
    request = asked(small, table=(str(valid),))
    first = pipeline.published(request)
    assert (first["trials"], first["skipped"]) == (2 * 3 + 1, 0)
    assert (first["evaluations"], first["evaluations_skipped"]) == (2 * 2 * 20, 0)
    assert (first["values"], first["missing"]) == (SIZE, {})
    again = pipeline.published(request)
    assert (again["trials"], again["skipped"]) == (0, 7)
    assert (again["evaluations"], again["evaluations_skipped"]) == (0, 80)
    assert again["rows"] == first["rows"]
    more = pipeline.published(asked(small, protocol="few", draws=5))
    assert (more["trials"], more["skipped"]) == (2 * 2, 2 * 3)


def test_the_figures_are_those_of_the_stored_trials(small: Small, valid: Path) -> None:
    rows = pipeline.published(asked(small, table=(str(valid),)))["rows"]
    stored = small.warehouse.sql(
        "SELECT population, n, avg(kendall_tau) AS tau, avg(spearman) AS rho FROM trials "
        "WHERE folds = 0 GROUP BY ALL ORDER BY ALL"
    )
    assert stored["population"].to_list() == ["published: few"] * 2 + ["published: first"]
    ours = {(row["protocol"], row["size"]): row["ours"] for row in rows}
    assert [ours["few", 8], ours["few", 20]] == pytest.approx(stored["tau"].to_list()[:2])
    assert ours["first", 20] == pytest.approx(stored["rho"].to_list()[2])


def test_searches_are_told_by_their_stored_steps(small: Small) -> None:
    rows = compare_published(asked(small, protocol="found"))["rows"]
    assert {row["label"] for row in rows} == {"bananas · graf", "random search"}
    best = max(small.accuracies.values())
    form = {
        SPACE.canonical_form(native) for native, value in small.accuracies.items() if value == best
    }
    steps = small.warehouse.sql("SELECT algorithm, seed, step, native, value FROM searches")
    for row in rows:
        name = "random_search" if row["label"] == "random search" else "bananas"
        own = steps.filter((pl.col("algorithm") == name) & (pl.col("step") <= row["size"]))
        tops, there = [], 0
        for _, seed in own.group_by("seed"):
            tops.append(seed["value"].max())
            there += any(SPACE.canonical_form(native) in form for native in seed["native"])
        assert row["ours"] == pytest.approx(np.mean(tops))
        assert row["at_best"] == there / 2


def test_searches_are_those_of_a_comparison_of_searches(small: Small) -> None:
    """Named in the report by what compared them, and not among a person's own."""
    compare_published(asked(small, protocol="found"))
    known = small.warehouse.sql("SELECT target FROM searches LIMIT 1")["target"][0]
    found = small.warehouse.searches_of(SPACE, Target(**json.loads(known)))
    assert found["compared"].to_list() == [True] * 4


def test_the_first_cells_follow_the_file(small: Small, valid: Path) -> None:
    """By hand: the same head on the first rows of the file."""
    request = asked(small, protocol="first", table=(str(valid),), head="ridge")
    [row] = pipeline.published(request)["rows"]
    file = pl.read_csv(valid)
    encoding = SPACE.encoding("graf")
    first = file.head(20)
    vectors = encoding.encode(first["arch_str"].to_list())  # type: ignore[union-attr]
    head = make_surrogate("ridge", structural=True)
    head.fit(vectors, first["cifar10_valid_accuracy_200"].to_numpy())
    natives = list(small.accuracies)
    predicted = head.predict(encoding.encode(natives))  # type: ignore[union-attr]
    true = [small.accuracies[native] for native in natives]
    assert row["ours"] == pytest.approx(scipy.stats.spearmanr(predicted, true).statistic, abs=1e-6)
    assert row["draws"] == 1


def test_what_is_missing_is_told_by_what_a_table_must_hold(small: Small, valid: Path) -> None:
    summary = compare_published(asked(small))
    lacks = "no cifar10 valid accuracy after 200 epochs: give --table FILE with a column "
    assert summary["missing"] == dict.fromkeys(
        ("few", "first"), f"{lacks}cifar10_valid_accuracy_200"
    )
    assert {row["protocol"] for row in summary["rows"]} == {"found"}
    with pytest.raises(InputError, match="few: no cifar10 valid accuracy"):
        plan(asked(small, protocol="few"))
    pipeline.published(asked(small, protocol="few", table=(str(valid),)))
    with pytest.raises(InputError, match="in the order of the official file"):
        plan(asked(small, protocol="first"))


def test_of_two_sources_the_table_is_meant(small: Small, valid: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    pl.read_csv(valid).with_columns(pl.col("cifar10_valid_accuracy_200") * 0.9).write_csv(other)
    few = {"protocol": "few", "draws": 1}
    first = pipeline.published(asked(small, table=(str(valid),), **few))
    pipeline.published(asked(small, table=(str(other),), **few))
    with pytest.raises(InputError, match="several sources hold cifar10 valid accuracy"):
        plan(asked(small, **few))
    again = pipeline.published(asked(small, table=(str(valid),), **few))
    assert (again["trials"], again["rows"]) == (0, first["rows"])


def test_a_table_of_too_few_changes_nothing(small: Small, valid: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.csv"
    pl.read_csv(valid).head(SIZE - 1).write_csv(short)
    before = small.warehouse.status()
    with pytest.raises(InputError, match=f"of {SIZE - 1} architectures, and first is of {SIZE}"):
        pipeline.plan(asked(small, table=(str(short),)))
    assert small.warehouse.status() == before


def test_what_was_learned_from_a_source_goes_with_it(small: Small, valid: Path, cole: Cole) -> None:
    pipeline.published(asked(small, protocol="few", table=(str(valid),)))
    assert small.warehouse.status()["trials"] == 6
    code, _, err = cole("forget", "valid.csv", "--yes", "--home", small.home)
    assert (code, err) == (0, "")
    assert small.warehouse.status()["trials"] == 0


def test_the_page_and_its_picture(small: Small, valid: Path, tmp_path: Path, cole: Cole) -> None:
    page = tmp_path / "results.md"
    given = ("--table", valid, "--encoding", "graf", "--draws", 2, "--seeds", 2, "--processes", 1)
    code, out, _ = cole("compare", "published", *given, "--output", page, "--home", small.home)
    assert code == 0
    assert "table 2 of a paper" in out
    text = page.read_text()
    said = "cole compare published {}--table valid.csv --draws 2 --seeds 2 --encoding graf"
    for name, protocol in read_protocols(SPACE).items():
        assert f"## {protocol.title}\n" in text
        assert f"    {said.format(name + ' ')}\n" in text
    assert f"    {said.format('')}\n" in text
    assert "| 8 | " in text
    assert "0.010 |" in text
    assert "94.00 |" in text
    assert str(tmp_path) not in text
    picture = ElementTree.parse(tmp_path / "results.svg")
    words = " ".join(picture.getroot().itertext())
    for word in ("Few", "First", "Search", "Somebody", "gaussian process on graf"):
        assert word in words


def test_json_is_one_object(small: Small, cole: Cole) -> None:
    given = ("found", "--encoding", "graf", "--seeds", 2, "--processes", 1, "--json")
    code, out, _ = cole("compare", "published", *given, "--home", small.home)
    assert code == 0
    assert json.loads(out)["rows"][0]["protocol"] == "found"


def test_a_single_search_has_random_search_beside_it(small: Small) -> None:
    search = "encoding=path,acquisition=exploit"
    rows = compare_published(asked(small, protocol="found", configuration=(search,)))["rows"]
    assert {row["label"] for row in rows} == {"bananas · path", "random search"}
