"""Loads the named statements of queries.sql."""

import functools
import re
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def query(name: str) -> str:
    """The statement of that name.

    Raises:
        KeyError: No such statement.
    """
    return _queries()[name]


@functools.cache
def _queries() -> dict[str, str]:
    script = resources.files("warehouse").joinpath("queries.sql").read_text()
    _, *parts = _NAME.split(script)
    return dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))
