"""Control: how far the words of `code.expression` go without a language model."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np

from cole_core.encodings.base import VectorEncoding
from cole_core.encodings.nasbench201.expression import Expression
from cole_core.spaces.nasbench201 import NASBench201

LONGEST = 3
"""Tokens in the longest run."""

Run = tuple[str, ...]


class Ngram(VectorEncoding):
    """Counts of the runs of one to three tokens in the `code.expression` text.

    There is a column for each run that occurs in the space, so nothing is fitted to the
    architectures at hand.
    """

    name = "ngram"

    def encode(self, natives: Sequence[str]) -> np.ndarray:
        columns = _columns()
        vectors = np.zeros((len(natives), len(columns)), dtype=np.float32)
        expression = Expression()
        for row, native in enumerate(natives):
            for run, count in _count_runs(expression.render(native)).items():
                vectors[row, columns[run]] = count
        return vectors


@cache
def _count_runs(text: str) -> Counter[Run]:
    tokens = re.findall(r"[\w.]+|[^\w\s]", text)
    return Counter(
        tuple(tokens[start : start + length])
        for length in range(1, LONGEST + 1)
        for start in range(len(tokens) - length + 1)
    )


@cache
def _columns() -> dict[Run, int]:
    expression = Expression()
    runs = {
        run
        for native in NASBench201().enumerate()
        for run in _count_runs(expression.render(native))
    }
    return {run: column for column, run in enumerate(sorted(runs))}
