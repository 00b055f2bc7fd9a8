"""Commands as they can be copied."""

import os
import shlex
from pathlib import Path

from flows.resolve.requests import HOME

EXPLORER_PORT = 4270
"""Where the explorer listens unless asked otherwise; Prefect's page is at 4200."""


def command(home: Path | None, *words: object, **options: object) -> str:
    """A command on a warehouse; what is None, and the warehouse meant anyway, is left out.

    Args:
        home: The warehouse.
        *words: Of the command.
        **options: Its options; a flag is True.
    """
    said = ["cole", *map(str, words)]
    for name, value in options.items():
        if value is not None:
            option = f"--{name.replace('_', '-')}"
            said += [option] if value is True else [option, str(value)]
    if home is not None and home != Path(os.environ.get("COLE_HOME") or HOME):
        said += ["--home", str(home)]
    return shlex.join(said)
