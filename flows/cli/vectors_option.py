"""`--vectors`, which every command takes: where a warehouse's vectors are.

It is no field of a request. A warehouse remembers where its vectors are, so that the option is of
the first command alone; for the time of that command it stands in the environment, where the
warehouse looks, here and in every process that the command starts.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence

from cole_core.errors import InputError

OPTION = "--vectors"
ABOUT = (
    f"Every command takes **{OPTION} PLACE** (or $COLE_VECTORS), where the vectors are kept if not "
    "in the warehouse's directory: a folder, or s3://bucket/prefix. The warehouse remembers it."
)


@contextlib.contextmanager
def vectors_named(arguments: Sequence[str]) -> Iterator[list[str]]:
    """Gives the arguments without `--vectors`, which holds until the end of the block.

    Raises:
        InputError: Its value is missing, given twice, or no place for vectors.
    """
    rest, places = _split(list(arguments))
    if not places:
        yield rest
        return
    if len(places) > 1:
        raise InputError(f"{OPTION}: given twice, give it once")
    from warehouse.location import VECTORS, normalized  # which brings DuckDB

    before = os.environ.get(VECTORS)
    os.environ[VECTORS] = normalized(places[0])
    try:
        yield rest
    finally:
        if before is None:
            del os.environ[VECTORS]
        else:
            os.environ[VECTORS] = before


@contextlib.contextmanager
def faults_told() -> Iterator[None]:
    """Makes what an object store is at fault for, within the block, an `InputError`."""
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        from warehouse.store_faults import store_fault

        if (fault := store_fault(error)) is not None:
            raise fault from error
        raise


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The other arguments, and every value of the option."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    rest: list[str] = []
    places: list[str] = []
    words = iter(arguments[:end])
    for word in words:
        if word == OPTION:
            place = next(words, None)
            if place is None:
                raise InputError(f"the value of {OPTION} is missing")
            places.append(place)
        elif word.startswith(f"{OPTION}="):
            places.append(word.removeprefix(f"{OPTION}="))
        else:
            rest.append(word)
    return rest + arguments[end:], places
