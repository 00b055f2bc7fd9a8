"""The command line as a person or a script sees it: what it prints and how it exits."""

import json
from pathlib import Path

import pytest

from cole_core.spaces import get_space
from tests.flows.conftest import SIZE, Cole, Small

SPACE = get_space("nasbench201")
CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"

COMMANDS = ["run", "enumerate", "render", "embed", "ingest", "train", "search", "report"]
COMMANDS += ["status", "sql", "similar"]


def table(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def test_help_is_a_guide(cole: Cole) -> None:
    code, out, _ = cole("--help")
    assert code == 0
    for command in COMMANDS:
        assert command in out


def test_status_as_json(cole: Cole, small: Small) -> None:
    code, out, _ = cole("status", "--home", small.home, "--json")
    assert code == 0
    status = json.loads(out)
    canonical = {SPACE.canonical_form(native) for native in small.accuracies}
    assert status["spaces"]["nasbench201"] == {"architectures": SIZE, "canonical": len(canonical)}


def test_each_stage_prints_one_json_object_and_what_it_skipped(cole: Cole, small: Small) -> None:
    for arguments, skipped in (
        (("enumerate", "nasbench201", "--samples", "5", "--seed", "9"), None),
        (("ingest", "nasbench201", small.table), SIZE),
        (
            (
                "train",
                "nasbench201",
                "--dataset",
                "cifar10",
                "--precision",
                "fp32",
                "-n",
                "20",
                "--draws",
                "2",
            ),
            0,
        ),
        (
            (
                "search",
                "nasbench201",
                "--dataset",
                "cifar10",
                "--precision",
                "fp32",
                "--budget",
                "12",
            ),
            0,
        ),
        (("report", "nasbench201"), None),
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


def test_options_of_the_model_reach_the_specification(cole: Cole, small: Small) -> None:
    code, out, _ = cole(
        *("embed", "nasbench201", "--precision", "fp32", "--pooling", "mean", "--layer", "-2"),
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


TRAIN = ("train", "nasbench201", "--dataset", "cifar10", "--precision", "fp32")
SEARCH = ("search", "nasbench201", "--dataset", "cifar10", "--precision", "fp32")

BAD_INPUT: dict[str, tuple[tuple[object, ...], str]] = {
    "malformed native string": (("similar", "|nor_conv_3x3~0|"), "|nor_conv_3x3~0|"),
    "unknown operation": (("similar", CELL.replace("none", "conv_7x7")), "conv_7x7"),
    "edge to a later node": (("similar", CELL.replace("none~2", "none~3")), "none~3"),
    "unknown space": (("enumerate", "darts"), "darts"),
    "too many samples": (("enumerate", "nasbench201", "--samples", 20_000), "20000"),
    "no samples": (("enumerate", "nasbench201", "--samples", 0), "0"),
    "unknown encoding": (("render", "nasbench201", "--encoding", "code.short"), "code.short"),
    "structural encoding": (("render", "nasbench201", "--encoding", "path"), "path"),
    "unknown context": (("render", "nasbench201", "--context", "task"), "task"),
    "unknown model": (("embed", "nasbench201", "--lm", "no-such-model"), "no-such-model"),
    "model path that is not there": (("embed", "nasbench201", "--lm", "./nowhere"), "./nowhere"),
    "unknown pooling": (("embed", "nasbench201", "--pooling", "median"), "median"),
    "unknown precision": (("embed", "nasbench201", "--precision", "fp7"), "fp7"),
    "layer that is not there": (("embed", "nasbench201", "--layer", 99), "99"),
    "echo with an encoder": (("embed", "nasbench201", "--echo"), "echo"),
    "unknown runner": (("embed", "nasbench201", "--runner", "slurm"), "slurm"),
    "unknown source": (("ingest", "nasbench201", "no-such-benchmark"), "no-such-benchmark"),
    "unknown head": ((*TRAIN, "--head", "forest"), "forest"),
    "unknown loss": ((*TRAIN, "-n", 20, "--head", "mlp", "--loss", "l7"), "l7"),
    "n larger than the pool": ((*TRAIN, "-n", 55), "-n 55"),
    "n too small": ((*TRAIN, "-n", 1), "-n 1"),
    "no draws": ((*TRAIN, "-n", 20, "--draws", 0), "--draws 0"),
    "unknown dataset": (
        ("train", "nasbench201", "--dataset", "svhn", "--precision", "fp32"),
        "svhn",
    ),
    "unknown metric": ((*TRAIN, "--metric", "latency"), "latency"),
    "embedding that was not made": ((*TRAIN, "--pooling", "cls"), "cole embed"),
    "encoding that was not rendered": ((*TRAIN, "--encoding", "arch_str"), "cole render"),
    "unknown algorithm": ((*SEARCH, "--algorithm", "gradient"), "gradient"),
    "unknown acquisition": ((*SEARCH, "--acquisition", "luck"), "luck"),
    "budget above the pool": ((*SEARCH, "--budget", 1000), "--budget 1000"),
    "no budget": ((*SEARCH, "--budget", 0), "--budget 0"),
    "SQL that is none": (("sql", "SELEC 1"), "SELEC"),
    "SQL that writes": (("sql", "DROP VIEW runs"), "DROP VIEW runs"),
    "SQL that reads files": (("sql", "SELECT * FROM '/etc/hostname'"), "/etc/hostname"),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_one_line_and_changes_nothing(cole: Cole, small: Small, name: str) -> None:
    arguments, named = BAD_INPUT[name]
    before = small.warehouse.status()
    code, out, err = cole(*arguments, "--home", small.home)
    assert code == 2
    assert out == ""
    assert named in err
    assert len(err.splitlines()) == 1
    assert small.warehouse.status() == before


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
    code, out, err = cole("ingest", "nasbench201", path, "--home", small.home)
    assert code == 2
    assert out == ""
    assert named.lower() in err.lower()
    assert len(err.splitlines()) == 1
    assert small.warehouse.status() == before


def test_home_that_is_a_file(cole: Cole, tmp_path: Path) -> None:
    path = table(tmp_path / "file", "mine")
    for arguments in (("run", "nasbench201"), ("status",), ("enumerate", "nasbench201")):
        code, _, err = cole(*arguments, "--home", path)
        assert code == 2
        assert "is a file" in err
    assert path.read_text() == "mine"


def test_home_that_is_not_there_is_not_made_by_bad_input(cole: Cole, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for arguments in (
        ("status",),
        ("train", "nasbench201", "--dataset", "cifar10"),
        ("sql", "SELECT 1"),
    ):
        code, _, err = cole(*arguments, "--home", home)
        assert code == 2
        assert "no warehouse at" in err
    assert not home.exists()


def test_options_of_the_wrong_type_exit_with_2(cole: Cole, small: Small) -> None:
    code, _, err = cole(*SEARCH, "--budget", "many", "--home", small.home)
    assert code == 2
    assert "--budget" in err
