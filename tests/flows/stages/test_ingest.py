"""Measured values as they are in a table, and never others under the same name."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from cole_core.errors import InputError
from flows.stages.ingest import IngestRequest, ingest
from tests.flows.conftest import SIZE, Small


def test_ingest_takes_the_table_as_it_is(small: Small) -> None:
    stored = small.warehouse.sql("SELECT native, value, epochs, dataset, source FROM evaluations")
    assert dict(stored.select("native", "value").iter_rows()) == small.accuracies
    assert stored.select("epochs", "dataset", "source").unique().rows() == [
        (200, "cifar10", "mine.csv")
    ]
    again = ingest(IngestRequest(space="nasbench201", origin=str(small.table), home=small.home))
    assert again == {"evaluations": 0, "skipped": SIZE, "new_architectures": 0}


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
