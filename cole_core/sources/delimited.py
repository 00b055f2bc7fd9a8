"""Tables as text: which character separates columns, where the headings stand, which are numbers.

Regular rows are read by pyarrow. What it refuses is read line by line: that takes ten times as
long, passes over comments and blank lines between rows, and can say which line is wrong.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice

import polars as pl
import pyarrow as pa
from pyarrow import csv as arrow_csv

from cole_core.errors import InputError
from cole_core.sources.numbers import as_numbers, is_number

SEPARATORS = {",": "','", ";": "';'", "\t": "a tab"}
"""Those that are told apart. Native strings hold '|' and blanks."""

_SAMPLE = 50  # records by which a separator is chosen
_SAMPLE_LINES = 500  # in which they stand
_SAMPLE_BYTES = 1 << 20
_COMMENTS = ("#", "%", "//")
_SEP_LINE = re.compile(r"sep=(.)", re.IGNORECASE)  # Excel's
_NATIVE = re.compile(r"[|~<{(].*[|~<{(]")  # no heading has two of these
_LAST_NUMBER = re.compile(r"\S[\s|:]\s*[-+]?\d+([.,]\d+)?\s*")
_CELL = 60  # characters of a cell in a message
_LIMIT = 1 << 30  # bytes of one cell; Python's own limit is below the length of a program


@dataclass(frozen=True)
class Layout:
    """How a text is laid out.

    Attributes:
        separator: Between columns.
        headings: As they stand there.
        start: Where the rows begin, in bytes.
        line: The number of the line that they begin with, from 1.
        comments: Lines above the headings that are none.
    """

    separator: str
    headings: tuple[str, ...]
    start: int
    line: int
    comments: int


def read_delimited(text: bytes, source: str) -> tuple[list[str], pl.DataFrame, tuple[str, ...]]:
    """Reads a table.

    Args:
        text: The file, in UTF-8, its lines ended by line feeds.
        source: Its name, for messages.

    Returns:
        The headings, the columns in their order, and what was decided that is not plain.

    Raises:
        InputError: It has no headings, or a row does not fit them.
    """
    csv.field_size_limit(_LIMIT)
    layout = find_layout(text, source)
    closed = text.count(b'"') % 2 == 0  # pyarrow takes what a lost quote opens for one cell
    frame = _read_regular(text, layout) if closed else None
    if frame is None:
        frame = _read_any(text, layout, source)
    frame = frame.select(pl.all().str.strip_chars().replace("", None))
    frame = frame.filter(pl.any_horizontal(pl.all().is_not_null()))
    frame, with_commas = as_numbers(frame, layout.headings, SEPARATORS[layout.separator], source)
    said = []
    if layout.separator != ",":
        said.append(f"columns are separated by {SEPARATORS[layout.separator]}")
    if with_commas:
        said.append(f"',' is the decimal sign ({', '.join(with_commas)})")
    if layout.comments:
        lines = "line" if layout.comments == 1 else "lines"
        said.append(f"{layout.comments} {lines} of comment left out")
    return list(layout.headings), frame, tuple(said)


def find_layout(text: bytes, source: str) -> Layout:
    """Finds the separator and the headings.

    Raises:
        InputError: There are no headings, or no separator for the columns.
    """
    above, start, given = _above(text)
    sample = text[start : start + _SAMPLE_BYTES].decode(errors="ignore")
    some = islice(_lines(sample), _SAMPLE_LINES)
    lines = [line for line in some if not _is_comment(line)]
    if not lines:
        raise InputError(f"{source} has comments and no table: write headings and rows below them")
    separator = given or _choose(lines, source)
    first = _strip(next(csv.reader(lines, delimiter=separator, skipinitialspace=True)))
    reader = csv.reader(_lines(sample), delimiter=separator)
    next(reader)
    comments = [line for line in above if _is_comment(line)]
    if not _is_data(first):
        end = start
        for _ in range(reader.line_num):
            end = text.find(b"\n", end) + 1 or len(text)
        line = len(above) + reader.line_num + 1
        return Layout(separator, tuple(first), end, line, len(comments))
    if comments:  # as NumPy writes them
        words = comments[-1].strip().lstrip("#%/")
        headings = _strip(next(csv.reader([words], delimiter=separator, skipinitialspace=True)))
        if len(headings) == len(first) > 1 and not _is_data(headings):
            return Layout(separator, tuple(headings), start, len(above) + 1, len(comments) - 1)
    raise InputError(
        f"{source}: line {len(above) + 1} is a row, {_shown(first)}, and there are no headings "
        "above it: write a line that names the columns, as arch_str,cifar10_test_accuracy"
    )


def _above(text: bytes) -> tuple[list[str], int, str | None]:
    """The lines above the first that is neither blank nor a comment, how many bytes they are, and
    the separator that one of them names."""
    above: list[str] = []
    start, separator = 0, None
    while start < len(text):
        end = text.find(b"\n", start) + 1 or len(text)
        line = text[start:end].decode(errors="replace")
        named = _SEP_LINE.fullmatch(line.rstrip("\n"))
        if named and named[1] in SEPARATORS:
            separator = named[1]
        elif line.strip() and not _is_comment(line):
            break
        above.append(line)
        start = end
    return above, start, separator


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(_COMMENTS)


def _choose(lines: Sequence[str], source: str) -> str:
    """The separator under which rows are as wide as the headings, and cells hold no other."""
    scores: dict[str, tuple[float, float]] = {}
    for separator in SEPARATORS:
        rows = list(islice(filter(any, csv.reader(lines, delimiter=separator)), _SAMPLE))
        if not rows or len(rows[0]) == 1:
            continue
        even = sum(len(row) == len(rows[0]) for row in rows)
        mixed = sum(
            not is_number(cell) and any(other in cell for other in SEPARATORS if other != separator)
            for row in rows
            for cell in row
        )
        scores[separator] = (even / len(rows), -mixed)
    if scores:
        return max(scores, key=scores.__getitem__)
    rows_below = [line.rstrip("\n") for line in lines[1:] if line.strip()]
    if rows_below and all(_LAST_NUMBER.search(line) for line in rows_below):
        raise InputError(
            f"{source}: no ',', ';' or tab separates the columns of '{rows_below[0][-_CELL:]}': "
            "write the table with one of them"
        )
    return ","


def _is_data(cells: Sequence[str]) -> bool:
    """Whether the first line is a row: it holds a native string, or a number with decimals."""
    return any(
        _NATIVE.search(cell) or (is_number(cell) and ("." in cell or "," in cell)) for cell in cells
    )


def _read_regular(text: bytes, layout: Layout) -> pl.DataFrame | None:
    """The rows as texts; None where they are not regular: not as wide as the headings, a comment
    between them, blanks before a quote."""
    names = _names(layout)
    options = arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
    )
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(memoryview(text)[layout.start :])),
            arrow_csv.ReadOptions(column_names=names),
            arrow_csv.ParseOptions(delimiter=layout.separator, newlines_in_values=True),
            options,
        )
    except pa.ArrowInvalid:
        return None
    frame = pl.DataFrame(pl.from_arrow(table))
    if frame.is_empty() or frame[names[0]].str.contains(r"^\s*(#|%|//)").any():
        return None
    indented = pl.any_horizontal(pl.all().str.contains(r'^\s+"').any())  # blanks before a quote
    return None if b'"' in text and frame.select(indented).item() else frame


def _read_any(text: bytes, layout: Layout, source: str) -> pl.DataFrame:
    """The same, line by line.

    Raises:
        InputError: A row is not as wide as the headings.
    """
    width = len(layout.headings)
    rows = []
    lines = list(_lines(text[layout.start :].decode()))
    for line, row in _records(lines, layout, source):
        if len(row) != width:
            _check_quotes(lines, layout, source)
            found = "1 column" if len(row) == 1 else f"{len(row)} columns"
            much = "more" if len(row) > width else "fewer"
            remedy = (
                f"put a text that holds {SEPARATORS[layout.separator]} in quotes"
                if len(row) > width
                else "leave a missing value empty between separators, or write the file anew"
            )
            raise InputError(
                f"{source}: line {line} has {found}, {much} than the {width} headings "
                f"({_shown(row)}): {remedy}"
            )
        rows.append(row)
    _check_quotes(lines, layout, source)
    return pl.DataFrame(rows, schema=dict.fromkeys(_names(layout), pl.String), orient="row")


def _records(lines: Sequence[str], layout: Layout, source: str) -> Iterator[tuple[int, list[str]]]:
    """The rows with the numbers of the lines that they end in."""
    begins = True  # what looks like a comment within a quoted cell is none

    def uncommented() -> Iterator[str]:
        nonlocal begins
        for line in lines:
            comment = begins and _is_comment(line)
            begins = False  # before the line is handed over: its reader says when a row ends
            yield "\n" if comment else line

    reader = csv.reader(uncommented(), delimiter=layout.separator, skipinitialspace=True)
    try:
        for row in reader:
            begins = True
            if any(cell.strip() for cell in row):
                yield layout.line + reader.line_num - 1, row
    except csv.Error as error:
        line = layout.line + reader.line_num - 1
        raise InputError(f"{source}: line {line}: {error}; write the file anew") from error


def _check_quotes(lines: Sequence[str], layout: Layout, source: str) -> None:
    """Checks that quotes are closed.

    Raises:
        InputError: The last one is not.
    """
    reader = csv.reader(lines, delimiter=layout.separator, skipinitialspace=True, strict=True)
    begun = 0
    try:
        for _ in reader:
            begun = reader.line_num
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise InputError(
                f"{source}: a quote that opens in line {layout.line + begun} is never closed: "
                "close it, or write the file anew"
            ) from error


def _lines(text: str) -> Iterable[str]:
    """The lines with their ends; only a line feed ends one."""
    return StringIO(text, newline="\n")


def _names(layout: Layout) -> list[str]:
    return [f"column {place}" for place in range(1, len(layout.headings) + 1)]


def _strip(cells: Sequence[str]) -> list[str]:
    return [cell.strip() for cell in cells]


def _shown(cells: Sequence[str]) -> str:
    shown = ", ".join(f"'{cell.strip()}'" for cell in cells)
    return shown if len(shown) <= 2 * _CELL else f"{shown[:_CELL]} … {shown[-_CELL:]}"
