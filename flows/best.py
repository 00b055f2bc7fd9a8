"""The best architectures of a space by a measured value, or by what a stored head predicts."""

from typing import Any

import numpy as np
import polars as pl

from cole_core.errors import InputError
from cole_core.spaces.base import SearchSpace
from flows.choices import Measured
from flows.kinds import describe, one_target, preferred_targets
from flows.spaces import find_space
from warehouse import Target, Warehouse

MOST = 100_000
"""Architectures that are listed."""


def best(
    home: str,
    space: str,
    measured: Measured,
    k: int,
    predicted: bool = False,
    head: str | None = None,
    canonical: bool = False,
) -> dict[str, Any]:
    """The k best architectures.

    Args:
        home: The warehouse.
        space: The search space.
        measured: Which values; where several kinds fit, the accuracy that people mean.
        k: How many.
        predicted: Rank all architectures with a vector by a stored head, measured or not.
        head: Which head, by the beginning of its id; None takes the one with the most labelled.
        canonical: One of each canonical form alone.

    Returns:
        What was ranked by what, and `columns` and `rows`, best first: rank, architecture_id,
        native, value, and for a head predicted and std.

    Raises:
        InputError: A name is unknown, or nothing was measured or trained.
    """
    if not 1 <= k <= MOST:
        raise InputError(f"-k {k}: ask for 1 to {MOST:,}")
    if head is not None and not predicted:
        raise InputError(f"--head {head} is for --predicted: give both")
    warehouse = Warehouse(home)
    search_space = find_space(warehouse, space)
    summary: dict[str, Any] = {"space": space}
    if predicted:
        target, chosen = _choose_head(warehouse, search_space, measured, head)
        rows = _predict(warehouse, search_space, target, chosen)
        summary |= {name: chosen[name] for name in ("head_id", "head", "encoding", "n")}
        order = "predicted"
    else:
        target = one_target(warehouse, search_space, measured)
        labels = warehouse.labels(search_space, target)
        rows = warehouse.architectures(search_space).join(labels, on="architecture_id")
        order = "value"
    rows = rows.sort([order, "position"], descending=[True, False])
    if canonical:
        rows = rows.unique("canonical_id", keep="first", maintain_order=True)
    total = rows.height
    rows = rows.head(k).with_row_index("rank", offset=1)
    columns = ["rank", "architecture_id", "native", "value", "predicted", "std"]
    rows = rows.select(name for name in columns if name in rows.columns)
    return summary | {
        "dataset": target.dataset,
        "target": describe(target),
        "architectures": total,
        "columns": rows.columns,
        "rows": rows.to_dicts(),
    }


def _choose_head(
    warehouse: Warehouse, space: SearchSpace, measured: Measured, head: str | None
) -> tuple[Target, dict[str, Any]]:
    """The head that is meant, and what it predicts: the first kind of values that has heads."""
    targets = preferred_targets(warehouse, space, measured)
    for target in targets:
        heads = warehouse.heads_of(space, target)
        if head is not None:
            heads = heads.filter(pl.col("head_id").str.starts_with(head))
        if not heads.is_empty():
            return target, heads.row(0, named=True)
    dataset = measured.dataset or "DATASET"
    which = "" if head is None else f" whose id begins with {head}"
    raise InputError(
        f"no stored head{which} predicts {dataset}: train one with "
        f"'cole train {space.name} --dataset {dataset}'"
    )


def _predict(
    warehouse: Warehouse, space: SearchSpace, target: Target, head: dict[str, Any]
) -> pl.DataFrame:
    from cole_core.predictors import load_surrogate
    from flows.pools import Features, load_pool

    path = warehouse.head_artifact(head["head_id"])
    if path is None:
        raise InputError(f"head {head['head_id']} is not stored: train it again")
    features = Features(head["encoding"], head["context"], head["spec_id"], head["language_model"])
    pool = load_pool(warehouse, space, features)
    mean, std = load_surrogate(path).predict(pool.vectors, return_std=True)
    rows = pl.DataFrame(
        {
            "architecture_id": pool.architecture_ids,
            "native": pool.natives,
            "canonical_id": pool.canonical_ids,
            "position": range(len(pool.natives)),
            "predicted": np.asarray(mean, np.float64),
            "std": np.asarray(std, np.float64),
        }
    )
    labels = warehouse.labels(space, target)
    return rows.join(labels, on="architecture_id", how="left", maintain_order="left")
