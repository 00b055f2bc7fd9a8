"""`cole sql` and `cole schema`, as a person or a script sees them."""

import json
from pathlib import Path

import polars as pl
import pytest

from tests.flows.conftest import Cole, Small

QUERY = "SELECT native, value FROM evaluations ORDER BY value DESC, native LIMIT 3"


def expected_rows(small: Small) -> list[dict[str, object]]:
    best = sorted(small.accuracies.items(), key=lambda item: (-item[1], item[0]))[:3]
    return [{"native": native, "value": value} for native, value in best]


def test_sql_in_every_format(cole: Cole, made: Small, tmp_path: Path) -> None:
    expected = expected_rows(made)
    for form, read in (
        ("csv", pl.read_csv),
        ("parquet", pl.read_parquet),
        ("json", lambda path: pl.DataFrame(json.loads(path.read_text())["rows"])),
    ):
        file = tmp_path / f"rows.{form}"
        code, out, _ = cole("sql", QUERY, "--output", file, "--home", made.home)
        assert code == 0
        assert "3" in out
        assert read(file).to_dicts() == expected
    code, out, _ = cole("sql", QUERY, "--format", "csv", "--home", made.home)
    assert code == 0
    assert out.splitlines()[0] == "native,value"
    assert len(out.splitlines()) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "rows.csv",
        "rows.json",
        "rows.parquet",
    ]


def test_sql_writes_what_csv_and_json_have_no_type_for(cole: Cole, made: Small) -> None:
    query = (
        "SELECT vector, {'a': [1, 2]} AS s, 'nan'::DOUBLE AS nan, 1 AS a, 2 AS a, sum(1::INT) AS n,"
        " DATE 'infinity' AS d, '\\xAA'::BLOB AS b, INTERVAL 1 DAY AS i, ['inf'::DOUBLE] AS l"
        " FROM embeddings_minilm_avg_avg_fp32 GROUP BY vector LIMIT 1"
    )
    code, out, _ = cole("sql", query, "--json", "--home", made.home)
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
    code, out, _ = cole("sql", query, "--format", "csv", "--home", made.home)
    assert code == 0
    (row,) = pl.read_csv(out.encode()).to_dicts()
    assert len(json.loads(row["vector"])) == 384
    assert json.loads(row["s"]) == {"a": [1, 2]}
    for form in ("table", "json", "csv"):
        code, out, _ = cole("sql", "FROM runs WHERE false", "--format", form, "--home", made.home)
        assert code == 0
        assert "run_id" in out


def test_values_cannot_steer_the_terminal(cole: Cole, made: Small) -> None:
    query = "SELECT chr(27) || '[2J' AS a, '[/b][red]' AS b, 1 AS \"[/x]\""
    code, out, _ = cole("sql", query, "--home", made.home)
    assert code == 0
    assert "\x1b[2J" not in out
    assert "\\x1b[2J" in out
    assert "[/b][red]" in out
    assert "[/x]" in out


def test_a_file_that_exists_is_replaced_whole_or_not_at_all(
    cole: Cole,
    made: Small,
    tmp_path: Path,
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("mine")
    broken = "SELECT error('at the end') FROM range(100000) WHERE range = 99999"
    code, _, err = cole("sql", broken, "--output", file, "--home", made.home)
    assert code == 2
    assert "at the end" in err
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
    assert file.read_text() == "mine"


def test_schema_explains(cole: Cole, made: Small) -> None:
    code, out, _ = cole("schema", "--home", made.home, "--json")
    assert code == 0
    rows = json.loads(out)["rows"]
    assert all(row["about"] and row["meaning"] and row["type"] for row in rows)
    assert {row["view"] for row in rows} >= {"architectures", "embeddings_minilm_avg_avg_fp32"}
    code, out, _ = cole("schema", "evaluations", "--home", made.home)
    assert code == 0
    assert "value" in out
    assert "trial_id" not in out
