"""The architectures that are nearest to one, to a text or to a network's source."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from cole_core.errors import InputError
from flows.asked_text import Asked, read_asked, text_encoding
from flows.choices import Measured, Vectors
from flows.kinds import column_names, describe, preferred_targets
from warehouse import Target, Warehouse
from warehouse.neighbours import CONDITION_COLUMNS, Neighbours, Rendered, find_neighbours

_VECTORS_COLUMNS = {"lm": "language_model", "pooling": "pooling", "precision": "precision"}

MOST = 10_000
"""Neighbours that are listed."""


@dataclass(frozen=True)
class Chosen:
    """Which of the stored vectors; None admits any, as long as one specification fits.

    Attributes:
        encoding: A text encoding of the space.
        context: The rendering's context.
        lm: Language model, or the beginning of a spec_id.
        pooling: How token states became one vector.
        precision: Of the language model.
    """

    encoding: str = "code.expression"
    context: str = "none"
    lm: str | None = None
    pooling: str | None = None
    precision: str | None = None


def similar(
    home: str,
    what: str,
    k: int,
    chosen: Chosen = Chosen(),
    space: str = "nasbench201",
    measured: Measured = Measured(),
    where: str | None = None,
    class_name: str | None = None,
    exact: bool = False,
    recall: bool = False,
    device: str = "auto",
) -> dict[str, Any]:
    """Finds the nearest architectures.

    Args:
        home: The warehouse.
        what: See `flows.asked_text.read_asked`.
        k: How many.
        chosen: Which vectors.
        space: The search space, unless an id tells it.
        measured: Which measured values `where` and the answer speak of.
        where: A condition on the answers.
        class_name: Which class of a file.
        exact: Compute every distance even where there is an index.
        recall: Compare the answer of an index with the exact one.
        device: Where a text is embedded.

    Returns:
        What was looked for and how, and `columns` and `rows` of the answer, nearest first:
        architecture_id, native, distance, twin (null unless an architecture was given), one
        measured value for each dataset, text.

    Raises:
        InputError: A name, the text or the condition is not right, or nothing was embedded.
    """
    if not 1 <= k <= MOST:
        raise InputError(f"-k {k}: ask for 1 to {MOST:,}")
    warehouse = Warehouse(home)
    asked = read_asked(warehouse, what, space, chosen.encoding, chosen.context, class_name)
    text_encoding(asked.space, chosen.encoding)
    spec_id, specification = choose_specification(warehouse, asked, chosen)
    targets = preferred_targets(warehouse, asked.space, measured)
    names = column_names(targets, CONDITION_COLUMNS)
    among = Rendered(asked.space, chosen.encoding, chosen.context, spec_id)
    vector = vector_of(warehouse, asked, among, specification, device)
    extra = 0 if asked.native is None else 1  # it finds itself
    found = find_neighbours(warehouse, among, vector, k + extra, where, names, exact)
    rows = _answer(warehouse, found, asked, names, k)
    return {
        "asked": asked.kind,
        "name": asked.name,
        "space": asked.space.name,
        "encoding": chosen.encoding,
        "spec_id": spec_id,
        "method": found.method,
        "vectors": found.vectors,
        "fitting": found.fitting,
        "recall": _recall(warehouse, among, vector, found, k + extra, where, names)
        if recall
        else None,
        "values": {name: describe(target) for name, target in names.items() if name in rows},
        "columns": rows.columns,
        "rows": rows.to_dicts(),
    }


def choose_specification(warehouse: Warehouse, asked: Asked, chosen: Chosen) -> tuple[str, str]:
    """spec_id and specification (JSON) of the vectors that are meant.

    Raises:
        InputError: Nothing or more than one fits.
    """
    embedded = warehouse.embedded(asked.space, chosen.encoding, chosen.context)
    stored = warehouse.specifications().join(embedded, on="spec_id", maintain_order="left")
    named = {
        "--lm": ("language_model", chosen.lm),
        "--pooling": ("pooling", chosen.pooling),
        "--precision": ("precision", chosen.precision),
    }
    fitting = stored
    if chosen.lm is not None:
        by_id = stored.filter(pl.col("spec_id").str.starts_with(chosen.lm))
        if not by_id.is_empty():
            fitting, named = by_id, {}
    for column, value in named.values():
        if value is not None:
            fitting = fitting.filter(pl.col(column) == value)
    if fitting.height > 1:  # a control is meant only by its id
        seed = pl.col("specification").str.json_path_match("$.random_init")
        fitting = fitting.filter(seed.is_null())
    if fitting.height > 1:  # what the other commands mean when nothing is named
        default = fitting.filter(
            pl.col(column) == getattr(Vectors(), name) for name, column in _VECTORS_COLUMNS.items()
        )
        fitting = default if default.height == 1 else fitting
    options = " ".join(f"{name} {value}" for name, (_, value) in named.items() if value is not None)
    if fitting.is_empty():
        raise InputError(
            f"no embeddings of '{chosen.encoding}' with context {chosen.context} {options}: make "
            f"them with 'cole embed {asked.space.name} --encoding {chosen.encoding} {options}'"
        )
    if fitting.height > 1:
        listed = "; ".join(
            f"{row['spec_id']} ({row['language_model']}, {row['pooling']}, {row['precision']})"
            for row in fitting.iter_rows(named=True)
        )
        raise InputError(f"several specifications fit: give --lm the beginning of one of {listed}")
    return fitting["spec_id"][0], fitting["specification"][0]


def vector_of(
    warehouse: Warehouse, asked: Asked, among: Rendered, specification: str, device: str
) -> np.ndarray:
    """The vector (d,) of what is looked for: stored, or made by the specification's model."""
    if asked.native is not None:
        where = (asked.native, among.encoding, among.context)
        text_hash = warehouse.text_hash(among.space, *where)
        stored = None if text_hash is None else warehouse.vectors.vector(among.spec_id, text_hash)
        if stored is not None:
            return stored
    from cole_core.language_models import EmbeddingSpecification, load

    embedder = load(EmbeddingSpecification.from_json(specification), device=device)
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


def _recall(
    warehouse: Warehouse,
    among: Rendered,
    vector: np.ndarray,
    found: Neighbours,
    k: int,
    where: str | None,
    names: dict[str, Target],
) -> float:
    """Share of the exact answer that was found; equal distances count alike."""
    if found.method == "exact" or found.rows.is_empty():
        return 1.0
    exact = find_neighbours(warehouse, among, vector, k, where, names, exact=True).rows
    farthest = float(exact["distance"][-1]) + 1e-6
    return int((found.rows["distance"] <= farthest).sum()) / exact.height
