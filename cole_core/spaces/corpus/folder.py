"""The networks of a folder of PyTorch files and notebooks. Nothing is run."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cole_core.encodings.python_source import find_network
from cole_core.encodings.source_files import read_source
from cole_core.errors import InputError
from cole_core.spaces.corpus.collected import Collected
from cole_core.spaces.corpus.members import Member
from cole_core.spaces.corpus.static import static_member

SUFFIXES = (".py", ".ipynb")
_NAME_IT = "name one in a table with the columns 'code' and 'class'"
_OTHERS = {"__pycache__", "node_modules", "site-packages"}  # folders of no code of one's own


def read_folder(source: Path, arguments: Mapping[str, Any]) -> Collected:
    """One member for each file with a network.

    Args:
        source: A folder, whose files are taken recursively but those in hidden folders; or one
            file.
        arguments: Of every constructor.

    Raises:
        InputError: There is no file.
    """
    members, failed = [], []
    folder = source if source.is_dir() else source.parent
    for path in _files(folder) if source.is_dir() else [source]:
        try:
            members.append(_member(folder, path, arguments))
        except InputError as error:
            failed.append(str(error))
    if not members and not failed:
        raise InputError(f"{source} has no Python file and no notebook: give a folder with some")
    return Collected(tuple(members), tuple(failed), folder)


def _files(folder: Path) -> Iterator[Path]:
    """The files in a fixed order."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] != "." and name not in _OTHERS)
        for name in sorted(files):
            if Path(name).suffix.lower() in SUFFIXES and name[0] != ".":
                yield Path(parent, name)


def _member(folder: Path, path: Path, arguments: Mapping[str, Any]) -> Member:
    source = read_source(path)
    network = find_network(source, None, _NAME_IT)
    name = path.relative_to(folder).as_posix()
    return static_member(source, network, name=name, arguments=arguments, place=name)
