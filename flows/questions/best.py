"""The best architectures of a space by a measured value, or by what a stored head predicts."""

from dataclasses import field
from typing import Annotated, Any

import numpy as np
import polars as pl
from cyclopts import Parameter
from pydantic import Field

from cole_core.encodings.vectors import VectorSource
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.spaces.base import SearchSpace
from flows.resolve.requests import DEFAULT_SPACE, HOME, Flag, Home, Measured, request
from flows.resolve.spaces import known_space
from flows.resolve.values import describe, find_targets
from flows.resolve.vectors import load_vectors
from warehouse import Warehouse

MOST = 100_000
"""Architectures that are listed."""


@request
class BestRequest:
    """Which architectures are ranked, by what.

    Attributes:
        space: The search space.
        home: The warehouse's directory.
        measured: Which values; where several kinds fit, the accuracy that people mean.
        k: How many.
        predicted: By a stored head, measured or not.
        head: Which head, by the beginning of its head_id; by default the one with the most
            labelled.
        canonical: One architecture of each canonical form alone.
    """

    space: str = field(default=DEFAULT_SPACE, kw_only=True)
    home: Home = HOME
    measured: Measured = Measured()
    k: Annotated[int, Parameter(name="-k"), Field(ge=1, le=MOST)] = 10
    predicted: Flag = False
    head: str | None = None
    canonical: Flag = False


def best(request: BestRequest) -> dict[str, Any]:
    """The k best architectures.

    Returns:
        What was ranked by what, and `columns` and `rows`, best first: rank, architecture_id,
        native, value, and for a head predicted and std.

    Raises:
        InputError: A name is unknown, nothing was measured or trained, or nobody said which
            values are the better ones.
    """
    if request.head is not None and not request.predicted:
        raise InputError(f"--head {request.head} is for --predicted: give both")
    warehouse = Warehouse(request.home)
    space = known_space(warehouse, request.space)
    targets = find_targets(warehouse, space, request.measured)
    summary: dict[str, Any] = {"space": request.space}
    if request.predicted:
        target, chosen = _choose_head(warehouse, space, targets, request)
        rows = predict(warehouse, space, target, chosen)
        summary |= {name: chosen[name] for name in ("head_id", "head", "encoding", "n")}
        order = "predicted"
    else:
        target = targets[0]
        labels = warehouse.labels(space, target)
        rows = warehouse.architectures(space).join(labels, on="architecture_id")
        order = "value"
    rows = rows.sort([order, "position"], descending=[target.sign > 0, False])
    if request.canonical:
        rows = rows.unique("canonical_id", keep="first", maintain_order=True)
    total = rows.height
    rows = rows.head(request.k).with_row_index("rank", offset=1)
    columns = ["rank", "architecture_id", "native", "value", "predicted", "std"]
    rows = rows.select(name for name in columns if name in rows.columns)
    return summary | {
        "dataset": target.dataset,
        "target": describe(target),
        "other_sources": warehouse.other_sources(space, target),
        "unit": target.unit,
        "direction": target.direction,
        "architectures": total,
        "columns": rows.columns,
        "rows": rows.to_dicts(),
    }


def _choose_head(
    warehouse: Warehouse, space: SearchSpace, targets: list[Target], request: BestRequest
) -> tuple[Target, dict[str, Any]]:
    """The head that is meant, and what it predicts: the first kind of values that has heads."""
    head = request.head
    for target in targets:
        heads = warehouse.heads_of(space, target)
        if head is not None:
            heads = heads.filter(pl.col("head_id").str.starts_with(head))
        if not heads.is_empty():
            return target, heads.row(0, named=True)
    dataset = request.measured.dataset or "DATASET"
    which = "" if head is None else f" whose id begins with {head}"
    raise InputError(
        f"no stored head{which} predicts {dataset}: train one with "
        f"'cole train {space.name} --dataset {dataset}'"
    )


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
