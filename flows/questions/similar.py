"""The architectures that are nearest to one, to a text or to a network's source."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import polars as pl
from cyclopts import Parameter
from pydantic import Field

from cole_core.encodings.registry import make_text_encoding
from cole_core.encodings.vectors import Vectors
from cole_core.evaluation.target import Target
from flows.questions.asked import Asked, read_asked
from flows.resolve.requests import (
    DEFAULT_SPACE,
    HOME,
    AskedVectors,
    Device,
    Flag,
    Home,
    Measured,
    request,
)
from flows.resolve.values import column_names, describe, find_targets
from flows.resolve.vectors import find_vectors
from warehouse import Warehouse
from warehouse.neighbours import CONDITION_COLUMNS, Neighbours, Rendered, find_neighbours

MOST = 10_000
"""Neighbours that are listed."""


@request
class SimilarRequest:
    """What the nearest are looked for, and among which.

    Attributes:
        what: A native string; an architecture_id or its beginning; a text; or a Python file with an
            nn.Module, which is parsed and never run.
        home: The warehouse's directory.
        space: The search space, unless an id tells it.
        k: How many.
        where: A condition in SQL, such as 'cifar10 > 93': on datasets, distance, text, native,
            n_tokens, position, truncated.
        vectors: Which of the stored vectors.
        measured: Which measured values the condition and the answer speak of.
        class_name: Of FILE.py, where it holds several networks.
        exact: Compute every distance, whatever index there is.
        recall: Compare an index's answer with the exact one.
        device: auto, cpu or cuda, to embed a text.
    """

    what: str = field(kw_only=False)
    home: Home = HOME
    space: str = DEFAULT_SPACE
    k: Annotated[int, Parameter(name="-k"), Field(ge=1, le=MOST)] = 10
    where: str | None = None
    vectors: AskedVectors = Vectors()
    measured: Measured = Measured()
    class_name: Annotated[str | None, Parameter(name="--class")] = None
    exact: Flag = False
    recall: Flag = False
    device: Device = "auto"


@dataclass(frozen=True)
class _Search:
    """What is looked for among what: the arguments that finding and its check share."""

    warehouse: Warehouse
    among: Rendered
    vector: np.ndarray
    k: int
    where: str | None
    names: dict[str, Target]

    def run(self, exact: bool) -> Neighbours:
        return find_neighbours(
            self.warehouse, self.among, self.vector, self.k, self.where, self.names, exact
        )


def similar(request: SimilarRequest) -> dict[str, Any]:
    """Finds the nearest architectures.

    Returns:
        What was looked for and how, and `columns` and `rows` of the answer, nearest first:
        architecture_id, native, distance, twin (null unless an architecture was given), one
        measured value for each dataset, text.

    Raises:
        InputError: A name, the text or the condition is not right, or nothing was embedded.
    """
    warehouse = Warehouse(request.home)
    asked = read_asked(warehouse, request.what, request.space, request.vectors, request.class_name)
    encoding, context = asked.encoding, request.vectors.context
    make_text_encoding(asked.space, encoding, context)
    [source] = find_vectors(warehouse, asked.space, [request.vectors])
    assert source.spec_id is not None  # a text encoding has a specification
    among = Rendered(asked.space, encoding, context, source.spec_id)
    targets = []
    if request.measured.asked or not warehouse.targets(asked.space).is_empty():
        targets = find_targets(warehouse, asked.space, request.measured)
    names = column_names(targets, CONDITION_COLUMNS)
    extra = 0 if asked.native is None else 1  # it finds itself
    vector = vector_of(warehouse, asked, among, request.device)
    search = _Search(warehouse, among, vector, request.k + extra, request.where, names)
    found = search.run(request.exact)
    rows = _answer(warehouse, found, asked, names, request.k)
    return {
        "asked": asked.kind,
        "name": asked.name,
        "space": asked.space.name,
        "encoding": encoding,
        "spec_id": source.spec_id,
        "method": found.method,
        "vectors": found.vectors,
        "fitting": found.fitting,
        "recall": _recall(search, found) if request.recall else None,
        "values": {name: describe(target) for name, target in names.items() if name in rows},
        "columns": rows.columns,
        "rows": rows.to_dicts(),
    }


def vector_of(warehouse: Warehouse, asked: Asked, among: Rendered, device: str) -> np.ndarray:
    """The vector (d,) of what is looked for: stored, or made by the specification's model."""
    if asked.native is not None:
        where = (asked.native, among.encoding, among.context)
        text_hash = warehouse.text_hash(among.space, *where)
        stored = None if text_hash is None else warehouse.vectors.vector(among.spec_id, text_hash)
        if stored is not None:
            return stored
    from cole_core.language_models import EmbeddingSpecification, load

    stored_as = warehouse.specifications().filter(pl.col("spec_id") == among.spec_id)
    specification = EmbeddingSpecification.from_json(stored_as["specification"][0])
    embedder = load(specification, device=device)
    return next(iter(embedder.embed([asked.text]))).vectors[0]


def _answer(
    warehouse: Warehouse, found: Neighbours, asked: Asked, names: dict[str, Target], k: int
) -> pl.DataFrame:
    rows = found.rows.filter(pl.col("native") != (asked.native or "")).head(k)
    ids = rows["architecture_id"].to_list()
    values = []
    shown: set[Target] = set()
    for name, target in names.items():
        if target not in shown and target.dataset not in {seen.dataset for seen in shown}:
            shown.add(target)
            measured = dict(warehouse.values_of(ids, target).iter_rows())
            values.append(pl.Series(name, [measured.get(id_) for id_ in ids], dtype=pl.Float64))
    twins: pl.Series | None = None
    if asked.native is not None:
        from cole_core.hashing import hash_text

        twins = rows["canonical_id"] == hash_text(asked.space.canonical_form(asked.native))
    return rows.select(
        "architecture_id",
        "native",
        "distance",
        pl.lit(None, pl.Boolean).alias("twin") if twins is None else twins.alias("twin"),
        *values,
        "text",
    )


def _recall(search: _Search, found: Neighbours) -> float:
    """Share of the exact answer that was found; equal distances count alike."""
    if found.method == "exact" or found.rows.is_empty():
        return 1.0
    exact = search.run(exact=True).rows
    farthest = float(exact["distance"][-1]) + 1e-6
    return int((found.rows["distance"] <= farthest).sum()) / exact.height
