"""What a definition in a file says, whatever stands around it: parsed, never run."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cole_core.encodings.source_files import SourceFile, read_source
from cole_core.errors import InputError
from cole_core.hashing import hash_text

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DOCUMENTED = (*_FUNCTIONS, ast.ClassDef, ast.Module)


@dataclass(frozen=True)
class Function:
    """A function of a file.

    Attributes:
        path: The file.
        name: Its name there.
        arguments: The names of its arguments.
        needed: How many of them come without a name and a default, at the front.
        takes_any: Whether it takes arguments of any name.
        digest: Hash of what it says, with what it calls in that file; comments, documentation and
            formatting are no part of it.
    """

    path: Path
    name: str
    arguments: tuple[str, ...]
    needed: tuple[str, ...]
    takes_any: bool
    digest: str


def find_function(path: Path, name: str) -> Function:
    """A function at the top of a file.

    Raises:
        InputError: The file cannot be read, or has none of that name; lists those that it has.
    """
    source = read_source(path)
    tree = source.parse()
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for node in found:
        if node.name == name:
            break
    else:
        listed = ", ".join(node.name for node in found)
        remedy = f"choose one of {listed}" if listed else "give a file with one"
        raise InputError(f"{path} has no function {name}: {remedy}")
    arguments = [*node.args.posonlyargs, *node.args.args]
    plain = len(arguments) - len(node.args.defaults)
    needed = [each.arg for each in arguments[:plain]]
    needed += [
        each.arg
        for each, usual in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        if usual is None
    ]
    return Function(
        path=path,
        name=name,
        arguments=tuple(each.arg for each in (*arguments, *node.args.kwonlyargs)),
        needed=tuple(needed),
        takes_any=node.args.kwarg is not None,
        digest=definition_digest(source, name),
    )


def definition_digest(source: SourceFile, name: str) -> str:
    """Hash of what a name at the top of a file stands for, with all that it needs of the file."""
    tree = source.parse()
    by_name: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for defined in _defines(statement):
            by_name.setdefault(defined, []).append(statement)
    reached: dict[int, ast.stmt] = {}
    waiting = [name]
    while waiting:
        for statement in by_name.pop(waiting.pop(), []):
            if id(statement) not in reached:
                reached[id(statement)] = statement
                waiting += _names(statement)
    texts = [normalised(each) for each in tree.body if id(each) in reached]
    return hash_text("\n".join(texts))


def normalised(node: ast.stmt | ast.Module) -> str:
    """Source without comments, documentation, and anything that formatting decides."""
    copy = ast.parse(ast.unparse(node))
    for inner in ast.walk(copy):
        if isinstance(inner, _DOCUMENTED) and ast.get_docstring(inner, clean=False) is not None:
            inner.body = inner.body[1:] or [ast.Pass()]
    return ast.unparse(copy)


def _defines(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        for each in statement.names:
            yield (each.asname or each.name).partition(".")[0]
    else:  # whatever may set a name: an assignment, one in a branch or a loop
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


def _names(statement: ast.stmt) -> Iterable[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
