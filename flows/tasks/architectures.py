"""Architectures into the warehouse, with their canonical forms."""

from collections.abc import Sequence

import polars as pl
from prefect import task
from prefect.cache_policies import NO_CACHE

from cole_core.hashing import hash_text
from cole_core.spaces.base import SearchSpace
from flows.running.progress import track
from warehouse import Warehouse
from warehouse.reader import space_parameters
from warehouse.writer import Writer

SHARD = 5_000


def add_architectures(
    warehouse: Warehouse,
    writer: Writer,
    space: SearchSpace,
    natives: Sequence[str],
    shown: bool = True,
) -> int:
    """Adds the architectures that are not there yet, with their canonical forms.

    Args:
        warehouse: Where they are looked up.
        writer: Adds them.
        space: Theirs.
        natives: The architectures.
        shown: Whether progress is.

    Returns:
        How many were new.
    """
    stored = warehouse.architectures(space) if warehouse.has_catalog else None
    known = set() if stored is None else set(stored["architecture_id"])
    first = 0 if stored is None or stored.is_empty() else int(stored["position"].max()) + 1  # type: ignore[arg-type]
    missing = [native for native in natives if space.architecture_id(native) not in known]
    with track("enumerate · architectures", len(missing) if shown else 0) as advance:
        for start in range(0, len(missing), SHARD):
            rows = describe_shard(space, missing[start : start + SHARD], first + start)
            writer.add_architectures(rows)
            advance(rows.height)
    return len(missing)


@task(
    name="describe architectures",
    task_run_name="describe {space.name} from {first_position}",
    cache_policy=NO_CACHE,
    persist_result=False,
)
def describe_shard(space: SearchSpace, natives: list[str], first_position: int) -> pl.DataFrame:
    """Ids and canonical forms of a shard of architectures."""
    return pl.DataFrame(
        {
            "architecture_id": [space.architecture_id(native) for native in natives],
            "space": space.name,
            "space_parameters": space_parameters(space),
            "native": natives,
            "canonical_id": [hash_text(space.canonical_form(native)) for native in natives],
            "position": range(first_position, first_position + len(natives)),
        }
    )
