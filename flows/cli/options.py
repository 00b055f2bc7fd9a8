"""Options that are the command line's own: what no request holds."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.resolve.requests import HOME

Json = Annotated[
    bool, Parameter(name="--json", negative=(), help="One JSON object on standard output.")
]

InHome = Annotated[Path, Parameter(env_var="COLE_HOME", help="The warehouse's directory.")]

__all__ = ["HOME", "InHome", "Json"]
