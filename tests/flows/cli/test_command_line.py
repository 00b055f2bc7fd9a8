"""The command line as a person or a script sees it: what it prints and how it exits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cyclopts
import numpy as np
import pytest

from cole_core.spaces import get_space
from flows.cli import exit_codes
from tests.cole_core.language_models.zoo import make_model
from tests.flows.conftest import SIZE, Cole, Small

SPACE = get_space("nasbench201")
CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"

NB = "nasbench201"


def table(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def test_status_as_json(cole: Cole, small: Small) -> None:
    code, out, _ = cole("status", "--home", small.home, "--json")
    assert code == 0
    status = json.loads(out)
    canonical = {SPACE.canonical_form(native) for native in small.accuracies}
    assert status["spaces"][NB] == {"architectures": SIZE, "canonical": len(canonical)}


def test_each_stage_prints_one_json_object_and_what_it_skipped(cole: Cole, small: Small) -> None:
    chosen = ("--dataset", "cifar10", "--precision", "fp32")
    for arguments, skipped in (
        (("enumerate", NB, "--samples", 5, "--seed", 9), None),
        (("ingest", NB, small.table), SIZE),
        (("train", NB, *chosen, "-n", 20, "--draws", 2), 0),
        (("search", NB, *chosen, "--budget", 12), 0),
        (("report", NB), None),
    ):
        code, out, _ = cole(*arguments, "--home", small.home, "--json")
        assert code == 0
        summary = json.loads(out)
        assert summary["stage"] == arguments[0]
        if skipped is not None:
            assert summary["skipped"] == skipped


def test_sql_prints_rows(cole: Cole, small: Small) -> None:
    query = "SELECT native, value FROM evaluations ORDER BY value DESC LIMIT 1"
    code, out, _ = cole("sql", query, "--home", small.home, "--json")
    assert code == 0
    best = max(small.accuracies.items(), key=lambda item: item[1])
    assert json.loads(out)["rows"] == [{"native": best[0], "value": best[1]}]
    code, out, _ = cole("sql", "SHOW TABLES", "--home", small.home)
    assert "embeddings_minilm_avg_avg_fp32" in out


def test_models_are_listed_with_what_is_here(cole: Cole) -> None:
    code, out, _ = cole("models", "--json")
    assert code == 0
    rows = {row["name"]: row for row in json.loads(out)["rows"]}
    assert rows["minilm"]["here"] is True
    assert rows["minilm"]["limit"] == 512
    assert rows["codebert"]["safetensors"] is False


def test_a_model_is_told_as_what_it_is_read(cole: Cole, tmp_path: Path) -> None:
    code, out, _ = cole("models", "minilm", "--json")
    assert code == 0
    said = json.loads(out)
    assert (said["read_as"], said["dimensions"]) == ("bert encoder, windows of 512 tokens", 384)
    path = make_model("gpt2", tmp_path / "mine")
    code, out, _ = cole("models", path)
    assert code == 0
    words = " ".join(out.split())
    assert "read as: gpt2 causal, windows of 128 tokens" in words
    assert "layers 3, dimensions 32" in words
    assert "weights: model.safetensors" in words


def test_options_of_the_model_reach_the_specification(cole: Cole, small: Small) -> None:
    code, out, _ = cole(
        *("embed", NB, "--precision", "fp32", "--pooling", "mean", "--layer", "-2"),
        *("--instruction", "Rank: ", "--random-init", "3", "--home", small.home, "--json"),
    )
    assert code == 0
    stored = small.warehouse.sql(
        f"SELECT specification FROM store.specifications "
        f"WHERE spec_id = '{json.loads(out)['spec_id']}'"
    )
    specification = json.loads(stored["specification"][0])
    assert specification["layers"] == [5]
    assert specification["instruction"] == "Rank: "
    assert specification["random_init"] == 3


def test_similar_lists_others(cole: Cole, small: Small) -> None:
    native = next(iter(small.accuracies))
    code, out, _ = cole(
        "similar", native, "-k", "3", "--precision", "fp32", "--home", small.home, "--json"
    )
    assert code == 0
    rows = json.loads(out)["rows"]
    assert len(rows) == 3
    assert native not in {row["native"] for row in rows}
    assert [row["distance"] for row in rows] == sorted(row["distance"] for row in rows)


BAD_TABLES = {
    "no string column": ("a,cifar10_test_accuracy_200\n1,90\n", "column"),
    "NaN": (f"arch_str,cifar10_test_accuracy_200\n{CELL},NaN\n", "NaN"),
    "250": (f"arch_str,cifar10_test_accuracy_200\n{CELL},250\n", "250"),
    "negative": (f"arch_str,cifar10_test_accuracy_200\n{CELL},-1\n", "-1"),
    "malformed native string": ("arch_str,cifar10_test_accuracy_200\n|x~0|,90\n", "|x~0|"),
    "the same twice": (
        f"arch_str,cifar10_test_accuracy_200\n{CELL},90\n{CELL},91\n",
        "repeats",
    ),
    "empty": ("arch_str,cifar10_test_accuracy_200\n", "bad.csv"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_bad_tables_change_nothing(cole: Cole, small: Small, tmp_path: Path, name: str) -> None:
    content, named = BAD_TABLES[name]
    before = small.warehouse.status()
    path = table(tmp_path / "bad.csv", content)
    code, out, err = cole("ingest", NB, path, "--home", small.home)
    assert code == 2
    assert out == ""
    assert named.lower() in err.lower()
    assert len(err.splitlines()) == 1
    assert small.warehouse.status() == before


def test_home_that_is_a_file(cole: Cole, tmp_path: Path) -> None:
    path = table(tmp_path / "file", "mine")
    for arguments in (("run", NB), ("status",), ("enumerate", NB)):
        code, _, err = cole(*arguments, "--home", path)
        assert code == 2
        assert "is a file" in err
    assert path.read_text() == "mine"


def test_home_that_is_not_there_is_not_made_by_bad_input(cole: Cole, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for arguments in (
        ("status",),
        ("train", NB, "--dataset", "cifar10"),
        ("sql", "SELECT 1"),
    ):
        code, _, err = cole(*arguments, "--home", home)
        assert code == 2
        assert "no warehouse at" in err
    assert not home.exists()


def test_output_that_nobody_reads_on_ends_quietly(small: Small) -> None:
    """As behind `| head`."""
    query = "SELECT a.native FROM architectures a, architectures b, architectures c"
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "sql", query, "--format", "csv"],
        env=os.environ | {"COLE_HOME": str(small.home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "native\n"
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 141


def test_the_warehouse_is_named_in_the_environment(
    cole: Cole, small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLE_HOME", str(small.home))
    for arguments in (("status",), ("best", "-k", 1), ("watch", "list")):
        assert cole(*arguments, "--json")[0] == 0
    code, _, err = cole("status", "--home", "/nowhere")
    assert code == 2
    assert "no warehouse at /nowhere" in err


def test_repeated_options_add_up(cole: Cole, small: Small) -> None:
    code, out, _ = cole(
        *("train", NB, "--dataset", "cifar10", "--encoding", "graf", "--draws", 1, "--json"),
        *("-n", 14, "-n", 20, "--head", "mlp", "--head-parameter", "epochs=2"),
        *("--head-parameter", "hidden=[8,8]", "--home", small.home),
    )
    assert code == 0
    assert [row["n"] for row in json.loads(out)["kendall_tau"]] == [14, 20]
    stored = small.warehouse.sql("SELECT configuration FROM trials")["configuration"][0]
    surrogate = json.loads(stored)["surrogate"]
    assert (surrogate["head__epochs"], surrogate["head__hidden"]) == (2, [8, 8])


def test_memory_that_does_not_suffice_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    app = cyclopts.App(print_error=False, exit_on_error=False)

    @app.default
    def fill() -> None:
        np.ones((10**6, 10**6))

    assert exit_codes.run(app, []) == exit_codes.FAULT
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("cole: not enough memory (Unable to allocate 7.28 TiB")
    assert "what was committed is kept" in line
