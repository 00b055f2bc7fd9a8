"""Loads the named statements of queries.sql and of the scripts beside it."""

import functools
import re
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_SCRIPTS = ("expressions.sql", "queries.sql", "sources.sql", "transfer.sql", "upkeep.sql")


def query(name: str) -> str:
    """The statement of that name.

    Raises:
        KeyError: No such statement.
    """
    return _queries()[name]


@functools.cache
def _queries() -> dict[str, str]:
    named: dict[str, str] = {}
    for script in _SCRIPTS:
        _, *parts = _NAME.split(resources.files("warehouse").joinpath(script).read_text())
        for name, statement in zip(parts[::2], parts[1::2], strict=True):
            if name in named:
                raise ValueError(f"{script} has a second statement '{name}': call it otherwise")
            named[name] = statement.strip()
    return named
