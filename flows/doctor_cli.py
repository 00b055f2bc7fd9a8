"""The command line of the doctor: `cole doctor`."""

import json
from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[Path, typer.Option(envvar="COLE_HOME", help="The warehouse's directory.")]

HOME = Path("cole-home")
SICK = 1  # exit code where something is wrong still


def doctor(
    home: Home = HOME,
    repair: Annotated[
        bool, typer.Option("--repair", help="Put right what can be; damaged files are set aside.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Looks for everything that may be wrong; says what is lost and how to put it right."""
    from flows.left_servers import check_servers
    from warehouse import Warehouse
    from warehouse.health import examine

    found, repaired = examine(Warehouse(home), repair)
    found += check_servers(repair)
    if as_json:
        print(
            json.dumps(
                {
                    "stage": "doctor",
                    "findings": [{"kind": f.kind, "line": f.line} for f in found],
                    "repaired": [{"kind": f.kind, "line": f.line} for f in repaired],
                }
            )
        )
    else:
        for finding in repaired:
            print(f"put right: {finding.line}")
        for finding in found:
            print(f"{'note' if finding.harmless else 'wrong'}: {finding.line}")
        if not found:
            print(f"{home} is in order")
    if not all(finding.harmless for finding in found):
        raise typer.Exit(SICK)
