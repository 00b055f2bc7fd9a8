"""cole sql, schema, similar and best, as a person or a script sees them."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cole_core.encodings import TextEncoding
from cole_core.errors import InputError
from cole_core.language_models import load, specify
from cole_core.predictors import load_surrogate
from cole_core.spaces import get_space
from flows.questions.asked import read_class
from flows.questions.similar import similar
from flows.resolve.requests import Measured, Vectors
from flows.stages.fit_heads import train
from tests.flows.conftest import SPACE, Cole, Small

QUERY = "SELECT native, value FROM evaluations ORDER BY value DESC, native LIMIT 3"

OWN = '''
"""A network that somebody wrote."""
import os
os.system("touch ran-it")
raise SystemExit("this module was run")


class Block(nn.Module):
    def forward(self, x):
        return F.relu(x)


class Cell(nn.Module):
    block = Block()

    def forward(self, x):
        return x + self.conv3x3(x)
'''


@pytest.fixture(scope="module")
def questioned(made: Small, tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The small warehouse with a trained head; questions change nothing."""
    home = tmp_path_factory.mktemp("questioned") / "home"
    shutil.copytree(made.home, home)
    measured, vectors = Measured(dataset="cifar10"), Vectors(precision="fp32")
    train(str(home), "nasbench201", measured, vectors, head="ridge", sizes=[20], draws=1)
    return Small(home, made.table)


def expected_rows(small: Small) -> list[dict[str, object]]:
    best = sorted(small.accuracies.items(), key=lambda item: (-item[1], item[0]))[:3]
    return [{"native": native, "value": value} for native, value in best]


def test_sql_in_every_format(cole: Cole, questioned: Small, tmp_path: Path) -> None:
    expected = expected_rows(questioned)
    for form, read in (
        ("csv", pl.read_csv),
        ("parquet", pl.read_parquet),
        ("json", lambda path: pl.DataFrame(json.loads(path.read_text())["rows"])),
    ):
        file = tmp_path / f"rows.{form}"
        code, out, _ = cole("sql", QUERY, "--output", file, "--home", questioned.home)
        assert code == 0
        assert "3" in out
        assert read(file).to_dicts() == expected
    code, out, _ = cole("sql", QUERY, "--format", "csv", "--home", questioned.home)
    assert code == 0
    assert out.splitlines()[0] == "native,value"
    assert len(out.splitlines()) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "rows.csv",
        "rows.json",
        "rows.parquet",
    ]


def test_sql_writes_what_csv_and_json_have_no_type_for(cole: Cole, questioned: Small) -> None:
    query = (
        "SELECT vector, {'a': [1, 2]} AS s, 'nan'::DOUBLE AS nan, 1 AS a, 2 AS a, sum(1::INT) AS n,"
        " DATE 'infinity' AS d, '\\xAA'::BLOB AS b, INTERVAL 1 DAY AS i, ['inf'::DOUBLE] AS l"
        " FROM embeddings_minilm_avg_avg_fp32 GROUP BY vector LIMIT 1"
    )
    code, out, _ = cole("sql", query, "--json", "--home", questioned.home)
    assert code == 0
    (row,) = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))["rows"]
    assert len(row.pop("vector")) == 384
    assert row == {
        "s": {"a": [1, 2]},
        "nan": None,
        "a": 1,
        "a_1": 2,
        "n": 1,
        "d": "infinity",
        "b": "aa",
        "i": "1 day",
        "l": [None],
    }
    code, out, _ = cole("sql", query, "--format", "csv", "--home", questioned.home)
    assert code == 0
    (row,) = pl.read_csv(out.encode()).to_dicts()
    assert len(json.loads(row["vector"])) == 384
    assert json.loads(row["s"]) == {"a": [1, 2]}
    for form in ("table", "json", "csv"):
        code, out, _ = cole(
            "sql", "FROM runs WHERE false", "--format", form, "--home", questioned.home
        )
        assert code == 0
        assert "run_id" in out


def test_values_cannot_steer_the_terminal(cole: Cole, questioned: Small) -> None:
    query = "SELECT chr(27) || '[2J' AS a, '[/b][red]' AS b, 1 AS \"[/x]\""
    code, out, _ = cole("sql", query, "--home", questioned.home)
    assert code == 0
    assert "\x1b[2J" not in out
    assert "\\x1b[2J" in out
    assert "[/b][red]" in out
    assert "[/x]" in out


def test_a_file_that_exists_is_replaced_whole_or_not_at_all(
    cole: Cole,
    questioned: Small,
    tmp_path: Path,
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("mine")
    broken = "SELECT error('at the end') FROM range(100000) WHERE range = 99999"
    code, _, err = cole("sql", broken, "--output", file, "--home", questioned.home)
    assert code == 2
    assert "at the end" in err
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
    assert file.read_text() == "mine"


def test_schema_explains(cole: Cole, questioned: Small) -> None:
    code, out, _ = cole("schema", "--home", questioned.home, "--json")
    assert code == 0
    rows = json.loads(out)["rows"]
    assert all(row["about"] and row["meaning"] and row["type"] for row in rows)
    assert {row["view"] for row in rows} >= {"architectures", "embeddings_minilm_avg_avg_fp32"}
    code, out, _ = cole("schema", "evaluations", "--home", questioned.home)
    assert code == 0
    assert "value" in out
    assert "trial_id" not in out


def test_similar_by_native_string_and_by_id(cole: Cole, questioned: Small) -> None:
    native = next(iter(questioned.accuracies))
    id_ = SPACE.architecture_id(native)
    answers = []
    for what in (native, id_, id_[:8]):
        code, out, _ = cole("similar", what, "-k", "3", "--home", questioned.home, "--json")
        assert code == 0
        answers.append(json.loads(out)["rows"])
    assert answers[0] == answers[1] == answers[2]
    assert all(row["cifar10"] == questioned.accuracies[row["native"]] for row in answers[0])


def test_similar_with_a_condition_is_the_plain_loop(questioned: Small) -> None:
    native = next(iter(questioned.accuracies))
    spec_id = specify("minilm", precision="fp32").spec_id
    pool = questioned.warehouse.pool(SPACE, "code.expression", "none", spec_id)
    unit = pool.vectors / np.linalg.norm(pool.vectors, axis=1, keepdims=True)
    distance = 1 - unit @ unit[pool.natives.index(native)]
    middle = float(np.median(list(questioned.accuracies.values())))
    expected = [
        pool.natives[row]
        for row in np.argsort(distance, kind="stable")
        if questioned.accuracies[pool.natives[row]] > middle and pool.natives[row] != native
    ]
    found = similar(str(questioned.home), native, 5, where=f"cifar10 > {middle}", recall=True)
    assert [row["native"] for row in found["rows"]] == expected[:5]
    assert found["recall"] == 1.0
    canonical = SPACE.canonical_form(native)
    for row in found["rows"]:
        assert row["twin"] == (SPACE.canonical_form(row["native"]) == canonical)


def test_an_architecture_that_is_not_stored_and_its_text_find_the_same(questioned: Small) -> None:
    native = next(n for n in SPACE.enumerate() if n not in questioned.accuracies)
    encoding = get_space("nasbench201").encoding("code.expression")
    assert isinstance(encoding, TextEncoding)
    text = encoding.render(native)
    by_native = similar(str(questioned.home), native, 5)
    by_text = similar(str(questioned.home), text, 5)
    assert by_native["asked"] == "architecture"
    assert by_text["asked"] == "text"
    for one, other in zip(by_native["rows"], by_text["rows"], strict=True):
        assert one["distance"] == pytest.approx(other["distance"], abs=1e-5)
    vector = next(iter(load(specify("minilm", precision="fp32")).embed([text]))).vectors[0]
    nearest = questioned.warehouse.vectors.nearest(by_text["spec_id"], vector, 1)
    assert by_text["rows"][0]["distance"] == pytest.approx(nearest["distance"][0], abs=1e-5)


def test_a_file_is_parsed_and_never_run(
    cole: Cole,
    questioned: Small,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(OWN)
    modules = set(sys.modules)
    code, out, _ = cole("similar", "own.py", "-k", "2", "--home", questioned.home, "--json")
    assert code == 0
    found = json.loads(out)
    assert found["asked"] == "file"
    assert len(found["rows"]) == 2
    assert all(row["twin"] is None for row in found["rows"])
    assert [path.name for path in tmp_path.iterdir()] == ["own.py"]
    assert "own" not in set(sys.modules) - modules
    as_text = similar(str(questioned.home), read_class(Path("own.py")), 2)
    assert [row["native"] for row in as_text["rows"]] == [row["native"] for row in found["rows"]]


def test_which_class_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN)
    assert read_class(path).startswith("class Cell(nn.Module):")
    assert read_class(path, "Block").startswith("class Block(nn.Module):")
    path.write_text(OWN.replace("block = Block()", "pass"))
    with pytest.raises(InputError, match=r"--class, of Block, Cell"):
        read_class(path)
    path.write_text("class Base(torch.nn.Module): pass\nclass Net(Base): pass\nclass A: pass\n")
    assert read_class(path) == "class Net(Base): pass"
    path.write_text("class A: pass\n")
    with pytest.raises(InputError, match=r"no nn.Module"):
        read_class(path)
    assert read_class(path, "A") == "class A: pass"


def test_best_by_measured_values(cole: Cole, questioned: Small) -> None:
    code, out, _ = cole(
        "best", "--dataset", "cifar10", "-k", 3, "--home", questioned.home, "--json"
    )
    assert code == 0
    rows = json.loads(out)["rows"]
    assert [{"native": row["native"], "value": row["value"]} for row in rows] == expected_rows(
        questioned
    )
    code, out, _ = cole("best", "--canonical", "-k", 60, "--home", questioned.home, "--json")
    forms = [SPACE.canonical_form(row["native"]) for row in json.loads(out)["rows"]]
    assert len(forms) == len(set(forms))
    assert set(forms) == {SPACE.canonical_form(native) for native in questioned.accuracies}


def test_best_by_a_stored_head(cole: Cole, questioned: Small) -> None:
    code, out, _ = cole("best", "--predicted", "-k", 60, "--home", questioned.home, "--json")
    assert code == 0
    found = json.loads(out)
    path = questioned.warehouse.head_artifact(found["head_id"])
    assert path is not None
    spec_id = specify("minilm", precision="fp32").spec_id
    pool = questioned.warehouse.pool(SPACE, "code.expression", "none", spec_id)
    predicted = dict(zip(pool.natives, load_surrogate(path).predict(pool.vectors), strict=True))
    values = [row["predicted"] for row in found["rows"]]
    assert values == sorted(values, reverse=True)
    for row in found["rows"]:
        assert row["predicted"] == pytest.approx(predicted[row["native"]])
        assert row["value"] == questioned.accuracies[row["native"]]
    code, out, _ = cole(
        *("best", "--predicted", "--head", found["head_id"][:6]),
        *("--home", questioned.home, "--json"),
    )
    assert json.loads(out)["head_id"] == found["head_id"]
