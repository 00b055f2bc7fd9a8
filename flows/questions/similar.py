"""The architectures that are nearest to one, to a text or to a network's source."""

from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import numpy as np
import polars as pl
from cyclopts import Parameter
from pydantic import Field

from cole_core.encodings.registry import make_text_encoding
from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.spaces.base import SearchSpace
from flows.questions.asked import SOURCE, Asked, Question, read_asked
from flows.questions.nearness import UNLIKE, StoredTexts, read_stored_texts
from flows.resolve.columns import Columns
from flows.resolve.corpora import RunOptions
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
        what: A native string; an architecture_id or its beginning; a Python file or notebook with
            an nn.Module, or FILE.py:CLASS, which is parsed, and run only with --run; or, with
            --text, a text.
        home: The warehouse's directory.
        space: The search space, unless an id tells it.
        k: How many.
        where: A condition in SQL, such as 'cifar10 > 93': on datasets, metrics, parameters,
            distance, text, native, n_tokens, position, truncated.
        vectors: Which of the stored vectors.
        measured: Which measured values the condition and the answer speak of.
        class_name: Of FILE.py, where it holds several networks.
        arguments: Of FILE.py: what the class's constructor is given, as JSON: '{"channels": 16}'.
        running: Whether FILE.py is run, so that what it computes is compared.
        text: WHAT is a text, in words or code, and nothing else.
        notation: How WHAT is written, where that is neither the space's way nor sure, such as
            naslib or index.
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
    arguments: str | None = None
    running: RunOptions = RunOptions()
    text: Flag = False
    notation: str | None = None
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
    columns: Columns

    def run(self, exact: bool) -> Neighbours:
        where, columns = self.where, self.columns
        return find_neighbours(
            self.warehouse,
            self.among,
            self.vector,
            self.k,
            where,
            columns.measured,
            exact,
            {} if where is None else columns.known(where),
        )


def similar(request: SimilarRequest) -> dict[str, Any]:
    """Finds the nearest architectures.

    Returns:
        What was looked for and how, and `columns` and `rows` of the answer, nearest first:
        architecture_id, native, distance, nearer_than (the share of pairs of stored texts that
        are farther from each other; null for too few texts), twin (null unless an architecture was
        given), one measured value for each dataset, text. `resembles` is whether what is nearest is
        near: see `flows.questions.nearness`.

    Raises:
        InputError: A name, the text or the condition is not right, or nothing was embedded.
    """
    warehouse = Warehouse(request.home)
    question = Question(
        request.what,
        request.space,
        request.class_name,
        request.text,
        request.arguments,
        request.running,
        request.notation,
    )
    asked = read_asked(warehouse, question, request.vectors)
    encoding, context = asked.encoding, request.vectors.context
    if encoding == SOURCE:
        _check_source(warehouse, asked, request.vectors)
    make_text_encoding(asked.space, encoding, context)
    [source] = find_vectors(warehouse, asked.space, [replace(request.vectors, encoding=encoding)])
    assert source.spec_id is not None  # a text encoding has a specification
    among = Rendered(asked.space, encoding, context, source.spec_id)
    targets = []
    if request.measured.asked or not warehouse.targets(asked.space).is_empty():
        targets = find_targets(warehouse, asked.space, request.measured)
    names = column_names(targets, CONDITION_COLUMNS)
    columns = Columns(warehouse, asked.space, request.measured)
    extra = 0 if asked.native is None else 1  # it finds itself
    stored = read_stored_texts(warehouse, among)
    vector, warning = _vector(warehouse, asked, among, stored, request.device)
    search = _Search(warehouse, among, vector, request.k + extra, request.where, columns)
    found = search.run(request.exact)
    rows = _answer(warehouse, found, asked, names, request.k)
    rows = rows.insert_column(3, _nearer_than(rows["distance"], stored))
    farther = _farther_than(search, found, asked, stored)
    return {
        "asked": asked.kind,
        "read": asked.read,
        "name": asked.name,
        "space": asked.space.name,
        "encoding": encoding,
        "spec_id": source.spec_id,
        "method": found.method,
        "vectors": found.vectors,
        "fitting": found.fitting,
        "recall": _recall(search, found) if request.recall else None,
        "nearness": stored.to_plain(),
        "farther_than": farther,
        "resembles": None if farther is None else farther < UNLIKE,
        "warning": warning,
        "values": {name: describe(target) for name, target in names.items() if name in rows},
        "columns": rows.columns,
        "rows": rows.to_dicts(),
    }


def _check_source(warehouse: Warehouse, asked: Asked, vectors: Vectors) -> None:
    """Checks that source which was not run has its like among what is stored.

    Raises:
        InputError: It has not: texts of another encoding are of another language.
    """
    if asked.kind != "file":
        return
    space = asked.space
    named = vectors.encoding
    if named not in (None, SOURCE):
        problem = f"and '{named}' is written of what it computes"
    elif SOURCE not in space.encoding_names or warehouse.embedded(space, SOURCE, "none").is_empty():
        problem = f"and {space.name} has no vectors of those"
    else:
        return
    raise InputError(
        f"{asked.name} was parsed and not run, so it is a text of {SOURCE}, {problem}: add --run, "
        "which runs it in a process of its own and compares what it computes"
    )


def _vector(
    warehouse: Warehouse, asked: Asked, among: Rendered, stored: StoredTexts, device: str
) -> tuple[np.ndarray, str | None]:
    """The vector (d,) of what is looked for, stored or made by the specification's model, and
    what makes its text unlike the stored ones."""
    if asked.native is not None:
        where = (asked.native, among.encoding, among.context)
        text_hash = warehouse.text_hash(among.space, *where)
        known = None if text_hash is None else warehouse.vectors.vector(among.spec_id, text_hash)
        if known is not None:
            return known, None
    from cole_core.language_models import EmbeddingSpecification, load

    stored_as = warehouse.specifications().filter(pl.col("spec_id") == among.spec_id)
    specification = EmbeddingSpecification.from_json(stored_as["specification"][0])
    embedder = load(specification, device=device)
    made = next(iter(embedder.embed([asked.text])))
    warning = stored.warning(asked.text, int(made.n_tokens[0]), bool(made.truncated[0]))
    return made.vectors[0], warning


def _nearer_than(distances: pl.Series, stored: StoredTexts) -> pl.Series:
    ranks = [stored.nearer_than(distance) for distance in distances]
    return pl.Series("nearer_than", ranks, dtype=pl.Float64)


def _farther_than(
    search: _Search, found: Neighbours, asked: Asked, stored: StoredTexts
) -> float | None:
    """The share of stored texts that have their nearest nearer than this has its own.

    A condition is no matter here: what it leaves out resembles the question all the same.
    """
    near = found if search.where is None else replace(search, k=2, where=None).run(exact=False)
    others = near.rows.filter(pl.col("native") != (asked.native or ""))
    return None if others.is_empty() else stored.farther_than(float(others["distance"][0]))


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
        twins = rows["canonical_id"] == _canonical_id(warehouse, asked.space, asked.native)
    return rows.select(
        "architecture_id",
        "native",
        "distance",
        pl.lit(None, pl.Boolean).alias("twin") if twins is None else twins.alias("twin"),
        *values,
        "text",
    )


def _canonical_id(warehouse: Warehouse, space: SearchSpace, native: str) -> str:
    if space.is_absent:
        rows = warehouse.architectures(space).filter(pl.col("native") == native)
        return str(rows["canonical_id"][-1])
    from cole_core.hashing import hash_text

    return hash_text(space.canonical_form(native))


def _recall(search: _Search, found: Neighbours) -> float:
    """Share of the exact answer that was found; equal distances count alike."""
    if found.method == "exact" or found.rows.is_empty():
        return 1.0
    exact = search.run(exact=True).rows
    farthest = float(exact["distance"][-1]) + 1e-6
    return int((found.rows["distance"] <= farthest).sum()) / exact.height
