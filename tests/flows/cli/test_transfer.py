"""Export, import, backup: everything comes back, and nothing that is not what it says."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.language_models import specify
from flows.resolve.requests import Measured
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from flows.stages.search import SearchRequest, search
from tests.flows.conftest import Cole, Small
from warehouse import Warehouse, catalog
from warehouse.tables import KEYS
from warehouse.transfer.backup import back_up, backups
from warehouse.transfer.export import export_rows, export_warehouse
from warehouse.transfer.importing import import_export, open_export

SPEC = specify("minilm", precision="fp32").spec_id
CHOSEN: dict[str, Any] = {
    "space": "nasbench201",
    "measured": Measured(dataset="cifar10"),
    "vectors": Vectors(precision="fp32"),
}


def rows(home: Path, table: str) -> list[tuple]:
    """A table read by DuckDB alone."""
    with duckdb.connect(home / "catalog.duckdb", read_only=True) as connection:
        columns = ", ".join(
            f'"{name}"' for name in sorted(connection.table(f"store.{table}").columns)
        )
        return sorted(
            connection.execute(f"SELECT {columns} FROM store.{table}").fetchall(), key=repr
        )


def vectors(home: Path) -> dict[str, np.ndarray]:
    dataset = Warehouse(home).vectors.dataset(SPEC)
    assert dataset is not None
    found = dataset.to_table().to_pydict()
    assert len(set(found["text_hash"])) == len(found["text_hash"])
    return {
        h: np.array(v, np.float32) for h, v in zip(found["text_hash"], found["vector"], strict=True)
    }


def same_content(one: Path, other: Path) -> None:
    for table in KEYS:
        assert rows(one, table) == rows(other, table), table
    first, second = vectors(one), vectors(other)
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[key], second[key]) for key in first)


def train(home: Path, draws: int) -> int:
    """How many trials were not stored."""
    asked = FitHeadsRequest(**CHOSEN, home=home, sizes=(20,), draws=draws)
    return fit_heads(asked)["trials"]


def search_twice(home: Path) -> int:
    """How many evaluations were not stored."""
    return search(SearchRequest(**CHOSEN, home=home, budget=12, seeds=(0, 1)))["evaluations"]


def import_(home: Path, folder: Path) -> dict[str, int]:
    with open_export(folder) as incoming:
        return import_export(Warehouse(home), incoming, "test")


@pytest.fixture(scope="module")
def lived(made: Small, tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The small warehouse with heads and searches."""
    home = tmp_path_factory.mktemp("lived") / "home"
    shutil.copytree(made.home, home)
    assert (train(home, draws=1), search_twice(home)) == (1, 24)
    return Small(home, made.table)


@pytest.fixture(scope="module")
def exported(lived: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports") / "whole"
    export_warehouse(lived.warehouse, folder)
    return folder


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    """An export to tamper with."""
    folder = tmp_path / "export"
    shutil.copytree(exported, folder)
    return folder


def test_whole_warehouse_comes_back(lived: Small, exported: Path, tmp_path: Path) -> None:
    home = tmp_path / "new"
    added = import_(home, exported)
    assert added["architectures"] == 60
    assert added["vectors"] == len(vectors(home)) > 0
    assert added["artifacts"] == added["heads"] == 1
    assert added["search_steps"] == 24
    same_content(lived.home, home)
    again = import_(home, exported)
    assert not any(again.values())
    same_content(lived.home, home)
    # A stored search and a stored head are known: nothing is done again.
    assert (train(home, draws=1), search_twice(home)) == (0, 0)


def test_a_file_is_read_by_others(exported: Path, lived: Small) -> None:
    assert pl.read_parquet(exported / "tables/architectures.parquet").height == 60
    vector = pl.read_parquet(exported / f"vectors/{SPEC}.parquet")
    assert set(vector["text_hash"]) == set(vectors(lived.home))


def test_the_part_that_a_query_names(lived: Small, tmp_path: Path) -> None:
    query = "SELECT architecture_id FROM evaluations ORDER BY value DESC LIMIT 7"
    best = lived.warehouse.sql(query)["architecture_id"]
    export_warehouse(lived.warehouse, tmp_path / "part", query)
    added = import_(tmp_path / "home", tmp_path / "part")
    assert (added["architectures"], added["evaluations"], added["renderings"]) == (7, 7, 7)
    assert added["vectors"] == added["embeddings"] == added["texts"] <= 7
    assert {row[0] for row in rows(tmp_path / "home", "architectures")} == set(best)
    everything = vectors(lived.home)
    for text_hash, vector in vectors(tmp_path / "home").items():
        assert np.array_equal(vector, everything[text_hash])
    # The rest comes behind what is there, in its order.
    export_warehouse(lived.warehouse, tmp_path / "whole")
    assert import_(tmp_path / "home", tmp_path / "whole")["architectures"] == 53
    positions = [row[3] for row in rows(tmp_path / "home", "architectures")]
    assert len(set(positions)) == 60


def test_rows_of_a_query(lived: Small, tmp_path: Path) -> None:
    path = tmp_path / "best.parquet"
    query = "SELECT native, value FROM evaluations ORDER BY value DESC LIMIT 5"
    assert export_rows(lived.warehouse, path, query) == 5
    assert pl.read_parquet(path).equals(lived.warehouse.sql(query))
    with pytest.raises(InputError, match="is there already"):
        export_rows(lived.warehouse, path, query)
    with pytest.raises(InputError, match="select architecture_id"):
        export_warehouse(lived.warehouse, tmp_path / "part", query)
    assert not (tmp_path / "part").exists()


def edit(folder: Path, change: Callable[[dict], None]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def reseal(folder: Path) -> None:
    """Hashes as they are now: what somebody would do who tampers on purpose."""

    def change(manifest: dict) -> None:
        for file in manifest["files"]:
            content = (folder / file["path"]).read_bytes()
            file |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    edit(folder, change)


def rewrite(folder: Path, table: str, *changes: pl.Expr, **columns: pl.Expr) -> None:
    path = folder / f"tables/{table}.parquet"
    pl.read_parquet(path).with_columns(*changes, **columns).write_parquet(path)
    reseal(folder)


def refuse(copy: Path, match: str) -> None:
    home = copy.parent / "untouched"
    with pytest.raises(InputError, match=match):
        import_(home, copy)
    assert not home.exists()


@pytest.mark.parametrize(
    "path",
    [
        "../outside.parquet",
        "tables/../../outside.parquet",
        "/etc/hostname",
        "tables/link.parquet",
        "tables\\..\\..\\outside.parquet",
        "",
        ".",
        "a\0b",
    ],
)
def test_paths_cannot_leave_the_folder(copy: Path, path: str) -> None:
    outside = copy.parent / "outside.parquet"
    shutil.copyfile(copy / "tables/texts.parquet", outside)
    (copy / "tables/link.parquet").symlink_to(outside)
    entry = {"path": path, "size": 0, "sha256": ""}
    edit(copy, lambda manifest: manifest["files"].append(entry))
    refuse(copy, "not inside|lacks")


def test_an_artifact_cannot_be_written_elsewhere(copy: Path) -> None:
    rewrite(copy, "heads", pl.lit("../../escaped.npz").alias("artifact"))
    refuse(copy, "lacks the file")


def test_a_newer_version_is_refused(copy: Path) -> None:
    edit(copy, lambda manifest: manifest.update(schema_version=99))
    refuse(copy, "version 99.*install a newer")


def test_damage_is_found(copy: Path) -> None:
    path = copy / f"vectors/{SPEC}.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    refuse(copy, "is damaged")


def test_a_missing_file_is_found(copy: Path) -> None:
    (copy / "tables/texts.parquet").unlink()
    refuse(copy, "lacks 'tables/texts.parquet'")


@pytest.mark.parametrize(
    ("table", "change", "match"),
    [
        ("architectures", pl.col("native").str.replace("nor_conv", "none"), "architecture_id"),
        ("texts", pl.col("text") + " ", "text_hash"),
        ("specifications", pl.col("specification").str.replace("avg_avg", "mean"), "spec_id"),
        ("trials", pl.col("n") + 1, "trial_id"),
        ("heads", pl.lit("0" * 32).alias("artifact_hash"), "not what head"),
        ("evaluations", pl.lit("nobody").alias("architecture_id"), "does not have"),
        ("evaluations", pl.lit("high").alias("value"), "does not fit the table"),
        ("evaluations", pl.lit(1).alias("extra"), "columns that the table does not have"),
    ],
)
def test_ids_and_types_are_checked(copy: Path, table: str, change: pl.Expr, match: str) -> None:
    rewrite(copy, table, change)
    refuse(copy, match)


def test_an_unknown_table_is_refused(copy: Path) -> None:
    shutil.copyfile(copy / "tables/texts.parquet", copy / "tables/secrets.parquet")
    entry = {"path": "tables/secrets.parquet", "size": 0, "sha256": ""}
    edit(copy, lambda manifest: manifest["files"].append(entry))
    reseal(copy)
    refuse(copy, "no such table")


def test_vectors_are_checked(copy: Path) -> None:
    path = copy / f"vectors/{SPEC}.parquet"
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["vector"]), path)
    reseal(copy)
    refuse(copy, "columns of 384-vectors")


def test_a_value_that_changed_is_refused(exported: Path, copy: Path, tmp_path: Path) -> None:
    import_(tmp_path / "home", exported)
    before = rows(tmp_path / "home", "evaluations")
    rewrite(copy, "evaluations", pl.col("value") + 1)
    with pytest.raises(InputError, match="is stored as"):
        import_(tmp_path / "home", copy)
    assert rows(tmp_path / "home", "evaluations") == before


def test_a_metric_of_which_another_better_is_said_is_refused(
    exported: Path, copy: Path, tmp_path: Path
) -> None:
    """Of other seeds, so that no value is stored under the same key."""
    import_(tmp_path / "home", exported)
    before = rows(tmp_path / "home", "evaluations")
    rewrite(copy, "evaluations", pl.lit(9).cast(pl.Int32).alias("seed"), direction=pl.lit("lower"))
    with pytest.raises(InputError, match=r"is stored as %, higher and comes as %, lower") as caught:
        import_(tmp_path / "home", copy)
    assert len(str(caught.value).splitlines()) == 1
    assert rows(tmp_path / "home", "evaluations") == before


@pytest.mark.parametrize("content", ["", "{}", "[]", "\x00", '{"format": "other"}'])
def test_what_is_no_manifest(tmp_path: Path, content: str) -> None:
    with pytest.raises(InputError, match="no export"):
        import_(tmp_path / "home", tmp_path)
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InputError, match=r"manifest|format"):
        import_(tmp_path / "home", tmp_path)


@pytest.mark.parametrize("version", range(1, len(catalog._migrations()) + 1))
def test_an_export_of_each_earlier_version_is_read(tmp_path: Path, version: int) -> None:
    """Made as the program of that version would have: its catalog, table by table."""
    old = catalog.Catalog(tmp_path / "old.duckdb")
    old.make(version)
    folder = tmp_path / "export"
    (folder / "tables").mkdir(parents=True)
    with duckdb.connect(old.path) as connection:
        connection.execute(
            "INSERT INTO store.runs (run_id, flow, parameters, versions, started_at) "
            "VALUES ('old', 'render', '{}', '{}', TIMESTAMP '2026-01-01')"
        )
        names = [
            name
            for (name,) in connection.execute(
                "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'store'"
            ).fetchall()
        ]
        for name in names:
            connection.table(f"store.{name}").write_parquet(str(folder / f"tables/{name}.parquet"))
    files = [{"path": f"tables/{name}.parquet", "size": 0, "sha256": ""} for name in names]
    manifest = {"format": "cole-export-1", "schema_version": version, "query": None, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    reseal(folder)
    assert import_(tmp_path / "home", folder)["runs"] == 1
    assert Warehouse(tmp_path / "home").sql("SELECT run_id FROM runs").rows() == [("old",)]


def test_a_backup_is_a_warehouse(lived: Small, tmp_path: Path) -> None:
    first, _ = back_up(lived.warehouse, tmp_path / "backups")
    same_content(lived.home, first)
    second, _ = back_up(lived.warehouse, tmp_path / "backups")
    third, removed = back_up(lived.warehouse, tmp_path / "backups", keep=2)
    assert removed == 1
    assert backups(tmp_path / "backups") == [second, third]
    assert sorted(path.name for path in (tmp_path / "backups").iterdir()) == [
        second.name,
        third.name,
    ]
    # Restored by its name alone: it is written as any warehouse is.
    assert train(third, draws=2) == 1
    with pytest.raises(InputError, match="inside the warehouse"):
        back_up(lived.warehouse, lived.home / "artifacts/backups")


def test_from_the_command_line(lived: Small, tmp_path: Path, cole: Cole) -> None:
    def summary(*arguments: object) -> dict[str, Any]:
        code, out, err = cole(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    folder, home = tmp_path / "out", tmp_path / "home"
    assert summary("export", folder, "--home", lived.home)["files"] > len(KEYS)
    assert summary("import", folder, "--home", home)["architectures"] == 60
    assert summary("import", folder, "--home", home) == {"stage": "import", "rows": 0}
    made = summary("backup", tmp_path / "backups", "--home", lived.home)["backup"]
    assert Warehouse(made).status()["spaces"]["nasbench201"]["architectures"] == 60
