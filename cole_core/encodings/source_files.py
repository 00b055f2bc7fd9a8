"""A file as Python source: its encoding, its line ends, a notebook's cells. Nothing is run."""

import ast
import io
import json
import re
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cole_core.errors import InputError

LARGEST = 1_000_000
"""Bytes of a file: a network's code is far smaller."""

_SAVE = "save it as UTF-8, or say what it is in its first line, as in '# -*- coding: latin-1 -*-'"
_PYTHON_2 = re.compile(
    r"Missing parentheses in call to|multiple exception types must be|leading zeros in decimal"
)
_MAGIC = re.compile(
    r"^([ \t]*)([%!?].*|[\w.]+\?\??)$", re.MULTILINE
)  # what a notebook takes for a command
_CELL_MAGIC = re.compile(r"(\s*)%%(\S*).*\n?")
# What begins a cell that is no Python of this notebook: "%%bash", and "%%!" for the same.
_NOT_PYTHON = {
    "!",
    "bash",
    "bigquery",
    "cmd",
    "cython",
    "file",
    "html",
    "javascript",
    "js",
    "julia",
    "latex",
    "markdown",
    "perl",
    "r",
    "ruby",
    "script",
    "sh",
    "sql",
    "svg",
    "sx",
    "system",
    "writefile",
}


@dataclass(frozen=True)
class SourceFile:
    """Python source, and where it is from.

    Attributes:
        path: The file.
        text: Its source with plain line ends; of a notebook the code cells, one after the other.
        cells: Of a notebook: the number of each code cell and the line of `text` it begins in.
    """

    path: Path
    text: str
    cells: tuple[tuple[int, int], ...] = ()

    def place(self, line: int) -> str:
        """A line of `text` as people find it: 'line 5', or 'cell 2, line 5'."""
        begun = [cell for cell in self.cells if cell[1] <= line]
        if not begun:
            return f"line {line}"
        number, first = begun[-1]
        return f"cell {number}, line {line - first + 1}"

    def parse(self) -> ast.Module:
        """The syntax tree.

        Raises:
            InputError: It is no Python of today; says where it breaks.
        """
        try:
            return _parse(self.text)
        except SyntaxError as error:
            where = f"{self.place(error.lineno or 1)}, column {error.offset or 1}: {error.msg}"
            if _PYTHON_2.search(error.msg):
                raise InputError(
                    f"{self.path} is Python 2, {where}; convert it to Python 3"
                ) from error
            raise InputError(
                f"{self.path} is not Python that can be parsed, {where}; correct it"
            ) from error
        except (RecursionError, MemoryError) as error:
            raise InputError(
                f"{self.path} is nested too deeply to be parsed: give the network alone"
            ) from error
        except ValueError as error:  # half a letter, which JSON can write; a NUL in older Pythons
            raise InputError(
                f"{self.path} is not text that can be parsed ({error}): correct it"
            ) from error


def read_source(path: Path) -> SourceFile:
    """Reads a Python file or a notebook.

    Raises:
        InputError: It is not there, too large, or not text in the encoding that it declares; or
            the notebook is none, or of another language.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder: give one of its files")
    if not path.is_file():
        problem = f"{path} is no regular file" if path.exists() else f"no file at {path}"
        raise InputError(f"{problem}: give the path of a Python file")
    if path.stat().st_size > LARGEST:
        raise InputError(f"{path} has {path.stat().st_size:,} bytes: give at most {LARGEST:,}")
    text = _decode(path, path.read_bytes())
    if not text.strip():
        raise InputError(f"{path} is empty: give a file with an nn.Module")
    return _notebook(path, text) if path.suffix.lower() == ".ipynb" else SourceFile(path, text)


def source_of_text(place: Path, text: str) -> SourceFile:
    """Source that is a text already, such as a cell of a table.

    Args:
        place: What messages call it.
        text: The source.

    Raises:
        InputError: It is empty or too large.
    """
    if len(text.encode(errors="surrogatepass")) > LARGEST:
        raise InputError(f"{place} has {len(text):,} letters: give at most {LARGEST:,} bytes")
    if not text.strip():
        raise InputError(f"{place} is empty: give code with an nn.Module")
    return SourceFile(place, text.replace("\r\n", "\n").replace("\r", "\n"))


def _decode(path: Path, data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{path} is UTF-16: save it as UTF-8")
    if b"\0" in data:
        raise InputError(f"{path} is no text, it holds NUL bytes: give Python source")
    encoding, declares = "utf-8", "declares no other encoding"
    try:
        encoding, lines = tokenize.detect_encoding(io.BytesIO(data).readline)
        if any(b"coding" in line for line in lines):
            declares = f"declares {encoding.upper()}"
    except SyntaxError as error:
        # A first line that is no UTF-8 is told below, with its number.
        if "missing encoding declaration" not in str(error):
            raise InputError(
                f"{path} declares an encoding that is not one, {error.msg}: {_SAVE}"
            ) from error
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path} is not text in {encoding.upper()} at line {line} (byte "
            f"0x{data[error.start]:02x}) and {declares}: {_SAVE}"
        ) from error
    except LookupError as error:
        raise InputError(f"{path} declares {encoding}, no encoding of texts: {_SAVE}") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _notebook(path: Path, text: str) -> SourceFile:
    try:
        found = json.loads(text)
        language = str(_language(found)).lower()
        codes = list(_code_cells(found))
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            f"{path} is no notebook that can be read ({error}): save it anew, or give FILE.py"
        ) from error
    if "python" not in language:
        raise InputError(f"{path} is a notebook in {language}: give one in Python")
    written: list[str] = []
    cells = []
    for number, code in codes:
        cells.append((number, sum(part.count("\n") for part in written) + 1))
        written.append(_without_magic(code).rstrip("\n") + "\n")
    if not "".join(written).strip():
        raise InputError(f"{path} holds no code: give a file with an nn.Module")
    return SourceFile(path, "".join(written), tuple(cells))


def _language(notebook: Any) -> Any:
    about = notebook.get("metadata", {})
    for part in ("language_info", "kernelspec"):
        kind = about.get(part, {})
        if named := kind.get("language", kind.get("name")):
            return named
    return "python"


def _code_cells(notebook: Any) -> Iterator[tuple[int, str]]:
    """Number and code of each code cell; before format 4 they lie in worksheets, as `input`."""
    cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
    for number, cell in enumerate(cells, start=1):
        if cell["cell_type"] == "code":
            code = cell["source"] if "source" in cell else cell["input"]
            yield number, code if isinstance(code, str) else "".join(code)


def _without_magic(code: str) -> str:
    """A cell without what only a notebook obeys; a cell of another language as nothing.

    Lines keep their places, for messages.
    """
    if _parses(code):
        return code
    if (magic := _CELL_MAGIC.match(code)) is None:
        return _MAGIC.sub(r"\1pass", code)
    blank, name = magic.groups()
    return "" if name.lower() in _NOT_PYTHON else f"{blank}\n{_without_magic(code[magic.end() :])}"


def _parses(code: str) -> bool:
    try:
        _parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():  # "\d" in somebody's string is no matter of ours
        warnings.simplefilter("ignore")
        return ast.parse(text)
