"""Vectors that every space has, without a language model: `counts`, `ngram` and `graf`."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from math import log, prod
from zlib import crc32

import numpy as np

from cole_core.encodings.base import RenderingError, VectorEncoding
from cole_core.encodings.ngrams import count_runs
from cole_core.encodings.normal_form import Graph, NormalForm
from cole_core.encodings.normal_form.fusing import fused
from cole_core.encodings.normal_form.graph import refs
from cole_core.encodings.normal_form.kinds import KINDS, kind_of

_BUCKETS = 1024
_NAMES = 256

_SUBSETS = (
    *((kind,) for kind in KINDS),
    *combinations(("conv", "linear", "norm", "activation", "pool", "attention", "add", "cat"), 2),
    KINDS,
)


class NormalFormVector(VectorEncoding):
    """Something of a network's normal form; zeros where the network was not traced."""

    width: int

    @abstractmethod
    def read(self, form: NormalForm) -> np.ndarray:
        """The vector of a normal form.

        Raises:
            RenderingError: The network was not traced.
        """

    def encode(self, natives: Sequence[str]) -> np.ndarray:
        vectors = np.zeros((len(natives), self.width), dtype=np.float32)
        for row, native in enumerate(natives):
            try:
                vectors[row] = self.read(self.space.normal_form(native))
            except RenderingError:  # a row of zeros says as much as can be said
                continue
        return vectors


class Ngram(NormalFormVector):
    """Counts of the runs of one to three tokens in the bare expression.

    A space's vocabulary is open, so runs share 1,024 columns by their hash: nothing is fitted to
    the architectures at hand.
    """

    name = "ngram"
    width = _BUCKETS

    def read(self, form: NormalForm) -> np.ndarray:
        return _hashed({" ".join(run): n for run, n in count_runs(form.bare).items()}, _BUCKETS)


class Counts(NormalFormVector):
    """How often each kind of operation occurs, how often each with its sizes, and how much of all.

    Operations with their sizes ("conv3x3_64") share 256 columns by their hash. The sizes are the
    logarithms of the number of operations and of weights, each plus one.
    """

    name = "counts"
    width = len(KINDS) + _NAMES + 2

    def read(self, form: NormalForm) -> np.ndarray:
        graph = form.simplified
        kinds = Counter(kind_of(node, graph) for node in graph.nodes)
        called = [each.get("called", each.operation) for each in fused(graph).nodes]
        sizes = [log(1 + len(graph.nodes)), log(1 + weights(graph))]
        own = [kinds[kind] for kind in KINDS]
        return np.concatenate([own, _hashed(Counter(called), _NAMES), sizes])


class GraphFeatures(NormalFormVector):
    """GRAF (Kadlecová et al., ICML 2024, arXiv 2404.16551) over kinds of operations.

    Counts of the kinds; for each kind, for pairs of the more frequent ones and for all together the
    fewest and the most of these operations that a path from input to output has, and the average
    degree by the edges between them; the input's out-degree, the output's in-degree, the average
    degree. In a space of cells a path may use some operations only; in a whole network each path
    uses most kinds, so what is counted is how many.
    """

    name = "graf"
    width = len(KINDS) + 3 * len(_SUBSETS) + 3

    def read(self, form: NormalForm) -> np.ndarray:
        graph = form.simplified
        kinds = [kind_of(node, graph) for node in graph.nodes]
        member = np.array([[kind in subset for subset in _SUBSETS] for kind in kinds], dtype=float)
        fewest, most = np.zeros_like(member), np.zeros_like(member)
        edges_within = np.zeros(len(_SUBSETS))
        out_degree = Counter[int]()
        edges = 0
        reached = [node.operation == "input" for node in graph.nodes]
        for number, node in enumerate(graph.nodes):
            sources = [
                read for read in node.refs() if kinds[read] or graph.nodes[read].inputs == ()
            ]
            for source in sources:
                edges += 1
                out_degree[source] += 1
                edges_within += member[source] * member[number]
            paths = [source for source in sources if reached[source]]
            if paths:
                reached[number] = True
                fewest[number] = fewest[paths].min(axis=0)
                most[number] = most[paths].max(axis=0)
            fewest[number] += member[number]
            most[number] += member[number]
        ends = [number for number in refs(graph.output) if reached[number]]
        nothing = np.zeros(len(_SUBSETS))
        counts = Counter(kinds)
        inputs = [number for number, node in enumerate(graph.nodes) if node.operation == "input"]
        entering = sum(len(set(graph.nodes[number].refs())) for number in set(ends))
        size = max(len(graph.nodes), 1)
        return np.concatenate(
            [
                [counts[kind] for kind in KINDS],
                fewest[ends].min(axis=0) if ends else nothing,
                most[ends].max(axis=0) if ends else nothing,
                edges_within / size,
                [sum(out_degree[number] for number in inputs), entering, edges / size],
            ]
        )


def weights(graph: Graph) -> int:
    """How many weights the layers have whose sizes say it: convolutions, linear layers, tables."""
    total = 0
    for layer in graph.layers:
        if layer.kind.startswith("Conv"):
            kernel = layer.get("kernel_size")
            dimensions = int(layer.kind[-2])
            area = prod(kernel) if isinstance(kernel, tuple) else kernel**dimensions
            inputs, outputs = layer.get("in_channels"), layer.get("out_channels")
            total += area * inputs * outputs // layer.get("groups", 1)
        elif layer.kind == "Linear":
            total += layer.get("in_features") * layer.get("out_features")
        elif layer.kind == "Embedding":
            total += layer.get("num_embeddings") * layer.get("embedding_dim")
        elif layer.kind == "Parameter":
            total += prod(layer.get("shape"))
    return total


def _hashed(counts: dict[str, int] | Counter[str], buckets: int) -> np.ndarray:
    columns = np.zeros(buckets)
    for text, count in counts.items():
        columns[crc32(text.encode()) % buckets] += count
    return columns
