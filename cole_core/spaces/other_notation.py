"""Other ways to write the architectures of a space, as programs and benchmarks elsewhere do."""

from collections.abc import Callable
from dataclasses import dataclass

from cole_core.errors import InputError

Lookup = Callable[[int], str]
"""The native string at a place of the official list of a space.

Raises InputError where there is no such list, or no such place.
"""


@dataclass(frozen=True)
class OtherNotation:
    """One other way.

    Attributes:
        about: What a string of it is: "an operation list in NASLib's order".
        read: The native string that a string of it means. Raises InputError where it is none of
            it, with what it should be.
        is_named: Whether it is read only where somebody names it: nothing in the string tells.
    """

    about: str
    read: Callable[[str, Lookup], str]
    is_named: bool = False


@dataclass(frozen=True)
class Written:
    """A string that was read as an architecture.

    Attributes:
        native: The architecture, as its space writes it.
        read_as: What else than a native string it was taken for; None for a native string.
    """

    native: str
    read_as: str | None = None


class AmbiguousError(InputError):
    """A string is written in several notations, in which it means different architectures.

    Args:
        given: The string, as messages show it.
        ways: How each meaning is asked for, in words.
    """

    def __init__(self, given: str, ways: str) -> None:
        super().__init__(f"{given} can be read in several ways: give {ways}")
        self.ways = ways


def no_list(number: int) -> str:
    """Looks up nothing: a `Lookup` where there is no list.

    Raises:
        InputError: Always; says what brings a list.
    """
    raise InputError(
        f"{number} is a place in the official list, and no file that was taken in brings that "
        "list: 'cole ingest' the official file, or give the native string"
    )
