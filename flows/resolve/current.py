"""Which stored architectures are those that a space has now: a person's file may have changed."""

import polars as pl

from cole_core.errors import InputError
from cole_core.spaces.base import SearchSpace


def current(space: SearchSpace, rows: pl.DataFrame, *, only_twice: bool = False) -> pl.DataFrame:
    """The rows of architectures that are what their native string builds now.

    Args:
        space: Theirs.
        rows: architecture_id, native, and what else; the latest come last.
        only_twice: Leave out only what is named as another row is. That costs nothing where the
            file has not changed, and is enough where nothing is built.
    """
    if not space.is_foreign or rows.is_empty():
        return rows
    if space.is_absent:
        return rows.unique("native", keep="last", maintain_order=True)
    asked = rows.filter(pl.col("native").is_duplicated()) if only_twice else rows
    natives = asked["native"].unique(maintain_order=True).to_list()
    natives = [native for native in natives if _has(space, native)]
    space.prepare(natives)
    ids = {space.architecture_id(native) for native in natives}
    kept = pl.col("architecture_id").is_in(ids)
    return rows.filter(kept | ~pl.col("native").is_duplicated() if only_twice else kept)


def _has(space: SearchSpace, native: str) -> bool:
    """Whether the space has it still: a choice may have become narrower."""
    try:
        space.validate(native)
    except InputError:
        return False
    return True
