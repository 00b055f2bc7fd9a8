"""What `cole similar` is given: an architecture, an id, a text, or a Python file's class."""

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path

from cole_core.encodings.base import RenderingError
from cole_core.encodings.registry import make_text_encoding
from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.spaces import get_space
from cole_core.spaces.base import SearchSpace
from flows.resolve.spaces import find_space
from warehouse import Warehouse

LARGEST = 1_000_000
"""Bytes of a text or a file: a network's code is far smaller."""

_ID = re.compile(r"[0-9a-f]{6,32}")
_NATIVE_LIKE = re.compile(r"\||[a-z_0-9]+[({<\[]")  # how native strings begin, and texts hardly


@dataclass(frozen=True)
class Asked:
    """What is looked for.

    Attributes:
        kind: architecture, text or file.
        text: What a language model reads of it.
        space: The search space to look in.
        native: The architecture; None for a text or a file.
        name: The same for people.
        encoding: Whose texts it is compared with.
    """

    kind: str
    text: str
    space: SearchSpace
    native: str | None
    name: str
    encoding: str


def read_asked(
    warehouse: Warehouse,
    what: str,
    space: str,
    vectors: Vectors,
    class_name: str | None = None,
) -> Asked:
    """Finds out what somebody means.

    Args:
        warehouse: Where ids are looked up.
        what: A native string, an architecture_id or its beginning, the path of a Python file, or
            else a text, which is told by the spaces in it.
        space: The search space, unless an id tells it.
        vectors: Says how an architecture is written as text.
        class_name: Which class of a file.

    Raises:
        InputError: It is none of these.
    """
    if not what.strip():
        raise InputError(f"{what!r} is empty: give an architecture, its id, a text or a FILE.py")
    if len(what.encode()) > LARGEST:
        raise InputError(f"a text of {len(what):,} characters: give at most {LARGEST:,} bytes")
    if what.endswith(".py") and not re.search(r"\s", what.strip()[:-3].rsplit("/", 1)[-1]):
        text = read_class(Path(what), class_name)
        found = find_space(warehouse, space)
        return Asked("file", text, found, None, what, _encoding(found, vectors))
    if class_name is not None:
        raise InputError(f"--class {class_name} is for a file: give FILE.py")
    if _ID.fullmatch(what):
        native, found = _find_id(warehouse, what)
        return _architecture(found, native, vectors)
    found = find_space(warehouse, space)
    try:
        found.validate(what)
    except InputError:
        if _NATIVE_LIKE.match(what) or not re.search(r"\s", what.strip()):
            raise
        name = " ".join(what.split())[:60]
        return Asked("text", what, found, None, name, _encoding(found, vectors))
    return _architecture(found, what, vectors)


def _encoding(space: SearchSpace, vectors: Vectors) -> str:
    return space.roles.reference if vectors.encoding is None else vectors.encoding


def _find_id(warehouse: Warehouse, beginning: str) -> tuple[str, SearchSpace]:
    rows = warehouse.architectures_by_id(beginning, limit=4)
    if rows.height != 1:
        listed = ", ".join(rows["architecture_id"].to_list())
        problem = f"begins several: {listed}" if listed else "begins none that is stored"
        raise InputError(f"architecture_id {beginning} {problem}; find one with 'cole sql'")
    row = rows.row(0, named=True)
    return row["native"], get_space(row["space"], **json.loads(row["space_parameters"]))


def _architecture(space: SearchSpace, native: str, vectors: Vectors) -> Asked:
    encoding = _encoding(space, vectors)
    writer = make_text_encoding(space, encoding, vectors.context)
    try:
        text = writer.render(native, vectors.context)
    except RenderingError as error:
        raise InputError(f"{native} has no text of '{encoding}': {error}") from error
    return Asked("architecture", text, space, native, native, encoding)


def read_class(path: Path, name: str | None = None) -> str:
    """The source of a file's network. The file is parsed and never run.

    Args:
        path: A Python file.
        name: Which class; None takes the one nn.Module that no other class of the file uses.

    Raises:
        InputError: There is no such file or class, or there are several.
    """
    source = _read(path)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"{path} is not Python that can be parsed: {error}; correct it") from error
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    if not classes:
        raise InputError(f"{path} holds no class: give a file with an nn.Module")
    if name is None:
        modules = [node for node in classes.values() if _is_module(node, classes)]
        used = {id_ for node in classes.values() for id_ in _names(node) if id_ != node.name}
        roots = [node for node in modules if node.name not in used] or modules
        if len(roots) != 1:
            listed = ", ".join(node.name for node in roots or classes.values())
            problem = "several networks" if roots else "no nn.Module"
            raise InputError(f"{path} holds {problem}: name one with --class, of {listed}")
        name = roots[0].name
    if name not in classes:
        raise InputError(f"{path} holds no class {name}: choose one of {', '.join(classes)}")
    segment = ast.get_source_segment(source, classes[name])
    assert segment is not None
    return segment


def _read(path: Path) -> str:
    if not path.is_file():
        raise InputError(f"no file at {path}: give the path of a Python file")
    if path.stat().st_size > LARGEST:
        raise InputError(f"{path} has {path.stat().st_size:,} bytes: give at most {LARGEST:,}")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text in UTF-8: {error.reason}; save it anew") from error


def _is_module(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    """Whether a class inherits from nn.Module, directly or by classes of the file."""
    seen: set[str] = set()
    waiting = [node]
    while waiting:
        for base in waiting.pop().bases:
            name = ast.unparse(base).rsplit(".", 1)[-1]
            if name in ("Module", "Sequential", "ModuleList"):
                return True
            if name in classes and name not in seen:
                seen.add(name)
                waiting.append(classes[name])
    return False


def _names(node: ast.ClassDef) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
