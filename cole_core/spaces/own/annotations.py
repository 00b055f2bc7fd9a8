"""What the arguments of a constructor may be, as its annotations say it.

Only for a process of foreign code: annotations are evaluated.
"""

import dataclasses
import enum
import inspect
import math
import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Union

from cole_core.errors import InputError
from cole_core.foreign_code.task_arguments import TASK
from cole_core.spaces.own.choices import Choice, Member, Optional, Options, Range, Record, Several

LOG = "log"
"""The marker of a logarithmic scale."""

REMEDY = (
    "Literal, bool, an Enum, Annotated[int, Interval(ge=1, le=6)], Optional, a tuple or a dataclass"
)
_PLAIN = (bool, int, float, str, types.NoneType)


@dataclass(frozen=True)
class Signature:
    """The constructor of a class.

    Attributes:
        choices: What its arguments may be, those that are choices.
        task: Its arguments that the task decides, with their defaults (None: it has none).
        needed: Its other arguments without a default.
        others: Its other arguments, which keep their default.
        unclear: Arguments of which something is said that cannot be understood: name, and what.
    """

    choices: Several
    task: tuple[tuple[str, Any], ...]
    needed: tuple[str, ...]
    others: tuple[str, ...]
    unclear: tuple[tuple[str, str], ...]

    @property
    def names(self) -> list[str]:
        """All arguments, sorted."""
        parts = (name for name, _ in (*self.choices.parts, *self.task, *self.unclear))
        return sorted((*parts, *self.needed, *self.others))


def signature_of(kind: type[Any]) -> Signature:
    """Reads a class's constructor.

    Raises:
        InputError: It has an argument that cannot be given by name, or names an unknown type.
    """
    name = kind.__name__
    hints = _hints(kind, name)
    choices: dict[str, Choice] = {}
    task: dict[str, Any] = {}
    unclear: dict[str, str] = {}
    rest: dict[str, bool] = {}
    for each in inspect.signature(kind).parameters.values():
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            continue
        if each.kind is each.POSITIONAL_ONLY:
            raise InputError(
                f"argument '{each.name}' of {name} has no name to give it by: take the / out"
            )
        has_default = each.default is not each.empty
        if each.name in TASK:
            task[each.name] = _plain(each.default) if has_default else None
            continue
        try:
            found = _read(hints.get(each.name), f"argument '{each.name}' of {name}")
        except InputError as error:
            unclear[each.name] = str(error)
            continue
        if found is None:
            rest[each.name] = has_default
        else:
            choices[each.name] = found
    return Signature(
        choices=Several(tuple(sorted(choices.items())), name),
        task=tuple(sorted(task.items())),
        needed=tuple(sorted(each for each, has_default in rest.items() if not has_default)),
        others=tuple(sorted(each for each, has_default in rest.items() if has_default)),
        unclear=tuple(sorted(unclear.items())),
    )


def _hints(kind: type[Any], name: str) -> dict[str, Any]:
    if dataclasses.is_dataclass(kind):
        return typing.get_type_hints(kind, include_extras=True)
    try:
        return typing.get_type_hints(kind.__init__, include_extras=True)
    except NameError as error:
        raise InputError(f"an annotation of {name}: {error}; import it") from error


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _read(hint: Any, what: str) -> Choice | None:
    """The choice that an annotation says; None where it leaves the value open.

    Raises:
        InputError: It says a part of one.
    """
    if hint is bool:
        return Options((False, True))
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return Options(tuple(Member(hint.__name__, each.name) for each in hint))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _record(hint, what)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return Options(tuple(_literal(each, what) for each in arguments))
    if origin is typing.Annotated:
        return _bounded(arguments[0], arguments[1:], what)
    if origin in (Union, types.UnionType):
        return _optional(arguments, what)
    if origin is tuple:
        return _tuple(arguments, what)
    return None


def _literal(value: Any, what: str) -> Any:
    if isinstance(value, enum.Enum):
        return Member(type(value).__name__, value.name)
    if not isinstance(value, _PLAIN):
        raise InputError(f"{what}: {value!r} is no plain value; give it as {REMEDY}")
    return value


def _record(kind: type[Any], what: str) -> Choice:
    parts: dict[str, Choice] = {}
    for field in dataclasses.fields(kind):
        if not field.init:
            continue
        inner = f"{what}, field '{field.name}' of {kind.__name__}"
        found = _read(typing.get_type_hints(kind, include_extras=True)[field.name], inner)
        if found is not None:
            parts[field.name] = found
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise InputError(f"{inner}, may be anything: say what it may be, as {REMEDY}")
    return Several(tuple(sorted(parts.items())), kind.__name__)


def _optional(arguments: tuple[Any, ...], what: str) -> Choice | None:
    inner = [each for each in arguments if each is not types.NoneType]
    if len(inner) == len(arguments) or len(inner) != 1:
        return None
    found = _read(inner[0], what)
    return None if found is None else Optional(found)


def _tuple(arguments: tuple[Any, ...], what: str) -> Choice | None:
    if not arguments or arguments == ((),) or Ellipsis in arguments:
        if arguments and _read(arguments[0], what) is not None:
            raise InputError(f"{what} is a tuple of any length: give it a fixed one, or {REMEDY}")
        return None
    parts = [_read(each, what) for each in arguments]
    if all(part is None for part in parts):
        return None
    if None in parts:
        raise InputError(
            f"{what}: place {parts.index(None) + 1} of the tuple may be anything; say what it may "
            f"be, as {REMEDY}"
        )
    return Several(tuple((str(place), part) for place, part in enumerate(parts) if part))


def _bounded(hint: Any, marks: tuple[Any, ...], what: str) -> Choice | None:
    """A bounded number, or what else is annotated, whose marks say nothing to us."""
    bounds: dict[str, Any] = {}
    for mark in _flat(marks):
        for name in ("ge", "gt", "le", "lt", "multiple_of"):
            value = getattr(mark, name, None)
            if isinstance(value, int | float):
                bounds[name] = value
    log = LOG in marks
    if hint not in (int, float):
        if bounds or log:
            raise InputError(f"{what} has bounds and is no int or float: give it as {REMEDY}")
        return _read(hint, what)
    if not bounds and not log:
        return None
    for side, names in (("lower", ("ge", "gt")), ("upper", ("le", "lt"))):
        if not set(names) & set(bounds):
            raise InputError(
                f"{what} has no {side} bound: give both, as Annotated[{hint.__name__}, "
                "Interval(ge=1, le=6)]"
            )
    return _range(hint, bounds, log, what)


def _flat(marks: Iterable[Any]) -> Iterable[Any]:
    """The marks, and what grouped ones such as `Interval` consist of."""
    for mark in marks:
        if getattr(mark, "__is_annotated_types_grouped_metadata__", False):
            yield from mark
        else:
            yield mark


def _range(hint: type, bounds: dict[str, Any], log: bool, what: str) -> Range:
    integer = hint is int
    step = bounds.get("multiple_of", 1 if integer else None)
    if step is not None and not step > 0:
        raise InputError(f"{what} is a multiple of {step}: give a positive number")
    if integer and int(step or 1) != step:
        raise InputError(f"{what} is whole and a multiple of {step}: give a whole number")
    lows = [bounds[name] for name in ("ge",) if name in bounds]
    highs = [bounds[name] for name in ("le",) if name in bounds]
    if "gt" in bounds:
        lows.append(_beyond(bounds["gt"], step, 1))
    if "lt" in bounds:
        highs.append(_beyond(bounds["lt"], step, -1))
    low, high = float(max(lows)), float(min(highs))
    if log and not low > 0:
        raise InputError(f"{what} is on a logarithmic scale from {low:g}: begin above zero")
    made = Range(low, high, step, integer, log)
    if low > high or made.size == 0:
        raise InputError(f"{what} may be nothing: no number is between {low:g} and {high:g}")
    return made


def _beyond(bound: float, step: float | None, side: int) -> float:
    """The first number after a bound that is not included."""
    if step is None:
        return math.nextafter(bound, side * math.inf)
    number = bound / step
    return step * (math.floor(number + 1e-9) + 1 if side > 0 else math.ceil(number - 1e-9) - 1)


def real(hint: Any, value: Any) -> Any:
    """A value as the constructor takes it: members and dataclasses are made.

    Args:
        hint: The argument's annotation.
        value: As `Choice` has it.
    """
    if isinstance(value, Member):
        return _members(hint)[value.kind, value.name]
    if isinstance(value, Record):
        kind = _dataclass(hint, value.kind)
        hints = typing.get_type_hints(kind, include_extras=True)
        return kind(**{name: real(hints[name], each) for name, each in value.values})
    if isinstance(value, tuple):
        return tuple(real(part, each) for part, each in zip(_tuple_parts(hint), value, strict=True))
    return value


def arguments_of(kind: type[Any], chosen: Record) -> dict[str, Any]:
    """The arguments of a constructor, from those of a native string."""
    hints = _hints(kind, kind.__name__)
    return {name: real(hints[name], value) for name, value in chosen.values}


def _parts(hint: Any) -> Iterable[Any]:
    """An annotation and all that it is made of."""
    yield hint
    for each in typing.get_args(hint):
        yield from _parts(each)


def _members(hint: Any) -> dict[tuple[str, str], Any]:
    found: dict[tuple[str, str], Any] = {}
    for part in _parts(hint):
        members: Iterable[Any] = ()
        if isinstance(part, enum.Enum):
            members = [part]
        elif isinstance(part, type) and issubclass(part, enum.Enum):
            members = list(part)
        found |= {(type(each).__name__, each.name): each for each in members}
    return found


def _dataclass(hint: Any, name: str) -> type[Any]:
    return next(
        part
        for part in _parts(hint)
        if isinstance(part, type) and dataclasses.is_dataclass(part) and part.__name__ == name
    )


def _tuple_parts(hint: Any) -> tuple[Any, ...]:
    return next(typing.get_args(part) for part in _parts(hint) if typing.get_origin(part) is tuple)
