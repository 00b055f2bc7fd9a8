"""Whose vectors a place holds: those of one warehouse, which a mark beside them says.

Two warehouses in one place would take each other's vectors for leftovers of a run that was killed.
"""

import json
from functools import lru_cache
from typing import Final

from cole_core.errors import InputError
from warehouse.object_storage import read_file, write_file

MARK: Final = "warehouse.json"
_REMEMBERED: Final = 1 << 10  # places that are looked at once


def check_claim(uri: str, owner: str) -> bool:
    """Whether a place is marked as one warehouse's; one without a mark is nobody's.

    Args:
        uri: The place.
        owner: The warehouse's id.

    Raises:
        InputError: It is marked as another's, the mark cannot be read, or the store is at fault.
    """
    found = read_file(uri, MARK)
    if found is None:
        return False
    try:
        marked = str(json.loads(found)["owner"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{uri}/{MARK}, which says whose vectors are there, is damaged: name another place "
            "with --vectors, or take it away if they are this warehouse's"
        ) from error
    if marked != owner:
        raise InputError(
            f"{uri} holds the vectors of another warehouse: name another place with --vectors, "
            "as a folder or prefix below it"
        )
    return True


@lru_cache(maxsize=_REMEMBERED)
def claim(uri: str, owner: str) -> None:
    """Marks a place as one warehouse's, once for each process.

    Raises:
        InputError: As `check_claim`.
    """
    if not check_claim(uri, owner):
        write_file(uri, MARK, json.dumps({"owner": owner}).encode())
        check_claim(uri, owner)  # two that begin at once both write, and one mark is left
