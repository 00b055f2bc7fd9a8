"""Names and values that people write."""

import json
import re
from collections.abc import Iterable
from typing import Any

from cole_core.errors import InputError


def parse_assignments(option: str, given: Iterable[str]) -> dict[str, Any]:
    """Names and values that are given as `name=value`; a value is read as JSON where it is any.

    Raises:
        InputError: One is not of that form.
    """
    found = {}
    for text in given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise InputError(f"{option} '{text}': give name=value")
        found[name] = parse_value(value)
    return found


def split_parts(text: str) -> list[str]:
    """The parts between commas; those of `hidden=[64,64]` are inside a value."""
    return re.split(r",(?![^\[]*\])", text)


def parse_value(text: str) -> Any:
    """A value as JSON, or the text itself where it is none; a list as a tuple."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text
    return tuple(value) if isinstance(value, list) else value
