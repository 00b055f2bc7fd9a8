"""The rows of a person's query in types that every reader of them has."""

import re
from enum import Flag, auto

import duckdb

# Polars, CSV or JSON have no such types: what DuckDB writes for them stands there instead.
_UNCOMMON = re.compile(r"\b(INTERVAL|UNION|VARIANT|BIGNUM|BIT|TIME WITH TIME ZONE|GEOMETRY)\b")
_DATES = re.compile(r"\b(DATE|TIMESTAMP\w*|TIME)\b")
_NESTED = re.compile(r"\]$|^(STRUCT|MAP)\(")


class Texts(Flag):
    """What comes as text beside the types that nobody else has."""

    NONE = 0
    DATES = auto()
    NESTED = auto()  # as JSON; and bytes


def presentable(relation: duckdb.DuckDBPyRelation, texts: Texts) -> duckdb.DuckDBPyRelation:
    """The same rows, with each column's name once and in types that others read.

    A name that comes again gets a number, as DuckDB does it in tables.
    """
    seen: set[str] = set()
    columns, changed = [], False
    for place, (name, kind) in enumerate(
        zip(relation.columns, map(str, relation.types), strict=True), start=1
    ):
        unique, number = name, 0
        while unique in seen:
            number += 1
            unique = f"{name}_{number}"
        seen.add(unique)
        expression = f"#{place}"
        if (
            _UNCOMMON.search(kind)
            or (Texts.DATES in texts and _DATES.search(kind))
            or (Texts.NESTED in texts and kind == "BLOB")
        ):
            expression += "::VARCHAR"
        elif Texts.NESTED in texts and _NESTED.search(kind):
            expression = f"to_json(#{place})::VARCHAR"
        changed |= unique != name or expression != f"#{place}"
        quoted = unique.replace('"', '""')
        columns.append(f'{expression} AS "{quoted}"')
    return relation.project(", ".join(columns)) if changed else relation
