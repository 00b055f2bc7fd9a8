"""Where a warehouse keeps its vectors: below its directory, in another one, or in object storage.

The place is written down in the directory when something is first stored, so that whoever opens
the warehouse later finds its vectors without being told. It is a URI without credentials: those
stand in the environment, where the object store's client reads them.
"""

import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cole_core.errors import InputError

VECTORS: Final = "COLE_VECTORS"
"""The environment variable that names the place."""

SCHEMES = ("s3", "gs", "az")
CATALOG: Final = "catalog.duckdb"
"""The file in a warehouse's directory by which it is known as one."""

_NOTE = "vectors.json"
_CREDENTIALS = {
    "gs": "GOOGLE_SERVICE_ACCOUNT",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
_EXAMPLE = "a folder, or s3://bucket/prefix"


def is_remote(uri: str) -> bool:
    """Whether a place is an object store."""
    return "://" in uri


def credentials_of(uri: str) -> str:
    """Which environment variables hold what opens an object store."""
    return _CREDENTIALS.get(uri.partition("://")[0], "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")


def normalized(place: str) -> str:
    """A place as it is written down.

    Args:
        place: A folder, or the URI of a bucket and a prefix.

    Returns:
        The folder as an absolute path, the URI without a slash at its end.

    Raises:
        InputError: It is neither; credentials that stand in it are not repeated.
    """
    if not place.strip():
        raise InputError(f"--vectors is empty: name {_EXAMPLE}")
    if not is_remote(place):
        folder = Path(place).expanduser().absolute()
        if folder.exists() and not folder.is_dir():
            raise InputError(f"--vectors {place} is a file: name {_EXAMPLE}")
        return str(folder)
    scheme, _, rest = place.partition("://")
    if "@" in rest or "?" in rest or "#" in rest or ":" in rest.partition("/")[0]:
        raise InputError(
            f"--vectors {scheme}://… has more than a bucket and a prefix in it: credentials belong "
            f"in the environment, as {credentials_of(place)}, an endpoint in AWS_ENDPOINT_URL, "
            f"and --vectors is {scheme}://bucket/prefix"
        )
    if scheme not in SCHEMES:
        raise InputError(
            f"--vectors {place}: no store {scheme}://, name {_EXAMPLE} (or gs://, az://)"
        )
    if not urlsplit(place).netloc:
        raise InputError(f"--vectors {place} names no bucket: give {scheme}://bucket/prefix")
    return place.rstrip("/")


class Location:
    """Where the vectors of one warehouse are.

    Args:
        home: The warehouse's directory.
        named: Where somebody says they are; by default what the environment says.
        promised: Whether the catalog promises vectors.

    Raises:
        InputError: What is named is no place, or the promised vectors are elsewhere.
    """

    def __init__(self, home: Path, named: str | None, promised: Callable[[], bool]) -> None:
        self._home, self._promised = home, promised
        self._usual = str(home / "vectors")
        named = named or os.environ.get(VECTORS) or None
        stored = self._said().get("uri", self._usual)
        self.uri = stored if named is None else normalized(named)
        if not is_remote(self.uri) and Path(self.uri) == Path(self._usual).absolute():
            self.uri = self._usual
        self.is_new = self.uri != stored
        if self.is_new and promised():
            raise InputError(
                f"the vectors of {home} are in {stored}, not in {self.uri}: leave --vectors and "
                f"{VECTORS} out, or move all of it with 'cole export' and, to a new home, "
                "'cole import'"
            )

    def keep(self, check: Callable[[str, str], object]) -> str | None:
        """Writes the place down, for whoever opens the warehouse next; the caller may write.

        Args:
            check: Refuses a place that another warehouse has, by the place and this one's id.

        Returns:
            The warehouse's id, by which a place that is not below its directory is marked; None
            where it is.

        Raises:
            InputError: Somebody else put the vectors elsewhere meanwhile, or has theirs there.
        """
        said = self._said()
        stored = said.get("uri", self._usual)
        if stored != self.uri and (not self.is_new or self._promised()):
            raise InputError(
                f"the vectors of {self._home} have been put in {stored} meanwhile: "
                f"run the command again without --vectors and {VECTORS}"
            )
        if self.uri == self._usual:
            return None
        owner = said.get("owner") or uuid.uuid4().hex
        wanted = {"uri": self.uri, "owner": owner}
        if said != wanted:
            self._check_outside()
            check(self.uri, owner)
            note = self._home / _NOTE
            part = note.with_name(note.name + ".part")
            part.write_text(json.dumps(wanted) + "\n")
            part.replace(note)
        self.is_new = False
        return owner

    def _check_outside(self) -> None:
        """Checks that a folder is in no other warehouse's directory."""
        if is_remote(self.uri):
            return
        for folder in Path(self.uri).parents:
            if (folder / CATALOG).exists() and folder.resolve() != self._home.resolve():
                raise InputError(
                    f"--vectors {self.uri} is in the directory of another warehouse, {folder}: "
                    f"name {_EXAMPLE}"
                )

    def _said(self) -> dict[str, str]:
        """What was written down: the place as `uri`, the warehouse's id as `owner`.

        Raises:
            InputError: It cannot be read.
        """
        note = self._home / _NOTE
        try:
            said = json.loads(note.read_text())
            return {name: str(said[name]) for name in {"uri", *said} & {"uri", "owner"}}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f'{note} is damaged: write {{"uri": "…"}} into it, with the place of the vectors'
            ) from error
