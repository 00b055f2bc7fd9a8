"""`cole sources` and `cole forget`: what is said of a source, and that all of it goes or none."""

import hashlib
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cole_core.encodings.vectors import Vectors
from flows.resolve.algorithms import AlgorithmOptions
from flows.resolve.requests import Measured
from flows.stages.compare_predictors import ComparePredictorsRequest, compare_predictors
from flows.stages.compare_searches import CompareSearchesRequest, compare_searches
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from flows.stages.ingest import IngestRequest, ingest
from flows.stages.report import ReportRequest, report
from flows.stages.search import SearchRequest, search
from tests.flows.conftest import SIZE, Cole, Small
from warehouse.health import examine

PATH = Vectors(encoding="path")
FIRST, SECOND = "mine.csv", "second run"
RESULTS = (
    *("evaluations", "trials", "heads", "comparisons", "searches"),
    *("search_comparisons", "search_regrets"),
)

# As `cole forget`, killed where its second argument says.
KILLED = """
import os, signal, sys
import duckdb
from warehouse import catalog
from warehouse.writer import Writer
home, where = sys.argv[1:]
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
remove = Writer._remove
def removing(self, artifacts):
    removing.calls += 1
    remove(self, artifacts) if removing.calls == 1 or where != "after the commit" else die()
    if where == "before the rows":
        die()
removing.calls = 0
Writer._remove = removing
if where == "within the rows":
    query = Writer.forget_source.__globals__["query"]
    Writer.forget_source.__globals__["query"] = lambda name: (
        die() if name == "forget_evaluations_of" else query(name)
    )
from flows.cli.app import main
sys.argv = ["cole", "forget", "mine.csv", "--yes", "--home", home]
main()
"""


@pytest.fixture(scope="module")
def table(made: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Other values of the same architectures."""
    path = tmp_path_factory.mktemp("second") / "again.csv"
    other = pl.read_csv(made.table).with_columns(pl.col("cifar10_test_accuracy_200") * 0.5)
    other.write_csv(path)
    return path


@pytest.fixture(scope="module")
def base(made: Small, table: Path, tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Two sources of the same kind of values, and the same things made from each."""
    home = tmp_path_factory.mktemp("sources") / "home"
    shutil.copytree(made.home, home)
    ingest(IngestRequest(space="nasbench201", origin=str(table), home=home, source=SECOND))
    for source in (SECOND, FIRST):
        make_from(home, source)
    return Small(home, made.table)


def make_from(home: Path, source: str) -> None:
    """A head, trials, a search, a comparison of each kind and a report, from one source."""
    on: dict[str, Any] = {"home": home, "measured": Measured(dataset="cifar10", source=source)}
    here = on | {"space": "nasbench201"}
    fit_heads(FitHeadsRequest(**here, vectors=PATH, head="ridge", sizes=(20,), draws=2))
    random = AlgorithmOptions(name="random_search")
    search(SearchRequest(**here, vectors=PATH, algorithm=random, budget=12))
    both = ("encoding=path", "encoding=adjacency")
    compare_predictors(
        ComparePredictorsRequest(
            **on, configuration=both, head="ridge", sizes=(12,), folds=5, repeats=1
        )
    )
    searches = ("encoding=path,algorithm=local_search", "algorithm=random_search")
    compare_searches(
        CompareSearchesRequest(
            **on, encoding="path", configuration=searches, seeds=2, budget=12, processes=1
        )
    )
    report(ReportRequest(**here))


@pytest.fixture
def home(base: Small, tmp_path: Path) -> Small:
    shutil.copytree(base.home, tmp_path / "home")
    return Small(tmp_path / "home", base.table)


def results(small: Small) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every result, in one order."""
    return {
        view: sorted(small.warehouse.sql(f"SELECT * FROM {view}").rows(), key=repr)
        for view in RESULTS
    }


def of(small: Small, source: str) -> dict[str, int]:
    """How many rows of each result say that they are of a source; regrets by their comparison."""
    count = small.warehouse.sql
    named = {
        view: count(f"SELECT count(*) FROM {view} WHERE target ->> 'source' = '{source}'").item()
        for view in ("trials", "heads", "comparisons", "searches", "search_comparisons")
    }
    named["evaluations"] = count(
        f"SELECT count(*) FROM evaluations WHERE source = '{source}'"
    ).item()
    named["search_regrets"] = count(
        "SELECT count(*) FROM search_regrets WHERE comparison_id IN (SELECT comparison_id FROM "
        f"search_comparisons WHERE target ->> 'source' = '{source}')"
    ).item()
    return named


def heads_on_disk(small: Small) -> set[str]:
    return {path.stem for path in (small.home / "artifacts" / "heads").iterdir()}


def test_sources_says_what_came_from_which_file_by_which_run(
    cole: Cole, home: Small, table: Path
) -> None:
    code, out, _ = cole("sources", "--home", home.home, "--json")
    assert code == 0
    first, second = json.loads(out)["sources"]
    assert (first["source"], second["source"]) == (FIRST, SECOND)
    for entry, path in ((first, home.table), (second, table)):
        assert entry["values"] == [
            {
                **{"space": "nasbench201", "dataset": "cifar10", "metric": "accuracy"},
                **{"split": "test", "epochs": 200, "evaluations": SIZE, "architectures": SIZE},
            }
        ]
        (run,) = entry["runs"]
        content = path.read_bytes()
        assert (run["flow"], run["origin"], run["file"]) == ("ingest", str(path), path.name)
        assert run["bytes"] == len(content)
        assert run["sha256"] == hashlib.sha256(content).hexdigest()
        assert home.warehouse.sql(
            f"SELECT source FROM evaluations WHERE run_id = '{run['run_id']}'"
        ).unique().rows() == [(entry["source"],)]
    code, out, _ = cole("sources", "--home", home.home)
    assert f"{FIRST}\n  nasbench201: cifar10 test accuracy, 200 epochs: {SIZE} values of " in out
    assert f"from {table} ({table.stat().st_size:,} bytes, sha256 " in out


def test_sources_of_a_warehouse_without_any(cole: Cole, tmp_path: Path) -> None:
    assert cole("enumerate", "nasbench201", "--samples", 3, "--home", tmp_path / "new")[0] == 0
    code, out, _ = cole("sources", "--home", tmp_path / "new")
    assert (code, out) == (
        0,
        "No measured values yet: take some in with 'cole ingest SPACE FILE'.\n",
    )
    code, out, err = cole("forget", "mine.csv", "--home", tmp_path / "new")
    assert (code, out) == (2, "")
    assert err == "cole: no values from 'mine.csv': take some in with 'cole ingest'\n"


def test_the_source_that_answers_is_said(cole: Cole, home: Small) -> None:
    where = ("--home", home.home)
    values = ("--dataset", "cifar10", "--source", FIRST)
    code, out, _ = cole("best", "--dataset", "cifar10", *where)
    assert f"{FIRST} (not from {SECOND}: --source chooses)" in out
    said = f"cifar10 test accuracy, 200 epochs, from {FIRST} (not from {SECOND}: --source chooses)"
    path, quick = ("--encoding", "path"), ("--processes", 1, "--seeds", 2, "--budget", 12)
    searches = ("-c", "algorithm=local_search", "-c", "algorithm=random_search")
    for command in (
        ("train", "nasbench201", *path, "--head", "ridge", "-n", 20, "--draws", 2),
        ("search", "nasbench201", *path, "--algorithm", "random_search", "--budget", 12),
        ("compare", "predictors", *path, "--encoding", "adjacency", "-n", 12, "--head", "ridge"),
        ("compare", "search", *path, *searches, *quick),
    ):
        code, out, err = cole(*command, *values, *where, "--json")
        assert code == 0, err
        assert json.loads(out)["values"] == said, command
        code, out, err = cole(*command, *values, *where)
        assert said in " ".join(out.split()), command


def test_without_yes_it_says_what_would_go_and_changes_nothing(cole: Cole, home: Small) -> None:
    before, heads = results(home), heads_on_disk(home)
    code, out, _ = cole("forget", FIRST, "--home", home.home, "--json")
    planned = json.loads(out)
    assert (code, planned["done"]) == (0, False)
    derived = {kind: [each["id"] for each in things] for kind, things in planned["derived"].items()}
    ids = {
        kind: home.warehouse.sql(
            f"SELECT DISTINCT {column} FROM {view} WHERE target ->> 'source' = '{FIRST}'"
        )[column].to_list()
        for kind, column, view in (
            ("head", "head_id", "heads"),
            ("trial", "trial_id", "trials"),
            ("search", "search_id", "searches"),
            ("comparison", "comparison_id", "comparisons"),
        )
    }
    ids["comparison"] += home.warehouse.sql(
        "SELECT DISTINCT comparison_id FROM search_comparisons "
        f"WHERE target ->> 'source' = '{FIRST}'"
    )["comparison_id"].to_list()
    assert {kind: sorted(derived[kind]) for kind in ids} == {
        kind: sorted(found) for kind, found in ids.items()
    }
    assert derived["report"] == ["nasbench201.html"]
    code, out, _ = cole("forget", FIRST, "--home", home.home)
    assert code == 0
    assert "  1 trained head\n    ridge on path, n=20 (" in out
    assert "  2 comparisons\n" in out
    assert "  1 report\n    of nasbench201 (nasbench201.html)\n" in out
    assert out.endswith("Nothing is changed. Take it back: add --yes.\n")
    assert results(home) == before
    assert heads_on_disk(home) == heads


def test_all_that_was_made_from_a_source_goes_and_nothing_else(cole: Cole, home: Small) -> None:
    other = of(home, SECOND)
    assert all(other.values())
    kept = {
        view: home.warehouse.sql(f"SELECT * FROM {view} ORDER BY ALL").rows()
        for view in ("architectures", "renderings", "embeddings")
    }
    code, out, _ = cole("forget", FIRST, "--yes", "--home", home.home)
    assert (code, out.splitlines()[-1]) == (0, f"Taken back: {SIZE} values from {FIRST}.")
    assert of(home, FIRST) == dict.fromkeys(RESULTS, 0)
    assert of(home, SECOND) == other
    assert {view: len(rows) for view, rows in results(home).items()} == other
    for view, rows in kept.items():
        assert home.warehouse.sql(f"SELECT * FROM {view} ORDER BY ALL").rows() == rows
    assert heads_on_disk(home) == set(home.warehouse.sql("SELECT head_id FROM heads")["head_id"])
    assert not (home.home / "artifacts" / "reports" / "nasbench201.html").exists()
    flows = home.warehouse.sql("SELECT flow, summary FROM runs ORDER BY started_at").rows()
    assert flows[-1] == ("forget", json.dumps({"evaluations": SIZE}))
    assert len([flow for flow, _ in flows if flow == "ingest"]) == 2
    assert [f.kind for f in examine(home.warehouse)[0] if f.kind != "disk"] == []
    code, out, _ = cole("best", "--dataset", "cifar10", "--home", home.home)
    assert (code, SECOND in out, FIRST in out) == (0, True, False)


def test_a_forgotten_source_comes_again_with_other_values(
    cole: Cole, home: Small, tmp_path: Path
) -> None:
    """Nothing of what was made from the old values is taken for made from the new ones."""
    corrected = tmp_path / FIRST
    values = pl.read_csv(home.table).with_columns(pl.col("cifar10_test_accuracy_200") * -1 + 99)
    values.write_csv(corrected)
    where = ("--home", home.home)
    code, _, err = cole("ingest", "nasbench201", corrected, *where)
    assert code == 2
    assert "or take the stored ones back first with 'cole forget mine.csv'" in err
    assert cole("forget", FIRST, "--yes", *where)[0] == 0
    assert cole("ingest", "nasbench201", corrected, *where)[0] == 0
    make_from(home.home, FIRST)
    expected = dict(values.iter_rows())
    steps = home.warehouse.sql(
        f"SELECT native, value FROM searches WHERE target ->> 'source' = '{FIRST}'"
    )
    assert steps.height >= 12
    assert all(value == pytest.approx(expected[native]) for native, value in steps.iter_rows())
    page = home.home / "artifacts" / "reports" / "nasbench201.html"
    assert max(expected, key=expected.__getitem__) in page.read_text()
    code, out, _ = cole("best", "--dataset", "cifar10", "--source", FIRST, *where, "--json")
    assert json.loads(out)["rows"][0]["value"] == pytest.approx(max(expected.values()))


@pytest.mark.parametrize(
    "name", ["other.csv", "MINE.CSV", "", "mine", "%", "'; DROP TABLE store.runs; --"]
)
def test_an_unknown_source_is_bad_input(cole: Cole, home: Small, name: str) -> None:
    before = results(home)
    code, out, err = cole("forget", name, "--yes", "--home", home.home)
    assert (code, out) == (2, "")
    assert err == f"cole: no values from '{name}': choose one of {FIRST}, {SECOND}\n"
    assert results(home) == before


@pytest.mark.parametrize(
    ("where", "done"),
    [("before the rows", False), ("within the rows", False), ("after the commit", True)],
)
def test_killed_it_has_done_all_of_it_or_nothing(
    cole: Cole, home: Small, where: str, done: bool
) -> None:
    before = results(home)
    command = [sys.executable, "-c", KILLED, str(home.home), where]
    killed = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    if done:
        assert of(home, FIRST) == dict.fromkeys(RESULTS, 0)
        kinds = {f.kind for f in examine(home.warehouse)[0]}
        assert {"left file", "unfinished runs"} <= kinds
        examine(home.warehouse, repair=True)
        stored = set(home.warehouse.sql("SELECT head_id FROM heads")["head_id"])
        assert heads_on_disk(home) == stored
        assert "left file" not in {f.kind for f in examine(home.warehouse)[0]}
    else:
        assert results(home) == before
        assert cole("forget", FIRST, "--yes", "--home", home.home)[0] == 0
        assert of(home, FIRST) == dict.fromkeys(RESULTS, 0)
