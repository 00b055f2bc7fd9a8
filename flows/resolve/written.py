"""Which architecture is meant by a string, in whatever notation it is written."""

from functools import partial

from cole_core.errors import InputError
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.notation import read_architecture
from cole_core.spaces.other_notation import Lookup, Written, no_list
from warehouse import Warehouse


def read_written(
    warehouse: Warehouse, space: SearchSpace, text: str, notation: str | None
) -> Written | None:
    """The architecture of a space that a string means.

    Args:
        warehouse: Has the official lists that files brought.
        space: Whose.
        text: In one of its notations.
        notation: Which; None reads what is sure by itself.

    Raises:
        InputError: As `cole_core.spaces.notation.read_architecture`; or there is no such place in
            the official list, or two sources brought different ones.
    """
    lookup: Lookup = no_list
    if warehouse.has_catalog:
        lookup = partial(_look_up, warehouse, space)
    return read_architecture(space, text, notation, lookup)


def _look_up(warehouse: Warehouse, space: SearchSpace, place: int) -> str:
    rows = warehouse.listed(space.name, place)
    natives = rows["native"].unique().to_list()
    if len(natives) == 1:
        return str(natives[0])
    if natives:
        listed = ", ".join(f"{native} in {source}" for source, native in rows.iter_rows())
        raise InputError(f"{place} stands for several: {listed}; give the one that is meant")
    sources = warehouse.listing_sources(space.name)
    if sources.is_empty():
        return no_list(place)
    source, places = sources.row(0)
    raise InputError(
        f"{place} is no place in the official list of {source}: give 0 to {places - 1:,}"
    )
