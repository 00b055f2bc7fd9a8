"""The graph of a cell, against networkx, and what other encodings read of it."""

import networkx as nx
import numpy as np
import pytest

from cole_core.spaces.nasbenchgraph import NASBenchGraph
from cole_core.spaces.nasbenchgraph.canonical import parse

SPACE = NASBenchGraph()


def drawn(count: int) -> list[str]:
    rng = np.random.default_rng(3)
    return [SPACE.sample(rng) for _ in range(count)]


def test_the_graph_has_the_cells_operations_and_paths() -> None:
    for native in drawn(100):
        cell, graph = parse(native), SPACE.normal_form(native).simplified
        skips = sum(
            of_input and name == "skip"
            for of_input, name in zip(cell.reads_input, cell.operations, strict=True)
        )
        assert len(graph.layers) == 4 - skips
        theirs = nx.DiGraph(zip(cell.links, range(1, 5), strict=True))
        ours = nx.DiGraph(
            (read, number)
            for number, node in enumerate(graph.nodes)
            if node.operation == "layer"
            for read in node.refs()
        )
        depth = nx.dag_longest_path_length(theirs) - skips
        assert nx.dag_longest_path_length(ours) == depth
        assert ours.number_of_edges() == 4 - skips


def test_equal_operations_are_told_apart() -> None:
    """Two of a kind on one input have weights of their own: they are not one that is read twice."""
    once = SPACE.normal_form("0,1,2,3|skip,skip,gcn,gat")
    twice = SPACE.normal_form("0,1,2,2|skip,gcn,gat,gat")
    assert len(once.simplified.layers) == 2
    assert len(twice.simplified.layers) == 3


def test_twins_by_digest_are_twins() -> None:
    natives = drawn(400)
    digests = {SPACE.normal_form(native).digest for native in natives}
    assert len(digests) == len({SPACE.canonical_form(native) for native in natives})


@pytest.mark.parametrize("name", SPACE.roles.controls)
def test_controls_tell_cells_apart(name: str) -> None:
    natives = drawn(50)
    vectors = SPACE.encoding(name).encode(natives)
    assert len(np.unique(vectors, axis=0)) > 5
