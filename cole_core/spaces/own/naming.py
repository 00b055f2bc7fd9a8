"""Names of spaces that are files: `my_space.py:Net`, with parameters after another colon."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cole_core.errors import InputError

_NAME = re.compile(
    r"(?P<file>.+?\.(py|ipynb))(:(?P<thing>[^:]*)(?P<colon>:(?P<text>.*))?)?", re.DOTALL
)


@dataclass(frozen=True)
class FileName:
    """What a name says.

    Attributes:
        path: The file, as it is named.
        thing: The class or function in it; empty where none is named.
        text: The parameters; None where there is no colon before any.
    """

    path: Path
    thing: str
    text: str | None

    @property
    def name(self) -> str:
        """What the warehouse calls it: file and class, wherever the file is."""
        return f"{self.path.name}:{self.thing}"


def file_name(name: str) -> FileName | None:
    """Reads a name; None where it names no file."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    text = found["text"] if found["colon"] else None
    return FileName(Path(found["file"]), found["thing"] or "", text)


def checked(found: FileName, what: str) -> FileName:
    """The same, if it names a thing of a file.

    Args:
        found: The name.
        what: It should name, in words, such as `class`.

    Raises:
        InputError: It does not.
    """
    if not found.thing.isidentifier():
        raise InputError(
            f"{found.path}:{found.thing} names no {what}: name one of the file, as "
            f"{found.path}:{'Net' if what == 'class' else 'evaluate'}"
        )
    return found


def named_with(name: str, parameters: Mapping[str, Any]) -> str:
    """A name with parameters behind it."""
    said = ",".join(f"{each}={value!r}" for each, value in sorted(parameters.items()))
    return f"{name}:{said}" if said else name
