"""A source of trainings taken back: its trainings go too, so that they run again."""

import polars as pl

from tests.warehouse.conftest import NATIVES, SPACE, evaluations
from warehouse import Warehouse

SETTINGS = "0123456789abcdef"
SOURCE = "cole:0123456789ab"


def trainings(natives: list[str], settings_id: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "architecture_id": [SPACE.architecture_id(native) for native in natives],
            "settings_id": settings_id,
            "seed": 0,
            "dataset": "digits",
            "dataset_hash": "hash",
            "settings": "{}",
            "status": "ok",
            "error": pl.Series([None] * len(natives), dtype=pl.String),
            "seconds": 1.0,
            "parameters": 1,
            "flops": 1,
            "memory": 1,
            "limits": "{}",
        }
    )


def test_trainings_go_with_their_values_and_those_of_other_settings_stay(
    filled: Warehouse,
) -> None:
    other = "fedcba9876543210"
    with filled.writer("test", run_id="run-2") as writer:
        for settings_id in (SETTINGS, other):
            values = evaluations(NATIVES[:4], [1.0, 2.0, 3.0, 4.0], f"cole:{settings_id[:12]}")
            writer.add_trainings(trainings(NATIVES[:4], settings_id), values)
        derived = filled.derived_from(SOURCE)
        assert derived["kind"].to_list() == ["training"] * 4
        assert writer.forget_source(SOURCE) == 4
        assert writer.forget_source(SOURCE) == 0
    assert filled.trainings(SPACE, SETTINGS, 0).is_empty()
    assert filled.trainings(SPACE, other, 0).height == 4
    counts = filled.sql("SELECT source, count(*) FROM evaluations GROUP BY source ORDER BY source")
    assert counts.rows() == [("cole:fedcba987654", 4), ("mine", 10)]


def test_a_run_that_did_not_come_along_is_null(filled: Warehouse) -> None:
    (run,) = filled.source_runs().to_dicts()
    assert run["source"] == "mine"
    assert run["run_id"] == "run-1"
    assert {value for name, value in run.items() if name not in ("source", "run_id")} == {None}
