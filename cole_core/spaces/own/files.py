"""Which class of a file is meant, and what is known of it without running it again."""

from pathlib import Path

from cole_core.encodings.source_files import read_source
from cole_core.foreign_code.definitions import definition_digest, normalised
from cole_core.hashing import hash_json
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.own import runs
from cole_core.spaces.own.asked_space import SpaceDescription, file_space_of
from cole_core.spaces.own.asking import describe_space
from cole_core.spaces.own.describing import describe_class
from cole_core.spaces.own.naming import FileName, checked
from cole_core.spaces.own.space import Description, space_of

_described: dict[tuple[str, str], Description | SpaceDescription] = {}
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
    return space_of(known) if isinstance(known, Description) else file_space_of(known)


def was_named(found: FileName) -> bool:
    """Whether somebody named this file to this process, and it is there still: it may run."""
    return found.name in _paths and _paths[found.name].is_file()


def _describe(path: str, class_name: str, name: str) -> Description | SpaceDescription:
    if not all(runs.unchanged(each.files) for each in _described.values()):
        runs.start_anew()
    file = Path(path).name
    signature, files = runs.call_for(file, describe_class, path, class_name)
    if signature is not None:
        definition = _definition(path, class_name, files)
        return Description(path, class_name, name, signature, files, definition)
    about, files = runs.call_for(file, describe_space, path, class_name)
    definition = _definition(path, class_name, files)
    return SpaceDescription(path, class_name, name, about, files, definition)


def _definition(path: str, class_name: str, files: dict[str, str]) -> str:
    others = {
        str(Path(file).relative_to(Path(path).parent)): normalised(read_source(Path(file)).parse())
        for file in files
        if file != path
    }
    of_class = definition_digest(read_source(Path(path)), class_name)
    return hash_json({"class": of_class, "others": others})
