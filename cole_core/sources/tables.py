"""A table with a column of native strings and columns of measured values, in CSV, JSON and so on.

Rows are keyed by native strings, never by an index. The column of native strings is the one named
`native`, `arch_str`, `architecture` or `arch`, or else the one text column whose values parse. A
column `seed` says of which training a row is.

What every other column holds is said by its heading (`cole_core.sources.headings`) or by people
(`cole_core.sources.told`). A column of which that is not sure is bad input: nothing is stored in
silence, and nothing is left out in silence. Indices, texts and standard deviations are left out and
said to be. Rows that repeat one another are one; rows that contradict one another are bad input.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import polars as pl

from cole_core.errors import InputError
from cole_core.sources import table_files
from cole_core.sources.base import (
    KEY,
    NATURE,
    SCHEMA,
    MeasuredSpace,
    Source,
    checked,
)
from cole_core.sources.cells import Cells, are_fractions, check_range, read_cells
from cole_core.sources.headings import Heading, Measured, quoted, read_heading
from cole_core.sources.metrics import PERCENT, unit_of
from cole_core.sources.readings import Reading, Taken, refuse_unclear
from cole_core.sources.told import NOTHING, Told

_NATIVE_NAMES = ("native", "arch_str", "architecture", "arch")
_OTHER_NAMES = (
    "index",
    "arch_index",
    "arch_idx",
    "idx",
    "op_indices",
    "op_list",
    "ops",
    "genotype",
)
"""Of columns whose notation is said."""
_ROWS = pl.Schema({"row": pl.UInt32()} | SCHEMA | NATURE)
_MAX_SEED = 2**31 - 1


class Table(Source):
    """Tables of one's own."""

    name = "table"
    about = table_files.ABOUT
    has_columns = True

    def recognises(self, origin: str) -> bool:
        path = Path(origin)
        return path.exists() and table_files.is_table_name(path)

    def read(self, origin: str, space: MeasuredSpace) -> pl.DataFrame:
        taken = take_table(Path(origin), space)
        refuse_unclear(taken.readings, Path(origin).name)
        return taken.rows

    def take(self, origin: str, space: MeasuredSpace, told: Told) -> Taken:
        return take_table(Path(origin), space, told)


def take_table(path: Path, space: MeasuredSpace, told: Told = NOTHING) -> Taken:
    """What is in a table: its measured values, and what each column was taken for.

    Args:
        path: What `table_files` reads.
        space: The space of its architectures.
        told: What people say of its columns.

    Returns:
        A row for each architecture, seed and column of values, without the missing ones; and a
        reading of each column, those that are not understood among them.

    Raises:
        InputError: There is no column of native strings, a string or a value is wrong (names row,
            counted from 1 below the header, column and value), rows contradict one another, or
            what was said is not so.
    """
    file = table_files.open_table(path)
    table = file.frame.with_columns(pl.col(pl.String).str.strip_chars())
    said = told.measured(table.columns)
    name = _native_column(table, space, told, path.name)
    if name in said or name in told.skipped:
        raise InputError(f"'{name}' holds the native strings, not values: leave it out")
    natives, read_as = _natives(table[name], space, told, path.name)
    rows, readings = read_columns(natives, table.drop(name), told, said, path.name)
    if rows.is_empty() and all(reading.unclear is None for reading in readings):
        _refuse_nothing(readings, path.name)
    of_rows = Reading(name, nothing=f"the architecture of each row{read_as}")
    return Taken(rows, (of_rows, *readings), file.said)


def read_columns(
    natives: pl.Series,
    others: pl.DataFrame,
    told: Told,
    said: Mapping[str, Measured],
    source: str,
) -> tuple[pl.DataFrame, list[Reading]]:
    """The measured values beside architectures, and what each column was taken for.

    Args:
        natives: The architecture of each row.
        others: The columns beside it.
        told: What people say of them.
        said: What `told.measured` makes of it.
        source: The file's name, for messages.

    Raises:
        InputError: As `take_table`.
    """
    seeds = _seeds(others, (*said, *told.skipped), source)
    readings: list[Reading] = []
    values = [pl.DataFrame(schema=_ROWS)]
    for column in others:
        if seeds is not None and column.name == seeds.name:
            readings.append(Reading(column.name, nothing="the seed of each row"))
            continue
        reading, numbers = _read_column(column, said, told, source)
        if reading.measured is not None:
            _check_alone(reading, readings, source)
            _check_seeds(reading, seeds, source)
            values.append(_rows(natives, seeds, numbers, reading.measured, source))
        readings.append(reading)
    rows = pl.concat(values)
    if rows.is_empty():
        return rows.drop("row"), readings
    return checked(_once(rows, source), source), readings


def _refuse_nothing(readings: Sequence[Reading], source: str) -> NoReturn:
    measured = [reading for reading in readings if reading.measured is not None]
    if measured:
        missing = sum(reading.missing for reading in measured)
        raise InputError(
            f"{source}: holds no measured values: {missing} cells are missing (empty, NaN, N/A); "
            "give a table that has some"
        )
    raise InputError(
        f"{source}: no column of measured values; name one like 'cifar10_test_accuracy_200', or "
        "say what one is with --column"
    )


def _read_column(
    column: pl.Series, said: Mapping[str, Measured], told: Told, source: str
) -> tuple[Reading, pl.Series]:
    """What a column was taken for, and its values in the unit that they are stored in."""
    if column.name in told.skipped:
        return Reading(column.name, nothing="left out, as asked"), column
    cells = read_cells(column)
    heading = read_heading(column.name, told.dataset)
    measured = said.get(column.name)
    if measured is None:
        nothing = heading.nothing or (_no_numbers(cells) if heading.metric is None else None)
        if heading.measured is None and _is_size(heading):
            nothing = f"{heading.metric} of no dataset; --dataset or --column stores them"
        if nothing is not None:
            return Reading(column.name, nothing=f"left out: {nothing}"), column
        measured = heading.measured
    if measured is None:
        if cells.wrong is not None:
            row, text = cells.wrong
            unclear = (*heading.unclear, f"row {row + 1} is '{text}', no number")
            heading = replace(heading, unclear=unclear)
        return Reading(column.name, unclear=heading), column
    if cells.wrong is not None:
        row, text = cells.wrong
        raise InputError(
            f"{source}: row {row + 1}: column '{column.name}' is {text}, no number: correct it, "
            f"leave it empty where it is missing, or leave the column out with --skip"
        )
    if cells.percent and measured.unit not in (None, PERCENT):
        raise InputError(
            f"{source}: column '{column.name}' is said to be in [{measured.unit}], and its cells "
            f"are written with '%': say [{PERCENT}], or leave the signs out"
        )
    if cells.percent and measured.unit is None and unit_of(measured.metric) == PERCENT:
        measured = replace(measured, unit=PERCENT)
    fractions = are_fractions(cells.numbers, measured, column.name, source)
    check_range(cells.numbers, measured, fractions, f"{source}: column '{column.name}'")
    notes = ["fractions, stored × 100"] if fractions else []
    notes += ["mean ± deviation: the mean is stored"] if cells.deviations else []
    one_unit = unit_of(measured.metric)
    measured = replace(measured, unit=PERCENT if fractions else measured.unit or one_unit)
    reading = Reading(column.name, measured, missing=cells.missing, notes=tuple(notes))
    if not fractions:
        return reading, cells.numbers
    return reading, (cells.numbers * 100).round(10)  # 93.1 of 0.931, as it was meant


def _is_size(heading: Heading) -> bool:
    """Whether a heading names nothing but a size of the network itself, as ours and others do
    beside the values of datasets."""
    alone = heading.dataset is None and heading.split is None and heading.epochs is None
    return alone and not heading.unclear and heading.metric in ("parameters", "flops")


def _no_numbers(cells: Cells) -> str | None:
    """Why a column of which the heading says nothing is no measurement."""
    if cells.numbers.null_count() < len(cells.numbers):
        return None
    return "empty" if cells.wrong is None else "no numbers"


def _natives(
    column: pl.Series, space: MeasuredSpace, told: Told, source: str
) -> tuple[pl.Series, str]:
    """The architectures, and what they were read as where they are not native strings."""
    if column.null_count():
        row = int(column.is_null().arg_true()[0]) + 1
        raise InputError(f"{source}: row {row}: column '{column.name}' is empty; remove the row")
    texts = _texts(column)
    read: dict[str, tuple[str, str | None]] = {}
    for row, text in enumerate(texts, start=1):
        if text not in read:
            read[text] = _read(text, space, told, f"{source}: row {row}")
    others = dict.fromkeys(as_what for _, as_what in read.values() if as_what is not None)
    natives = pl.Series(column.name, [read[text][0] for text in texts], dtype=pl.String)
    return natives, f", read as {' and '.join(others)}" if others else ""


def _read(text: str, space: MeasuredSpace, told: Told, where: str) -> tuple[str, str | None]:
    """The architecture that a cell means, and what it was read as."""
    try:
        if told.read is not None:
            return told.read(text)
        space.validate(text)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return text, None


def _texts(column: pl.Series) -> list[str]:
    """The cells as people write them, numbers and lists as well."""
    return [str(cell.to_list() if isinstance(cell, pl.Series) else cell) for cell in column]


def _native_column(table: pl.DataFrame, space: MeasuredSpace, told: Told, source: str) -> str:
    texts = [name for name, dtype in table.schema.items() if dtype == pl.String]
    named = [name for name in texts if name.lower() in _NATIVE_NAMES]
    if told.notation is not None:  # whoever names it may name numbers
        names = (*_NATIVE_NAMES, *_OTHER_NAMES)
        named = [name for name in table.columns if name.lower() in names]
    if len(named) == 1:
        return named[0]
    parsed, reason = [], "it has no text column"
    for name in named or texts:
        try:
            for row, text in enumerate(_texts(table[name].drop_nulls().head(20)), start=1):
                _read(text, space, told, f"column '{name}': row {row}")
        except InputError as error:
            reason = str(error)
        else:
            parsed.append(name)
    if len(parsed) == 1:
        return parsed[0]
    if parsed:
        reason = f"{', '.join(parsed)} could all be it"
    raise InputError(
        f"{source}: cannot tell the column of native strings ({reason}); "
        "name the column 'native' or 'arch_str'"
    )


def _seeds(table: pl.DataFrame, told_of: Sequence[str], source: str) -> pl.Series | None:
    """The column of seeds, checked, if there is one that people say nothing else of."""
    names = [name for name in table.columns if name.lower() == "seed" and name not in told_of]
    if not names:
        return None
    cells = read_cells(table[names[0]])
    numbers = cells.numbers
    fine = numbers.is_between(0, _MAX_SEED) & (numbers == numbers.floor())
    wrong = (~fine.fill_null(False)).arg_true()
    if len(wrong):
        row = int(wrong[0])
        raise InputError(
            f"{source}: row {row + 1}: column '{names[0]}' is {table[names[0]][row]}, no seed: "
            f"give whole numbers from 0 to {_MAX_SEED}"
        )
    return numbers.cast(pl.Int32).alias(names[0])


def _check_alone(reading: Reading, before: Sequence[Reading], source: str) -> None:
    """Two columns of one meaning, in whatever units, would be two values of one measurement."""
    for other in before:
        if other.measured is None or reading.measured is None:
            continue
        if _without_nature(other.measured) == _without_nature(reading.measured):
            raise InputError(
                f"{source}: columns '{other.column}' and '{reading.column}' are both "
                f"{reading.measured.line}, which comes twice: leave one out with --skip, or say "
                "what it is with --column"
            )


def _without_nature(measured: Measured) -> Measured:
    return replace(measured, unit=None, direction=None)


def _check_seeds(reading: Reading, seeds: pl.Series | None, source: str) -> None:
    """Values of one seed cannot be of the seed of each row as well."""
    seed = None if reading.measured is None else reading.measured.seed
    if seeds is not None and seed is not None:
        raise InputError(
            f"{source}: a column '{seeds.name}' and a heading with seed{seed}, '{reading.column}': "
            f"leave one out with --skip {quoted(seeds.name)} or --skip {quoted(reading.column)}"
        )


def _rows(
    natives: pl.Series, seeds: pl.Series | None, values: pl.Series, what: Measured, source: str
) -> pl.DataFrame:
    seed = pl.lit(what.seed, pl.Int32) if seeds is None else pl.lit(seeds)
    return (
        pl.DataFrame({"native": natives, "value": values})
        .with_row_index("row", offset=1)
        .with_columns(
            dataset=pl.lit(what.dataset),
            metric=pl.lit(what.metric),
            split=pl.lit(what.split),
            epochs=pl.lit(what.epochs, pl.Int32),
            seed=seed,
            source=pl.lit(source),
            unit=pl.lit(what.unit, pl.String),
            direction=pl.lit(what.direction, pl.String),
        )
        .drop_nulls("value")
        .select(_ROWS.names())
    )


def _once(rows: pl.DataFrame, source: str) -> pl.DataFrame:
    """Repeated rows as one.

    Raises:
        InputError: Two rows contradict each other; names both.
    """
    differing = rows.filter(pl.col("value") != pl.col("value").first().over(KEY))
    if not differing.is_empty():
        other = differing.row(0, named=True)
        same = pl.all_horizontal(pl.col(name).eq_missing(pl.lit(other[name])) for name in KEY)
        one = rows.filter(same).row(0, named=True)
        raise InputError(
            f"{source}: row {other['row']} repeats the architecture of row {one['row']} with "
            f"another {one['metric']}, {other['value']:g} beside {one['value']:g} "
            f"({one['native']}): remove one, or add a column 'seed' if both were measured"
        )
    return rows.unique(KEY, keep="first", maintain_order=True).drop("row")
