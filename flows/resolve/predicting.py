"""What stored heads predict of architectures."""

from typing import Any

import numpy as np
import polars as pl

from cole_core.encodings.vectors import VectorSource
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.spaces.base import SearchSpace
from flows.resolve.vectors import load_vectors
from warehouse import Warehouse


def head_of(warehouse: Warehouse, space: SearchSpace, target: Target) -> dict[str, Any]:
    """The stored head of a kind of values that has the most labelled: a row of
    `Warehouse.heads_of`.

    Raises:
        InputError: There is none.
    """
    heads = warehouse.heads_of(space, target)
    if heads.is_empty():
        raise InputError(
            f"no stored head predicts the {target.metric} of {target.dataset}: train one with "
            f"'cole train {space.name} --dataset {target.dataset} --metric {target.metric}'"
        )
    return heads.row(0, named=True)


def predict(
    warehouse: Warehouse, space: SearchSpace, target: Target, head: dict[str, Any]
) -> pl.DataFrame:
    """What a stored head predicts of every architecture that has the vectors it reads.

    Args:
        warehouse: Where the vectors are.
        space: Of the architectures.
        target: What it predicts.
        head: A row of `Warehouse.heads_of`.

    Returns:
        architecture_id, native, canonical_id, position, predicted, std, and value where it was
        measured.

    Raises:
        InputError: The head's file or the vectors are not stored.
    """
    from cole_core.predictors import load_surrogate

    path = warehouse.head_artifact(head["head_id"])
    if path is None:
        raise InputError(f"head {head['head_id']} is not stored: train it again")
    about = ("encoding", "context", "spec_id", "language_model")
    architectures = load_vectors(warehouse, space, VectorSource(*(head[name] for name in about)))
    mean, std = load_surrogate(path).predict(architectures.vectors, return_std=True)
    rows = pl.DataFrame(
        {
            "architecture_id": architectures.architecture_ids,
            "native": architectures.natives,
            "canonical_id": architectures.canonical_ids,
            "position": range(len(architectures.natives)),
            "predicted": target.sign * np.asarray(mean, np.float64),
            "std": np.asarray(std, np.float64),
        }
    )
    labels = warehouse.labels(space, target)
    return rows.join(labels, on="architecture_id", how="left", maintain_order="left")
