"""The rows of a query as a table, CSV, JSON or Parquet: on standard output or in a file."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cole_core.errors import InputError
from flows.cli.printing import Printer
from flows.questions.query_rows import TEXTS, rows_frame, write_parquet, write_text
from warehouse import Warehouse

FORMATS = ("table", "csv", "json", "parquet")


def choose_format(asked: str | None, output: Path | None, as_json: bool) -> str:
    """The format that was named, or that the file's name tells; a table without either.

    Raises:
        InputError: It is unknown, or does not go where it should.
    """
    if as_json and asked not in (None, "json"):
        raise InputError(f"--format {asked} and --json: give one of the two")
    suffix = "" if output is None else output.suffix.lower().removeprefix(".")
    form = "json" if as_json else asked or (suffix if output else "table")
    if form not in FORMATS:
        named = f"--format {asked}" if asked else f"--output {output}"
        raise InputError(f"{named}: choose --format csv, json or parquet, or table without a file")
    if form == "parquet" and output is None:
        raise InputError("--format parquet is for a file: give --output FILE")
    if form == "table" and output is not None:
        raise InputError(f"--format table is for a terminal: choose csv or parquet for {output}")
    return form


def check_output(output: Path | None, home: Path) -> None:
    """Checks that a file can be written there and is none of the warehouse's own.

    Raises:
        InputError: It cannot, or is.
    """
    if output is None:
        return
    if output.is_dir() or not output.parent.is_dir():
        raise InputError(f"--output {output}: name a file in a directory that is there")
    if output.resolve().is_relative_to(home.resolve()):
        raise InputError(f"--output {output} is inside the warehouse: name a place outside {home}")


def print_query(
    warehouse: Warehouse, statement: str, form: str, output: Path | None
) -> dict[str, Any] | None:
    """Runs a query and writes its rows.

    Args:
        warehouse: Where to ask.
        statement: The query.
        form: One of `FORMATS`.
        output: The file; None writes on standard output.

    Returns:
        What was written, where that is a file.

    Raises:
        InputError: The query is not accepted.
    """
    with warehouse.query(statement, TEXTS[form]) as rows:
        if output is None:
            if form == "table":
                Printer(as_json=False).frame(rows_frame(rows.read_all()))
            else:
                write_text(rows, form, sys.stdout)
            return None
        with _whole_file(output) as part:
            if form == "parquet":
                count = write_parquet(rows, part)
            else:
                with part.open("w", encoding="utf-8", newline="") as file:
                    count = write_text(rows, form, file)
    return {"rows": count, "output": str(output), "format": form}


@contextlib.contextmanager
def _whole_file(output: Path) -> Iterator[Path]:
    """A path to write to, which becomes the file only if everything was written."""
    part = output.with_name(output.name + ".part")
    try:
        yield part
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
