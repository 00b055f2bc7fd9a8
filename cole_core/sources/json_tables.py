"""Tables in JSON: a list of objects, columns as lists, objects by native string, JSON lines."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from cole_core.errors import InputError

KEY = "native"
"""The column of what objects are keyed by."""

_FORMS = "give a list of objects, or one object of columns"
_BEGINNING = re.compile(rb'\s*(\{\s*"|\[\s*[\[{])')
_DIGITS = 19  # of numbers that may need more than 64 bits
Row = Mapping[str, Any]


def is_json(text: bytes) -> bool:
    """Whether a text begins as a table in JSON does."""
    return _BEGINNING.match(text) is not None


def read_json(text: bytes, source: str, lines: bool) -> tuple[list[str], pl.DataFrame]:
    """Reads a table.

    Args:
        text: The file, in UTF-8.
        source: Its name, for messages.
        lines: Whether its name says that each line is a row.

    Returns:
        The headings, and the columns in their order.

    Raises:
        InputError: It is no JSON, or no table.
    """
    rows = _from_lines(text, source) if lines else _from_whole(text, source)
    if not rows:
        raise InputError(f"{source} holds no rows: {_FORMS}")
    headings = list(dict.fromkeys(name for row in rows for name in row))
    columns = [
        _column(place, heading, [row.get(heading) for row in rows], source)
        for place, heading in enumerate(headings, start=1)
    ]
    return headings, pl.DataFrame(columns)


def _from_whole(text: bytes, source: str) -> Sequence[Row]:
    """The rows of the one value that a file is, or of the values in its lines."""
    try:
        value = _parse(text.decode(), source)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and error.lineno > 1:
            return _from_lines(text, source)
        raise _no_json(source, error.lineno, error) from error
    return _rows(value, source)


def _from_lines(text: bytes, source: str) -> list[Row]:
    rows: list[Row] = []
    for number, line in enumerate(text.decode().split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = _parse(line, source)
        except json.JSONDecodeError as error:
            raise _no_json(source, number, error) from error
        if not isinstance(row, dict):
            raise InputError(f"{source}: line {number} is no object: give one in each line")
        rows.append(row)
    return rows


def _no_json(source: str, line: int, error: json.JSONDecodeError) -> InputError:
    return InputError(
        f"{source}: line {line} is no JSON ({error.msg}): correct it, or write the file anew"
    )


def _parse(text: str, source: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"{source}: '{twice}' stands twice in one object: keep one")
        return found

    try:
        return json.loads(text, object_pairs_hook=once, parse_int=_integer)
    except RecursionError as error:
        raise InputError(f"{source} is nested too deeply for a table: {_FORMS}") from error


def _integer(text: str) -> int | float:
    """Beyond 64 bits a float, as every large number: no column holds more."""
    return int(text) if len(text) < _DIGITS else float(text)


def _rows(value: Any, source: str) -> Sequence[Row]:
    """The rows of what a file holds."""
    if isinstance(value, list):
        return _objects(value, source)
    if not isinstance(value, dict) or not value:
        raise InputError(f"{source} holds no table: {_FORMS}")
    if {"columns", "data"} <= value.keys() and isinstance(value["data"], list):
        return _from_split(value["columns"], value["data"], source)
    if {"schema", "data"} <= value.keys() and isinstance(value["data"], list):
        return _objects(value["data"], source)
    kinds = {type(each) for each in value.values()}
    if kinds == {list}:
        return _from_columns(value, source)
    if kinds == {dict}:
        return _from_objects(value)
    if str in kinds and not kinds & {list, dict}:
        return [value]
    if kinds <= {int, float}:
        raise InputError(
            f"{source} does not say what its numbers are: write each as "
            '{"native": …, "cifar10_test_accuracy": …}'
        )
    raise InputError(f"{source} holds no table: {_FORMS}")


def _objects(values: Iterable[Any], source: str) -> Sequence[Row]:
    rows = list(values)
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise InputError(
                f"{source}: element {number} is no object that names its values: {_FORMS}"
            )
    return rows


def _from_split(headings: Any, data: list[Any], source: str) -> Sequence[Row]:
    """Headings and rows apart, as pandas writes them; it counts columns that have no names."""
    if not isinstance(headings, list) or not all(isinstance(name, str | int) for name in headings):
        raise InputError(f"{source}: 'columns' is no list of headings: give one for each column")
    names = [str(name) for name in headings]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{source}: heading '{name}' stands twice in 'columns': keep one")
    for number, row in enumerate(data, start=1):
        if not isinstance(row, list):
            raise InputError(f"{source}: row {number} of 'data' is no list: give one for each row")
        if len(row) != len(names):
            raise InputError(
                f"{source}: row {number} of 'data' has {len(row)} values under {len(names)} "
                "headings: give one for each, null where it is missing"
            )
    return [dict(zip(names, row, strict=True)) for row in data]


def _from_columns(columns: Mapping[str, list[Any]], source: str) -> Sequence[Row]:
    lengths = {name: len(column) for name, column in columns.items()}
    shortest, longest = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
    if lengths[shortest] != lengths[longest]:
        raise InputError(
            f"{source}: column '{shortest}' has {lengths[shortest]} values and '{longest}' "
            f"{lengths[longest]}: give as many in each"
        )
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _from_objects(value: Mapping[str, Mapping[str, Any]]) -> Sequence[Row]:
    """Columns whose values are numbered, as pandas writes them; or a row under each key."""
    inner = dict.fromkeys(name for each in value.values() for name in each)
    if all(name.isdecimal() for name in inner):
        return [{name: column.get(row) for name, column in value.items()} for row in inner]
    return [row if KEY in inner else {KEY: key, **row} for key, row in value.items()]


def _column(place: int, heading: str, values: list[Any], source: str) -> pl.Series:
    nested = next((row for row, value in enumerate(values) if isinstance(value, list | dict)), None)
    if nested is not None:
        kind = "a list" if isinstance(values[nested], list) else "an object"
        raise InputError(
            f"{source}: row {nested + 1}: '{heading}' holds {kind}: give each value a name of its "
            "own"
        )
    if any(isinstance(value, str) for value in values):
        values = [_text(value) for value in values]
    try:
        return pl.Series(f"column {place}", values, strict=False)
    except UnicodeEncodeError as error:
        raise InputError(
            f"{source}: '{heading}' holds half of a character ({error.object!r}): write the file "
            "anew in UTF-8"
        ) from error


def _text(value: Any) -> str | None:
    """A value of a column of texts: blanks around it say nothing, and alone they are none."""
    return None if value is None else str(value).strip() or None
