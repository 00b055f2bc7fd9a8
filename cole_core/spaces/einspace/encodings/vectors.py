"""Vectors without a language model, the controls of the predictors: `counts` and `ngram`."""

from collections import Counter
from collections.abc import Sequence
from math import log
from zlib import crc32

import numpy as np

from cole_core.encodings.base import VectorEncoding
from cole_core.encodings.ngrams import count_runs
from cole_core.spaces.einspace.cost import cost
from cole_core.spaces.einspace.encodings.expression import Expression
from cole_core.spaces.einspace.grammar import KINDS, OPERATIONS
from cole_core.spaces.einspace.program import lower
from cole_core.spaces.einspace.tree import Module, depth_of, parse, walk

_COLUMNS = (
    *(kind.name for kind in KINDS),
    *sorted(
        f"{nonterminal} {operation.text}"
        for nonterminal, operations in OPERATIONS.items()
        for operation in operations
    ),
)
_BUCKETS = 1024


class Counts(VectorEncoding):
    """How often each kind of module and each operation occurs, and how large the network is.

    The sizes are the depth of the derivation and the logarithms of parameters,
    multiply-accumulates, activations and calls, each plus one.
    """

    name = "counts"

    def encode(self, natives: Sequence[str]) -> np.ndarray:
        rows = [self._row(parse(native)) for native in natives]
        return np.array(rows, dtype=np.float32).reshape(len(natives), len(_COLUMNS) + 5)

    def _row(self, root: Module) -> list[float]:
        known = cost(lower(root, self.space.input_state), self.space.classes)
        found = Counter({root.kind.name: 1})
        for _, place in walk(root):
            if isinstance(place.child, Module):
                found[place.child.kind.name] += 1
            else:
                found[f"{place.slot.nonterminal} {place.child.text}"] += 1
        sizes = (known.parameters, known.flops, known.activations, known.operations)
        return [
            *(found[column] for column in _COLUMNS),
            depth_of(root),
            *(log(1 + size) for size in sizes),
        ]


class Ngram(VectorEncoding):
    """Counts of the runs of one to three tokens in the `code.expression` text.

    The space is open-ended, so runs share 1,024 columns by their hash: nothing is fitted to the
    architectures at hand.
    """

    name = "ngram"

    def encode(self, natives: Sequence[str]) -> np.ndarray:
        expression = Expression(self.space)
        vectors = np.zeros((len(natives), _BUCKETS), dtype=np.float32)
        for row, native in enumerate(natives):
            for run, count in count_runs(expression.render(native)).items():
                vectors[row, crc32(" ".join(run).encode()) % _BUCKETS] += count
        return vectors
