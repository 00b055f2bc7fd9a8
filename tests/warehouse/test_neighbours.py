"""Nearest architectures against a plain loop, and an index against the exact answer."""

import lancedb
import numpy as np
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
from warehouse import Warehouse, neighbours
from warehouse.neighbours import Rendered, find_neighbours

AMONG = Rendered(SPACE, "code.expression", "none", "spec")
CIFAR10 = {"cifar10": Target("cifar10", "accuracy", "test", 200, "mine")}


def plain_loop(query: np.ndarray) -> tuple[list[str], np.ndarray]:
    """All natives by cosine distance, ties in the order of the space, and the distances."""
    matrix = vectors_of([hash_text(text) for text in TEXTS]).astype(np.float64)
    cosine = matrix @ query / np.linalg.norm(matrix, axis=1) / np.linalg.norm(query)
    order = np.argsort(1 - cosine, kind="stable")
    return [NATIVES[row] for row in order], (1 - cosine)[order]


def test_nearest_are_those_of_the_plain_loop(filled: Warehouse) -> None:
    query = vectors_of([hash_text(TEXTS[2])])[0]
    natives, distances = plain_loop(query)
    found = find_neighbours(filled, AMONG, query, 4)
    assert found.rows["native"].to_list() == natives[:4]
    np.testing.assert_allclose(found.rows["distance"], distances[:4], atol=1e-6)
    assert (found.method, found.vectors, found.fitting) == ("exact", 8, None)
    assert find_neighbours(filled, AMONG, query, 50).rows.height == len(NATIVES)


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ("cifar10 >= 4", lambda value, **_: value >= 4),
        ("CIFAR10 BETWEEN 2 AND 5 OR false", lambda value, **_: 2 <= value <= 5),
        ("cifar10 < 0", lambda **_: False),
        ("distance > 0.01", lambda distance, **_: distance > 0.01),
        ("text LIKE '%3' AND distance < 10", lambda text, **_: text.endswith("3")),
        ("native LIKE '%avg%'", lambda native, **_: "avg" in native),
        ("n_tokens < 3 AND NOT truncated", None),
        ("cifar10 > (SELECT avg(value) FROM evaluations)", lambda value, **_: value > 4.5),
        ("position IN (1, 3) -- the others", lambda value, **_: value in (1, 3)),
    ],
)
def test_conditions_keep_what_fits(filled: Warehouse, where: str, fits: object) -> None:
    query = vectors_of([hash_text(TEXTS[2])])[0]
    found = find_neighbours(filled, AMONG, query, 10, where, CIFAR10)
    natives, distances = plain_loop(query)
    known = {
        native: {
            "native": native,
            "distance": distance,
            "value": float(NATIVES.index(native)),
            "text": TEXTS[NATIVES.index(native)],
        }
        for native, distance in zip(natives, distances, strict=True)
    }
    if callable(fits):
        expected = [native for native in natives if fits(**known[native])]
        assert found.rows["native"].to_list() == expected
    assert found.fitting == found.rows.height


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("", 'syntax error at or near ")"'),
        ("cifar100 > 1", 'Referenced column "cifar100" not found'),
        ("cifar10 > 1; DROP VIEW runs", 'syntax error at or near ";"'),
        ("true) UNION SELECT * FROM (SELECT 1", 'syntax error at or near ")"'),
        ("1 = 1) --", 'syntax error at or near ")"'),
        ("cifar10 > 1 LIMIT 1", 'syntax error at or near "LIMIT"'),
        ("native IN (SELECT content FROM read_text('/etc/hostname'))", "calls read_text, which a"),
        ("EXISTS (FROM glob('/*'))", "calls glob, which a query may not"),
        ("text = '\0'", "unterminated quoted string"),
        ("text = '\ud800'", "is not a text: give it in UTF-8"),
        ("sleep_ms(1) IS NULL", "calls sleep_ms, which a query may not"),
    ],
)
def test_a_condition_that_is_none(filled: Warehouse, where: str, why: str) -> None:
    with pytest.raises(InputError) as caught:
        find_neighbours(filled, AMONG, np.ones(4, np.float32), 3, where, CIFAR10)
    said = str(caught.value)
    assert said.startswith("--where ")
    assert "is no condition: " in said
    assert why in said
    assert "distance, cifar10" in said  # what a condition may be about


def test_other_encodings_in_the_same_table_do_not_count(filled: Warehouse) -> None:
    """Their vectors may be nearer: the search goes on until there are k."""
    query = vectors_of([hash_text(TEXTS[2])])[0]
    near = query + np.arange(40, dtype=np.float32)[:, None] * 1e-3
    hashes = [hash_text(f"other {row}") for row in range(40)]
    with filled.writer("test", run_id="run-2") as writer:
        writer.add_embeddings("spec", hashes, near, np.ones(40, np.int32), np.zeros(40, bool))
    natives, _ = plain_loop(query)
    assert find_neighbours(filled, AMONG, query, 3).rows["native"].to_list() == natives[:3]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """1,000 architectures with a text each, and an index over most of their vectors."""
    natives = [native for _, native in zip(range(1_000), SPACE.enumerate(), strict=False)]
    texts = [f"text {row}" for row in range(len(natives))]
    hashes = [hash_text(text) for text in texts]
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(40, 16))
    vectors = centres[rng.integers(40, size=1_000)] + rng.normal(scale=0.4, size=(1_000, 16))
    tokens, cut = np.ones(1_000, np.int32), np.zeros(1_000, bool)
    warehouse = Warehouse(tmp_path_factory.mktemp("many") / "home")
    with warehouse.writer("test", run_id="run-1") as writer:
        writer.add_architectures(architectures(natives))
        writer.add_renderings(renderings(natives, texts))
        writer.add_specification("spec", "minilm", "mean", "fp32", "{}", 16)
        made = vectors.astype(np.float32)
        writer.add_embeddings("spec", hashes[:900], made[:900], tokens[:900], cut[:900])
        dataset = warehouse.vectors.dataset("spec")
        assert dataset is not None
        dataset.create_index("vector", "IVF_HNSW_SQ", metric="cosine", num_partitions=8)
        writer.add_embeddings("spec", hashes[900:], made[900:], tokens[900:], cut[900:])
        writer.add_evaluations(evaluations(natives, list(np.arange(1_000) / 20)))
    return warehouse


@pytest.mark.parametrize("where", [None, "cifar10 > 25", "cifar10 > 49.7"])
def test_an_index_finds_nearly_all(
    many: Warehouse, monkeypatch: pytest.MonkeyPatch, where: str | None
) -> None:
    monkeypatch.setattr(neighbours, "EXACT_BELOW", 500)
    monkeypatch.setattr(neighbours, "_MOST_FETCHED", 500)
    rng = np.random.default_rng(1)
    found, wanted = 0, 0
    for query in rng.normal(size=(8, 16)):
        near = find_neighbours(many, AMONG, query, 10, where, CIFAR10)
        # Where few fit, reading all the vectors is as fast as asking the index for most of them.
        assert near.method == ("exact" if where == "cifar10 > 49.7" else "IVF_HNSW_SQ")
        exact = find_neighbours(many, AMONG, query, 10, where, CIFAR10, exact=True)
        assert exact.method == "exact"
        found += len(set(near.rows["native"]) & set(exact.rows["native"]))
        wanted += exact.rows.height
        assert near.rows["distance"].is_sorted()
    assert found / wanted >= 0.95


def test_below_a_size_an_index_is_not_asked(many: Warehouse) -> None:
    assert find_neighbours(many, AMONG, np.ones(16), 3).method == "exact"


def test_lancedb_opens_the_tables_and_finds_the_same(many: Warehouse) -> None:
    query = np.random.default_rng(2).normal(size=16).astype(np.float32)
    table = lancedb.connect(many.vectors.uri).open_table("spec")
    search = table.search(query).distance_type("cosine").bypass_vector_index().limit(5)
    expected = search.to_arrow().to_pydict()
    found = many.vectors.nearest("spec", query, 5)
    assert found["text_hash"].to_list() == expected["text_hash"]
    np.testing.assert_allclose(found["distance"], expected["_distance"], atol=1e-6)
    every = many.vectors.distances("spec", query)
    assert every.height == 1_000
    nearest = every.sort("distance").head(5)
    assert nearest["text_hash"].to_list() == expected["text_hash"]
    np.testing.assert_allclose(nearest["distance"], expected["_distance"], atol=1e-6)
