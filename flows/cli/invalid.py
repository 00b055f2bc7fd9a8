"""What is wrong with the value of an option, as its name, the value and what may stand there."""

from collections.abc import Iterable, Mapping
from typing import Any

from cyclopts.argument import Argument
from cyclopts.exceptions import ValidationError
from pydantic import ValidationError as InvalidError

from cole_core.errors import InputError

_WANTED = {
    "int_parsing": "give a whole number",
    "int_parsing_size": "give a smaller number",
    "int_type": "give a whole number",
    "int_from_float": "give a whole number",
    "float_parsing": "give a number",
    "bool_parsing": "give true or false",
    "greater_than_equal": "give at least {ge}",
    "greater_than": "give more than {gt}",
    "less_than_equal": "give at most {le}",
    "less_than": "give less than {lt}",
}


_WANTED_OF = {
    int: _WANTED["int_parsing"],
    float: _WANTED["float_parsing"],
    bool: _WANTED["bool_parsing"],
}


def wanted(kind: type | None) -> str | None:
    """What to give where a value of a kind is wanted; None where there is more to say."""
    return _WANTED_OF.get(kind) if kind is not None else None


def problem(error: ValidationError) -> str | None:
    """The first thing that is wrong with a request, in one line; None where it is something else.

    What a request says of itself as an `InputError` is given as it is.
    """
    invalid = error.__cause__
    if not isinstance(invalid, InvalidError):
        return None
    first = invalid.errors()[0]
    context: Mapping[str, Any] = first.get("ctx", {})
    if isinstance(context.get("error"), InputError):
        return str(context["error"])
    remedy = _WANTED.get(first["type"], first["msg"]).format(**context)
    path = tuple(part for part in first["loc"] if isinstance(part, str))
    option = error.argument  # itself wrong, or the request that a field of is
    if option is not None and path:
        option = _find(option.children, path)
    name = path[-1] if option is None else name_of(option)
    return f"{name} {shown(first['input'])}: {remedy}"


def shown(value: object) -> str:
    """A value as it was given; what has no letters in quotes."""
    text = str(value)
    return text if text.strip() else repr(text)


def name_of(argument: Argument) -> str:
    """What people call an argument: `--budget`, or SPACE where its place says which it is."""
    if argument.index is not None:
        return argument.name.lstrip("-").upper()
    return argument.name


def _find(arguments: Iterable[Argument], path: tuple[str, ...]) -> Argument | None:
    for argument in arguments:
        if argument.keys == path:
            return argument
        if (found := _find(argument.children, path)) is not None:
            return found
    return None
