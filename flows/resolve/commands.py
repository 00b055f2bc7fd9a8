"""Commands as they can be copied."""

import os
import shlex
from pathlib import Path

from flows.resolve.requests import HOME


def command(home: Path | None, *words: object, **options: object) -> str:
    """A command on a warehouse; what is None, and the warehouse meant anyway, is left out."""
    said = ["cole", *map(str, words)]
    for name, value in options.items():
        if value is not None:
            said += [f"--{name.replace('_', '-')}", str(value)]
    if home is not None and home != Path(os.environ.get("COLE_HOME") or HOME):
        said += ["--home", str(home)]
    return shlex.join(said)
