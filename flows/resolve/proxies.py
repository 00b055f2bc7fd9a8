"""Which stored proxies are meant, and the architectures that have them.

What `cole proxies` computed and what came in as a table are measured values alike; the source says
whose are meant. An architecture has its own values, or those of the first of its twins that has
some: they compute the same function. One whose form nobody measured has no vector.
"""

import numpy as np
import polars as pl

from cole_core.encodings.proxies import (
    ALIASES,
    COLUMNS,
    NOISE,
    PROXIES,
    SIZES,
    proxy_vector,
    split_source,
)
from cole_core.encodings.side_by_side import parts
from cole_core.encodings.vectors import ArchitectureVectors
from cole_core.errors import InputError
from cole_core.spaces.base import SearchSpace
from flows.resolve.current import current
from warehouse import Warehouse

METRICS = (*COLUMNS, *ALIASES)


def with_source(warehouse: Warehouse, space: SearchSpace, encoding: str) -> str | None:
    """An encoding with the source of its proxies named, so that it is the same ever after.

    Where nothing is said and several sources have some, those that were computed on noise come
    first.

    Args:
        warehouse: Where they are.
        space: The search space.
        encoding: As it is asked for; other parts stay as they are.

    Returns:
        The encoding; None where no proxies are stored of the space.

    Raises:
        InputError: The source has no proxies, or several have some.
    """
    named = []
    for part in parts(encoding):
        name, source = split_source(part)
        if name != PROXIES:
            named.append(part)
            continue
        found = sources(warehouse, space)
        if source is None and found.is_empty():
            return None
        named.append(f"{PROXIES}:{_one(space, found, source)}")
    return "+".join(named)


def sources(warehouse: Warehouse, space: SearchSpace) -> pl.DataFrame:
    """source, datasets (list) of the sources that have proxies of a space."""
    kinds = warehouse.targets(space).filter(
        pl.col("metric").is_in([name for name in METRICS if name not in SIZES])
    )
    return kinds.group_by("source").agg(datasets=pl.col("dataset").unique().sort()).sort("source")


def load_proxies(warehouse: Warehouse, space: SearchSpace, encoding: str) -> ArchitectureVectors:
    """The space's architectures that have proxies, with their vectors.

    Args:
        warehouse: Where they are.
        space: The search space.
        encoding: `proxies:SOURCE`.

    Raises:
        InputError: There are none.
    """
    _, source = split_source(encoding)
    values = warehouse.read_proxies(space, str(source), METRICS)
    rows = current(space, warehouse.architectures(space), only_twice=True)
    rows = rows.with_columns(
        own=pl.col("architecture_id").is_in(values["architecture_id"].to_list())
    )
    first = (
        rows.filter("own")
        .unique("canonical_id", keep="first")
        .select("canonical_id", twin="architecture_id")
    )
    rows = rows.join(first, on="canonical_id", how="inner", maintain_order="left").with_columns(
        read=pl.when("own").then("architecture_id").otherwise("twin")
    )
    if rows.is_empty():
        raise InputError(f"no architecture of {space.full_name} has proxies of {source}")
    table = values.pivot("metric", index="architecture_id", values="value")
    vectors = {
        row.pop("architecture_id"): proxy_vector(
            {name: np.nan if value is None else value for name, value in row.items()}
        )
        for row in table.iter_rows(named=True)
    }
    return ArchitectureVectors(
        architecture_ids=rows["architecture_id"].to_list(),
        natives=rows["native"].to_list(),
        canonical_ids=rows["canonical_id"].to_list(),
        vectors=np.stack([vectors[id_] for id_ in rows["read"]]),
    )


def _one(space: SearchSpace, found: pl.DataFrame, source: str | None) -> str:
    """The source that is meant, of which all proxies are of one dataset."""
    listed = "; ".join(found["source"].to_list())
    if source is None:
        on_noise = found.filter(pl.col("datasets").list.contains(NOISE))
        usual = on_noise if len(on_noise) == 1 else found
        if len(usual) > 1:
            raise InputError(
                f"several sources have proxies of {space.full_name}: name one of {listed}, as in "
                f"{PROXIES}:{usual['source'][0]}"
            )
        source = str(usual["source"][0])
    meant = found.filter(pl.col("source") == source)
    if meant.is_empty():
        raise InputError(
            f"source '{source}' has no proxies of {space.full_name}: "
            + (
                f"name one of {listed}"
                if listed
                else f"make some with: cole proxies {space.full_name}"
            )
        )
    if "+" in source:
        raise InputError(
            f"source '{source}': take it in under a name without a plus, with --source"
        )
    datasets = meant["datasets"][0].to_list()
    if len(datasets) > 1:
        raise InputError(
            f"source '{source}' has proxies of {', '.join(datasets)}: take them in apart, each "
            "with --dataset and a --source of its own"
        )
    return source
