"""Measured values as they are in a table, and never others under the same name."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from cole_core.errors import InputError
from flows.running.server import LocalServer
from flows.stages.ingest import IngestRequest, ingest, plan
from tests.flows.conftest import SIZE, Small
from warehouse import Warehouse

CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"


def test_ingest_takes_the_table_as_it_is(small: Small) -> None:
    stored = small.warehouse.sql("SELECT native, value, epochs, dataset, source FROM evaluations")
    assert dict(stored.select("native", "value").iter_rows()) == small.accuracies
    assert stored.select("epochs", "dataset", "source").unique().rows() == [
        (200, "cifar10", "mine.csv")
    ]
    again = ingest(IngestRequest(space="nasbench201", origin=str(small.table), home=small.home))
    assert again == {
        "evaluations": 0,
        "skipped": SIZE,
        "new_architectures": 0,
        "columns": [
            "arch_str → the architecture of each row",
            "cifar10_test_accuracy_200 → accuracy, %, higher is better, cifar10, test, 200 epochs",
        ],
    }


def test_ingest_of_changed_values_changes_nothing(small: Small, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    pl.read_csv(small.table).with_columns(pl.col("cifar10_test_accuracy_200") * 0.5).write_csv(
        table
    )
    asked = IngestRequest(space="nasbench201", origin=str(table), home=small.home)
    before = small.warehouse.status()
    with pytest.raises(InputError, match="--source"):
        ingest(asked)
    assert small.warehouse.status() == before
    assert ingest(replace(asked, source="second run"))["evaluations"] == SIZE


def test_every_row_knows_its_run(made: Small) -> None:
    runs = made.warehouse.sql("SELECT run_id, flow FROM runs WHERE ended_at IS NOT NULL")
    flow_of = dict(runs.iter_rows())
    for view, flow in (
        ("architectures", "ingest"),
        ("evaluations", "ingest"),
        ("renderings", "render"),
        ("embeddings", "embed"),
    ):
        ids = made.warehouse.sql(f"SELECT DISTINCT run_id FROM {view}")["run_id"]
        assert {flow_of[id_] for id_ in ids} == {flow}


def write(path: Path, content: str) -> IngestRequest:
    path.write_text(content)
    return IngestRequest(space="nasbench201", origin=str(path), home=path.parent / "home")


def stored(asked: IngestRequest) -> list[tuple[object, ...]]:
    columns = "dataset, metric, split, epochs, seed, unit, direction, value"
    return Warehouse(asked.home).sql(f"SELECT {columns} FROM evaluations ORDER BY ALL").rows()


def test_what_is_said_of_a_column_is_stored(tmp_path: Path, prefect_server: LocalServer) -> None:
    asked = replace(
        write(tmp_path / "t.csv", f"arch_str,val_accs,watts,junk\n{CELL},88.1,7.5,3\n"),
        column=("val_accs=cifar10:valid:accuracy:200", "watts=cifar10:unknown:power[W]:lower"),
        skip=("junk",),
    )
    assert ingest(asked)["evaluations"] == 2
    assert stored(asked) == [
        ("cifar10", "accuracy", "valid", 200, None, "%", "higher", 88.1),
        ("cifar10", "power", "unknown", None, None, "W", "lower", 7.5),
    ]


def test_a_direction_may_be_said_later_and_never_otherwise(
    tmp_path: Path, prefect_server: LocalServer
) -> None:
    asked = write(tmp_path / "t.csv", f"arch_str,s\n{CELL},0.4\n")
    ingest(replace(asked, column=("s=mine:test:my_score",)))
    [row] = stored(asked)
    assert row[5:] == (None, None, 0.4)
    assert ingest(replace(asked, column=("s=mine:test:my_score:lower",)))["evaluations"] == 0
    [row] = stored(asked)
    assert row[5:] == (None, "lower", 0.4)
    with pytest.raises(InputError, match=r"my_score of t\.csv is stored as lower and comes as hi"):
        plan(replace(asked, column=("s=mine:test:my_score:higher",)))
    ingest(asked_again := replace(asked, column=("s=mine:test:my_score",)))
    assert stored(asked_again) == [row]


@pytest.mark.parametrize(
    "heading", ["val_accs", "score", "Top-1 (%)", "cifar10_acc_gain", "cifar10_train_val_acc"]
)
def test_a_column_that_is_not_understood_stores_nothing(tmp_path: Path, heading: str) -> None:
    asked = write(tmp_path / "t.csv", f"arch_str,cifar10_test_acc,{heading}\n{CELL},88.1,7.5\n")
    with pytest.raises(InputError) as caught:
        plan(asked)
    assert f"--column '{heading}=" in str(caught.value)
    assert f"--skip '{heading}'" in str(caught.value)
    assert not asked.home.exists()


def test_options_for_a_table_are_not_for_a_benchmark(tmp_path: Path) -> None:
    asked = IngestRequest(space="nasbench201", origin="analog-nasbench", home=tmp_path, skip=("a",))
    with pytest.raises(InputError, match="says by itself what its values are: leave --column"):
        plan(asked)
