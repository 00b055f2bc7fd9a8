"""What an architecture is, and everything that only its space knows: one folder for each space."""

from collections.abc import Mapping
from typing import Any

from cole_core.errors import InputError
from cole_core.registry import Registry
from cole_core.spaces.base import SearchSpace

spaces: Registry[SearchSpace] = Registry(
    "search space",
    "cole.spaces",
    {
        "einspace": "cole_core.spaces.einspace:Einspace",
        "nasbench201": "cole_core.spaces.nasbench201:NASBench201",
        "nasbenchgraph": "cole_core.spaces.nasbenchgraph:NASBenchGraph",
    },
)


def get_space(name: str, **parameters: object) -> SearchSpace:
    """Makes a search space.

    Args:
        name: Its registered name.
        parameters: What besides the native string decides an architecture of the space.

    Raises:
        InputError: The name is unknown; the message lists the known ones.
    """
    return spaces.create(name, **parameters)


def parse_space(name: str) -> SearchSpace:
    """The space that a name with parameters stands for, such as `SPACE:3x32x32:10`.

    Raises:
        InputError: The name or what follows the colon is not known.
    """
    base, colon, text = name.partition(":")
    kind = space_class(base)
    if colon and not text:
        raise InputError(
            f"search space '{name}': after the colon give parameters, or name '{base}'"
        )
    return kind(**kind.parse_parameters(text))


def get_space_for(
    name: str,
    input_shape: tuple[int, int, int],
    classes: int,
    bounds: Mapping[str, int] | None = None,
) -> SearchSpace:
    """The search space whose architectures can be trained on a task.

    Args:
        name: Its registered name, or that with its parameters.
        input_shape: Channels, height, width of the task's images.
        classes: Of the task.
        bounds: Of what the space draws, where they are not as usual.

    Raises:
        InputError: The name is unknown (lists the known ones), the space has no such bound, or the
            parameters in the name are of another task.
    """
    named = parse_space(name)
    found = type(named).for_task(input_shape, classes, bounds or {})
    if ":" in name and dict(named.parameters) != dict(found.parameters):
        raise InputError(
            f"search space '{name}' is not that of the task, which is '{found.full_name}': "
            f"name it '{found.name}'"
        )
    return found


def space_class(name: str) -> type[SearchSpace]:
    """The class behind a registered name.

    Raises:
        InputError: The name is unknown, or stands for something else.
    """
    found: Any = spaces.load(name)
    if not (isinstance(found, type) and issubclass(found, SearchSpace)):
        raise TypeError(f"search space '{name}' is registered as {found!r}: name a SearchSpace")
    return found
