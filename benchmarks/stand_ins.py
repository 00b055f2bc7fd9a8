"""A warehouse of NAS-Bench-201's cells with made-up values: times do not depend on them."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl

from cole_core.hashing import hash_text
from cole_core.spaces import get_space
from warehouse import Warehouse
from warehouse.reader import space_parameters

SPACE = get_space("nasbench201")


def fill(home: Path, count: int, metrics: Mapping[str, Sequence[str]]) -> list[str]:
    """The first cells with values of some metrics of CIFAR-10.

    Args:
        home: Of the new warehouse.
        count: How many cells.
        metrics: By split.

    Returns:
        The cells.
    """
    rng = np.random.default_rng(0)
    natives = list(islice(SPACE.enumerate(), count))
    ids = [SPACE.architecture_id(native) for native in natives]
    forms = [hash_text(SPACE.canonical_form(native)) for native in natives]
    rows = pl.DataFrame({"architecture_id": ids, "native": natives})
    with Warehouse(home).writer("benchmark", "benchmark") as writer:
        writer.add_architectures(
            rows.with_columns(
                space=pl.lit(SPACE.name),
                space_parameters=pl.lit(space_parameters(SPACE)),
                canonical_id=pl.Series(forms),
                position=pl.int_range(count),
            )
        )
        for split, names in metrics.items():
            for name in names:
                writer.add_evaluations(
                    rows.with_columns(
                        dataset=pl.lit("cifar10"),
                        metric=pl.lit(name),
                        split=pl.lit(split),
                        epochs=pl.lit(200 if split == "test" else 0, dtype=pl.Int32),
                        seed=pl.lit(None, dtype=pl.Int32),
                        source=pl.lit("benchmark"),
                        value=pl.Series(rng.uniform(1, 99, count)),
                    )
                )
    return natives
