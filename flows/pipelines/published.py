"""Pipeline: tables of measured values taken in, and ours set beside published figures on them."""

from pathlib import Path
from typing import Any

import polars as pl
from prefect import flow

from cole_core.errors import InputError
from cole_core.experiments.published.protocols import (
    PublishedProtocol,
    Values,
    read_protocols,
)
from cole_core.sources.readings import UnclearColumnsError
from cole_core.spaces.base import SearchSpace
from flows.resolve.published import at_hand, split_by_lacking
from flows.resolve.spaces import find_space
from flows.resolve.vectors import find_vectors
from flows.running.names import run_name
from flows.running.stage import planned
from flows.stages import ingest
from flows.stages.compare_published import ComparePublishedRequest, compare_published
from flows.stages.compare_published import plan as plan_stage
from flows.stages.ingest import IngestRequest
from warehouse import Warehouse


def plan(request: ComparePublishedRequest) -> list[IngestRequest]:
    """Checks everything before a table is taken in.

    Returns:
        How the tables are taken in.

    Raises:
        InputError: As the stages do; or a table holds nothing that the protocols read, or not of
            all architectures.
    """
    if not request.table:
        plan_stage(request)
        return []
    warehouse = Warehouse(request.home)
    space = find_space(warehouse, request.space)
    protocols = request.protocols(space)
    _ = request.ours
    request.searches(space)
    find_vectors(warehouse, space, [request.read_vectors(space)], whole=True)
    asked = [
        IngestRequest(space=request.space, origin=table, home=request.home)
        for table in request.table
    ]
    listed = list(read_protocols(space).values())
    held = {kind for each in asked for kind in _kinds(each, space, listed)}
    needed = dict.fromkeys(kind for each in protocols for kind in each.needs)
    there = [
        kind
        for kind in needed
        if kind in held or at_hand(warehouse, space, kind, request.table) is not None
    ]
    split_by_lacking(protocols, there, request.table)
    return asked


@flow(name="published", flow_run_name=run_name("space", "protocol"))
def published(request: ComparePublishedRequest) -> dict[str, Any]:
    """Takes tables in and compares.

    Returns:
        The summary of `compare_published`, with the values that were taken in.

    Raises:
        InputError: As `plan`.
    """
    taken = [ingest.ingest(each) for each in planned(plan, request)]
    summary = compare_published(request)
    return summary | {"values": sum(each["evaluations"] for each in taken)}


def _kinds(
    asked: IngestRequest, space: SearchSpace, protocols: list[PublishedProtocol]
) -> list[Values]:
    """What of a table the protocols read.

    Raises:
        InputError: The table cannot be taken in as it is, holds nothing that they read, or not of
            as many architectures as they are of.
    """
    name = Path(asked.origin).name
    try:
        rows = ingest.plan(asked).rows
    except UnclearColumnsError as error:
        raise InputError(
            f"{error}; take it in so with 'cole ingest {space.name} {asked.origin}' first"
        ) from None
    counted = rows.group_by(Values.columns()).agg(pl.col("native").n_unique())
    counts = {Values(*key): count for *key, count in counted.iter_rows()}
    read = {kind: each for each in protocols for kind in each.needs if kind in counts}
    if not read:
        needed = dict.fromkeys(kind.heading for each in protocols for kind in each.needs)
        raise InputError(
            f"{name} holds nothing that is read: give a table with a column {', '.join(needed)}"
        )
    for kind, protocol in read.items():
        if counts[kind] != protocol.architectures:
            raise InputError(
                f"{name} holds {kind.words} of {counts[kind]:,} architectures, and {protocol.name} "
                f"is of {protocol.architectures:,}: give a whole table"
            )
    return list(read)
