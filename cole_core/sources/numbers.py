"""Which columns of texts are numbers, and which sign their decimals have."""

import re
from collections.abc import Mapping, Sequence

import polars as pl

from cole_core.errors import InputError

MISSING = ("", "nan", "na", "n/a", "<na>", "-", "--", "–", "null", "none", "missing", "?")
"""How cells say in words, whatever their case, that a value is missing."""

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
"""A number whose decimal sign is a point; without groups."""

_COMMA = r"[-+]?\d+(?:,\d+)+(?:[eE][-+]?\d+)?"
_MISSING = "|".join(re.escape(word) for word in MISSING)
_THOUSANDS = r"[-+]?\d{1,3}(,\d{3})+"  # or three decimals
_EITHER = re.compile(f"{NUMBER}|{_COMMA}")
_CELL = re.compile(f"{NUMBER}|{_COMMA}|{_MISSING}", re.IGNORECASE)
_TRUTHS = ("true", "false")
_FEW = 100  # cells that are looked at before all are


def is_number(cell: str) -> bool:
    """Whether a text is a number, whatever its decimal sign."""
    return _EITHER.fullmatch(cell.strip()) is not None


def as_numbers(
    frame: pl.DataFrame, headings: Sequence[str], separator: str, source: str
) -> tuple[pl.DataFrame, list[str]]:
    """Turns columns of texts into numbers, or truth values, where all of them are.

    Args:
        frame: Columns of texts.
        headings: Their headings.
        separator: What separates them, in words.
        source: The file's name, for messages.

    Returns:
        The columns, and the headings of those whose decimal sign was a comma.

    Raises:
        InputError: A comma in numbers may be a decimal sign or one of thousands.
    """
    commas = [name for name in frame.columns if _has_commas(frame[name])]
    if commas:
        named = dict(zip(frame.columns, headings, strict=True))
        _check_decimals(frame.select(commas), named, separator, source)
        frame = frame.with_columns(pl.col(commas).str.replace(",", ".", literal=True))
    places = [frame.columns.index(name) for name in commas]
    typed = [_typed(column) for column in frame]
    return pl.DataFrame(typed), [headings[place] for place in places]


def _has_commas(column: pl.Series) -> bool:
    texts = column.drop_nulls()
    if not all(map(_CELL.fullmatch, texts.head(_FEW))):  # most columns are settled by that
        return False
    return bool(
        texts.str.contains(f"^({_COMMA})$").any()
        and texts.str.contains(f"^(?i:{NUMBER}|{_COMMA}|{_MISSING})$").all()
    )


def _check_decimals(
    frame: pl.DataFrame, headings: Mapping[str, str], separator: str, source: str
) -> None:
    """Checks that commas in numbers are decimal signs.

    Raises:
        InputError: They may be signs of thousands.
    """
    texts = pl.concat([column.alias("text") for column in frame]).drop_nulls()
    texts = texts.filter(texts.str.contains(f"^({_COMMA})$"))
    several = texts.filter(texts.str.count_matches(",") > 1)
    certain = texts.str.contains(f"^({_THOUSANDS})$").not_().any()
    if not several.is_empty() or not certain:
        value = texts[0] if several.is_empty() else several[0]
        name = next(name for name in frame.columns if value in frame[name])
        raise InputError(
            f"{source} uses {separator} between columns and ',' in numbers: '{value}' of "
            f"'{headings[name]}' may count thousands: write numbers with '.' alone, without signs "
            "of thousands"
        )


def _typed(column: pl.Series) -> pl.Series:
    texts = column.drop_nulls()
    if texts.is_empty():
        return column
    for kind in (pl.Int64, pl.Float64):
        if texts.head(_FEW).cast(kind, strict=False).null_count():
            continue
        numbers = column.cast(kind, strict=False)
        if numbers.null_count() == column.null_count():
            return numbers
    if all(text.lower() in _TRUTHS for text in texts.head(_FEW)):
        words = column.str.to_lowercase()
        if words.drop_nulls().is_in(_TRUTHS).all():
            return words == "true"
    return column
