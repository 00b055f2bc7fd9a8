"""Which architectures have the nearest vectors, with a condition on what is known of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.spaces.base import SearchSpace
from warehouse.guard import check_query
from warehouse.queries import query
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

    Raises:
        InputError: The condition is not one.
    """
    spec_id = among.spec_id
    count = warehouse.vectors.count(spec_id)
    index = None if exact or count < EXACT_BELOW else warehouse.vectors.index(spec_id)
    if where is None:
        rows = _grow(warehouse, among, vector, k, 2 * k, index is not None)
        return Neighbours(rows, index or "exact", count, None)
    fitting = _fitting(warehouse, among, vector, where, measured or {})
    expected = _OVERFETCH * k * count // max(fitting.height, 1)
    if index is not None and expected <= _MOST_FETCHED:
        near = warehouse.vectors.nearest(spec_id, vector, expected, use_index=True)
        rows = _join(near, fitting)
        if rows.height >= k:
            return Neighbours(
                _with_texts(warehouse, among, rows.head(k)), index, count, len(fitting)
            )
    distances = warehouse.vectors.distances(spec_id, vector)
    rows = _join(distances, fitting).sort("distance", maintain_order=True).head(k)
    return Neighbours(_with_texts(warehouse, among, rows), "exact", count, fitting.height)


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
) -> pl.DataFrame:
    """architecture_id, native, canonical_id, text_hash of those that fit the condition."""
    words = {word.lower() for word in re.findall(r"\w+", where)}
    known = warehouse.read("embedded", **among.parameters, spec_id=among.spec_id)
    if "distance" in words:
        distances = warehouse.vectors.distances(among.spec_id, vector)
        known = known.join(distances, on="text_hash", how="left", maintain_order="left")
    for name, target in measured.items():
        if name in words:
            labels = warehouse.labels(among.space, target).rename({"value": name})
            known = known.join(labels, on="architecture_id", how="left", maintain_order="left")
    columns = [*CONDITION_COLUMNS, *measured]
    with warehouse.asking() as connection:
        connection.register("known", known.to_arrow())
        try:
            check_query(connection, f"SELECT * FROM known WHERE ({where}\n)")
            relation = connection.sql(query("candidates")).filter(where)
            kept = relation.project("architecture_id, native, canonical_id, text_hash, position")
            return pl.DataFrame(pl.from_arrow(kept.to_arrow_table())).sort("position")
        except (duckdb.Error, InputError) as error:
            raise InputError(
                f'--where "{where}" is no condition: {error}; write one such as "n_tokens < 80" on '
                f"{', '.join(columns)}"
            ) from error
