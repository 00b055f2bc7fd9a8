"""Names and values that people write."""

import json
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


def parse_value(text: str) -> Any:
    """A value as JSON, or the text itself where it is none."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
