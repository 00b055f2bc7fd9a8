"""Which architectures have the nearest vectors, with a condition on what is known of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl

from cole_core.evaluation.target import Target
from cole_core.spaces.base import SearchSpace
from warehouse.conditions import fitting, mentioned
from warehouse.reader import space_filter
from warehouse.warehouse import Warehouse

EXACT_BELOW = 50_000
"""With fewer vectors than this every distance is computed; an index would save nothing."""

CONDITION_COLUMNS = (
    "architecture_id",
    "native",
    "canonical_id",
    "position",
    "text",
    "n_tokens",
    "truncated",
    "distance",
)
"""What a condition may speak of, beside measured values."""

Values = Callable[[], pl.DataFrame]
"""Reads architecture_id and value."""

_OVERFETCH = 4  # times as many as a condition would let pass on average
_MOST_FETCHED = 20_000  # from the index; beyond it reading every vector is as fast


@dataclass(frozen=True)
class Neighbours:
    """The nearest architectures.

    Attributes:
        rows: architecture_id, native, canonical_id, distance (cosine), text; nearest first.
        method: `exact`, or the kind of the index that answered.
        vectors: How many vectors there are.
        fitting: Architectures that fit the condition; None without one.
    """

    rows: pl.DataFrame
    method: str
    vectors: int
    fitting: int | None


@dataclass(frozen=True)
class Rendered:
    """The architectures of a space as texts with vectors.

    Attributes:
        space: The search space.
        encoding: The text encoding.
        context: Its context.
        spec_id: The vectors' specification.
    """

    space: SearchSpace
    encoding: str
    context: str
    spec_id: str

    @property
    def parameters(self) -> dict[str, str]:
        """As the statements of queries.sql name them."""
        return space_filter(self.space) | {"encoding": self.encoding, "context": self.context}


def find_neighbours(
    warehouse: Warehouse,
    among: Rendered,
    vector: np.ndarray,
    k: int,
    where: str | None = None,
    measured: Mapping[str, Target] | None = None,
    exact: bool = False,
    computed: Mapping[str, Values] | None = None,
) -> Neighbours:
    """The k architectures whose vectors are nearest by cosine distance.

    Args:
        warehouse: Where they are.
        among: What is searched.
        vector: (d,) what is looked for.
        k: How many.
        where: A condition in SQL over `CONDITION_COLUMNS` and the measured values.
        measured: The names of the measured values in the condition.
        exact: Compute every distance even where there is an index.
        computed: Other values that the condition may speak of, by name; read where it does.

    Raises:
        InputError: The condition is not one.
    """
    spec_id = among.spec_id
    count = warehouse.vectors.count(spec_id)
    index = None if exact or count < EXACT_BELOW else warehouse.vectors.index(spec_id)
    if where is None:
        rows = _grow(warehouse, among, vector, k, 2 * k, index is not None)
        return Neighbours(rows, index or "exact", count, None)
    fits = _fitting(warehouse, among, vector, where, measured or {}, computed or {})
    expected = _OVERFETCH * k * count // max(fits.height, 1)
    if index is not None and expected <= _MOST_FETCHED:
        near = warehouse.vectors.nearest(spec_id, vector, expected, use_index=True)
        rows = _join(near, fits)
        if rows.height >= k:
            return Neighbours(_with_texts(warehouse, among, rows.head(k)), index, count, len(fits))
    distances = warehouse.vectors.distances(spec_id, vector)
    rows = _join(distances, fits).sort("distance", maintain_order=True).head(k)
    return Neighbours(_with_texts(warehouse, among, rows), "exact", count, fits.height)


def _grow(
    warehouse: Warehouse, among: Rendered, vector: np.ndarray, k: int, texts: int, use_index: bool
) -> pl.DataFrame:
    """Without a condition. Other encodings share the table: asks for more until k are of this."""
    while True:
        near = warehouse.vectors.nearest(among.spec_id, vector, texts, use_index)
        hashes = near["text_hash"].to_list()
        found = warehouse.read("architectures_of_texts", **among.parameters, text_hashes=hashes)
        if found.height >= k or near.height < texts:
            return _join(near, found).select(_COLUMNS).head(k)
        texts *= 4


_COLUMNS = ["architecture_id", "native", "canonical_id", "distance", "text"]


def _join(near: pl.DataFrame, architectures: pl.DataFrame) -> pl.DataFrame:
    return near.with_columns(pl.col("distance").clip(0)).join(  # a rounded difference may be below
        architectures.select(pl.exclude("distance")),
        on="text_hash",
        how="inner",
        maintain_order="left_right",
    )


def _with_texts(warehouse: Warehouse, among: Rendered, rows: pl.DataFrame) -> pl.DataFrame:
    texts = warehouse.read("texts_of", text_hashes=rows["text_hash"].to_list())
    return rows.join(texts, on="text_hash", how="left", maintain_order="left").select(_COLUMNS)


def _fitting(
    warehouse: Warehouse,
    among: Rendered,
    vector: np.ndarray,
    where: str,
    measured: Mapping[str, Target],
    computed: Mapping[str, Values],
) -> pl.DataFrame:
    """architecture_id, native, canonical_id, text_hash of those that fit the condition."""
    words = mentioned(where)
    known = warehouse.read("embedded", **among.parameters, spec_id=among.spec_id)
    if "distance" in words:
        distances = warehouse.vectors.distances(among.spec_id, vector)
        known = known.join(distances, on="text_hash", how="left", maintain_order="left")
    values: dict[str, Values] = {
        name: partial(warehouse.labels, among.space, each) for name, each in measured.items()
    }
    for name, read in {**computed, **values}.items():
        if name in words:
            labels = read().rename({"value": name})
            known = known.join(labels, on="architecture_id", how="left", maintain_order="left")
    columns = [*CONDITION_COLUMNS, *measured, *computed]
    kept = fitting(warehouse, known, where, columns, "n_tokens < 80", "candidates")
    return kept.select("architecture_id", "native", "canonical_id", "text_hash", "position")
