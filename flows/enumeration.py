"""Flow: the architectures of a space into the warehouse."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from cole_core.errors import InputError
from cole_core.hashing import hash_text
from cole_core.spaces.base import SearchSpace
from flows.progress import track
from flows.runs import recorded_run
from flows.spaces import find_space
from warehouse import Warehouse
from warehouse.warehouse import space_parameters
from warehouse.writer import Writer

SHARD = 5_000


@flow(name="enumerate")
def enumerate_architectures(
    home: str, space: str, samples: int | None = None, seed: int = 0
) -> dict[str, Any]:
    """Stores all architectures of a space, or a number of them at random.

    Args:
        home: The warehouse.
        space: The search space.
        samples: How many distinct architectures to draw; None enumerates the space.
        seed: Seed of the draw.

    Raises:
        InputError: The space is unknown, or has fewer architectures than samples.
    """
    natives = plan(home, space, samples, seed)
    parameters = {"space": space, "samples": samples, "seed": seed}
    with (
        recorded_run(home, "enumerate", parameters) as run,
        run.warehouse.writer("cole enumerate", run.run_id) as writer,
    ):
        added = add_architectures(run.warehouse, writer, find_space(run.warehouse, space), natives)
        run.summary = {"architectures": added, "skipped": len(natives) - added}
    return run.summary


def plan(home: str, space: str, samples: int | None = None, seed: int = 0) -> list[str]:
    """The native strings that the flow will store; its arguments and errors are the flow's."""
    search_space = find_space(Warehouse(home), space)
    if samples is None:
        return list(search_space.enumerate())
    return sample_distinct(search_space, samples, seed)


def sample_distinct(space: SearchSpace, samples: int, seed: int) -> list[str]:
    """Distinct architectures, drawn one by one.

    Raises:
        InputError: `samples` is not positive, or more than the space has.
    """
    if samples < 1 or (space.size is not None and samples > space.size):
        raise InputError(
            f"--samples {samples}: {space.name} has {space.size or 'any number of'} "
            "architectures, ask for at least 1 and at most that"
        )
    rng = np.random.default_rng(seed)
    drawn: dict[str, None] = {}
    while len(drawn) < samples:
        drawn[space.sample(rng)] = None
    return list(drawn)


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
    known = set() if stored is None else set(stored["native"])
    first = 0 if stored is None or stored.is_empty() else int(stored["position"].max()) + 1  # type: ignore[arg-type]
    missing = [native for native in natives if native not in known]
    with track("enumerate · architectures", len(missing) if shown else 0) as advance:
        for start in range(0, len(missing), SHARD):
            rows = describe_shard(space, missing[start : start + SHARD], first + start)
            writer.add_architectures(rows)
            advance(rows.height)
    return len(missing)


@task(name="describe architectures", cache_policy=NO_CACHE, persist_result=False)
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
