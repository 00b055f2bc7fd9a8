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
    """Makes a search space, as a warehouse names it: no file runs because of that.

    Args:
        name: Its registered name, or that of a file's space: of a file that nobody named to this
            process there is what is stored.
        parameters: What besides the native string decides an architecture of the space.

    Raises:
        InputError: The name is unknown; the message lists the known ones.
    """
    from cole_core.spaces.own import absent_space, class_of, file_name, was_named

    file = file_name(name)
    if file is None:
        return spaces.create(name, **parameters)
    if was_named(file) and (kind := class_of(file)).takes(parameters):
        return kind(**parameters)
    return absent_space(file.name, parameters)


def parse_space(name: str) -> SearchSpace:
    """The space that somebody names, with its parameters, such as `SPACE:3x32x32:10`.

    Raises:
        InputError: The name or what follows the colon is not known.
    """
    kind, text = parse_name(name)
    return kind(**kind.parse_parameters(text))


def parse_name(name: str) -> tuple[type[SearchSpace], str]:
    """The class of a space that somebody names, and what they say of its parameters.

    A file's class is found by running the file.

    Raises:
        InputError: The name is not known, or nothing follows a colon.
    """
    from cole_core.spaces.own import class_of, file_name

    if file := file_name(name):
        kind, base, text = class_of(file), f"{file.path}:{file.thing}", file.text
    else:
        base, colon, after = name.partition(":")
        kind, text = space_class(base), after if colon else None
    if text == "":
        raise InputError(
            f"search space '{name}': after the colon give parameters, or name '{base}'"
        )
    return kind, text or ""


def get_space_for(
    name: str,
    input_shape: tuple[int, int, int],
    classes: int,
    bounds: Mapping[str, int] | None = None,
) -> SearchSpace:
    """The search space whose architectures can be trained on a task.

    Args:
        name: Its registered name, or that with its parameters, or that of a file's class.
        input_shape: Channels, height, width of the task's images.
        classes: Of the task.
        bounds: Of what the space draws, where they are not as usual.

    Raises:
        InputError: The name is unknown (lists the known ones), the space has no such bound, or the
            parameters in the name are of another task.
    """
    kind, text = parse_name(name)
    said = kind.parse_parameters(text)
    named = kind(**said)
    found = named.fitting(input_shape, classes, bounds or {})
    if any(found.parameters[each] != named.parameters[each] for each in said):
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
