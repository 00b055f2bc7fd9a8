"""Which class of a file is meant, and what is known of it without running it again."""

from pathlib import Path

from cole_core.spaces.base import SearchSpace
from cole_core.spaces.own import runs
from cole_core.spaces.own.describing import describe_class
from cole_core.spaces.own.naming import FileName, checked
from cole_core.spaces.own.space import Description, space_of

_described: dict[tuple[str, str], Description] = {}
_paths: dict[str, Path] = {}


def class_of(found: FileName) -> type[SearchSpace]:
    """The space of a file's class, which somebody named. It runs the file.

    Raises:
        InputError: There is no such file or class, it does not run, or is no space.
    """
    checked(found, "class")
    path = found.path
    if not path.is_file() and found.name in _paths:
        path = _paths[found.name]
    key = (str(path.resolve()), found.thing)
    known = _described.get(key)
    if known is None or not runs.unchanged(known.files):
        known = _describe(*key, found.name)
        _described[key] = known
    _paths[found.name] = path.resolve()
    return space_of(known)


def was_named(found: FileName) -> bool:
    """Whether somebody named this file to this process: it may run."""
    return found.name in _paths


def _describe(path: str, class_name: str, name: str) -> Description:
    if not all(runs.unchanged(each.files) for each in _described.values()):
        runs.start_anew()
    signature, files = runs.call_for(Path(path).name, describe_class, path, class_name)
    return Description(path, class_name, name, signature, files)
