"""The prototype of a shared catalog, on a real PostgreSQL; skipped where it or DuckDB's extensions
are not installed, since the warehouse needs neither."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.postgres_cluster import Cluster, cluster
from benchmarks.shared_catalog import main
from benchmarks.shared_warehouse import Layout, Place, SharedWarehouse, check_extensions, make
from cole_core.errors import InputError
from tests.warehouse.conftest import NATIVES, TEXTS, architectures, renderings
from warehouse import Warehouse


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    try:
        check_extensions()
        with cluster() as running:
            yield running
    except InputError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("layout", Layout)
def test_a_shared_catalog_says_what_a_file_says(
    layout: Layout, server: Cluster, tmp_path: Path
) -> None:
    name = f"says_{layout}".replace("-", "_")
    place = Place(layout, server.database(name), tmp_path / "files")
    make(place)
    shared, own = SharedWarehouse(tmp_path / "home", place), Warehouse(tmp_path / "own")
    for warehouse in (shared, own):
        with warehouse.writer("test", run_id="run-1") as writer:
            assert writer.add_architectures(architectures(NATIVES)) == len(NATIVES)
            assert writer.add_architectures(architectures(NATIVES)) == 0
            assert writer.add_renderings(renderings(NATIVES, TEXTS)) == len(NATIVES)
    assert shared.status() | {"home": ""} == own.status() | {"home": ""}
    asked = "SELECT native, text FROM renderings ORDER BY native"
    assert shared.sql(asked).equals(own.sql(asked))


@pytest.mark.slow
@pytest.mark.usefixtures("server")
def test_killed_processes_and_a_killed_server_lose_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    few = ["--seconds", "1", "--rounds", "1", "--commits", "5", "--architectures", "50"]
    assert main([*few, "--layouts", "ducklake", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["layouts"][0]
    assert found["killed"]["half_there"] == 0
    assert found["database_killed"]["acknowledged"] >= 50
    assert found["database_killed"]["lost"] == 0
    assert all(worked["rows"] for worked in found["workers"])


def test_what_is_not_installed_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        check_extensions()
    except InputError:
        assert main([]) == 2
        assert "pip install duckdb-extension-ducklake" in capsys.readouterr().err
    else:
        pytest.skip("DuckDB's extensions are installed")
