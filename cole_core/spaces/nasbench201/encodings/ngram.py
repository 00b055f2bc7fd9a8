"""Control: how far the words of `code.expression` go without a language model."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from cole_core.encodings.base import VectorEncoding
from cole_core.encodings.ngrams import Run, count_runs
from cole_core.spaces.nasbench201 import NASBench201
from cole_core.spaces.nasbench201.encodings.expression import Expression


class Ngram(VectorEncoding):
    """Counts of the runs of one to three tokens in the `code.expression` text.

    There is a column for each run that occurs in the space, so nothing is fitted to the
    architectures at hand.
    """

    name = "ngram"

    def encode(self, natives: Sequence[str]) -> np.ndarray:
        columns = _columns(self.space)
        vectors = np.zeros((len(natives), len(columns)), dtype=np.float32)
        expression = Expression(self.space)
        for row, native in enumerate(natives):
            for run, count in _count_runs(expression.render(native)).items():
                vectors[row, columns[run]] = count
        return vectors


_count_runs = cache(count_runs)


@cache
def _columns(space: NASBench201) -> dict[Run, int]:
    expression = Expression(space)
    runs = {run for native in space.enumerate() for run in _count_runs(expression.render(native))}
    return {run: column for column, run in enumerate(sorted(runs))}
