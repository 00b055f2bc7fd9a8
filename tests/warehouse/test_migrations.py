"""A warehouse of each earlier version opens, keeps its rows and has what the newest has."""

from pathlib import Path

import duckdb
import pytest

from warehouse import Warehouse, catalog

SCRIPTS = catalog._migrations()


def old_warehouse(home: Path, version: int) -> None:
    """What the program of that version would have left."""
    home.mkdir()
    with duckdb.connect(home / "catalog.duckdb") as connection:
        connection.execute("CREATE TABLE schema_version (version INTEGER)")
        for number in range(1, version + 1):
            connection.execute(SCRIPTS[number - 1])
            connection.execute("INSERT INTO schema_version VALUES (?)", [number])
        connection.execute(
            "INSERT INTO store.runs (run_id, flow, parameters, versions, started_at) "
            "VALUES ('old', 'render', '{}', '{}', TIMESTAMP '2026-01-01')"
        )
        connection.execute("INSERT INTO store.embeddings VALUES ('spec', 'text', 7, false, 'old')")


def schema(home: Path) -> set[tuple[str, str, str]]:
    with duckdb.connect(home / "catalog.duckdb", read_only=True) as connection:
        return set(
            connection.execute(
                "SELECT table_name, column_name, data_type FROM information_schema.columns"
            ).fetchall()
        )


@pytest.mark.parametrize("version", range(1, len(SCRIPTS)))
def test_every_earlier_version_migrates_when_it_is_read(tmp_path: Path, version: int) -> None:
    old_warehouse(tmp_path / "old", version)
    warehouse = Warehouse(tmp_path / "old")
    assert warehouse.sql("SELECT run_id, flow FROM runs").rows() == [("old", "render")]
    assert warehouse.status()["runs"] == 1

    with Warehouse(tmp_path / "new").writer("test", run_id="run-1") as writer:
        writer.start_run("test", {}, {})
    assert schema(tmp_path / "old") == schema(tmp_path / "new")


def test_migrations_are_numbered_without_a_gap() -> None:
    folder = Path(catalog.__file__).parent / "migrations"
    numbers = sorted(int(path.name[:4]) for path in folder.glob("*.sql"))
    assert numbers == list(range(1, len(SCRIPTS) + 1))


def test_views_of_another_program_are_made_anew_when_they_are_read(tmp_path: Path) -> None:
    """Of the same version of the tables: only what people query has changed since."""
    home = tmp_path / "home"
    with Warehouse(home).writer("test", run_id="run-1") as writer:
        writer.start_run("render", {"space": "nasbench201"}, {})
    expected = schema(home)
    with duckdb.connect(home / "catalog.duckdb") as connection:
        connection.execute(
            "CREATE OR REPLACE VIEW renderings AS SELECT text_hash FROM store.renderings;"
            "CREATE OR REPLACE VIEW runs AS SELECT run_id FROM store.runs"
        )
    assert schema(home) != expected
    assert Warehouse(home).sql("SELECT space, flow FROM runs").rows() == [("nasbench201", "render")]
    assert schema(home) == expected


def test_views_that_are_there_are_not_made_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Warehouse(home).writer("test", run_id="run-1") as writer:
        writer.start_run("render", {}, {})
    Warehouse(home).sql("FROM runs")
    before = (home / "catalog.duckdb").stat()
    home.chmod(0o500)  # a backup that can only be read
    (home / "catalog.duckdb").chmod(0o400)
    assert Warehouse(home).sql("SELECT flow FROM runs").rows() == [("render",)]
    home.chmod(0o700)
    assert (home / "catalog.duckdb").stat().st_mtime_ns == before.st_mtime_ns
