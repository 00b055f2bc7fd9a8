"""The canonical form, against graph isomorphism, the benchmark's unique strings and execution."""

from collections import Counter, defaultdict
from functools import cache
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from networkx.algorithms.isomorphism import GraphMatcher

from cole_core.spaces.nasbench201 import EDGES, OPERATIONS, Cell, NASBench201, parse, representative
from cole_core.spaces.nasbench201.encodings.expression import Expression
from cole_core.spaces.nasbench201.network import CellModule

NATIVES = list(NASBench201().enumerate())

cells = st.tuples(*[st.sampled_from(OPERATIONS)] * len(EDGES)).map(Cell)


@cache
def classes() -> dict[str, list[str]]:
    """Canonical form -> native strings."""
    members = defaultdict(list)
    for native in NATIVES:
        members[NASBench201().canonical_form(native)].append(native)
    return dict(members)


@cache
def texts() -> dict[str, list[str]]:
    """`code.expression` text -> native strings."""
    members = defaultdict(list)
    expression = Expression(NASBench201())
    for native in NATIVES:
        members[expression.render(native)].append(native)
    return dict(members)


def is_refinement(fine: dict[str, list[str]], coarse: dict[str, list[str]]) -> bool:
    """Whether each class of the one lies inside a class of the other."""
    name = {native: key for key, members in coarse.items() for native in members}
    return all(len({name[native] for native in members}) == 1 for members in fine.values())


def operation_graph(native: str) -> nx.MultiDiGraph:
    """The graph of operations by rewriting: each edge of the cell is a vertex at first.

    A vertex "sum" for each node of the cell; then, until nothing changes: what the input does not
    reach is zero and goes, what does not reach the output goes, sums and skips hand their
    arguments on, pools with the same arguments merge.
    """
    graph = nx.MultiDiGraph()
    graph.add_node(0, kind="input")
    for target in (1, 2, 3):
        graph.add_node(target, kind="sum")
    for edge, operation in zip(EDGES, parse(native).operations, strict=True):
        source, target = edge
        if operation != "none":
            graph.add_node(edge, kind=operation)
            graph.add_edge(source, edge)
            graph.add_edge(edge, target)
    alive = (nx.descendants(graph, 0) | {0}) & (nx.ancestors(graph, 3) | {3})
    graph.remove_nodes_from(set(graph) - alive - {0, 3})
    graph.nodes[3]["kind"] = "output"
    for vertex in [v for v, kind in graph.nodes(data="kind") if kind in ("sum", "skip_connect")]:
        for source, _ in list(graph.in_edges(vertex)):
            for _, target in list(graph.out_edges(vertex)):
                graph.add_edge(source, target)
        graph.remove_node(vertex)

    def twins() -> tuple[object, object] | None:
        pools = [v for v, kind in graph.nodes(data="kind") if kind == "avg_pool_3x3"]
        for one, other in combinations(pools, 2):
            if Counter(graph.predecessors(one)) == Counter(graph.predecessors(other)) and all(
                graph.number_of_edges(source, one) == graph.number_of_edges(source, other)
                for source in graph.predecessors(one)
            ):
                return one, other
        return None

    while pair := twins():
        keep, drop = pair
        for _, target in list(graph.out_edges(drop)):
            graph.add_edge(keep, target)
        graph.remove_node(drop)
    return graph


def matcher(first: nx.MultiDiGraph, second: nx.MultiDiGraph) -> GraphMatcher:
    return nx.isomorphism.MultiDiGraphMatcher(
        first,
        second,
        node_match=lambda one, other: one["kind"] == other["kind"],
        edge_match=lambda one, other: len(one) == len(other),
    )


def unique_string(native: str) -> str:
    """NATS-Bench's topology string: recursive, a node the sorted texts of its edges.

    A skip hands a sum on as one text, so which sums come out equal hangs on the sorting order of
    the very characters: "#" (zero) before "(" (an operation's argument) before "0" (the input).
    """
    written = {0: "0"}
    for target in (1, 2, 3):
        parts = []
        for source, operation in parse(native).edges_into(target):
            if operation == "none" or written[source] == "#":
                parts.append("#")
            elif operation == "skip_connect":
                parts.append(written[source])
            else:
                parts.append(f"({written[source]})@{operation}")
        written[target] = "+".join(sorted(parts))
    return written[3]


def test_published_counts() -> None:
    assert len(classes()) == 5_260
    assert len(texts()) == 4_930
    assert is_refinement(classes(), texts())


def test_each_unique_string_of_the_benchmark_lies_inside_one_text() -> None:
    unique = defaultdict(list)
    for native in NATIVES:
        unique[unique_string(native)].append(native)
    assert len(unique) == 6_466
    assert is_refinement(unique, texts())


@pytest.mark.filterwarnings("ignore:The hashes produced for directed graphs")
def test_two_cells_share_a_form_exactly_if_their_graphs_are_isomorphic() -> None:
    """All pairs: isomorphism sorts the 15,625 graphs into the same 5,260 classes."""
    # graph hash -> classes, each a graph and its native strings
    found: dict[str, list[tuple[nx.MultiDiGraph, list[str]]]] = defaultdict(list)
    for native in NATIVES:
        graph = operation_graph(native)
        simple = nx.DiGraph()
        simple.add_nodes_from(graph.nodes(data=True))
        for source, target in graph.edges():
            simple.add_edge(source, target, times=str(graph.number_of_edges(source, target)))
        key = nx.weisfeiler_lehman_graph_hash(simple, node_attr="kind", edge_attr="times")
        for known, members in found[key]:
            if matcher(known, graph).is_isomorphic():
                members.append(native)
                break
        else:
            found[key].append((graph, [native]))
    by_isomorphism = [members for classes in found.values() for _, members in classes]
    assert sorted(by_isomorphism) == sorted(classes().values())


@given(cells)
def test_the_representative_is_in_the_class_and_represents_itself(cell: Cell) -> None:
    chosen = representative(cell)
    assert NASBench201().canonical_form(chosen.format()) == NASBench201().canonical_form(
        cell.format()
    )
    assert representative(chosen) == chosen


@given(cells)
def test_what_the_output_does_not_reach_does_not_count(cell: Cell) -> None:
    operations = dict(zip(EDGES, cell.operations, strict=True))
    operations[1, 2] = operations[1, 3] = "none"
    forms = {
        NASBench201().canonical_form(Cell(tuple({**operations, (0, 1): dead}.values())).format())
        for dead in OPERATIONS
    }
    assert len(forms) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [  # zero passes through a skip, a pool and, without its learned shift, a convolution
        ("|none~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|avg_pool_3x3~1|skip_connect~2|",
         "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"),
        # two pools of one input are one pool used twice, as is a pool handed on by a skip
        ("|avg_pool_3x3~0|+|avg_pool_3x3~0|none~1|+|none~0|skip_connect~1|nor_conv_1x1~2|",
         "|avg_pool_3x3~0|+|none~0|skip_connect~1|+|none~0|nor_conv_1x1~1|skip_connect~2|"),
    ],
)  # fmt: skip
def test_equal_by_hand(one: str, other: str) -> None:
    assert NASBench201().canonical_form(one) == NASBench201().canonical_form(other)


def test_a_convolution_used_twice_is_not_two_convolutions() -> None:
    once = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|skip_connect~1|nor_conv_1x1~2|"
    twice = "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|skip_connect~1|nor_conv_1x1~2|"
    assert NASBench201().canonical_form(once) == "conv3x3#1(x) + conv1x1(conv3x3#1(x))"
    assert NASBench201().canonical_form(twice) == "conv3x3(x) + conv1x1(conv3x3(x))"


def test_members_of_a_class_compute_the_same_function() -> None:
    """With the weights that the isomorphism pairs, and batch norms that shift by nothing."""
    rng = np.random.default_rng(2)
    crowded = [members for members in classes().values() if len(members) > 1]
    images = torch.randn(2, 4, 6, 6, generator=torch.Generator().manual_seed(0))
    for index in rng.choice(len(crowded), size=40, replace=False):
        one, other = rng.choice(crowded[index], size=2, replace=False)
        matched = matcher(operation_graph(one), operation_graph(other))
        assert matched.is_isomorphic()
        modules = [CellModule(parse(native), channels=4).eval() for native in (one, other)]
        for vertex, image in matched.mapping.items():
            if vertex in EDGES and parse(one).operations[EDGES.index(vertex)].startswith("nor"):
                ours, theirs = (
                    module.get_submodule("op_{}_{}".format(*edge))
                    for module, edge in zip(modules, (vertex, image), strict=True)
                )
                theirs.load_state_dict(ours.state_dict())
        with torch.no_grad():
            torch.testing.assert_close(modules[0](images), modules[1](images))
