"""Trials of the first version, before comparisons stood beside them."""

from importlib import resources
from pathlib import Path

import duckdb
import pytest

from warehouse import Warehouse


@pytest.fixture
def old(tmp_path: Path) -> Warehouse:
    """A catalog as version 1 left it, with one trial and one of a collapsed head."""
    script = resources.files("warehouse").joinpath("migrations/0001_initial.sql").read_text()
    with duckdb.connect(tmp_path / "catalog.duckdb") as connection:
        connection.execute("CREATE TABLE schema_version (version INTEGER)")
        connection.execute(script)
        connection.execute("INSERT INTO schema_version VALUES (1)")
        connection.execute(
            "INSERT INTO store.trials VALUES "
            "('a', '{}', 'nasbench201', 'path', 'none', NULL, 'ridge', '{}', 14, 0, 6, 'h', 0.5, "
            "0.6, 1.0, 'run'), "
            "('b', '{}', 'nasbench201', 'path', 'none', NULL, 'mlp', '{}', 14, 0, 6, 'h', 'nan', "
            "'nan', 1.0, 'run')"
        )
    return Warehouse(tmp_path)


def test_trials_of_version_1_are_kept(old: Warehouse) -> None:
    with old.writer("migrate", "run") as writer:
        writer.start_run("migrate", {}, {})
    rows = old.sql("SELECT trial_id, kendall_tau, collapsed, population, folds FROM trials")
    kept = {row["trial_id"]: row for row in rows.iter_rows(named=True)}
    assert kept["a"]["kendall_tau"] == 0.5
    assert [kept["a"]["collapsed"], kept["b"]["collapsed"]] == [False, True]
    assert {row["population"] for row in kept.values()} == {"all"}
    assert old.sql("SELECT count(*) AS rows FROM comparisons")["rows"][0] == 0
