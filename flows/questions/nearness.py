"""How near is near: distances as ranks among those of the stored texts to each other.

A distance by itself says nothing, since texts of one encoding are all alike to a language model.
What is stored is the measure: the distances of some stored texts to each other, and to the nearest
of all that are stored, as what is asked about is compared with all of them. They are computed where
somebody asks, since kept figures would be wrong after the next text that is embedded: one pass over
the vectors, which on two cores takes 0.4 s of 15,625 texts and 4 s of 250,000.
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
PRODUCTS = SAMPLE * 50_000
"""Distances that are computed to find what is nearest: of more texts fewer are looked up."""
FEWEST = 100
"""Texts whose nearest is looked up, however many are stored: a hundredth of them is one."""
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
        nearest: Distance of each of these texts to the nearest other one of all, ascending.
        tokens: Fewest and most tokens of all texts.
        words: What the sampled texts are made of.
        sampled: How many they are; None where they are all.
    """

    encoding: str
    pairs: NDArray[np.float64]
    nearest: NDArray[np.float64]
    tokens: tuple[int, int]
    words: frozenset[str]
    sampled: int | None = None

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
            them = "them" if self.sampled is None else f"{self.sampled:,} sampled texts"
            found.append(f"{len(strange)} of its {len(own)} words are in none of {them}")
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
    embedded = warehouse.read("embedded", **among.parameters, spec_id=among.spec_id)
    texts = set(embedded["text_hash"])
    looked_up = max(FEWEST, PRODUCTS // max(len(texts), 1))
    first = {name: vectors[name] for name in rows["text_hash"][:looked_up] if name in vectors}
    tokens = (rows["fewest"][0], rows["most"][0]) if rows.height else (0, 0)
    words = frozenset(word for text in rows["text"] for word in _WORD.findall(text))
    sampled = None if rows.height == len(texts) else rows.height
    return StoredTexts(
        among.encoding,
        _pairs(vectors),
        _nearest_others(warehouse, among.spec_id, first, texts),
        tokens,
        words,
        sampled,
    )


def _pairs(vectors: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float64]:
    """Cosine distances of vectors (d,) to each other, ascending."""
    if len(vectors) < 2:
        return np.empty(0)
    unit = _unit(np.array(list(vectors.values())))
    distances = (1 - unit @ unit.T).clip(0)
    return np.sort(distances[np.triu_indices(len(distances), 1)])


def _nearest_others(
    warehouse: Warehouse, spec_id: str, vectors: Mapping[str, NDArray[np.float32]], texts: set[str]
) -> NDArray[np.float64]:
    """Cosine distances of vectors (d,), by their texts' hashes, to the nearest of the other texts,
    ascending. Reads every vector of the table, block by block."""
    dataset = warehouse.vectors.dataset(spec_id)
    if len(texts) < 2 or not vectors or dataset is None:
        return np.empty(0)
    unit = _unit(np.array(list(vectors.values())))
    place = {text_hash: row for row, text_hash in enumerate(vectors)}
    most = np.full(len(unit), -np.inf)
    for batch in dataset.to_batches(columns=["text_hash", "vector"]):
        hashes = batch["text_hash"].to_pylist()
        known = [row for row, text_hash in enumerate(hashes) if text_hash in texts]
        if not known:  # all of other encodings, which share the table
            continue
        block = batch["vector"].flatten().to_numpy().reshape(len(batch), -1)[known]
        cosines = unit @ _unit(block).T
        for column, row in enumerate(known):
            if hashes[row] in place:
                cosines[place[hashes[row]], column] = -np.inf  # itself
        most = np.maximum(most, cosines.max(axis=1))
    return np.sort((1 - most).clip(0))


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = vectors.astype(np.float64)
    return wide / np.linalg.norm(wide, axis=1, keepdims=True)
