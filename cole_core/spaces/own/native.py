"""A constructor's arguments as a native string: `Net(activation='relu', depth=3, width=32)`."""

import ast
from typing import Any

from cole_core.errors import InputError, shortened
from cole_core.spaces.own.choices import Choice, Member, Record, Several

LONGEST = 10_000
"""Characters of a native string."""


def write(value: Any) -> str:
    """A value as it is written: there is one way."""
    if isinstance(value, Record):
        return f"{value.kind}({', '.join(f'{name}={write(each)}' for name, each in value.values)})"
    if isinstance(value, Member):
        return f"{value.kind}.{value.name}"
    if isinstance(value, tuple):
        inner = ", ".join(map(write, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


def read(native: str, space: Several) -> Record:
    """The arguments of a native string, read strictly.

    Args:
        native: The string.
        space: What the arguments may be.

    Raises:
        InputError: It is none of the space, or is written otherwise than `write` does.
    """
    try:
        if len(native) > LONGEST:
            raise ValueError("longer than any")
        value = _value(ast.parse(native, mode="eval").body)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise InputError(
            f"{shortened(native)} is no architecture of {space.kind}: write it as {_example(space)}"
        ) from error
    _check(native, value, space)
    written = write(value)
    if written != native:
        raise InputError(f"{shortened(native)}: write it as {written}")
    assert isinstance(value, Record)
    return value


def read_arguments(text: str) -> dict[str, Any]:
    """Arguments as they stand in a call: `channels=16, kernels=(3, 5)`.

    Raises:
        InputError: They are not written so, or a value is no plain one.
    """
    try:
        call = ast.parse(f"_({text}\n)", mode="eval").body
        if not isinstance(call, ast.Call) or call.args:
            raise ValueError("no arguments by name")
        given = {each.arg: ast.literal_eval(each.value) for each in call.keywords}
        if None in given or len(given) < len(call.keywords):
            raise ValueError("not each by one name")
        return {str(name): value for name, value in given.items()}
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise InputError(
            f"arguments {shortened(text)}: write them by name, as in channels=16"
        ) from error


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.args:
        values = {each.arg: _value(each.value) for each in node.keywords}
        if None in values or len(values) < len(node.keywords):
            raise ValueError("an argument has no name")
        return Record(node.func.id, tuple(sorted((str(k), v) for k, v in values.items())))
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return Member(node.value.id, node.attr)
    if isinstance(node, ast.Tuple):
        return tuple(map(_value, node.elts))
    value = ast.literal_eval(node)
    if not isinstance(value, bool | int | float | str | None):
        raise ValueError("no plain value")
    return value


def _check(native: str, value: Any, space: Several) -> None:
    """Says which argument does not fit, and what it may be."""
    if not isinstance(value, Record) or value.kind != space.kind:
        raise InputError(
            f"{shortened(native)} is no architecture of {space.kind}: write it as {_example(space)}"
        )
    given, known = dict(value.values), space.by_name()
    for name in known:
        if name not in given:
            raise InputError(f"{shortened(native)}: argument '{name}' is missing")
    for name, each in given.items():
        if name not in known:
            known_names = ", ".join(known) or "none"
            raise InputError(
                f"{shortened(native)}: {space.kind} has no choice of '{name}', it has {known_names}"
            )
        if not known[name].holds(each):
            raise InputError(
                f"{shortened(native)}: argument '{name}' is {known[name].words}, not "
                f"{shortened(write(each))}"
            )


def _example(space: Several) -> str:
    return write(Record(str(space.kind), tuple((n, _first(part)) for n, part in space.parts)))


def _first(choice: Choice) -> Any:
    if isinstance(choice, Several):
        values = tuple((name, _first(part)) for name, part in choice.parts)
        return tuple(v for _, v in values) if choice.kind is None else Record(choice.kind, values)
    return next(iter(choice.values()))
