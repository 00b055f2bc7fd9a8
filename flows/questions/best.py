"""The best architectures of a space by a measured value, or by what a stored head predicts."""

from dataclasses import field
from typing import Annotated, Any

import polars as pl
from cyclopts import Parameter
from pydantic import Field

from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.search.dominance import nondominated
from cole_core.spaces.base import SearchSpace
from flows.resolve.columns import Columns
from flows.resolve.objectives import Sought, find_front
from flows.resolve.predicting import predict
from flows.resolve.requests import DEFAULT_SPACE, HOME, Flag, Home, Measured, request
from flows.resolve.spaces import known_space
from flows.resolve.values import describe, find_targets
from warehouse import Warehouse

MOST = 100_000
"""Architectures that are listed."""

_MOST_LISTED = 10  # unless somebody asks for more


@request
class BestRequest:
    """Which architectures are ranked, by what.

    Attributes:
        space: The search space.
        home: The warehouse's directory.
        measured: Which values; where several kinds fit, the accuracy that people mean.
        k: How many; by default 10, and a front whole.
        sought: Several objectives, whose front is listed, and what architectures must fit.
        predicted: By a stored head, measured or not.
        head: Which head, by the beginning of its head_id; by default the one with the most
            labelled.
        canonical: One architecture of each canonical form alone.
    """

    space: str = field(default=DEFAULT_SPACE, kw_only=True)
    home: Home = HOME
    measured: Measured = Measured()
    k: Annotated[int | None, Parameter(name="-k"), Field(ge=1, le=MOST)] = None
    sought: Sought = Sought()
    predicted: Flag = False
    head: str | None = None
    canonical: Flag = False


def best(request: BestRequest) -> dict[str, Any]:
    """The k best architectures; of several objectives those that no other is better than in all.

    Returns:
        What was ranked by what, and `columns` and `rows`, best first: rank, architecture_id,
        native, value, and for a head predicted and std; of several objectives a column for each
        instead.

    Raises:
        InputError: A name is unknown, nothing was measured or trained, nobody said which values are
            the better ones, or nothing fits the condition.
    """
    if request.head is not None and not request.predicted:
        raise InputError(f"--head {request.head} is for --predicted: give both")
    warehouse = Warehouse(request.home)
    space = known_space(warehouse, request.space)
    if request.sought.objective:
        return _front(warehouse, space, request)
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
    if request.sought.where is not None:
        fits = Columns(warehouse, space, request.measured).fitting(request.sought.where)
        rows = rows.filter(pl.col("architecture_id").is_in(fits))
    rows = rows.sort([order, "position"], descending=[target.sign > 0, False])
    return summary | {
        "dataset": target.dataset,
        "target": describe(target),
        "other_sources": warehouse.other_sources(space, target),
        "unit": target.unit,
        "direction": target.direction,
        **_listed(rows, request, _MOST_LISTED, ["value", "predicted", "std"]),
    }


def _front(warehouse: Warehouse, space: SearchSpace, request: BestRequest) -> dict[str, Any]:
    """The front of several objectives, from the best in the first to the best in the others."""
    if request.predicted:
        raise InputError("--predicted ranks by one head: give --objective predicted_accuracy")
    objectives, rows = find_front(warehouse, space, request.measured, request.sought)
    values = rows.select(each.name for each in objectives).to_numpy()
    front = rows.filter(nondominated(values * [each.sign for each in objectives]))
    names = [each.name for each in objectives]
    front = front.sort([*names, "position"], descending=[*(o.sign > 0 for o in objectives), False])
    return {
        "space": request.space,
        "objectives": {each.name: each.direction for each in objectives},
        "among": rows.height,
        **_listed(front, request, MOST, names),
    }


def _listed(
    rows: pl.DataFrame, request: BestRequest, usual: int, values: list[str]
) -> dict[str, Any]:
    """How many there are, and the first of them as columns and rows."""
    if request.canonical:
        rows = rows.unique("canonical_id", keep="first", maintain_order=True)
    total = rows.height
    rows = rows.head(usual if request.k is None else request.k).with_row_index("rank", offset=1)
    columns = ["rank", "architecture_id", "native", *values]
    rows = rows.select(name for name in columns if name in rows.columns)
    return {"architectures": total, "columns": rows.columns, "rows": rows.to_dicts()}


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
