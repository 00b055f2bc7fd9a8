"""Structural encodings and the n-gram control, each against a plain loop or graph algorithm."""

from collections.abc import Sequence
from itertools import chain, combinations, product

import networkx as nx
import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from cole_core.encodings import TextEncoding, VectorEncoding
from cole_core.spaces import get_space
from cole_core.spaces.nasbench201 import EDGES, OPERATIONS, NASBench201, parse

SPACE = NASBench201()
NATIVES = list(SPACE.enumerate())
SAMPLE = NATIVES[::61]

VECTOR_ENCODINGS = {
    "adjacency": 30,
    "adjacency.canonical": 30,
    "path": 155,
    "path.canonical": 155,
    "graf": 191,
    "graf.twins": 191,
    "ngram": 107,
}


def encode(name: str, natives: Sequence[str]) -> np.ndarray:
    encoding = get_space("nasbench201").encoding(name)
    assert isinstance(encoding, VectorEncoding)
    return encoding.encode(natives)


@pytest.mark.parametrize(("name", "width"), VECTOR_ENCODINGS.items())
def test_shape_and_independence_of_the_rows(name: str, width: int) -> None:
    vectors = encode(name, SAMPLE)
    assert vectors.shape == (len(SAMPLE), width)
    assert vectors.dtype == np.float32
    assert encode(name, []).shape == (0, width)
    np.testing.assert_array_equal(vectors[5:6], encode(name, SAMPLE[5:6]))


def test_adjacency_is_one_hot() -> None:
    for native, vector in zip(SAMPLE, encode("adjacency", SAMPLE), strict=True):
        expected = [
            float(operation == choice)
            for operation in parse(native).operations
            for choice in OPERATIONS
        ]
        assert vector.tolist() == expected


def test_path_marks_the_four_paths_in_the_columns_of_naslib() -> None:
    """Columns by length; within a length the first operation varies fastest."""
    sequences = [
        sequence[::-1] for length in (1, 2, 3) for sequence in product(OPERATIONS, repeat=length)
    ]
    paths = list(nx.all_simple_paths(nx.DiGraph(EDGES), 0, 3))
    assert len(paths) == 4
    for native, vector in zip(SAMPLE, encode("path", SAMPLE), strict=True):
        operation = dict(zip(EDGES, parse(native).operations, strict=True))
        expected = {tuple(operation[edge] for edge in nx.utils.pairwise(path)) for path in paths}
        assert {sequences[column] for column in np.flatnonzero(vector)} == expected
        assert set(vector.tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("name", ["adjacency.canonical", "path.canonical"])
def test_canonical_vectors_are_equal_exactly_for_twins(name: str) -> None:
    vectors = encode(name, NATIVES)
    form_of: dict[bytes, str] = {}
    for native, vector in zip(NATIVES, vectors, strict=True):
        form = SPACE.canonical_form(native)
        assert form_of.setdefault(vector.tobytes(), form) == form
    assert len(form_of) == 5_260


def test_graf_counts_operations_paths_and_degrees() -> None:
    subsets = list(
        chain.from_iterable(
            combinations(OPERATIONS, size) for size in range(1, len(OPERATIONS) + 1)
        )
    )
    every_path = list(nx.all_simple_edge_paths(nx.DiGraph(EDGES), 0, 3))
    for native, vector in zip(SAMPLE, encode("graf", SAMPLE), strict=True):
        operations = parse(native).operations
        expected: list[float] = [operations.count(operation) for operation in OPERATIONS]
        for subset in subsets:
            graph = nx.DiGraph()
            graph.add_nodes_from(range(4))
            graph.add_edges_from(
                edge for edge, name in zip(EDGES, operations, strict=True) if name in subset
            )
            lengths = [len(path) - 1 for path in nx.all_simple_paths(graph, 0, 3)]
            expected += [
                min(lengths, default=4),
                max(lengths, default=0),
                max(sum(edge in graph.edges for edge in path) for path in every_path),
                graph.out_degree(0),
                graph.in_degree(3),
                np.mean([degree for _, degree in graph.in_degree()]),
            ]
        assert vector.tolist() == expected


def test_graf_of_twins_is_the_mean_over_all_that_compute_the_same() -> None:
    alone = dict(zip(NATIVES, encode("graf", NATIVES), strict=True))
    twins: dict[str, list[str]] = {}
    for native in NATIVES:
        twins.setdefault(SPACE.canonical_form(native), []).append(native)
    assert len(twins) == 5_260
    for native, vector in zip(SAMPLE, encode("graf.twins", SAMPLE), strict=True):
        group = twins[SPACE.canonical_form(native)]
        expected = np.mean([alone[twin].astype(float) for twin in group], axis=0)
        np.testing.assert_allclose(vector, expected, rtol=1e-6)
        of_twins = encode("graf.twins", group[:3])
        np.testing.assert_array_equal(of_twins, np.tile(vector, (len(of_twins), 1)))


def test_ngram_counts_runs_of_tokens() -> None:
    expression = get_space("nasbench201").encoding("code.expression")
    assert isinstance(expression, TextEncoding)
    texts = [expression.render(native) for native in NATIVES]
    reference = CountVectorizer(
        ngram_range=(1, 3), token_pattern=r"[\w.]+|[^\w\s]", lowercase=False
    )
    expected = reference.fit_transform(sorted(set(texts)))
    names = [tuple(run.split()) for run in reference.get_feature_names_out()]
    columns = sorted(range(len(names)), key=names.__getitem__)
    rows = {text: row for row, text in enumerate(sorted(set(texts)))}
    plain = expected.toarray()[:, columns][[rows[text] for text in texts]]
    np.testing.assert_array_equal(encode("ngram", NATIVES), plain)
