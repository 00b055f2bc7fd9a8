"""The command line of warehouses on the move: `cole export`, `cole import`, `cole backup`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cole_core.errors import InputError
from flows.output import Printer

Home = Annotated[Path, typer.Option(envvar="COLE_HOME", help="The warehouse's directory.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]

HOME = Path("cole-home")


def export(
    target: Annotated[
        Path, typer.Argument(help="A new folder; or, with --query, a file such as out.parquet.")
    ],
    home: Home = HOME,
    query: Annotated[
        str | None,
        typer.Option(
            help="Into a file: the rows of this SELECT. Into a folder: all that is known of the "
            "architectures in its column architecture_id."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Writes the warehouse, or what a query names, as Parquet; cole import reads the folder."""
    from warehouse import Warehouse
    from warehouse.transfer.export import export_rows, export_warehouse

    warehouse = Warehouse(home)
    if target.resolve().is_relative_to(home.resolve()):
        raise InputError(f"{target} is inside the warehouse: name a place outside {home}")
    if target.suffix == ".parquet":
        if query is None:
            raise InputError(f"{target} is a file: name a folder, or give --query")
        summary: dict[str, Any] = {
            "rows": export_rows(warehouse, target, query),
            "file": str(target),
        }
    else:
        manifest = export_warehouse(warehouse, target, query)
        summary = {
            "files": len(manifest.files),
            "bytes": sum(file.size for file in manifest.files),
            "folder": str(target),
        }
    Printer(as_json).summary("export", summary)


def import_(
    folder: Annotated[Path, typer.Argument(help="What cole export wrote.")],
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Adds an export to the warehouse, after checking its hashes, ids and paths."""
    from flows.runs import recorded_run
    from warehouse.transfer.importing import import_export, open_export

    with (
        open_export(folder) as incoming,
        recorded_run(str(home), "import", {"folder": str(folder)}) as run,
    ):
        run.summary = dict(import_export(run.warehouse, incoming, run.run_id))
    Printer(as_json).summary(
        "import",
        {name: count for name, count in run.summary.items() if count} or {"rows": 0},
    )


def backup(
    folder: Annotated[Path, typer.Argument(help="Where backups are kept, outside the warehouse.")],
    home: Home = HOME,
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="Remove all but so many of the latest backups there."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Copies the warehouse; the copy is one too: name it with --home, or copy it back."""
    from warehouse import Warehouse
    from warehouse.transfer.backup import back_up

    copy, removed = back_up(Warehouse(home), folder, keep)
    Printer(as_json).summary("backup", {"backup": str(copy), "removed": removed})
