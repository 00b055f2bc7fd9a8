"""Numbers and values in words that people read."""

import json
import math
from collections.abc import Mapping
from decimal import Decimal

NOTHING = "–"
"""What stands for a value that is not there."""

NO_BREAK = "\N{NO-BREAK SPACE}"
"""A blank at which no line ends."""

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def visible(text: str) -> str:
    """A text without characters that a terminal obeys: they are written as escapes."""
    return "".join(
        letter
        if letter.isprintable() or letter in "\n\t"
        else letter.encode("unicode_escape").decode()
        for letter in text
    )


def whole(text: str) -> str:
    """A value within a sentence that is not to be broken, though it may hold blanks."""
    return text.replace(" ", NO_BREAK)


def cell(value: object) -> str:
    """A value of a table: separators of thousands, no Python notation."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list) and len(value) > 8 and isinstance(value[0], float):  # a vector
        return f"[{', '.join(f'{number:.3g}' for number in value[:4])}, … {len(value):,}]"
    if isinstance(value, list):
        return f"[{', '.join(map(cell, value))}]"
    if isinstance(value, Mapping):
        return json.dumps(value, default=cell, ensure_ascii=False)
    return str(value)


def number(value: float | None, form: str) -> str:
    """A number in a form, or what stands for none."""
    return NOTHING if value is None or math.isnan(value) else format(value, form)


def measured(value: float | None) -> str:
    """A measured value: percentages with two places, what is small with three digits."""
    return number(value, ".3g" if value is not None and 0 < abs(value) < 0.1 else ",.2f")


def spread(mean: float | None, deviation: float | None, form: str) -> str:
    """A mean with its standard deviation or error."""
    said = number(mean, form)
    if said == NOTHING or deviation is None or math.isnan(deviation):
        return said
    return f"{said} ± {deviation:{form}}"


def count(of: int, one: str, many: str | None = None) -> str:
    """A number of things: "1 text", "2,000 texts"."""
    return f"{of:,} {one if of == 1 else many or f'{one}s'}"


def size(of: int) -> str:
    """A number of bytes in a unit that leaves at most three digits."""
    value, unit = float(of), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1_000, unit + 1
    return (
        f"{value:.0f} {_UNITS[unit]}"
        if unit == 0 or value >= 9.95
        else f"{value:.1f} {_UNITS[unit]}"
    )


def p_value(p: float | None) -> str:
    """A test's p."""
    if p is None or math.isnan(p):
        return NOTHING
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def stored(new: int, skipped: int, one: str, done: str, many: str | None = None) -> str:
    """What a stage did and what it skipped, and why it did nothing."""
    if new:
        there = f", {skipped:,} {'was' if skipped == 1 else 'were'} there already"
        return f"{count(new, one, many)} {done}{there if skipped else ''}"
    if skipped:
        are = "is" if skipped == 1 else "are"
        return f"nothing new: {count(skipped, one, many)} {are} there already"
    return f"nothing to do: there are no {many or f'{one}s'}"
