"""A file with a table in it, whatever wrote it: text with separators, JSON, Parquet, Arrow.

What a file is, its first bytes say; its name is only asked where they leave it open. What cannot
be read for certain is refused in one line that names the cause and the remedy.
"""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import polars as pl
import pyarrow as pa

from cole_core.errors import InputError
from cole_core.sources.delimited import read_delimited
from cole_core.sources.json_tables import is_json, read_json
from cole_core.sources.utf8 import to_utf8

SUFFIXES = (
    *(".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson"),
    *(".parquet", ".pq", ".feather", ".arrow", ".ipc"),
)
COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
ABOUT = f"a table ({', '.join(SUFFIXES)}; as it is or compressed: {', '.join(COMPRESSED)})"
"""What people give, in words."""

_WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".ods")

_LINES = (".jsonl", ".ndjson")
_BINARY = {".parquet": "Parquet", ".pq": "Parquet", ".feather": "Feather", ".arrow": "Arrow"}
_BINARY[".ipc"] = "Arrow"
_HALF = "half a download? fetch it again, or write it anew"

# How files begin that are no table, and what they are with what to do about them.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (
        b"version https://git-lfs",
        "a Git LFS pointer, not the file itself: fetch that with 'git lfs pull'",
    ),
    (b"%PDF", "a PDF: save its table as CSV"),
    (b"\x93NUMPY", "a NumPy array: write it as CSV with headings and a column of native strings"),
    (b"\x89HDF", "an HDF5 file: write its table as Parquet or CSV"),
    (b"SQLite format 3", "an SQLite database: write its table as CSV"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook: save its sheet as CSV"),
    (b"Rar!", "an archive: unpack it and give the table in it"),
    (b"7z\xbc\xaf", "an archive: unpack it and give the table in it"),
    (b"\x80\x02", "a pickle: write its table as Parquet or CSV"),
    (b"\x80\x03", "a pickle: write its table as Parquet or CSV"),
    (b"\x80\x04", "a pickle: write its table as Parquet or CSV"),
    (b"\x80\x05", "a pickle: write its table as Parquet or CSV"),
)


@dataclass(frozen=True)
class TableFile:
    """What a file holds.

    Attributes:
        frame: Its columns by their headings; numbers are numbers, an empty cell is null.
        said: What was decided in reading it, as "columns are separated by ';'"; nothing of a plain
            table.
    """

    frame: pl.DataFrame
    said: tuple[str, ...] = ()


def is_table_name(path: Path) -> bool:
    """Whether a file is called like a table, or like a workbook, which is refused as one."""
    return _suffix(path) in (*SUFFIXES, *_WORKBOOKS)


def read_table(path: Path) -> pl.DataFrame:
    """The table in a file; see `open_table`."""
    return open_table(path).frame


def open_table(path: Path) -> TableFile:
    """Reads the table in a file.

    Args:
        path: A file with one of `SUFFIXES`, compressed or not.

    Raises:
        InputError: It holds no table, or one that cannot be read for certain.
    """
    source = path.name
    if not path.is_file():
        raise InputError(f"{source} is no file: give {ABOUT}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{source}: {error.strerror}; name a file that can be read") from error
    if not data:
        raise InputError(f"{source} is empty (0 bytes): {_HALF}")
    data = _decompressed(data, source)
    _refuse_others(data, path)
    read = _reader(data)
    if read is not None:
        frame = _read_columns(read, data, source)
        return TableFile(*name_columns(frame.columns, frame, source))
    if _suffix(path) in _BINARY:
        kind = _BINARY[_suffix(path)]
        raise InputError(f"{source} is named as {kind} and is not: {_HALF}")
    text, encoding = to_utf8(data, source)
    said: tuple[str, ...] = () if encoding is None else (f"read as {encoding}",)
    if not text.strip():
        raise InputError(f"{source} is empty ({len(data):,} bytes of blanks): {_HALF}")
    if is_json(text) or _suffix(path) in (".json", *_LINES):
        headings, frame = read_json(text, source, _suffix(path) in _LINES)
    else:
        headings, frame, decided = read_delimited(text, source)
        said += decided
    named, left_out = name_columns(headings, frame, source)
    return TableFile(named, said + left_out)


def name_columns(
    headings: Sequence[str], frame: pl.DataFrame, source: str
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """A table under its headings, without the columns that say nothing, and which those are.

    Left out is a column without heading that is empty or counts its rows, as pandas writes one.

    Args:
        headings: As they stand in the file, one for each column.
        frame: The columns, under any names.
        source: The file's name, for messages.

    Raises:
        InputError: There is no row, or a heading is missing or stands twice.
    """
    if frame.is_empty():
        raise InputError(f"{source} has headings and no row below them: {_HALF}")
    named: dict[str, pl.Series] = {}
    left_out: list[str] = []
    places: dict[str, int] = {}
    for place, (heading, column) in enumerate(zip(headings, frame, strict=True), start=1):
        name = heading.strip()
        if name in ("", "__index_level_0__"):
            if column.null_count() == len(column):
                left_out.append(f"column {place}, which has no heading and is empty, left out")
                continue
            if _counts_rows(column):
                left_out.append(f"column {place}, which has no heading and counts rows, left out")
                continue
            if not name:
                raise InputError(f"{source}: column {place} has no heading: name what it holds")
        if name in named:
            raise InputError(
                f"{source}: heading '{name}' stands twice, over columns {places[name]} and "
                f"{place}: give each a name of its own"
            )
        named[name], places[name] = _plain(column), place
    frame = pl.DataFrame({name: column.alias(name) for name, column in named.items()})
    return frame, tuple(left_out)


def _counts_rows(column: pl.Series) -> bool:
    if not column.dtype.is_integer():
        return False
    first = column[0]
    return first in (0, 1) and bool((column == pl.Series(range(first, first + len(column)))).all())


def _plain(column: pl.Series) -> pl.Series:
    """Texts as text and numbers as numbers, however the file kept them."""
    if column.dtype in (pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    return column.cast(pl.Float64) if column.dtype.is_decimal() else column


def _suffix(path: Path) -> str:
    """What says the kind of a file, without that of its compression."""
    name = path.name.lower()
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    return Path(name).suffix


def _decompressed(data: bytes, source: str) -> bytes:
    ways: dict[bytes, tuple[str, Callable[[bytes], bytes]]] = {
        b"\x1f\x8b": ("gzip", gzip.decompress),
        b"BZh": ("bzip2", bz2.decompress),
        b"\xfd7zXZ\x00": ("xz", lzma.decompress),
        b"\x28\xb5\x2f\xfd": ("zstd", _unzstd),
    }
    for magic, (name, decompress) in ways.items():
        if data.startswith(magic):
            try:
                return decompress(data)
            except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as error:
                reason = " ".join(str(error).split())
                raise InputError(
                    f"{source} is {name}-compressed and damaged ({reason}): {_HALF}"
                ) from error
    return data


def _unzstd(data: bytes) -> bytes:
    with pa.input_stream(BytesIO(data), compression="zstd") as stream:
        return bytes(stream.read())


def _refuse_others(data: bytes, path: Path) -> None:
    """Refuses what is something else than a table.

    Raises:
        InputError: It is.
    """
    for magic, what in _OTHERS:
        if data.startswith(magic):
            raise InputError(f"{path.name} is {what}")
    if data.startswith(b"PK\x03\x04"):
        if b"xl/workbook" in data or b"opendocument.spreadsheet" in data[:200]:
            raise InputError(f"{path.name} is a workbook: save its sheet as CSV")
        raise InputError(f"{path.name} is a zip archive: unpack it and give the table in it")
    if _suffix(path) in _WORKBOOKS:
        raise InputError(f"{path.name} is named as a workbook: save its sheet as CSV")
    start = data[:1_000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")):
        raise InputError(
            f"{path.name} is a web page, not the table it shows: download the file itself (its "
            "'raw' link)"
        )


def _reader(data: bytes) -> Callable[[BytesIO], pl.DataFrame] | None:
    """What reads a file of columns; None of a text."""
    if data.startswith(b"PAR1"):
        return pl.read_parquet
    if data.startswith(b"ARROW1"):
        return pl.read_ipc
    if data.startswith(b"\xff\xff\xff\xff"):
        return pl.read_ipc_stream
    return None


def _read_columns(
    read: Callable[[BytesIO], pl.DataFrame], data: bytes, source: str
) -> pl.DataFrame:
    try:
        return read(BytesIO(data))
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{source} is damaged ({reason}): {_HALF}") from error
