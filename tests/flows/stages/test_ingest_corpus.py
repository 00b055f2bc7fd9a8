"""A corpus from its files to the best of them."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from flows.questions.similar import SimilarRequest, similar
from flows.resolve.algorithms import AlgorithmOptions
from flows.resolve.corpora import RunOptions, read_corpus
from flows.resolve.network_training import NetworkOptions
from flows.resolve.requests import AskedEmbeddings, Measured
from flows.running.server import LocalServer
from flows.stages.embed import EmbedRequest, embed
from flows.stages.enumerate import EnumerateRequest, enumerate_architectures
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from flows.stages.ingest_corpus import IngestCorpusRequest, ingest_corpus
from flows.stages.render import RenderRequest, render
from flows.stages.search import SearchRequest, search
from flows.stages.search_by_training import SearchByTrainingRequest, search_by_training
from flows.stages.train_networks import TrainNetworksRequest, train_networks
from tests.cole_core.spaces.corpus import networks
from tests.cole_core.spaces.corpus.networks import CONV
from tests.flows.cli.test_transfer import rewrite
from tests.flows.conftest import Cole
from warehouse import Warehouse
from warehouse.transfer.export import export_warehouse
from warehouse.transfer.importing import import_export, open_export

ACTS = ("ReLU", "GELU", "Tanh", "ELU", "SiLU")
WIDTHS = (2, 3, 4, 5, 6, 7)
RUN = RunOptions(run=True)
FP32 = AskedEmbeddings(precision="fp32")


def a_table(folder: Path) -> Path:
    """Thirty networks with what somebody measured, and what somebody noted."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "code": CONV.format(width=width, act=act),
            "author": f"author {number % 3}",
            "stars": number,
            "digits_valid_accuracy_5": 50 + 4 * width + 2 * ACTS.index(act) + rng.normal(0, 0.1),
        }
        for number, (act, width) in enumerate(product(ACTS, WIDTHS))
    ]
    path = folder / "nets.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, prefect_server: LocalServer) -> Path:
    """A warehouse with a corpus that was parsed, then run, rendered and embedded."""
    folder = tmp_path_factory.mktemp("corpus")
    home = folder / "home"
    table = a_table(folder)
    asked = IngestCorpusRequest(space="corpus:nets", origin=str(table), home=home)
    did = ingest_corpus(asked)
    assert (did["networks"], did["evaluations"]) == (30, 30)
    again = ingest_corpus(asked)
    assert (again["networks"], again["networks_skipped"], again["skipped"]) == (0, 30, 30)
    with pytest.raises(InputError, match="--run"):
        render(RenderRequest(space="corpus:nets", home=home, encoding="code.expression"))
    for encoding, running in (("code.source", RunOptions()), (None, RUN)):
        about: dict[str, Any] = {"space": "corpus:nets", "home": home, "encoding": encoding}
        assert render(RenderRequest(**about, running=running))["renderings"] == 30
        assert render(RenderRequest(**about))["renderings"] == 0
        assert embed(EmbedRequest(**about, options=FP32))["embedded"] > 0
    return home


def rows(home: Path, statement: str) -> list[tuple]:
    return Warehouse(home).sql(statement).rows()


def test_everything_of_a_table_can_be_asked(lived: Path) -> None:
    assert rows(lived, "SELECT count(*), count(DISTINCT code_hash) FROM members") == [(30, 30)]
    found = rows(
        lived,
        "SELECT name, class, place, own ->> '$.author', (own ->> '$.stars')::INT, traced "
        "FROM members JOIN architectures USING (architecture_id) WHERE position = 4",
    )
    assert found == [("", "Net", "nets.jsonl, row 5", "author 1", 4, True)]
    [(texts,)] = rows(lived, "SELECT count(DISTINCT text) FROM renderings")
    assert texts == 60
    assert rows(lived, "SELECT DISTINCT encoding, path FROM renderings ORDER BY ALL") == [
        ("code.expression", "fx"),
        ("code.source", "source"),
    ]
    canonical = rows(lived, "SELECT count(DISTINCT canonical_id) FROM architectures")
    assert canonical == [(30,)]


def test_a_corpus_is_enumerated_by_what_it_has(lived: Path) -> None:
    did = enumerate_architectures(EnumerateRequest(space="corpus:nets", home=lived))
    assert did == {"architectures": 0, "skipped": 30}


@pytest.mark.parametrize("encoding", ["code.source", "code.expression", "counts", "graf", "ngram"])
def test_heads_learn_from_it(lived: Path, encoding: str) -> None:
    did = fit_heads(
        FitHeadsRequest(
            space="corpus:nets",
            home=lived,
            measured=Measured(dataset="digits"),
            vectors=Vectors(encoding=encoding),
            sizes=(24,),
            draws=2,
        )
    )
    assert did["trials"] == 2
    assert did["kendall_tau"][0]["n"] == 24


@pytest.mark.parametrize("algorithm", ["bananas", "random_search", "regularized_evolution"])
def test_a_search_chooses_among_what_is_given(lived: Path, algorithm: str) -> None:
    did = search(
        SearchRequest(
            space="corpus:nets",
            home=lived,
            measured=Measured(dataset="digits"),
            vectors=Vectors(precision="fp32"),
            algorithm=AlgorithmOptions(name=algorithm),
            budget=25,
        )
    )
    [found] = did["searches"]
    assert found["evaluations"] + found["skipped"] == 25
    assert found["best"] in {native for (native,) in rows(lived, "SELECT native FROM members")}
    assert rows(lived, "SELECT max(value) FROM evaluations")[0][0] - found["best_value"] < 5


def test_questions_are_answered_without_running_anything(
    cole: Cole, lived: Path, tmp_path: Path
) -> None:
    code, out, _ = cole("best", "--space", "corpus:nets", "--dataset", "digits", "--home", lived,
                        "--json")  # fmt: skip
    assert code == 0
    best = json.loads(out)["rows"][0]
    [(native,)] = rows(lived, "SELECT native FROM evaluations ORDER BY value DESC LIMIT 1")
    assert best["native"] == native
    for what in (native, best["architecture_id"]):
        code, out, err = cole("similar", what, "--space", "corpus:nets", "--home", lived)
        assert (code, err) == (0, "")
        assert "corpus:nets" in out
    path = tmp_path / "mine.py"
    path.write_text(CONV.format(width=7, act="SiLU"))
    asked = SimilarRequest(what=str(path), home=lived, space="corpus:nets", k=1)
    found = similar(asked)  # parsed alone: compared with sources
    assert found["encoding"] == "code.source"
    assert found["read"] == f"file {path}, class Net"
    [row] = found["rows"]
    assert row["distance"] == pytest.approx(0, abs=1e-6)
    [(expected,)] = rows(lived, "SELECT native FROM members WHERE code LIKE '%7%SiLU%'")
    assert row["native"] == expected
    path.write_text(CONV.format(width=7, act="SiLU").replace("nn.SiLU()", "nn.SiLU(inplace=True)"))
    ran = similar(SimilarRequest(what=str(path), home=lived, space="corpus:nets", k=1, running=RUN))
    assert ran["encoding"] == "code.expression"
    assert ran["rows"][0]["native"] == expected
    assert ran["rows"][0]["distance"] == pytest.approx(0, abs=1e-6)


def test_its_networks_are_trained_only_where_they_may_run(lived: Path) -> None:
    about: dict[str, Any] = {"space": "corpus:nets", "home": lived, "dataset": "digits"}
    refused = (
        lambda: train_networks(TrainNetworksRequest(**about, limit=2)),
        lambda: search_by_training(SearchByTrainingRequest(**about, budget=2)),
    )
    for call in refused:
        with pytest.raises(InputError, match="add --run"):
            call()
    did = search_by_training(
        SearchByTrainingRequest(
            **about,
            budget=3,
            epochs=1,
            algorithm=AlgorithmOptions(name="random_search"),
            networks=NetworkOptions(run=True, workers=1),
        )
    )
    assert did["trained"] == 3
    assert rows(lived, "SELECT DISTINCT status FROM trainings") == [("ok",)]


def test_a_folder_is_traced_as_it_comes_in(
    cole: Cole, tmp_path: Path, prefect_server: LocalServer
) -> None:
    nets = tmp_path / "nets"
    (nets / "deep").mkdir(parents=True)
    for name, code in {
        "good.py": CONV.format(width=4, act="ReLU"),
        "deep/same.py": CONV.format(width=4, act="ReLU").replace("nn.ReLU()", "nn.ReLU(True)"),
        "needs.py": networks.NEEDS,
        "raises.py": networks.RAISES,
        "endless.py": networks.ENDLESS,
        "broken.py": networks.BROKEN,
    }.items():
        (nets / name).write_text(code)
    home = tmp_path / "home"
    options = ("--home", home, "--run", "--run-time-limit", 5, "--json")
    code, out, err = cole("ingest", "corpus:mine", nets, *options)
    assert code == 0
    did = json.loads(out)
    assert (did["networks"], did["traced"], did["failed"]) == (2, 2, 4)
    assert did["paths"] == {"fx": 2}
    told = [line for line in err.splitlines() if line.startswith("cole: ")]
    assert len(told) == 4
    assert told[-1] == "cole: and 1 more"
    found = rows(home, "SELECT native, canonical_id FROM architectures ORDER BY position")
    assert [native.partition("#")[0] for native, _ in found] == ["good.py:Net", "deep/same.py:Net"]
    assert found[0][1] == found[1][1]  # twins by what they compute
    corpus = read_corpus(Warehouse(home), "corpus:mine")
    assert corpus.traced == [native for native, _ in found]
    assert {corpus.canonical_form(native) for native in corpus.traced} == {
        corpus.normal_form(corpus.traced[0]).expression
    }
    # What is rendered now reads what is stored: nothing is run.
    for path in nets.rglob("*.py"):
        path.unlink()
    did = render(RenderRequest(space="corpus:mine", home=home))
    assert did["renderings"] == 2
    assert did["paths"] == {"fx": 2}
    did = render(RenderRequest(space="corpus:mine", home=home, encoding="code.class"))
    assert did["renderings"] == 2


def imported(home: Path, folder: Path) -> dict[str, int]:
    with open_export(folder) as incoming:
        return import_export(Warehouse(home), incoming, "test")


def test_a_corpus_goes_elsewhere_whole(lived: Path, tmp_path: Path) -> None:
    export_warehouse(Warehouse(lived), tmp_path / "export")
    did = imported(tmp_path / "home", tmp_path / "export")
    assert (did["members"], did["codes"], did["normal_forms"]) == (30, 30, 30)
    before = read_corpus(Warehouse(lived), "corpus:nets")
    assert read_corpus(Warehouse(tmp_path / "home"), "corpus:nets").members == before.members
    assert imported(tmp_path / "home", tmp_path / "export")["members"] == 0
    asked = "SELECT architecture_id FROM members LIMIT 4"
    export_warehouse(Warehouse(lived), tmp_path / "part", asked)
    assert imported(tmp_path / "other", tmp_path / "part")["members"] == 4


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("codes", pl.col("code") + "# and more", "code_hash"),
        ("members", pl.lit("Other").alias("class"), "member"),
        ("members", pl.lit("x").alias("canonical"), "canonical_id"),
    ],
)
def test_an_export_that_says_other_code_is_refused(
    lived: Path, tmp_path: Path, table: str, change: pl.Expr, said: str
) -> None:
    export_warehouse(Warehouse(lived), tmp_path / "export")
    rewrite(tmp_path / "export", table, change)
    with pytest.raises(InputError, match=f"{said} .* is not the hash"):
        imported(tmp_path / "home", tmp_path / "export")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("files", "options", "said"),
    [
        ({}, (), "no Python file"),
        ({"notes.txt": "x"}, (), "no Python file"),
        ({"a.py": networks.NO_MODULE}, (), "holds no class"),
        ({"a.py": networks.BROKEN}, (), "line 3"),
        ({"a.py": networks.NO_MODULE, "b.py": networks.BROKEN}, (), "none of 2 is a network"),
        ({"a.py": networks.TWO}, (), "of One, Two"),
        ({"a.py": networks.ENDLESS}, ("--run", "--run-time-limit", "3"), "not done after 3 s"),
        ({"a.py": networks.HOARD}, ("--run", "--run-memory-limit", "512"), "memory"),
        ({"a.py": networks.NEEDS}, ("--run",), "--arguments"),
        ({"a.py": networks.NEEDS}, ("--run", "--arguments", '{"width": 3}'), "Net"),
        ({"a.py": networks.NEEDS}, ("--arguments", "3"), "JSON object"),
        ({"a.py": networks.NEEDS}, ("--run-time-limit", "3"), "add --run"),
        ({"a.py": networks.NEEDS}, ("--skip", "x"), "has no columns"),
    ],
)
def test_bad_folders_are_one_line(
    cole: Cole, tmp_path: Path, files: dict[str, str], options: tuple[str, ...], said: str
) -> None:
    folder = tmp_path / "nets"
    folder.mkdir()
    for name, code in files.items():
        (folder / name).write_text(code)
    home = tmp_path / "home"
    code, out, err = cole("ingest", "corpus:x", folder, *options, "--home", home)
    assert (code, out) == (2, "")
    [line] = [line for line in err.splitlines() if line.startswith("cole: ")]
    assert said in line
    assert not home.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ingest", "corpus:x", "{folder}/none"), "no folder or file"),
        (("ingest", "corpus:x", "{folder}/table.csv"), "no column 'code'"),
        (("ingest", "corpus:", "{folder}"), "names no corpus"),
        (("ingest", "corpus:a b", "{folder}"), "names no corpus"),
        (("ingest", "nasbench201", "{folder}/table.csv", "--run"), "--run is for"),
        (("ingest", "nasbench201", "{folder}/table.csv", "--arguments", "{{}}"), "--arguments is"),
        (("render", "corpus:none"), "cole ingest corpus:none SOURCE"),
        (("render", "nasbench201", "--run"), "--run is for"),
        (("run", "corpus:none"), "begin with 'cole ingest corpus:none SOURCE'"),
        (("train", "corpus:none", "--dataset", "digits"), "cole ingest corpus:none"),
    ],
)
def test_what_is_no_corpus_is_one_line(
    cole: Cole, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "table.csv").write_text("model,accuracy\nx,93.0\n")
    given = [word.format(folder=tmp_path) for word in words]
    code, out, err = cole(*given, "--home", tmp_path / "home")
    assert (code, out) == (2, "")
    [line] = err.splitlines()
    assert said in line


def test_a_dry_run_says_what_columns_are_and_runs_nothing(cole: Cole, tmp_path: Path) -> None:
    told = tmp_path / "ran"
    code_text = f"open({str(told)!r}, 'w')\n" + CONV.format(width=4, act="ReLU")
    path = tmp_path / "nets.parquet"
    pl.DataFrame(
        {"code": [code_text], "cifar10_test_accuracy": [91.0], "who": ["me"]}
    ).write_parquet(path)
    code, out, _ = cole("ingest", "corpus:x", path, "--run", "--dry-run", "--home", tmp_path / "h")
    assert code == 0
    assert "who → kept as a column of its own" in out
    assert not told.exists()
    assert not (tmp_path / "h").exists()
