"""Python source of a network without what says nothing of what it computes. Nothing is run.

What is left is the class, and of its file what it uses: without comments, docstrings, annotations,
imports, and methods that neither the constructor nor `forward` reaches.
"""

import ast
from collections.abc import Iterable, Sequence

_BEGINNINGS = frozenset({"__init__", "forward", "__post_init__"})


def normalised_source(tree: ast.Module, name: str) -> str:
    """What a file says of one of its networks.

    Args:
        tree: The file, parsed; it is changed.
        name: The network's, as `read_network` gives it; empty: the whole file.
    """
    top = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    kept = _used(top, name.partition(".")[0]) if name.isidentifier() or "." in name else top
    kept = [node for node in kept if not _is_docstring(node)]
    shortened = (_Shorten().visit(node) for node in kept)
    return "\n\n".join(ast.unparse(ast.fix_missing_locations(node)) for node in shortened)


def _used(statements: Sequence[ast.stmt], name: str) -> list[ast.stmt]:
    """What defines a name, and what that uses of the same file, in the file's order."""
    found: set[int] = set()
    waiting = [name]
    seen: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        if wanted in seen:
            continue
        seen.add(wanted)
        for place, statement in enumerate(statements):
            if wanted in _defined(statement) and place not in found:
                found.add(place)
                waiting += _names(_reached(statement))
    return [statements[place] for place in sorted(found)]


def _defined(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {statement.name}
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _names(nodes: Iterable[ast.AST]) -> list[str]:
    return [
        inner.id
        for node in nodes
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load)
    ]


def _reached(statement: ast.stmt) -> list[ast.AST]:
    """The parts of a class that a network needs; of anything else all of it."""
    if not isinstance(statement, ast.ClassDef):
        return [statement]
    body = _reachable(statement)
    return [*statement.bases, *statement.keywords, *body]


def _reachable(definition: ast.ClassDef) -> list[ast.stmt]:
    """The statements of a class without the methods that nothing reaches."""
    methods = {
        node.name: node
        for node in definition.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    if "forward" not in methods:  # a base of networks, or no network: any may be used
        return definition.body
    reached: set[str] = set()
    waiting = [name for name in methods if name in _BEGINNINGS]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        for node in ast.walk(methods[name]):
            used = node.attr if isinstance(node, ast.Attribute) else None
            if used in methods:
                waiting.append(str(used))
    return [
        node
        for node in definition.body
        if getattr(node, "name", None) not in methods or getattr(node, "name", "") in reached
    ]


class _Shorten(ast.NodeTransformer):
    """Leaves docstrings, annotations and methods that nothing reaches out."""

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.body = _reachable(node)
        self.generic_visit(node)
        node.body = _without_docstring(node.body)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        self.generic_visit(node)
        node.body = _without_docstring(node.body)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        self.generic_visit(node)
        if node.value is None:
            return ast.Pass()
        return ast.Assign(targets=[node.target], value=node.value)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    left = [node for node in body if not _is_docstring(node)]
    return left or [ast.Pass()]


def _is_docstring(node: ast.stmt) -> bool:
    """A text that stands for itself: a docstring, or one after an assignment."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
