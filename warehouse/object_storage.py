"""An object store below Lance: how long it is waited for, what lies there, and taking away from it.

Credentials, endpoint and region are the store's own business: its client reads them from the
environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_ENDPOINT_URL`, `AWS_REGION`,
`AWS_ALLOW_HTTP`), here and in every worker. None passes through this program.
"""

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from warehouse.location import is_remote
from warehouse.store_faults import told

if TYPE_CHECKING:
    from lance.file import LanceFileSession

# A request that takes longer is given up, and made once more. Lance itself asks seven times for a
# list or a file: a store that accepts and never answers is given up after a few minutes, a first
# look at it after half of one.
_PATIENCE: Final = {"timeout": "20s", "connect_timeout": "3s", "client_max_retries": "1"}
_FIRST_LOOK: Final = {"timeout": "4s", "connect_timeout": "2s", "client_max_retries": "0"}
_REMEMBERED: Final = 1 << 10  # looks at different stores that are remembered


def storage_options(uri: str) -> dict[str, str] | None:
    """How a store is asked; None of a folder. Holds no credentials."""
    return dict(_PATIENCE) if is_remote(uri) else None


@lru_cache(maxsize=_REMEMBERED)
def check_store(uri: str) -> None:
    """Checks once for each process that a store answers and opens; of a folder nothing.

    Raises:
        InputError: It does not, or there is no such bucket; says what to do.
    """
    if is_remote(uri):
        with told(uri):
            _session(uri, _FIRST_LOOK).list_with_delimiter()


def folders_below(uri: str) -> list[str]:
    """The names of what lies directly below a place and has something below it, sorted.

    Raises:
        InputError: The store is at fault.
    """
    if not is_remote(uri):
        return sorted(path.name for path in Path(uri).glob("*") if path.is_dir())
    with told(uri):
        found = _session(uri, _PATIENCE).list_with_delimiter().common_prefixes
    return sorted(name.rstrip("/").rpartition("/")[2] for name in found)


def files_below(uri: str) -> list[str]:
    """The files below a place, each as a path from it with slashes, sorted.

    Raises:
        InputError: The store is at fault.
    """
    if not is_remote(uri):
        folder = Path(uri)
        return sorted(
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
        )
    with told(uri):
        return sorted(_session(uri, _PATIENCE).list())


def read_file(uri: str, name: str) -> bytes | None:
    """What a file below a place holds; None where there is none.

    Raises:
        InputError: The store is at fault.
    """
    if not is_remote(uri):
        path = Path(uri) / name
        return path.read_bytes() if path.exists() else None
    with told(uri), tempfile.TemporaryDirectory() as folder:
        session = _session(uri, _PATIENCE)
        if not session.contains(name):
            return None
        session.download_file(name, str(Path(folder) / "it"))
        return (Path(folder) / "it").read_bytes()


def write_file(uri: str, name: str, content: bytes) -> None:
    """Puts a file below a place, whole or not at all.

    Raises:
        InputError: The store is at fault.
    """
    if not is_remote(uri):
        path = Path(uri) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{name}.part")
        part.write_bytes(content)
        part.replace(path)
        return
    with told(uri), tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "it").write_bytes(content)
        _session(uri, _PATIENCE).upload_file(str(Path(folder) / "it"), name)


def move_here(uri: str, name: str, target: Path) -> None:
    """Moves an object to a file: its copy is there before it is gone.

    Args:
        uri: The store and a prefix.
        name: The object, from there.
        target: The file; its folder is made.

    Raises:
        InputError: The store is at fault.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with told(uri):
        session = _session(uri, _PATIENCE)
        session.download_file(name, str(target))
        session.delete_file(name)


def _session(uri: str, options: dict[str, str]) -> "LanceFileSession":
    from lance.file import LanceFileSession  # which brings pandas and takes half a second

    return LanceFileSession(uri, storage_options=options)
