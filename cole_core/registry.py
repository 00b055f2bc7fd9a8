"""Plug-ins by name: a newcomer adds one file and one registration line, here or in a package.

What is registered here is named as `module:attribute` and imported when it is asked for. Other
packages register theirs as entry points of the registry's group, and are told apart from ours by
nothing but their package's name in messages.
"""

import contextlib
import functools
import importlib
import inspect
import multiprocessing
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, distributions, entry_points
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin

from cole_core.errors import FOREIGN_ERRORS, InputError

T = TypeVar("T")


class PluginWarning(UserWarning):
    """A package's plug-in cannot be used; everything else can."""


@dataclass(frozen=True)
class _Plugin:
    """One registered name.

    Attributes:
        place: `module:attribute`, or the object itself.
        package: That registered it; None for ours.
    """

    place: Any
    package: str | None = None

    def load(self) -> Any:
        if not isinstance(self.place, str):
            return self.place
        module, _, attribute = self.place.partition(":")
        found: Any = importlib.import_module(module)
        for name in attribute.split("."):
            found = getattr(found, name)
        return found


class Registry(Generic[T]):
    """Names and what they stand for: classes or functions that make it.

    Args:
        kind: What is registered, in words, for error messages ("head").
        group: The entry points of other packages, such as `cole.heads`.
        own: What is registered without an entry point: names and `module:attribute`.
        scopes: Beginnings of the names of entry points that count, which are no part of the name.
    """

    def __init__(
        self, kind: str, group: str, own: Mapping[str, str], scopes: tuple[str, ...] = ("",)
    ) -> None:
        self.kind = kind
        self.group = group
        self._scopes = scopes
        self._own = {name: _Plugin(place) for name, place in own.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._plugins))

    def __contains__(self, name: object) -> bool:
        return name in self._plugins

    def load(self, name: str) -> Callable[..., T]:
        """The class or function that a name stands for.

        Raises:
            InputError: The name is unknown (lists the known ones), or its package cannot be
                imported or calls it something else.
        """
        if name not in self._plugins:
            raise InputError(f"unknown {self.kind} '{name}': choose one of {', '.join(self)}")
        plugin = self._plugins[name]
        if plugin.package is None:
            return plugin.load()
        what, remedy = f"{self.kind} '{name}' of the package {plugin.package}", plugin.package
        try:
            found = plugin.load()
        except FOREIGN_ERRORS as error:
            raise InputError(
                f"{what} cannot be imported ({type(error).__name__}: {error}): repair or "
                f"uninstall {remedy}"
            ) from error
        called = getattr(found, "name", name)
        if isinstance(called, str) and called != name:
            # What it makes is stored under the one name and looked for under the other.
            raise InputError(f"{what} calls itself '{called}': repair or uninstall {remedy}")
        return found

    def create(self, name: str, /, *arguments: Any, **parameters: Any) -> T:
        """Makes what a name stands for.

        Args:
            name: A registered name.
            *arguments: What everything of this kind is made with.
            **parameters: Its own.

        Raises:
            InputError: The name or a parameter is unknown (the message lists the known ones), or a
                value is of another kind than the parameter.
        """
        factory = self.load(name)
        known = list(inspect.signature(factory).parameters.values())[len(arguments) :]
        if not any(each.kind is inspect.Parameter.VAR_KEYWORD for each in known):
            check_parameters(f"{self.kind} '{name}'", parameters, [each.name for each in known])
        check_values(f"{self.kind} '{name}'", parameters, factory)
        return factory(*arguments, **parameters)

    @contextlib.contextmanager
    def registered(self, name: str, made: Callable[..., T]) -> Iterator[None]:
        """Registers something for the time of a block, in the place of what has its name.

        For tests and notebooks; what is to last is registered in a package.
        """
        before = self._own.get(name)
        self._own[name] = _Plugin(made)
        try:
            yield
        finally:
            if before is None:
                del self._own[name]
            else:
                self._own[name] = before

    def loadable(self) -> dict[str, Callable[..., T]]:
        """All that can be imported, by name; what cannot is one warning each.

        For what must look at everything that is registered; one name alone is `load`ed.
        """
        found = {}
        for name in self:
            try:
                found[name] = self.load(name)
            except InputError as error:
                warnings.warn(str(error), PluginWarning, stacklevel=2)
        return found

    @property
    def _plugins(self) -> Mapping[str, _Plugin]:
        return _others(self.group, self._scopes, tuple(self._own)) | self._own


@functools.cache
def _others(group: str, scopes: tuple[str, ...], own: tuple[str, ...]) -> dict[str, _Plugin]:
    """What other packages register in a group; a name that is taken is one warning."""
    found: dict[str, _Plugin] = {}
    for entry in sorted(entry_points(group=group), key=lambda entry: (_package(entry), entry.name)):
        scope = next((scope for scope in scopes if entry.name.startswith(scope)), None)
        if scope is None:
            continue
        name, package = entry.name.removeprefix(scope), _package(entry)
        if name in own or name in found:
            holder = "this project" if name in own else f"the package {found[name].package}"
            if multiprocessing.parent_process() is None:  # which has told, where there is one
                warnings.warn(
                    f"the package {package} registers '{entry.name}' in {group}, and {holder} has "
                    "that name: it is left out",
                    PluginWarning,
                    stacklevel=2,
                )
            continue
        found[name] = _Plugin(entry.value, package)
    return found


@functools.cache
def plugin_packages() -> Mapping[str, str]:
    """The other packages that register something, with their versions."""
    return {
        package.name: package.version
        for package in distributions()
        if any(entry.group.startswith("cole.") for entry in package.entry_points)
    }


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.module.partition(".")[0]


def check_parameters(what: str, given: Iterable[str], known: Collection[str]) -> None:
    """Checks the names of parameters.

    Raises:
        InputError: One is unknown; the message lists the known ones.
    """
    for name in given:
        if name not in known:
            choices = f"choose one of {', '.join(sorted(known))}" if known else "it takes none"
            raise InputError(f"{what} has no parameter '{name}': {choices}")


def check_values(what: str, given: Mapping[str, Any], factory: Callable[..., Any]) -> None:
    """Checks that values are of the kind that a factory's annotations say.

    Values that people write are read as JSON, so that any kind may come.

    Raises:
        InputError: One is not.
    """
    hints = _hints(factory) if given else {}
    for name, value in given.items():
        if name in hints and not _fits(value, hints[name]):
            written = list(value) if isinstance(value, tuple) else value
            raise InputError(f"{what}: {name} is {written!r}, give {_in_words(hints[name])}")


@functools.cache
def _hints(factory: Callable[..., Any]) -> dict[str, Any]:
    """The annotations of parameters by their names."""
    parameters = inspect.signature(factory).parameters.values()
    return {each.name: each.annotation for each in parameters}


_KINDS: Mapping[Any, tuple[type, str]] = {
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    str: (str, "a name"),
    bool: (bool, "true or false"),
    NoneType: (NoneType, "null"),
}


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a kind; what is no plain kind fits."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, each) for each in inner)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            return False
        kinds = inner[:1] * len(value) if inner[1:] == (Ellipsis,) else inner
        return len(value) == len(kinds) and all(map(_fits, value, kinds))
    if not isinstance(hint, type) or hint not in _KINDS:  # it says no more than that it is there
        return True
    return isinstance(value, _KINDS[hint][0]) and (hint is bool or not isinstance(value, bool))


def _in_words(hint: Any) -> str:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(map(_in_words, inner))
    if origin is tuple:
        kind = _in_words(inner[0]).removeprefix("a ")
        return (
            f"a list of {kind}s" if inner[1:] == (Ellipsis,) else f"a list of {len(inner)} {kind}s"
        )
    return _KINDS[hint][1]
