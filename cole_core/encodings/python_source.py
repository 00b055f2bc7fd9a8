"""Which network a Python file is about, told from its source alone. The file is never run."""

import ast
import functools
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cole_core.encodings.python_names import Names, dotted, foreign_framework
from cole_core.encodings.source_files import SourceFile, read_source
from cole_core.errors import InputError

_ASKING = ("isinstance", "issubclass")
_LISTED = 8  # names in a message


@dataclass(frozen=True)
class Network:
    """What a file says of one network.

    Attributes:
        kind: class, function, or nn.Sequential.
        name: As the file has it; what a function makes, with the function's name before it.
        text: Its source.
    """

    kind: str
    name: str
    text: str


@dataclass(frozen=True, eq=False)
class _Definition:
    """What a file defines.

    Attributes:
        kind: As of `Network`.
        name: With the functions and classes around it: `make.Block`.
        node: Its statement.
        block: The statements that it stands among.
        in_class: Whether it is a part of a class.
    """

    kind: str
    name: str
    node: ast.stmt
    block: list[ast.stmt]
    in_class: bool

    @property
    def last(self) -> str:
        return self.name.rsplit(".", 1)[-1]

    @property
    def lines(self) -> int:
        return (self.node.end_lineno or self.node.lineno) - self.node.lineno + 1

    @functools.cached_property
    def used(self) -> frozenset[str]:
        """The names that it uses, but its own: asking what something is uses nothing."""
        found, asked = [], set()
        for inner in ast.walk(self.node):
            if isinstance(inner, ast.Name):
                found.append(inner)
            elif isinstance(inner, ast.Call) and dotted(inner.func) in _ASKING:
                asked |= {part for kind in inner.args[1:] for part in ast.walk(kind)}
        return frozenset(name.id for name in found if name not in asked) - {self.last}


def read_network(path: Path, name: str | None = None) -> Network:
    """The source of a file's network.

    Args:
        path: A Python file, or a notebook.
        name: Which class, function or nn.Sequential; None takes the one network that no other
            network of the file uses.

    Raises:
        InputError: There is no such file or network, or there are several; says which.
    """
    return find_network(read_source(path), name)


def find_network(source: SourceFile, name: str | None = None, remedy: str | None = None) -> Network:
    """The network of Python source that was read.

    Args:
        source: A file, or what stands for one.
        name: As of `read_network`.
        remedy: How one of several is named; by default as `FILE.py:CLASS` or with --class.

    Raises:
        InputError: As `read_network`.
    """
    tree = source.parse()
    names = Names(tree)
    defined = _definitions(tree, names)
    name = _choose(source.path, defined, names, remedy).name if name is None else name
    chosen = _find(source, defined, name)
    segment = ast.get_source_segment(source.text, chosen.node, padded=True)
    assert segment is not None  # what was parsed has its place
    text = textwrap.dedent(segment) if chosen.node.col_offset else segment
    return Network(chosen.kind, chosen.name, text)


def _definitions(tree: ast.Module, names: Names) -> list[_Definition]:
    """Classes wherever they are, functions, and what is assigned an nn.Sequential; in order."""
    found = []
    waiting: list[tuple[ast.AST, str, bool]] = [(tree, "", False)]  # a long elif is nested deeply
    while waiting:
        parent, around, in_class = waiting.pop()
        for block in _blocks(parent):
            for node in block:
                if isinstance(node, ast.ClassDef):
                    found.append(_Definition("class", around + node.name, node, block, in_class))
                    waiting.append((node, f"{around}{node.name}.", True))
                elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    found.append(_Definition("function", around + node.name, node, block, in_class))
                    waiting.append((node, f"{around}{node.name}.", in_class))
                elif not around and _is_sequential(node, names):
                    found.append(_Definition("nn.Sequential", _target(node), node, block, False))
                else:
                    waiting.append((node, around, in_class))
    return sorted(found, key=lambda each: each.node.lineno)


def _blocks(parent: ast.AST) -> Iterator[list[ast.stmt]]:
    """The lists of statements right below a node: a body, an else, what is excepted."""
    for _, value in ast.iter_fields(parent):
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield value
        elif isinstance(value, list):
            for part in value:
                if isinstance(part, ast.ExceptHandler | ast.match_case):
                    yield part.body


def _is_sequential(node: ast.stmt, names: Names) -> bool:
    if not isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr):
        return False
    if not isinstance(node.value, ast.Call):
        return False
    made = names.resolve(node.value.func) or ""
    return foreign_framework(made) is None and made.endswith("nn.Sequential")


def _target(node: ast.stmt) -> str:
    """What an nn.Sequential is assigned to; its own name where it is assigned to nothing."""
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0])
    return ast.unparse(node.target) if isinstance(node, ast.AnnAssign) else "Sequential"


def _choose(
    path: Path, defined: Sequence[_Definition], names: Names, remedy: str | None
) -> _Definition:
    """The network of a file where only one can be meant: it uses all others, and none uses it."""
    outer = {each.name: each for each in defined if each.kind == "class" and not each.in_class}
    sequential = {each.name: each for each in defined if each.kind == "nn.Sequential"}
    classes = _by_last(outer.values())
    modules = [each for each in outer.values() if _is_module(each, classes, names)]
    # `net.head = nn.Sequential(…)` is a part of something else.
    modules += [each for each in sequential.values() if each.name.isidentifier()]
    modules = modules or list(sequential.values())
    if not modules:
        raise InputError(_no_network(path, list(outer.values()), defined, names))
    is_module = set(modules)
    others = [each for each in outer.values() if each not in is_module]
    possible = modules + [each for each in others if _is_open(each, modules, classes, names)]
    used = {name for each in possible for name in each.used}
    roots = [each for each in possible if each.last not in used]
    reached = _reached(roots, _by_last([*outer.values(), *sequential.values()]))
    apart = [each for each in possible if each not in reached]  # they use each other
    if len(roots) == 1 and not apart and roots[0] in is_module:
        return roots[0]
    meant = {*roots, *apart} if is_module.issuperset(roots) else {*possible}
    listed = sorted(meant, key=lambda each: (-each.lines, each.node.lineno))  # long: likely
    remedy = remedy or f"name one as {path}:{listed[0].name} or with --class"
    raise InputError(
        f"{path} holds {len(listed)} networks that may be meant: {remedy}, of "
        f"{_listed(each.name for each in listed)}"
    )


def _by_last(definitions: Iterable[_Definition]) -> dict[str, list[_Definition]]:
    found: dict[str, list[_Definition]] = {}
    for each in definitions:
        found.setdefault(each.last, []).append(each)
    return found


def _reached(
    roots: Sequence[_Definition], by_last: Mapping[str, Sequence[_Definition]]
) -> set[_Definition]:
    """Some classes, those of the file that they use, those that these use, and so on."""
    found, waiting = set(roots), list(roots)
    while waiting:
        for name in waiting.pop().used & by_last.keys():
            more = [each for each in by_last[name] if each not in found]
            found.update(more)
            waiting += more
    return found


def _is_open(
    definition: _Definition,
    modules: Sequence[_Definition],
    classes: Mapping[str, Sequence[_Definition]],
    names: Names,
) -> bool:
    """Whether a class that is not known as a network may be one by what another file says.

    Its base is of the same package, or is anything not known as something else, while the class
    names a network of the file: a network is made of networks.
    """
    unknown = [
        base for base in _foreign_bases(definition, classes, names) if not names.is_no_module(base)
    ]
    if any(base.startswith(".") for base in unknown):
        return True
    return bool(unknown) and any(each.last in definition.used for each in modules)


def _no_network(
    path: Path, classes: Sequence[_Definition], defined: Sequence[_Definition], names: Names
) -> str:
    for each in classes:
        for base in _bases(each, names):
            if (whose := foreign_framework(base)) is not None:
                return f"{path}: {each.name} is a network of {whose}: give an nn.Module of PyTorch"
    if classes:
        return (
            f"{path} holds no nn.Module that can be told by its base class: name a class with "
            f"--class, of {_listed(each.name for each in classes)}"
        )
    if names.instead_of_torch is not None:
        return f"{path} holds a network of {names.instead_of_torch}: give an nn.Module of PyTorch"
    functions = [each.name for each in defined if each.kind == "function" and not each.in_class]
    also = f", or name a function as {path}:{functions[0]}" if functions else ""
    return f"{path} holds no class: give a file with an nn.Module{also}"


def _find(source: SourceFile, defined: Sequence[_Definition], name: str) -> _Definition:
    """What is named: with all that is around it, or by its last name where that is enough."""
    found = [each for each in defined if each.name == name]
    found = found or [each for each in defined if each.last == name]
    if not found:
        known = [each.name for each in defined if each.kind != "function"]
        known = known or [each.name for each in defined]
        raise InputError(
            f"{source.path} holds no class {name}: "
            + (f"choose one of {_listed(known)}" if known else "give a file with an nn.Module")
        )
    if len({each.name for each in found}) > 1:
        raise InputError(
            f"{source.path} holds {len(found)} of the name {name}: choose one of "
            f"{_listed(each.name for each in found)}"
        )
    if len({id(each.block) for each in found}) > 1:  # in an if and its else, say
        lines = " and ".join(source.place(each.node.lineno) for each in found)
        raise InputError(f"{source.path} defines {name} in {lines}: keep one of them")
    return found[-1]


def _is_module(
    definition: _Definition, classes: Mapping[str, Sequence[_Definition]], names: Names
) -> bool:
    """Whether a class inherits from nn.Module, directly or by classes of the file."""
    return any(map(names.is_torch_module, _foreign_bases(definition, classes, names)))


def _foreign_bases(
    definition: _Definition, classes: Mapping[str, Sequence[_Definition]], names: Names
) -> Iterator[str]:
    """What a class inherits from, directly or by classes of the file, that the file has not."""
    seen = {definition.last}
    waiting = [definition]
    while waiting:
        node = waiting.pop().node
        assert isinstance(node, ast.ClassDef)
        for base in node.bases:
            written = dotted(base) or ast.unparse(base)  # a call may give any class
            resolved = names.resolve(base) or written
            of_file = {written, resolved} & classes.keys()  # an import may have it as well
            for name in of_file - seen:
                seen.add(name)
                waiting += classes[name]
            if resolved not in classes:
                yield resolved


def _bases(definition: _Definition, names: Names) -> list[str]:
    assert isinstance(definition.node, ast.ClassDef)
    return [name for base in definition.node.bases if (name := names.resolve(base)) is not None]


def _listed(names: Iterator[str] | Sequence[str]) -> str:
    """Names for a message: the first few, and how many more."""
    distinct = list(dict.fromkeys(names))
    more = f" and {len(distinct) - _LISTED:,} more" if len(distinct) > _LISTED else ""
    return ", ".join(distinct[:_LISTED]) + more
