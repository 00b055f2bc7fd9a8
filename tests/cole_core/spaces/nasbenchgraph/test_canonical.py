"""Twins, against the published package's own code and against graph isomorphism."""

import importlib.util
from itertools import product
from types import ModuleType
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cole_core.errors import InputError
from cole_core.spaces.nasbenchgraph import (
    LINKS,
    NODES,
    OPERATIONS,
    SKIP,
    Cell,
    NASBenchGraph,
    canonical_form,
    representative,
)
from cole_core.spaces.nasbenchgraph.benchmarks.nas_bench_graph import number
from cole_core.spaces.nasbenchgraph.canonical import trained_cells

CELLS = [
    Cell(links, operations)
    for links in LINKS
    for operations in product(OPERATIONS, repeat=NODES)
    if set(operations) != {SKIP}
]
cells = st.sampled_from(CELLS)


@pytest.fixture(scope="module")
def package() -> ModuleType:
    """The package's definition of architectures."""
    found = importlib.util.find_spec("nas_bench_graph.architecture")
    if found is None or found.loader is None:
        pytest.skip("nas-bench-graph is not installed")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_trained_cells_are_those_of_the_package(package: Any) -> None:
    theirs = {(tuple(each.link), tuple(each.ops)) for each in package.all_archs()}
    assert len(theirs) == 26_206 == NASBenchGraph().size
    assert {(cell.links, cell.operations) for cell in trained_cells()} == theirs


def test_twins_are_those_of_the_package(package: Any) -> None:
    """Each way to write a network has the number of the trained one."""
    for row in np.random.default_rng(0).choice(len(CELLS), 8_000, replace=False):
        cell = CELLS[row]
        theirs = package.Arch(list(cell.links), list(cell.operations)).valid_hash()
        assert number(representative(cell)) == theirs, cell


@given(cells, cells)
def test_forms_are_equal_where_graphs_are_isomorphic(one: Cell, other: Cell) -> None:
    same = nx.is_isomorphic(graph(one), graph(other), node_match=lambda a, b: a == b)
    assert (canonical_form(one) == canonical_form(other)) is same


@given(cells, st.permutations(range(1, NODES + 1)))
def test_the_order_of_nodes_changes_nothing(cell: Cell, order: list[int]) -> None:
    """Written in another order, nodes read the same ones under other numbers."""
    places = {0: 0} | {node: place for place, node in enumerate(order, start=1)}
    links = tuple(places[cell.links[node - 1]] for node in order)
    if links not in LINKS:
        return
    written = Cell(links, tuple(cell.operations[node - 1] for node in order))
    assert canonical_form(written) == canonical_form(cell)
    assert representative(written) == representative(cell)


@given(cells)
def test_a_network_is_written_as_it_was_trained_or_refused(cell: Cell) -> None:
    space, trained = NASBenchGraph(), representative(cell)
    space.validate(trained.format())
    assert space.canonical_form(trained.format()) == canonical_form(cell)
    if cell != trained:
        with pytest.raises(
            InputError, match=f"is in NAS-Bench-Graph as '{trained.format()}'".replace("|", r"\|")
        ):
            space.validate(cell.format())


def test_trained_cells_are_all_different() -> None:
    assert len({canonical_form(cell) for cell in trained_cells()}) == 26_206


def graph(cell: Cell) -> nx.DiGraph:
    """The cell as labelled graph, after skips that change nothing were contracted one by one."""
    made = nx.DiGraph()
    made.add_node(0, operation="input")
    for node, (link, operation) in enumerate(zip(cell.links, cell.operations, strict=True), 1):
        made.add_node(node, operation=operation)
        made.add_edge(link, node)
    while True:
        idle = next((node for node in made if is_idle(made, node)), None)
        if idle is None:
            return made
        (source,) = made.predecessors(idle)
        made.add_edges_from((source, reader) for reader in list(made.successors(idle)))
        made.remove_node(idle)


def is_idle(made: nx.DiGraph, node: int) -> bool:
    """Whether a node is a skip that changes nothing."""
    if made.nodes[node]["operation"] != SKIP:
        return False
    (source,) = made.predecessors(node)
    is_read, is_alone = made.out_degree(node) > 0, made.out_degree(source) == 1
    return is_read or is_alone or source == 0
