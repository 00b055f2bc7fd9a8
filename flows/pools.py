"""The vectors and labels that heads and searches read: from the warehouse, never from a model."""

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from cole_core.encodings import VectorEncoding, get_encoding
from cole_core.errors import InputError
from cole_core.hashing import hash_bytes
from cole_core.spaces.base import SearchSpace
from flows.choices import Vectors
from warehouse import Pool, Target, Warehouse


@dataclass(frozen=True)
class Features:
    """Where a surrogate's vectors come from.

    Attributes:
        encoding: A text or structural encoding; or several side by side, joined by `+`.
        context: The rendering's context.
        spec_id: The embedding specification; None where all is structural.
        language_model: Its name for people; None for a structural encoding.
    """

    encoding: str
    context: str
    spec_id: str | None
    language_model: str | None


@dataclass(frozen=True)
class LabelledPool:
    """The architectures that have both a vector and a measured value.

    Attributes:
        architecture_ids, natives, canonical_ids: n each, in the space's order.
        vectors: (n, d) float32.
        values: (n,) float64.
        labels_hash: Content hash of ids and values: the measurements that a result rests on.
    """

    architecture_ids: list[str]
    natives: list[str]
    canonical_ids: list[str]
    vectors: np.ndarray
    values: np.ndarray
    labels_hash: str


def parts(encoding: str) -> list[str]:
    """The encodings that stand side by side in one."""
    return [part.strip() for part in encoding.split("+")]


def is_structural(space: SearchSpace, encoding: str) -> bool:
    """Whether no part of an encoding needs a language model.

    Raises:
        InputError: A part is unknown, or stands there twice.
    """
    names = parts(encoding)
    if len(set(names)) < len(names):
        raise InputError(f"encoding '{encoding}' has a part twice: name each once")
    made = [get_encoding(space.name, name, **space.parameters) for name in names]
    return all(isinstance(each, VectorEncoding) for each in made)


def surrogate_kind(
    space: SearchSpace, features: Features, pool: Pool | LabelledPool
) -> dict[str, Any]:
    """What a surrogate must know about the vectors: arguments of `make_surrogate`.

    Args:
        space: The search space.
        features: Where the vectors come from.
        pool: Architectures with those vectors.
    """
    names = parts(features.encoding)
    if len(names) == 1 or not pool.natives:
        return {"structural": features.spec_id is None}
    made = [get_encoding(space.name, name, **space.parameters) for name in names]
    widths = [
        each.encode(pool.natives[:1]).shape[1] if isinstance(each, VectorEncoding) else None
        for each in made
    ]
    # All embeddings are of one specification, so what is left is shared evenly.
    left = pool.vectors.shape[1] - sum(width or 0 for width in widths)
    embedded = left // max(1, widths.count(None))
    return {
        "blocks": tuple((embedded, False) if width is None else (width, True) for width in widths)
    }


def find_features(warehouse: Warehouse, space: SearchSpace, vectors: Vectors) -> Features:
    """The stored specification that fits.

    Raises:
        InputError: The encoding is unknown, or nothing or more than one specification fits.
    """
    if is_structural(space, vectors.encoding):
        return Features(vectors.encoding, vectors.context, None, None)
    fitting = fitting_specifications(warehouse.specifications(), vectors)
    asked = f"'{vectors.lm}' with pooling {vectors.pooling} and precision {vectors.precision}"
    if fitting.is_empty():
        raise InputError(
            f"no embeddings of {asked}: make them with 'cole embed {space.name} --encoding "
            f"{vectors.encoding} --lm {vectors.lm} --pooling {vectors.pooling} "
            f"--precision {vectors.precision}'"
        )
    if fitting.height > 1:
        listed = ", ".join(fitting["spec_id"].to_list())
        raise InputError(f"several specifications fit {asked}: give --lm one of the ids {listed}")
    spec_id, language_model = fitting.select("spec_id", "language_model").row(0)
    return Features(vectors.encoding, vectors.context, spec_id, language_model)


def fitting_specifications(
    stored: pl.DataFrame, vectors: Vectors, random_init: int | None = None
) -> pl.DataFrame:
    """Those of the stored specifications that are asked for; an id says all by itself.

    Args:
        stored: Rows of `Warehouse.specifications`.
        vectors: What is asked for.
        random_init: Seed of a randomly initialised language model; None for the trained one.
    """
    by_id = stored.filter(pl.col("spec_id").str.starts_with(vectors.lm))
    if not by_id.is_empty():
        return by_id
    seed = pl.col("specification").str.json_path_match("$.random_init").cast(pl.Int64)
    return stored.filter(
        pl.col("language_model") == vectors.lm,
        pl.col("pooling") == vectors.pooling,
        pl.col("precision") == vectors.precision,
        seed.eq_missing(pl.lit(random_init, pl.Int64)),
    )


def find_labelled_pool(
    warehouse: Warehouse, space: SearchSpace, features: Features, target: Target
) -> LabelledPool:
    """The architectures that have both a vector and a measured value.

    Raises:
        InputError: There are none; says which command makes them.
    """
    return label_pool(warehouse, space, load_pool(warehouse, space, features), target)


def load_pool(warehouse: Warehouse, space: SearchSpace, features: Features) -> Pool:
    """The space's architectures with their vectors.

    Raises:
        InputError: There are none; says which command makes them.
    """
    names = parts(features.encoding)
    if len(names) > 1:
        return _side_by_side(
            [load_pool(warehouse, space, _part(space, features, name)) for name in names]
        )
    if features.spec_id is not None:
        return warehouse.pool(space, features.encoding, features.context, features.spec_id)
    encoding = get_encoding(space.name, features.encoding, **space.parameters)
    if not isinstance(encoding, VectorEncoding):
        raise InputError(f"encoding '{features.encoding}' needs a language model: give --lm")
    rows = warehouse.architectures(space)
    if rows.is_empty():
        raise InputError(f"{space.name} has no architectures: run 'cole enumerate {space.name}'")
    natives = rows["native"].to_list()
    return Pool(
        architecture_ids=rows["architecture_id"].to_list(),
        natives=natives,
        canonical_ids=rows["canonical_id"].to_list(),
        vectors=encoding.encode(natives),
    )


def _part(space: SearchSpace, features: Features, name: str) -> Features:
    if is_structural(space, name):
        return Features(name, features.context, None, None)
    return replace(features, encoding=name)


def _side_by_side(pools: list[Pool]) -> Pool:
    """The architectures that all pools have, in the first one's order, vectors side by side."""
    rows = [{id_: row for row, id_ in enumerate(pool.architecture_ids)} for pool in pools]
    first = pools[0]
    kept = [i for i, id_ in enumerate(first.architecture_ids) if all(id_ in each for each in rows)]
    ids = [first.architecture_ids[i] for i in kept]
    taken = [pool.vectors[[row[id_] for id_ in ids]] for pool, row in zip(pools, rows, strict=True)]
    return Pool(
        architecture_ids=ids,
        natives=[first.natives[i] for i in kept],
        canonical_ids=[first.canonical_ids[i] for i in kept],
        vectors=np.concatenate(taken, axis=1),
    )


def label_pool(
    warehouse: Warehouse, space: SearchSpace, pool: Pool, target: Target
) -> LabelledPool:
    """The architectures of a pool whose target was measured.

    Raises:
        InputError: There are none.
    """
    labels = warehouse.labels(space, target)
    value_of = dict(labels.iter_rows())
    rows = [row for row, id_ in enumerate(pool.architecture_ids) if id_ in value_of]
    if not rows:
        raise InputError(f"no architecture has both a vector and a value of {target.to_json()}")
    ids = [pool.architecture_ids[row] for row in rows]
    values = [value_of[id_] for id_ in ids]
    return LabelledPool(
        architecture_ids=ids,
        natives=[pool.natives[row] for row in rows],
        canonical_ids=[pool.canonical_ids[row] for row in rows],
        vectors=pool.vectors[rows],
        values=np.array(values),
        labels_hash=hash_bytes(json.dumps([ids, values]).encode()),
    )
