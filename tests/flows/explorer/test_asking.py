"""Queries on the page: their rows, their files, and columns with names that could be code."""

import json
from pathlib import Path

import polars as pl
import pytest

from cole_core.errors import InputError
from flows.explorer.asking import ROWS, ask, write_answer
from tests.flows.explorer import attacks
from tests.flows.explorer.warehouses import SIZE, accuracy
from warehouse import Warehouse

_ALL = "SELECT native, value, NULL AS nothing FROM evaluations ORDER BY value DESC;"


def test_rows_are_texts_and_more_are_told(explored: Warehouse) -> None:
    found = ask(explored, _ALL)
    assert found.columns == ("native", "value", "nothing")
    assert found.numbers[:2] == (False, True)
    assert not found.more
    assert [row[1] for row in found.rows] == [f"{accuracy(n):g}" for n in range(SIZE)][::-1]
    assert {row[2] for row in found.rows} == {None}
    many = ask(explored, f"SELECT * FROM range({ROWS + 1})")
    assert many.more
    assert len(many.rows) == ROWS
    assert ask(explored, "SELECT * FROM evaluations WHERE false").rows == ()


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_a_file_has_all_rows(explored: Warehouse, tmp_path: Path, form: str) -> None:
    path = write_answer(explored, _ALL, form, tmp_path)
    if form == "json":
        values = [row["value"] for row in json.loads(path.read_text())["rows"]]
    else:
        frame = pl.read_csv(path) if form == "csv" else pl.read_parquet(path)
        values = frame["value"].to_list()
    assert values == [accuracy(place) for place in range(SIZE)][::-1]


def test_an_unknown_format_is_refused(explored: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="choose csv"):
        write_answer(explored, _ALL, "xlsx", tmp_path)


def test_columns_go_by_number() -> None:
    pytest.importorskip("nicegui")
    from flows.explorer.pages.sql_page import answer_table

    names = list(attacks.SCRIPTS)
    columns, rows = answer_table(names, [False] * len(names), [names])
    assert [column["label"] for column in columns] == names
    assert set(rows[0]) == {"key", *(f"c{place}" for place in range(len(names)))}
