"""The command line of upkeep: `cole optimize`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.output import Printer
from flows.server import run_flow

Home = Annotated[Path, typer.Option(envvar="COLE_HOME", help="The warehouse's directory.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]

HOME = Path("cole-home")


def optimize(
    home: Home = HOME,
    older_than: Annotated[
        float, typer.Option(help="Hours after which old versions of vector tables are dropped.")
    ] = 24.0,
    index_above: Annotated[
        int, typer.Option(help="Vectors from which on a table has an approximate index.")
    ] = 50_000,
    as_json: Json = False,
) -> None:
    """Compacts the vector tables, drops old versions, makes and refreshes indices."""
    arguments: dict[str, Any] = {
        "home": str(home),
        "older_than_hours": older_than,
        "index_above": index_above,
    }
    Printer(as_json).summary("optimize", run_flow("maintenance", "optimize", arguments))
