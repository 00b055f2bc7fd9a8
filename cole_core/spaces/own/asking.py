"""A search space of somebody's own class, asked for one thing after the other.

What is here runs the file: only a process of foreign code calls it.
"""

import functools
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cole_core.encodings.base import TextEncoding
from cole_core.encodings.registry import encoding_names
from cole_core.errors import InputError
from cole_core.foreign_code import own_files
from cole_core.spaces.base import Roles, SearchSpace
from cole_core.spaces.own.describing import loaded_class

if TYPE_CHECKING:
    from cole_core.encodings.normal_form import NormalForm


@dataclass(frozen=True)
class Encodes:
    """One encoding of the space.

    Attributes:
        name: Its name.
        contexts: Of a text encoding; None for a vector.
        is_slow: As `TextEncoding` has it.
    """

    name: str
    contexts: tuple[str, ...] | None
    is_slow: bool = False


@dataclass(frozen=True)
class AskedSpace:
    """A space as plain data.

    Attributes:
        title, roles, default_source, default_dataset: As `SearchSpace` has them.
        encodings: Its own.
    """

    title: str | None
    roles: Roles
    default_source: str | None
    default_dataset: str | None
    encodings: tuple[Encodes, ...]


def describe_space(path: str, name: str) -> tuple[AskedSpace, dict[str, str]]:
    """What a class of spaces has, and the files that decide it, with their hashes."""
    kind = loaded_class(path, name)
    space = kind()
    own = set(kind.encodings) & set(encoding_names(space))
    encodings = [_encodes(each, space.encoding(each)) for each in sorted(own)]
    about = (space.title, space.roles, space.default_source, space.default_dataset)
    return AskedSpace(*about, tuple(encodings)), own_files()


def _encodes(name: str, made: Any) -> Encodes:
    if isinstance(made, TextEncoding):
        return Encodes(name, tuple(made.contexts), made.is_slow)
    return Encodes(name, None)


@functools.cache
def _made(path: str, name: str, parameters: str) -> SearchSpace:
    found: SearchSpace = loaded_class(path, name)(**json.loads(parameters))
    return found


def made_space(path: str, name: str, parameters: Mapping[str, Any]) -> SearchSpace:
    """The space itself."""
    return _made(path, name, json.dumps(dict(parameters), sort_keys=True))


def settle(path: str, name: str, parameters: Mapping[str, Any]) -> tuple[dict[str, Any], str, Any]:
    """All parameters of a space, what its full name says of them, and its size."""
    space = made_space(path, name, parameters)
    said = space.full_name.removeprefix(space.name).removeprefix(":")
    return json.loads(json.dumps(dict(space.parameters))), said, space.size


def of_class(path: str, name: str, method: str, arguments: tuple[Any, ...]) -> Any:
    """What a method of the class gives; of a space its parameters."""
    given = getattr(loaded_class(path, name), method)(*arguments)
    if isinstance(given, SearchSpace):
        return json.loads(json.dumps(dict(given.parameters)))
    return json.loads(json.dumps(given))


def ask(
    path: str, name: str, parameters: Mapping[str, Any], method: str, arguments: tuple[Any, ...]
) -> Any:
    """What a method of the space gives."""
    return getattr(made_space(path, name, parameters), method)(*arguments)


def draw(
    path: str,
    name: str,
    parameters: Mapping[str, Any],
    method: str,
    arguments: tuple[Any, ...],
    state: Mapping[str, Any],
) -> tuple[str, dict[str, Any]]:
    """What a method gives that draws, and where its generator is then."""
    bits = getattr(np.random, str(state["bit_generator"]))()
    bits.state = state
    rng = np.random.Generator(bits)
    space = made_space(path, name, parameters)
    native, *edits = arguments or ("",)
    drawn: Any = space.mutate(native, rng, *edits) if method == "mutate" else space.sample(rng)
    if not isinstance(drawn, str):
        raise InputError(f"{Path(path).name}:{name}.{method} gives {drawn!r}, and no native string")
    return str(drawn), dict(bits.state)


def listed(
    path: str, name: str, parameters: Mapping[str, Any], start: int, count: int
) -> list[str]:
    """Some of the architectures, in the space's order."""
    space = made_space(path, name, parameters)
    return list(itertools.islice(space.enumerate(), start, start + count))


def render(
    path: str,
    name: str,
    parameters: Mapping[str, Any],
    encoding: str,
    natives: Sequence[str],
    context: str,
) -> list[str]:
    """Texts of architectures."""
    made: Any = made_space(path, name, parameters).encoding(encoding)
    return [str(made.render(native, context)) for native in natives]


def encode(
    path: str, name: str, parameters: Mapping[str, Any], encoding: str, natives: Sequence[str]
) -> list[list[float]]:
    """Vectors of architectures."""
    made: Any = made_space(path, name, parameters).encoding(encoding)
    rows: list[list[float]] = np.asarray(made.encode(natives), np.float32).tolist()
    return rows


def form(path: str, name: str, parameters: Mapping[str, Any], native: str) -> "NormalForm":
    """The normal form of a network."""
    return made_space(path, name, parameters).normal_form(native)
