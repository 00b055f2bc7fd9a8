"""Plug-ins by name: a newcomer adds one file and one registration line."""

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Generic, TypeVar

from cole_core.errors import InputError

T = TypeVar("T")


class Registry(Generic[T]):
    """Names and the factories of what they stand for.

    Args:
        kind: What is registered, in words, for the error message ("encoding").
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._factories: dict[str, Callable[..., T]] = {}

    def register(self, name: str, factory: Callable[..., T]) -> None:
        """Adds a factory.

        Raises:
            ValueError: The name is taken.
        """
        if name in self._factories:
            raise ValueError(f"{self.kind} '{name}' is registered already")
        self._factories[name] = factory

    def create(self, name: str, **parameters: object) -> T:
        """Makes what `name` stands for.

        Raises:
            InputError: The name or a parameter is unknown; the message lists the known ones.
        """
        factory = self._factory(name)
        known = inspect.signature(factory).parameters.values()
        if not any(each.kind is inspect.Parameter.VAR_KEYWORD for each in known):
            check_parameters(f"{self.kind} '{name}'", parameters, [each.name for each in known])
        return factory(**parameters)

    def takes(self, name: str, parameter: str) -> bool:
        """Whether what `name` stands for has a parameter of that name.

        Raises:
            InputError: The name is unknown.
        """
        return parameter in inspect.signature(self._factory(name)).parameters

    def _factory(self, name: str) -> Callable[..., T]:
        if name not in self._factories:
            raise InputError(f"unknown {self.kind} '{name}': choose one of {', '.join(self)}")
        return self._factories[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._factories))

    def __contains__(self, name: object) -> bool:
        return name in self._factories


def check_parameters(what: str, given: Iterable[str], known: Collection[str]) -> None:
    """Checks the names of parameters.

    Raises:
        InputError: One is unknown; the message lists the known ones.
    """
    for name in given:
        if name not in known:
            choices = f"choose one of {', '.join(sorted(known))}" if known else "it takes none"
            raise InputError(f"{what} has no parameter '{name}': {choices}")
