import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.hashing import hash_text
from tests.warehouse.conftest import (
    NATIVES,
    SPACE,
    TEXTS,
    architectures,
    evaluations,
    renderings,
    vectors_of,
)
from warehouse import Warehouse

EXPRESSION = ("code.expression", "none")


def test_adding_twice_adds_nothing(filled: Warehouse) -> None:
    before = filled.status()
    with filled.writer("test", run_id="run-2") as writer:
        assert writer.add_architectures(architectures(NATIVES)) == 0
        assert writer.add_renderings(renderings(NATIVES, TEXTS)) == 0
        assert writer.add_evaluations(evaluations(NATIVES, [float(i) for i in range(10)])) == 0
    assert filled.status() == before


def test_what_is_missing_is_what_was_not_added(filled: Warehouse) -> None:
    assert filled.missing_renderings(SPACE, *EXPRESSION).is_empty()
    assert filled.missing_renderings(SPACE, "arch_str", "none")["native"].to_list() == NATIVES
    with filled.missing_texts(SPACE, *EXPRESSION, "spec") as missing:
        assert missing.height == 0
        assert list(missing.shards(3, 100)) == []
    with filled.missing_texts(SPACE, *EXPRESSION, "another") as missing:
        shards = list(missing.shards(3, 100))
    assert [shard.height for shard in shards] == [3, 3, 2]
    rows = pl.concat(shards)
    assert rows["text"].to_list() == sorted(set(TEXTS))
    assert all(hash_text(text) == hash_ for hash_, text in rows.iter_rows())


def test_each_architecture_has_the_vector_of_its_text(filled: Warehouse) -> None:
    found = filled.architecture_vectors(SPACE, *EXPRESSION, "spec")
    assert found.natives == NATIVES
    assert found.architecture_ids == [SPACE.architecture_id(native) for native in NATIVES]
    expected = vectors_of([hash_text(text) for text in TEXTS])
    np.testing.assert_array_equal(found.vectors, expected)


def test_missing_vectors_say_which_command_makes_them(filled: Warehouse) -> None:
    with pytest.raises(InputError, match="cole render nasbench201 --encoding arch_str"):
        filled.architecture_vectors(SPACE, "arch_str", "none", "spec")
    with pytest.raises(InputError, match=r"cole embed nasbench201 --encoding code\.expression"):
        filled.architecture_vectors(SPACE, *EXPRESSION, "another")


def test_sql_joins_vectors_texts_and_evaluations(filled: Warehouse) -> None:
    rows = filled.sql(
        """
        SELECT value, text, vector
        FROM evaluations
        JOIN renderings USING (architecture_id)
        JOIN embeddings_minilm_mean_fp32 USING (text_hash)
        ORDER BY value DESC
        """
    )
    assert rows["value"].to_list() == [float(i) for i in range(9, -1, -1)]
    assert rows["text"].to_list() == TEXTS[::-1]
    assert rows["vector"][0].to_list() == vectors_of([hash_text(TEXTS[9])])[0].tolist()


def test_sql_joins_vectors_of_few_rows_without_holding_all_vectors(filled: Warehouse) -> None:
    few = """
        FROM evaluations
        JOIN renderings USING (architecture_id)
        JOIN embeddings_minilm_mean_fp32 USING (text_hash)
        WHERE value >= 8
        """
    rows = filled.sql("SELECT text_hash, vector" + few)
    assert rows["vector"].to_list() == vectors_of(rows["text_hash"].to_list()).tolist()
    assert rows.height == 2
    # DuckDB builds a table in memory of a join's second child, and streams the first through it.
    with filled.asking() as connection:
        (plan,) = connection.execute("EXPLAIN (FORMAT json) SELECT vector" + few).fetchall()
    joins = list(_joins(json.loads(plan[1])))
    assert joins
    assert all("ARROW_SCAN" not in json.dumps(join["children"][1]) for join in joins)


def _joins(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for child in node:
            yield from _joins(child)
    elif isinstance(node, dict):
        if node["name"] == "HASH_JOIN":
            yield node
        yield from _joins(node["children"])


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("DELETE FROM store.runs", "is not one SELECT: give a single query that reads"),
        ("SELECT 1; SELECT 2", "is not one SELECT: give a single query that reads"),
        ("CREATE TEMP TABLE t AS SELECT 1", "is not one SELECT: give a single query that reads"),
        ("SELECT * FROM read_text('/etc/hostname')", "calls read_text, which a query may not"),
        ("COPY (SELECT 1) TO 'out.csv'", "is not one SELECT: give a single query that reads"),
        ("ATTACH 'other.db'", "is not one SELECT: give a single query that reads"),
        ("INSTALL httpfs", "is not one SELECT: give a single query that reads"),
        ("SET enable_external_access = true", "is not one SELECT: give a single query that reads"),
        ("SELECT * FROM nowhere", "Table with name nowhere does not exist"),
        ("SELEC 1", 'syntax error at or near "SELEC"; write one SELECT'),
        ("", "'' is not one SELECT: give a single query that reads"),
    ],
)
def test_sql_only_reads(filled: Warehouse, statement: str, why: str) -> None:
    before = filled.status()
    with pytest.raises(InputError) as error:
        filled.sql(statement)
    assert why in str(error.value)
    assert "\n" not in str(error.value)
    assert filled.status() == before


def test_vectors_without_a_promise_are_adopted(filled: Warehouse, tmp_path: Path) -> None:
    """A crash after the vectors and before the catalog: nothing is embedded again."""
    with filled.writer("test", run_id="run-2") as writer:
        writer.add_renderings(renderings(NATIVES, TEXTS))
    saved = tmp_path / "catalog-before"
    shutil.copy(filled.catalog.path, saved)
    hashes = [hash_text("late")]
    with filled.writer("test", run_id="run-2") as writer:
        writer.add_embeddings(
            "spec", hashes, vectors_of(hashes), np.zeros(1, np.int32), np.zeros(1, bool)
        )
    shutil.copy(saved, filled.catalog.path)

    with filled.writer("test", run_id="run-3") as writer:
        assert writer.recover_embeddings("spec") == (1, 0)
        assert writer.recover_embeddings("spec") == (0, 0)
    assert filled.sql("SELECT * FROM embeddings").height == 9


def test_promises_without_a_vector_are_withdrawn(filled: Warehouse) -> None:
    shutil.rmtree(filled.home / "vectors")
    with filled.writer("test", run_id="run-2") as writer:
        assert writer.recover_embeddings("spec") == (0, 8)
    with filled.missing_texts(SPACE, *EXPRESSION, "spec") as missing:
        assert missing.height == 8


def test_the_same_vectors_twice_leave_no_duplicates(filled: Warehouse) -> None:
    hashes = [hash_text(text) for text in set(TEXTS)] + [hash_text("new")]
    with filled.writer("test", run_id="run-2") as writer:
        added = writer.add_embeddings(
            "spec", hashes, vectors_of(hashes), np.zeros(9, np.int32), np.zeros(9, bool)
        )
    assert added == 1
    stored = filled.vectors.keys("spec")["text_hash"]
    assert stored.n_unique() == len(stored) == 9


def test_a_vector_that_is_not_finite_is_refused(filled: Warehouse) -> None:
    before = filled.vectors.keys("spec").height
    with (
        filled.writer("test", run_id="run-2") as writer,
        pytest.raises(ValueError, match="not finite"),
    ):
        writer.add_embeddings(
            "spec",
            ["h"],
            np.full((1, 4), np.nan, np.float32),
            np.zeros(1, np.int32),
            np.zeros(1, bool),
        )
    assert filled.vectors.keys("spec").height == before


def test_nearest_is_the_plain_loop(filled: Warehouse) -> None:
    query = filled.architecture_vectors(SPACE, *EXPRESSION, "spec").vectors[3]
    hashes = [hash_text(text) for text in TEXTS[:8]]
    matrix = vectors_of(hashes)
    cosine = matrix @ query / np.linalg.norm(matrix, axis=1) / np.linalg.norm(query)
    found = filled.vectors.nearest("spec", query, k=3)
    assert found["text_hash"].to_list() == [hashes[i] for i in np.argsort(-cosine)[:3]]
    np.testing.assert_allclose(found["distance"], 1 - np.sort(cosine)[::-1][:3], atol=1e-5)


def test_a_changed_value_is_not_taken_in_silence(filled: Warehouse) -> None:
    filled.check_evaluations(evaluations(NATIVES[:2], [0.0, 1.0]))
    with pytest.raises(InputError, match=r"stored as 1 and comes as 55.*--source"):
        filled.check_evaluations(evaluations(NATIVES[:2], [0.0, 55.0]))


def test_targets_are_the_kinds_of_values_with_how_many_have_them(filled: Warehouse) -> None:
    with filled.writer("test", run_id="run-2") as writer:
        writer.add_evaluations(evaluations(NATIVES[:3], [1.0] * 3, source="yours"))
    assert sorted(filled.targets(SPACE).rows()) == [
        ("cifar10", "accuracy", "test", 200, "mine", 10, "%", "higher"),
        ("cifar10", "accuracy", "test", 200, "yours", 3, "%", "higher"),
    ]


def test_labels_are_means_over_seeds(filled: Warehouse) -> None:
    two_seeds = pl.concat(
        [
            evaluations(NATIVES[:1], [value], source="seeds").with_columns(
                seed=pl.lit(seed, dtype=pl.Int32)
            )
            for seed, value in ((777, 90.0), (888, 94.0))
        ]
    )
    with filled.writer("test", run_id="run-2") as writer:
        assert writer.add_evaluations(two_seeds) == 2
    target = Target("cifar10", "accuracy", "test", 200, "seeds")
    assert filled.labels(SPACE, target)["value"].to_list() == [92.0]


def test_home_that_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(InputError, match="file is a file"):
        Warehouse(path)


def test_reading_makes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "nothing"
    with pytest.raises(
        InputError, match=r"no warehouse at .*nothing: make one with 'cole run SPACE', or name"
    ):
        Warehouse(home).status()
    assert not home.exists()


def test_many_small_fragments_are_joined(filled: Warehouse) -> None:
    texts = [f"late {index}" for index in range(40)]
    hashes = [hash_text(text) for text in texts]
    with filled.writer("test", run_id="run-2") as writer:
        for hash_ in hashes:
            writer.add_embeddings(
                "spec", [hash_], vectors_of([hash_]), np.ones(1, np.int32), np.zeros(1, bool)
            )
        assert writer.compact_embeddings("spec") == 40
        assert writer.compact_embeddings("spec") == 0
    rows = filled.vectors.dataset("spec").to_table().to_pydict()  # type: ignore[union-attr]
    assert sorted(rows["text_hash"]) == sorted(hashes + [hash_text(text) for text in set(TEXTS)])
    np.testing.assert_array_equal(np.array(rows["vector"]), vectors_of(rows["text_hash"]))
    late = filled.sql(f"SELECT * FROM embeddings_minilm_mean_fp32 WHERE text_hash = '{hashes[7]}'")
    assert late["vector"][0].to_list() == vectors_of([hashes[7]])[0].tolist()


def test_rows_repeated_within_one_write_are_stored_once(filled: Warehouse) -> None:
    hashes = [hash_text(text) for text in ("new", "newer", "new")]
    with filled.writer("test", run_id="run-2") as writer:
        added = writer.add_embeddings(
            "spec", hashes, vectors_of(hashes), np.zeros(3, np.int32), np.zeros(3, bool)
        )
    assert added == 2
    assert filled.vectors.keys("spec").height == filled.sql("FROM embeddings").height == 10
