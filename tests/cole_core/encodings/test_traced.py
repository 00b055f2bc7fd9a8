"""Encodings of the normal form, for every space that builds networks."""

from collections import Counter

import networkx as nx
import numpy as np
import pytest

from cole_core.encodings import RenderingError, TextEncoding, VectorEncoding
from cole_core.encodings.ngrams import count_runs
from cole_core.encodings.normal_form import NormalForm, normal_form, source_form
from cole_core.encodings.normal_form.graph import refs
from cole_core.encodings.normal_form.kinds import KINDS, kind_of
from cole_core.encodings.registry import GENERIC
from cole_core.encodings.traced_texts import CodeClass, Expression, Source
from cole_core.encodings.traced_vectors import _SUBSETS, Counts, GraphFeatures, Ngram
from cole_core.registry import Registry
from cole_core.spaces.einspace import Einspace
from cole_core.spaces.nasbench201 import NASBench201
from tests.cole_core.encodings.normal_form.networks import NETWORKS

SPACE = Einspace((1, 8, 8), classes=4)
NATIVES = [SPACE.sample(np.random.default_rng(seed)) for seed in range(6)]
UNTRACED = source_form("class Net: pass", reason="not run")


class Given(Einspace):
    """Networks that are given by the names of kinds."""

    def normal_form(self, native: str) -> NormalForm:
        return UNTRACED if native == "untraced" else normal_form(NETWORKS[native].make)


def test_every_space_has_them_by_name() -> None:
    registry: Registry[TextEncoding | VectorEncoding] = Registry("encoding", "none", GENERIC)
    for name in GENERIC:
        assert name in SPACE.encoding_names
        assert registry.create(name, SPACE).name == name
    assert type(SPACE.encoding("graf")) is GraphFeatures
    assert type(NASBench201().encoding("graf")) is not GraphFeatures, "it writes its own"


def test_a_text_says_which_path_wrote_it() -> None:
    space = Given()
    made = Expression(space).written("mlp")
    assert (made.path, made.reason) == ("fx", "")
    assert made.text == Expression(space).render("mlp") == space.normal_form("mlp").expression
    assert CodeClass(space).written("mlp").text == space.normal_form("mlp").class_text
    assert Expression(space).written("untraced").path == "source"
    assert Expression(space).written("untraced").reason == "not run"
    assert Source(space).render("untraced") == "class Net:\n    pass"
    with pytest.raises(RenderingError, match="has no source"):
        Source(space).render("mlp")
    with pytest.raises(RenderingError, match="not run"):
        CodeClass(space).render("untraced")


def test_a_text_of_the_space_itself_has_no_path() -> None:
    written = SPACE.encoding("code.expression").written(NATIVES[0])  # type: ignore[union-attr]
    assert (written.path, written.reason) == (None, None)


def test_counts_are_those_of_the_operations() -> None:
    vector = Counts(Given()).encode(["inverted bottleneck"])[0]
    counts = dict(zip(KINDS, vector, strict=False))
    assert counts == dict.fromkeys(KINDS, 0) | {
        "conv": 1 + 3 * 3,
        "norm": 3 * 3,
        "activation": 3 * 2,
        "add": 3,
        "pool": 1,
        "linear": 1,
    }
    weights = 3 * 16 * 9 + 3 * (16 * 64 + 64 * 9 + 64 * 16) + 16 * 10
    assert vector[-1] == pytest.approx(np.log(1 + weights))


def test_sizes_count() -> None:
    encode = Counts(Given()).encode
    assert not np.array_equal(encode(["mlp"]), encode(["two inputs"]))
    assert np.array_equal(encode(["untraced"])[0], np.zeros(Counts.width))


def test_runs_are_those_of_the_bare_expression() -> None:
    vector = Ngram(SPACE).encode(NATIVES[:1])[0]
    assert vector.sum() == sum(count_runs(SPACE.normal_form(NATIVES[0]).bare).values())


@pytest.mark.parametrize("name", ["residual", "inception", "dense", "two inputs", "split"])
def test_graph_features_are_those_of_all_paths(name: str) -> None:
    """Against networkx, path by path; where there are few enough."""
    form = normal_form(NETWORKS[name].make)
    graph = form.simplified
    kinds = [kind_of(node, graph) for node in graph.nodes]
    links = nx.MultiDiGraph()
    links.add_nodes_from(range(len(graph.nodes)))
    for number, node in enumerate(graph.nodes):
        links.add_edges_from((read, number) for read in node.refs())
    inputs = [n for n, node in enumerate(graph.nodes) if node.operation == "input"]
    (output,) = refs(graph.output)
    paths = [
        path for start in inputs for path in nx.all_simple_paths(nx.DiGraph(links), start, output)
    ]
    vector = GraphFeatures(Given()).encode([name])[0]
    counts = Counter(kinds)
    assert vector[: len(KINDS)].tolist() == [counts[kind] for kind in KINDS]
    fewest, most, degrees = np.split(vector[len(KINDS) : -3], 3)
    for place, subset in enumerate(_SUBSETS):
        lengths = [sum(kinds[number] in subset for number in path) for path in paths]
        assert (fewest[place], most[place]) == (min(lengths), max(lengths)), subset
        within = sum(kinds[a] in subset and kinds[b] in subset for a, b in links.edges())
        assert degrees[place] == pytest.approx(within / len(graph.nodes)), subset
    assert vector[-3] == sum(links.out_degree(n) for n in inputs)
    assert vector[-1] == pytest.approx(links.number_of_edges() / len(graph.nodes))


def test_onnx_is_that_of_the_class() -> None:
    pytest.importorskip("onnxslim", reason="needs the extra onnx")
    from cole_core.encodings.traced_texts import Onnx

    text = Onnx(Given()).render("residual")
    assert text.count("Conv(") == 1 + 2 * 6 + 1
    assert text.splitlines()[-1].startswith("return v")
