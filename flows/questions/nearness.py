"""How near is near: distances as ranks among those of the stored texts to each other.

A distance by itself says nothing, since texts of one encoding are all alike to a language model.
What is stored is the measure: the distances of some stored texts to each other. They are computed
where somebody asks: a few hundred vectors take a fraction of loading the model, and kept figures
would be wrong after the next text that is embedded.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warehouse import Warehouse
from warehouse.neighbours import Rendered

SAMPLE = 500
"""Texts whose distances to each other are computed: 124,750 pairs."""
LEAST = 20
"""With fewer texts than this no rank is told."""
UNLIKE = 0.99
"""Nothing resembles what is farther from its nearest than this share of texts is from theirs."""

_UNKNOWN = 0.25  # share of words that no stored text has, above which a text is of another kind
_WORD = re.compile(r"[^\W\d_]\w*?(?=\d*\b)")  # a number at its end is a size: linear64


@dataclass(frozen=True, eq=False)
class StoredTexts:
    """The texts of one encoding that have vectors under one specification.

    Attributes:
        encoding: The encoding.
        pairs: Cosine distances of the sampled texts to each other, ascending.
        nearest: Distance of each sampled text to the nearest other one, ascending.
        tokens: Fewest and most tokens of all texts.
        words: What the sampled texts are made of.
    """

    encoding: str
    pairs: NDArray[np.float64]
    nearest: NDArray[np.float64]
    tokens: tuple[int, int]
    words: frozenset[str]

    @property
    def known(self) -> bool:
        """Whether there are enough texts for ranks."""
        return len(self.nearest) >= LEAST

    def nearer_than(self, distance: float) -> float | None:
        """The share of pairs that are farther from each other; None for too few texts."""
        if not self.known:
            return None
        return 1 - float(np.searchsorted(self.pairs, distance, side="right")) / len(self.pairs)

    def farther_than(self, nearest: float) -> float | None:
        """The share of texts that have their nearest nearer than this; None for too few."""
        if not self.known:
            return None
        return float(np.searchsorted(self.nearest, nearest)) / len(self.nearest)

    def warning(self, text: str, n_tokens: int, truncated: bool) -> str | None:
        """What tells a text from the stored ones, whatever its vector; None where nothing does."""
        found = []
        own = dict.fromkeys(_WORD.findall(text))
        strange = [word for word in own if word not in self.words]
        if len(strange) > _UNKNOWN * len(own):
            found.append(f"{len(strange)} of its {len(own)} words are in none of them")
        fewest, most = self.tokens
        if not fewest <= n_tokens <= most:
            more = "more" if n_tokens > most else "fewer"
            found.append(
                f"its {n_tokens:,} tokens are {more} than any has ({fewest:,} to {most:,})"
            )
        if truncated:
            found.append(f"it was cut to {n_tokens:,} tokens")
        if not found:
            return None
        return f"unlike the texts of {self.encoding}, so distances say less: " + ", and ".join(
            found
        )

    def to_plain(self) -> Mapping[str, Any] | None:
        """The figures behind the ranks, for people and scripts; None for too few texts."""
        if not self.known:
            return None
        return {
            "texts": len(self.nearest),
            "pairs": len(self.pairs),
            "median_of_pairs": float(np.median(self.pairs)),
            "nearest_of_99_percent": float(np.quantile(self.nearest, UNLIKE)),
        }


def read_stored_texts(warehouse: Warehouse, among: Rendered) -> StoredTexts:
    """The stored texts as a measure of nearness.

    The sample is of those whose hashes come first, which is at random, and the same each time.
    """
    rows = warehouse.read("sampled_texts", **among.parameters, spec_id=among.spec_id, limit=SAMPLE)
    vectors = warehouse.vectors.vectors_of(among.spec_id, rows["text_hash"].to_list())
    pairs, nearest = _distances(np.array(list(vectors.values()), np.float64))
    tokens = (rows["fewest"][0], rows["most"][0]) if rows.height else (0, 0)
    words = frozenset(word for text in rows["text"] for word in _WORD.findall(text))
    return StoredTexts(among.encoding, pairs, nearest, tokens, words)


def _distances(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of vectors (n, d): cosine distances of all pairs, and of each to its nearest; ascending."""
    if len(vectors) < 2:
        return np.empty(0), np.empty(0)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    distances = (1 - unit @ unit.T).clip(0)
    pairs = distances[np.triu_indices(len(distances), 1)]
    np.fill_diagonal(distances, np.inf)
    return np.sort(pairs), np.sort(distances.min(axis=1))
