"""Which search space is meant by a name."""

from cole_core.spaces import parse_space
from cole_core.spaces.base import SearchSpace
from warehouse import Warehouse


def find_space(warehouse: Warehouse, name: str) -> SearchSpace:
    """The search space of a warehouse by its name.

    Args:
        warehouse: Where its architectures are, or will be.
        name: A registered name: with the parameters that most of its stored architectures have,
            and its defaults without any. What follows a colon names them.

    Raises:
        InputError: The name or what follows it is not known.
    """
    named = parse_space(name)
    if ":" in name or not named.parameters or not warehouse.has_catalog:
        return named
    stored = warehouse.parameters_of(named.name)
    if not stored or dict(named.parameters) in stored:
        return named
    return type(named)(**stored[0])
