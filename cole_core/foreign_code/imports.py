"""Which files of its folder a file imports: parsed, never run."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from cole_core.encodings.source_files import read_source

_SOURCE = (".py", ".ipynb")


def with_imported(paths: Iterable[Path]) -> list[Path]:
    """Files and all that they import from where they lie, absolute and sorted.

    Args:
        paths: Files of Python or notebooks, whose folder's modules they can import.

    Raises:
        InputError: A file is no Python that can be read.
    """
    found: set[Path] = set()
    waiting = [(path.resolve(), path.resolve().parent) for path in paths]
    while waiting:
        path, folder = waiting.pop()
        if path not in found:
            found.add(path)
            if path.suffix not in _SOURCE or not path.read_bytes().strip():
                continue  # a compiled module, or a package without a word
            waiting += [(each, folder) for each in _imported(path, folder)]
    return sorted(found)


def _imported(path: Path, folder: Path) -> Iterator[Path]:
    for node in ast.walk(read_source(path).parse()):
        if isinstance(node, ast.Import):
            for each in node.names:
                yield from _module(folder, each.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            parts = node.module.split(".") if node.module else []
            # One dot is the file's own package, each further one the package around it.
            start = path.parents[node.level - 1] if node.level else folder
            yield from _module(start, parts)
            for each in node.names:
                yield from _module(start, [*parts, each.name])


def _module(folder: Path, parts: list[str]) -> Iterator[Path]:
    """The files that run when a module is imported; none where it is no module of the folder."""
    place = folder
    for part in parts:
        place = place / part
        for file in (place / "__init__.py", place.with_name(f"{part}.py")):
            if file.is_file():
                yield file.resolve()
