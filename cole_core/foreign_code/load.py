"""A file's code as a module, and its networks. Only for a process of foreign code.

Everything here runs what it is given.
"""

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from cole_core.encodings.source_files import read_source
from cole_core.errors import InputError
from cole_core.foreign_code.faults import is_library
from cole_core.hashing import hash_bytes

if TYPE_CHECKING:
    from torch import nn

_PREFIX = "_foreign_"  # a file may be called torch.py
_folder: list[str] = []  # whose modules can be imported now, and have been


def load_module(path: Path | str) -> ModuleType:
    """Runs a file or a notebook as a module, with its folder's modules to be imported.

    Raises:
        InputError: It is no Python that can be read.
    """
    path = Path(path)
    source = read_source(path)
    source.parse()
    return run_module(source.text, str(path), path.parent)


def run_module(text: str, name: str, folder: Path | None = None) -> ModuleType:
    """Runs source as a module.

    Args:
        text: The source.
        name: What error messages call its file.
        folder: Whose modules it can import; of none, where it is no file's.
    """
    _import_from(folder)
    module = ModuleType(f"{_PREFIX}{Path(name).stem}")
    module.__file__ = name
    sys.modules[module.__name__] = module  # where dataclasses look for it
    exec(compile(text, name, "exec", dont_inherit=True), module.__dict__)
    return module


def _import_from(folder: Path | None) -> None:
    """Makes a folder's modules importable, and forgets those of the one before.

    Two folders may have a `layers.py` each.
    """
    now = [] if folder is None else [str(folder.resolve())]
    if now == _folder:
        return
    for old in _folder:
        sys.path.remove(old)
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None) or ""
            if Path(old) in Path(file).parents and not is_library(file):
                del sys.modules[name]
    _folder[:] = now
    sys.path[:0] = now


def own_files() -> dict[str, str]:
    """The files of somebody's own that are loaded as modules, with a hash of each."""
    files = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
    return {
        file: hash_bytes(Path(file).read_bytes())
        for file in sorted(files)
        if any(Path(folder) in Path(file).resolve().parents for folder in _folder)
        and not is_library(file)
        and Path(file).is_file()
    }


def find_class(module: ModuleType, name: str) -> type[Any]:
    """A class of a module.

    Raises:
        InputError: It has none of that name; lists the networks that it has.
    """
    from torch import nn

    found = getattr(module, name, None)
    if isinstance(found, type):
        return found
    networks = [
        key
        for key, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, nn.Module)
        and value.__module__ == module.__name__
    ]
    file = Path(module.__file__ or "").name
    if not networks:
        raise InputError(f"{file} has no class {name}, and no nn.Module: give a file with one")
    raise InputError(f"{file} has no class {name}: choose one of {', '.join(networks)}")


def construct(kind: type[Any], arguments: Mapping[str, Any]) -> "nn.Module":
    """Makes a network.

    Args:
        kind: Its class.
        arguments: Of the constructor, by name.

    Raises:
        InputError: The arguments do not fit the constructor, or it is no nn.Module.
    """
    from torch import nn

    if not issubclass(kind, nn.Module):
        raise InputError(f"{kind.__name__} is no nn.Module: name a class that is one")
    try:
        inspect.signature(kind).bind(**arguments)
    except TypeError as error:
        raise InputError(
            f"arguments of {kind.__name__}: {error}; give them as --arguments '{{\"name\": value}}'"
        ) from error
    made: nn.Module = kind(**arguments)
    return made
