"""What a person wrote, without what says nothing of the network. It is parsed, never run."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cole_core.hashing import hash_text

if TYPE_CHECKING:
    from torch import nn

_ENTRIES = {"__init__", "forward", "__call__"}
"""Methods that run when a network is made and used."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def source_of(module: nn.Module) -> tuple[str, str] | None:
    """The source of the file that a module's class is from, and the name of the class.

    None where Python has no source of it.
    """
    kind = type(module)
    try:
        return inspect.getsource(sys.modules[kind.__module__]), kind.__qualname__
    except (OSError, TypeError, KeyError):
        return None


def normalised(source: str, name: str | None = None) -> str:
    """The source of a network.

    Gone are imports, docstrings, comments, annotations, methods that `forward` does not reach, and
    with a name all that this class does not use.

    Args:
        source: Of a class, or of a file.
        name: The class; None takes all that is there.

    Raises:
        SyntaxError: It is no Python.
    """
    tree = ast.parse(source)
    body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    if name is not None:
        body = _used_by(name, body)
    classes = (node for node in ast.walk(ast.Module(body, [])) if isinstance(node, ast.ClassDef))
    for node in list(classes):
        node.body = _reached_methods(node)
    whole = ast.Module(body=list(body), type_ignores=[])
    _Cleaner().visit(whole)
    return ast.unparse(ast.fix_missing_locations(whole))


def source_digest(text: str) -> str:
    """Hash of a normalised source, whatever its functions call their own variables."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, _Function):
            _rename(node)
    return hash_text(ast.unparse(tree))


class _Cleaner(ast.NodeTransformer):
    """Takes docstrings and annotations away."""

    def visit(self, node: ast.AST) -> ast.AST | None:
        self.generic_visit(node)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return None
        if isinstance(node, ast.AnnAssign):
            return node.value and ast.copy_location(ast.Assign([node.target], node.value), node)
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, _Function):
            node.returns = None
        if getattr(node, "body", None) == [] and not isinstance(node, ast.Module):
            setattr(node, "body", [ast.Pass()])  # noqa: B010 # a kind of many that has one
        return node


def _used_by(name: str, body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The statements that a class uses, and what these use, in their order; all without it."""
    defined: dict[str, list[ast.stmt]] = {}
    for node in body:
        for each in _names_of(node):
            defined.setdefault(each, []).append(node)
    first = name.partition(".")[0]
    if first not in defined:
        return list(body)
    needed: set[int] = set()
    waiting = list(defined[first])
    while waiting:
        node = waiting.pop()
        if id(node) not in needed:
            needed.add(id(node))
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name):
                    waiting += defined.get(inner.id, ())
    return [node for node in body if id(node) in needed]


def _names_of(node: ast.stmt) -> Iterable[str]:
    """What a statement defines."""
    if isinstance(node, ast.ClassDef | _Function):
        return [node.name]
    return [
        inner.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
    ]


def _reached_methods(node: ast.ClassDef) -> list[ast.stmt]:
    """The body of a class without methods that `forward` does not reach.

    A class without `forward` keeps all: others may call what it has.
    """
    methods = {each.name: each for each in node.body if isinstance(each, _Function)}
    if "forward" not in methods:
        return node.body
    reached: set[str] = set()
    waiting = [*(_ENTRIES & methods.keys())]
    for each in node.body:
        if not isinstance(each, _Function):
            waiting += _mentioned(each) & methods.keys()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _mentioned(methods[name]) & methods.keys()
    return [each for each in node.body if not isinstance(each, _Function) or each.name in reached]


def _mentioned(node: ast.AST) -> set[str]:
    """The names and attributes that a node speaks of."""
    found = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute):
            found.add(inner.attr)
        elif isinstance(inner, ast.Name):
            found.add(inner.id)
    return found


def _rename(function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Gives a function's own variables the names v0, v1, … in the order in which they come."""
    arguments = function.args
    own = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    own += [each.arg for each in (arguments.vararg, arguments.kwarg) if each is not None]
    own += [
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    new = {name: f"v{place}" for place, name in enumerate(dict.fromkeys(own)) if name != "self"}
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            node.id = new.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = new.get(node.arg, node.arg)
