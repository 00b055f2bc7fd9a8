"""Counts of the words of a text: what the `ngram` controls share."""

import re
from collections import Counter

LONGEST = 3
"""Tokens in the longest run."""

Run = tuple[str, ...]


def count_runs(text: str) -> Counter[Run]:
    """Counts of the runs of one to three tokens; a token is a (dotted) name, number or sign."""
    tokens = re.findall(r"[\w.]+|[^\w\s]", text)
    return Counter(
        tuple(tokens[start : start + length])
        for length in range(1, LONGEST + 1)
        for start in range(len(tokens) - length + 1)
    )
