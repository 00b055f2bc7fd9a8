"""The views have the columns that people filter by, and no row more than what is stored."""

from pathlib import Path

import duckdb
import pytest

from warehouse import Warehouse

TARGET = (
    '{"dataset": "cifar10", "metric": "accuracy", "split": "test", "epochs": 200, "source": "me"}'
)

# One row of everything that comparisons and searches leave behind; a configuration has two trials.
ROWS = f"""
INSERT INTO store.specifications VALUES ('spec2', 'minilm', 'avg_avg', 'bf16', '{{}}', 4, 'run');
INSERT INTO store.trials BY NAME
SELECT unnest(['a', 'b']) AS trial_id, '{{}}' AS configuration, 'nasbench201' AS space,
       'code.expression' AS encoding, 'none' AS context, 'spec2' AS spec_id, 'ridge' AS head,
       '{TARGET}' AS target, 14 AS n, unnest([0, 1]) AS draw, 6 AS n_test, 'h' AS training_hash,
       0.5 AS kendall_tau, 0.6 AS spearman, 1.0 AS seconds, 'run' AS run_id,
       'configuration' AS configuration_id, false AS collapsed;
INSERT INTO store.heads VALUES ('a', 'a', 'a.skops', 'h', 'run');
INSERT INTO store.comparisons BY NAME
SELECT 'comparison' AS comparison_id, 'primitives' AS experiment, 'nasbench201' AS space,
       '{TARGET}' AS target, 'all' AS population, 60 AS architectures, 10 AS folds, 1 AS repeats,
       unnest([0, 1]) AS position, 'label' AS label,
       unnest(['configuration', 'without trials']) AS configuration_id, 14 AS n, 2 AS trials,
       0 AS collapsed, 'run' AS run_id;
INSERT INTO store.searches
SELECT 's', '{{}}', 'nasbench201', 'bananas', 'code.expression', 'none', 'spec2', '{TARGET}', 0,
       'run';
INSERT INTO store.search_steps
SELECT 's', 1, architecture_id, 93.0, NULL, NULL, TIMESTAMP '2026-01-01', 'run', NULL, NULL, NULL,
       NULL, NULL
FROM store.architectures LIMIT 1;
INSERT INTO store.search_comparisons BY NAME
SELECT 'comparison' AS comparison_id, 'defaults' AS experiment, 'nasbench201' AS space,
       '{TARGET}' AS target, 60 AS architectures, 94.0 AS best, 1 AS seeds, 100 AS budget,
       0 AS position, 'label' AS label, 'configuration' AS configuration_id, ['s'] AS search_ids,
       unnest(['99 %', 'within 1']) AS threshold, 93.0 AS threshold_value, 7.0 AS evaluations,
       0.0 AS standard_error, 7.0 AS low, 7.0 AS high, 0 AS censored,
       0.0 AS crossing_standard_error, 7.0 AS crossing_low, 7.0 AS crossing_high,
       0.0 AS crossing_below, 'run' AS run_id;
INSERT INTO store.search_regrets BY NAME
SELECT 'comparison' AS comparison_id, 'configuration' AS configuration_id, 0 AS position,
       'label' AS label, 50 AS evaluations, 0.5 AS regret, 0.0 AS standard_error, 0.5 AS low,
       0.5 AS high, 0 AS ended_early, 'run' AS run_id;
INSERT INTO store.runs VALUES
    ('1', 'train', '{{"space": "nasbench201", "measured": {{"dataset": "cifar10"}}}}', '{{}}',
     TIMESTAMP '2026-01-01', NULL, NULL),
    ('2', 'evaluate', '{{"space": "nasbench201", "dataset": "digits"}}', '{{}}',
     TIMESTAMP '2026-01-01', NULL, NULL);
"""

VECTORS = {
    "encoding": "code.expression",
    "context": "none",
    "language_model": "minilm",
}
LEARNED = {"space": "nasbench201", "dataset": "cifar10", "metric": "accuracy"}
FILTERS = {
    "renderings": {"space": "nasbench201", "encoding": "code.expression", "context": "none"},
    "evaluations": LEARNED,
    "trials": LEARNED | VECTORS | {"pooling": "avg_avg", "precision": "bf16", "head": "ridge"},
    "heads": LEARNED | VECTORS | {"pooling": "avg_avg", "precision": "bf16", "head": "ridge"},
    "searches": LEARNED | VECTORS | {"pooling": "avg_avg", "algorithm": "bananas"},
    "search_comparisons": LEARNED | VECTORS | {"algorithm": "bananas", "experiment": "defaults"},
    "search_regrets": LEARNED | VECTORS | {"algorithm": "bananas", "experiment": "defaults"},
}


@pytest.fixture
def whole(filled: Warehouse) -> Warehouse:
    with duckdb.connect(filled.home / "catalog.duckdb") as connection:
        connection.execute(ROWS)
    return filled


@pytest.mark.parametrize("view", FILTERS)
def test_a_view_is_filtered_by_what_people_name(whole: Warehouse, view: str) -> None:
    condition = " AND ".join(f"{column} = '{value}'" for column, value in FILTERS[view].items())
    stored = {"searches": "search_steps"}.get(view, view)
    with duckdb.connect(whole.home / "catalog.duckdb", read_only=True) as connection:
        counted = connection.execute(f"SELECT count(*) FROM store.{stored}").fetchone()
    assert counted is not None
    assert whole.sql(f"FROM {view} WHERE {condition}").height == counted[0] > 0
    for column in FILTERS[view]:
        assert whole.sql(f"FROM {view} WHERE {column} = 'another'").is_empty()


def test_a_comparison_without_stored_trials_keeps_its_row(whole: Warehouse) -> None:
    rows = whole.sql("SELECT encoding, head, language_model, dataset FROM comparisons").rows()
    assert rows == [
        ("code.expression", "ridge", "minilm", "cifar10"),
        (None, None, None, "cifar10"),
    ]


def test_runs_say_of_what_they_were(whole: Warehouse) -> None:
    asked = "SELECT run_id, space, dataset FROM runs WHERE run_id IN ('1', '2') ORDER BY run_id"
    assert whole.sql(asked).rows() == [
        ("1", "nasbench201", "cifar10"),
        ("2", "nasbench201", "digits"),
    ]


def test_a_catalog_of_before_gets_them(whole: Warehouse, tmp_path: Path) -> None:
    with duckdb.connect(whole.home / "catalog.duckdb") as connection:
        connection.execute(
            "CREATE OR REPLACE VIEW renderings AS SELECT 1 AS one; COMMENT ON VIEW runs IS NULL"
        )
    assert whole.sql("SELECT DISTINCT space FROM renderings").rows() == [("nasbench201",)]
