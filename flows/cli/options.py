"""Options that are the command line's own: what no request holds."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.resolve.requests import HOME

Json = Annotated[
    bool, Parameter(name="--json", negative=(), help="One JSON object on standard output.")
]

DryRun = Annotated[
    bool, Parameter(negative=(), help="Print what each column is taken for; store nothing.")
]

InHome = Annotated[Path, Parameter(env_var="COLE_HOME", help="The warehouse's directory.")]

__all__ = ["HOME", "DryRun", "InHome", "Json"]
