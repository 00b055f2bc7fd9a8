"""Which search space a command means by its name."""

import re

from cole_core.errors import InputError
from cole_core.spaces import get_space, get_space_for
from cole_core.spaces.base import SearchSpace
from warehouse import Warehouse

_TASK = re.compile(r"(\d+)x(\d+)x(\d+):(\d+)", re.ASCII)


def find_space(warehouse: Warehouse, name: str) -> SearchSpace:
    """The search space of a warehouse by its name.

    Args:
        warehouse: Where its architectures are, or will be.
        name: `nasbench201` or `einspace`: with the parameters that most of its stored
            architectures have, and its defaults without any. `einspace:3x32x32:10` names them:
            channels, height and width of the images, and the number of classes.

    Raises:
        InputError: The name or what follows it is not known.
    """
    base, colon, task = name.partition(":")
    if colon:
        found = _TASK.fullmatch(task)
        if found is None:
            raise InputError(
                f"search space '{name}': after the colon give channels, height, width and classes, "
                f"as {base}:3x32x32:10"
            )
        channels, height, width, classes = map(int, found.groups())
        space = get_space_for(base, (channels, height, width), classes)
        if not space.parameters:
            raise InputError(f"search space '{name}': {base} has no parameters, name it '{base}'")
        return space
    default = get_space(base)
    if not default.parameters or not warehouse.has_catalog:
        return default
    stored = warehouse.parameters_of(base)
    if not stored or dict(default.parameters) in stored:
        return default
    return get_space(base, **stored[0])


def full_name(space: SearchSpace) -> str:
    """The name by which `find_space` finds just this space, its parameters included."""
    if not space.parameters:
        return space.name
    shape = "x".join(map(str, space.parameters["input_shape"]))
    return f"{space.name}:{shape}:{space.parameters['classes']}"
