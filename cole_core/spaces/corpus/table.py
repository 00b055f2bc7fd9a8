"""The networks of a table with a column `code`, and what was measured of them. Nothing is run.

Beside `code` there may be `name`, `class` (which one of the code) and `arguments` (JSON for its
constructor), columns of measured values, read as those of any table
(`cole_core.sources.tables`), and columns of its own: texts, and numbers whose heading names neither
a metric nor a dataset.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from cole_core.encodings.python_source import find_network
from cole_core.encodings.source_files import source_of_text
from cole_core.errors import InputError
from cole_core.sources import table_files
from cole_core.sources.readings import Reading
from cole_core.sources.tables import read_columns
from cole_core.sources.told import Told
from cole_core.spaces.corpus.collected import Collected
from cole_core.spaces.corpus.members import Member, read_arguments
from cole_core.spaces.corpus.static import static_member

CODE = "code"
_ABOUT = {
    CODE: "the code of each row",
    "name": "what each row is called",
    "class": "which class of each row's code",
    "arguments": "what each row's constructor is given",
}


def read_code_table(path: Path, told: Told, arguments: Mapping[str, Any]) -> Collected:
    """One member for each row, and its measured values.

    Args:
        path: What `cole_core.sources.table_files` reads.
        told: What people say of its columns.
        arguments: Of the constructors of rows that have none.

    Raises:
        InputError: There is no column `code`, a value is wrong, or no row is a network.
    """
    file = table_files.open_table(path)
    columns = _known(file.frame, path.name)
    if CODE not in columns:
        raise InputError(
            f"{path.name} has no column '{CODE}', but {_listed(file.frame.columns)}: name so the "
            "one that holds each network's source"
        )
    others = file.frame.drop(columns.values())
    others = others.with_columns(pl.col(pl.String).str.strip_chars())
    said = told.measured(file.frame.columns)
    for column in columns.values():
        if column in said or column in told.skipped:
            raise InputError(f"'{column}' says which network a row is: leave it out")
    rows = file.frame.select(**{name: pl.col(column) for name, column in columns.items()})
    found = [_try(path, row, arguments) for row in enumerate(rows.iter_rows(named=True), start=1)]
    named = [  # a row that failed is one of its own, so that messages count rows as the file does
        each.native if isinstance(each, Member) else f"row {row}"
        for row, each in enumerate(found, start=1)
    ]
    natives = pl.Series(named, dtype=pl.String)
    values, readings = read_columns(natives, others, told, said, path.name)
    readings = [_kept(reading, told) for reading in readings]
    own = [each.column for each in readings if each.nothing == _KEPT]
    members: dict[str, Member] = {}
    for place, member in enumerate(found):
        if isinstance(member, Member):
            plain = {name: _plain(others[name][place]) for name in own}
            members.setdefault(member.native, replace(member, own=plain))
    about = [Reading(column, nothing=_ABOUT[name]) for name, column in columns.items()]
    return Collected(
        tuple(members.values()),
        tuple(each for each in found if isinstance(each, str)),
        rows=values.filter(pl.col("native").is_in(list(members))),
        readings=(*about, *readings),
        said=file.said,
    )


_KEPT = "kept as a column of its own"


def _known(table: pl.DataFrame, source: str) -> dict[str, str]:
    """The columns that say which network a row is: what they are, and their headings."""
    found: dict[str, str] = {}
    for column in table.columns:
        name = column.strip().lower()
        if name not in _ABOUT:
            continue
        if name in found:
            raise InputError(f"{source}: columns '{found[name]}' and '{column}': keep one of them")
        if table[column].dtype not in (pl.String, pl.Null):
            raise InputError(f"{source}: column '{column}' holds no text: it is {_ABOUT[name]}")
        found[name] = column
    return {name: found[name] for name in _ABOUT if name in found}


def _try(
    path: Path, row: tuple[int, Mapping[str, str | None]], arguments: Mapping[str, Any]
) -> Member | str:
    """The member of a row, or why there is none."""
    number, cells = row
    place = f"{path.name}, row {number}"
    try:
        given = (cells.get("arguments") or "").strip()
        if given:
            arguments = read_arguments(given, f"{place}: arguments")
        source = source_of_text(Path(place), cells[CODE] or "")
        wanted = (cells.get("class") or "").strip() or None
        network = find_network(source, wanted, "name one in a column 'class'")
        name = (cells.get("name") or "").strip()
        return static_member(source, network, name=name, arguments=arguments, place=place)
    except InputError as error:
        return str(error)


def _kept(reading: Reading, told: Told) -> Reading:
    """A column that is no measurement and says nothing of one: the corpus keeps it."""
    if reading.measured is not None or reading.column in told.skipped:
        return reading
    heading = reading.unclear
    if heading is not None and (heading.metric or heading.dataset not in (None, told.dataset)):
        return reading
    if heading is None and reading.nothing == "the seed of each row":
        return reading
    return Reading(reading.column, nothing=_KEPT)


def _plain(value: Any) -> Any:
    """A cell as JSON has it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(f"'{name}'" for name in names[:8]) + more
