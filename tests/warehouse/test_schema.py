"""The explanations of views and columns: complete, and none for what is not there."""

from tests.warehouse.conftest import DIMENSION
from warehouse import Warehouse
from warehouse.schema import VECTORS, explained


def test_every_view_and_column_is_explained(filled: Warehouse) -> None:
    schema = filled.schema()
    missing = [
        f"{row['view']}.{row['column']}"
        for row in schema.iter_rows(named=True)
        if not row["about"] or not row["meaning"]
    ]
    assert missing == []
    shown = set(filled.sql("SHOW TABLES")["name"]) - {"schema_version"}
    shown -= {f"stored_{name}" for name in schema["view"]}  # what the view of that name reads
    assert set(schema["view"]) == shown
    vectors = schema.filter(view="embeddings_minilm_mean_fp32", column="vector")
    assert vectors["type"].to_list() == [f"FLOAT[{DIMENSION}]"]


def test_nothing_is_explained_that_is_not_there(filled: Warehouse) -> None:
    schema = filled.schema()
    views = {
        (VECTORS if view.startswith("embeddings_") else view, column)
        for view, column in schema.select("view", "column").iter_rows()
    }
    columns = {column for _, column in views}
    stale = [
        (view, column)
        for view, column in explained()
        if (column not in columns if view is None else (view, column) not in views)
    ]
    assert stale == []
