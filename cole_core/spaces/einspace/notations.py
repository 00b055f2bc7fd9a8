"""Derivations as the authors' programs write them (github.com/linusericsson/einspace).

In text a module stands in brackets of any kind, an operation carries its numbers in its name or
behind it, with or without blanks:

    sequential[routing[im2col3k1s1p, computation[linear64], col2im], computation<norm>]

The other form is what Python prints of an architecture there, dictionaries of functions:

    OrderedDict([('fn', <function routing_module at 0x7f…>), ('children', OrderedDict([…]))])

An operation where a module is due is a computation; branches of four or eight, which are copies of
one there as here, are written out or once.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cole_core.errors import InputError, shortened
from cole_core.spaces.einspace.grammar import OPERATIONS
from cole_core.spaces.einspace.tree import parse
from cole_core.spaces.other_notation import Lookup, OtherNotation

_TOKEN = re.compile(r"\s*([A-Za-z_]\w*|\d+|[(\[{<]|[)\]}>]|,|=)\s*")
_OPENS, _CLOSES = "([{<", ")]}>"
_MODULE = re.compile(r"(sequential|branching|routing|computation)(?:_module)?(?:_(\d))?")
_DEEPEST = 200  # modules within modules that are read
_PRINTED = re.compile(r"<function (\w+) at 0x[0-9a-fA-F]+>")
_SIZE = re.compile(r"(?:torch\.)?Size\((\[[^\]]*\])\)")
# Names that carry their numbers, and the same as the grammar here writes it.
_NAMES: Sequence[tuple[re.Pattern[str], str]] = [
    (re.compile(pattern), form)
    for pattern, form in (
        (r"(?:leaky_?relu|relu)", "relu"),
        (r"(?:learnable_)?pos(?:itional)?_enc(?:oding)?", "pos_enc"),
        (r"linear\(?(\d+)\)?", "linear({0})"),
        (r"im2col(\d+)k(\d+)s(\d+)p", "im2col({0},{1},{2})"),
        (r"im2col\((\d+),(\d+),(\d+)\)", "im2col({0},{1},{2})"),
        (r"perm(?:ute)?(\d)(\d)", "perm(0,{0},{1})"),
        (r"perm(?:ute)?(\d)(\d)(\d)", "perm(0,{0},{1},{2})"),
        (r"perm(?:ute)?\(0,(\d),(\d)\)", "perm(0,{0},{1})"),
        (r"perm(?:ute)?\(0,(\d),(\d),(\d)\)", "perm(0,{0},{1},{2})"),
        (r"clone(?:_tensor)?\(?(\d)\)?", "clone({0})"),
        (r"group_dim(\d)s(\d)d", "group({0},{1})"),
        (r"group(?:_dim)?\((\d),(\d)\)", "group({0},{1})"),
        (r"add\((\d)\)", "add({0})"),
        (r"cat_tensors(\d)d(\d)t", "cat({1},{0})"),
        (r"cat\((\d),(\d)\)", "cat({0},{1})"),
        (r"dot_product(?:\((?:scaled=)?False\))?", "dot_product"),
        (r"scaled_dot_product|dot_product\((?:scaled|(?:scaled=)?True)\)", "dot_product(scaled)"),
        (r"(identity|norm|softmax|col2im)", "{0}"),
    )
]
_ALL = {operation.text for operations in OPERATIONS.values() for operation in operations}


@dataclass(frozen=True)
class _Node:
    """A name with what stands in its brackets."""

    name: str
    children: tuple[_Node, ...] = ()


def read_authors(text: str, lookup: Lookup) -> str:
    """The derivation as the grammar here writes it.

    Raises:
        InputError: It is not written in one of the two forms, or is no derivation; says where.
    """
    node = _printed(text) if "'fn'" in text else _bracketed(text)
    native = _module(node, text, 0)
    parse(native)
    return native


def _bracketed(text: str) -> _Node:
    """The tree of a text in brackets."""
    tokens: list[str] = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _unlike(text, f"'{text[position : position + 12]}' does not belong there")
        tokens.append(found[1])
        position = found.end()
    stack: list[tuple[str, list[_Node]]] = [("", [])]
    pending: str | None = None  # a name whose bracket may follow
    brackets: list[str] = []
    for place, token in enumerate(tokens):
        opens = token in _OPENS
        follows = tokens[place + 1 : place + 2]
        if opens:
            stack.append((pending or "", []))
            brackets.append(token)
            pending = None
            continue
        if pending is not None:
            stack[-1][1].append(_Node(pending))
            pending = None
        if token in _CLOSES:
            if not brackets or _CLOSES.index(token) != _OPENS.index(brackets.pop()):
                raise _unlike(text, f"a bracket '{token}' closes none")
            name, children = stack.pop()
            node = _Node(name, tuple(children))
            if follows and follows[0] in _OPENS:  # branching(2)[…]
                pending = _flat(node)
            else:
                stack[-1][1].append(node)
        elif token == "=":
            pending = _flat(stack[-1][1].pop()) + "=" if stack[-1][1] else "="
        elif token != ",":
            before = tokens[place - 1 : place]
            pending = f"{_flat(stack[-1][1].pop())}{token}" if before == ["="] else token
    if pending is not None:
        stack[-1][1].append(_Node(pending))
    if len(stack) != 1 or len(stack[0][1]) != 1:
        raise _unlike(text, "its brackets do not fit")
    return stack[0][1][0]


def _flat(node: _Node) -> str:
    """An operation or a head with its numbers, without blanks; `permute([0, 2, 1])` as well."""
    if not node.children:
        return node.name
    inner = ",".join(_flat(child) for child in node.children)
    return f"{node.name}({inner})" if node.name else inner


def _printed(text: str) -> _Node:
    """The tree of dictionaries as Python prints them."""
    plain = _SIZE.sub(r"\1", _PRINTED.sub(r"'\1'", text))
    try:
        value = ast.parse(plain.strip(), mode="eval").body
        return _of_dictionary(_plain(value), text, 0)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise _unlike(text, "it is not what Python prints of one") from error


def _plain(node: ast.expr) -> Any:
    """The value of an expression in which ordered dictionaries are the only calls."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        if node.func.id != "OrderedDict":
            raise ValueError(node.func.id)
        return _plain(node.args[0])
    if isinstance(node, ast.Dict):
        return {
            key.value: _plain(value)
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant)
        }
    if isinstance(node, ast.List | ast.Tuple):
        values = [_plain(each) for each in node.elts]
        pairs = [each for each in values if isinstance(each, list) and len(each) == 2]
        if values and len(pairs) == len(values) and all(isinstance(each[0], str) for each in pairs):
            return dict(pairs)
        return values
    return ast.literal_eval(node)


def _of_dictionary(value: Any, text: str, depth: int) -> _Node:
    if isinstance(value, str):
        return _Node(value)
    if not isinstance(value, Mapping) or "fn" not in value or depth > _DEEPEST:
        raise _unlike(text, "a module without 'fn', or too many within each other")
    children: list[_Node] = []
    inner = value.get("children") or {}
    order = ("first_fn", "second_fn", "branching_fn", "prerouting_fn", "inner_fn")
    for name in (*order, "postrouting_fn", "aggregation_fn", "computation_fn"):
        if name in inner:
            found = inner[name] if isinstance(inner[name], list) else [inner[name]]
            children += (_of_dictionary(each, text, depth + 1) for each in found)
    return _Node(str(value["fn"]), tuple(children))


def _module(node: _Node, text: str, depth: int) -> str:
    """A module as the grammar here writes it."""
    if depth > _DEEPEST:
        raise _unlike(text, f"more than {_DEEPEST} modules within each other")
    head, _, number = node.name.rstrip(")").partition("(")
    kind = _MODULE.fullmatch(head)
    if kind is None:
        return f"computation<{_operation(node, text)}>"
    inner = node.children
    if kind[1] == "computation" and len(inner) == 1:
        return f"computation<{_operation(inner[0], text)}>"
    if kind[1] == "sequential" and len(inner) > 1:
        modules = [_module(each, text, depth + 1) for each in inner]
        if len(modules) > 2:
            raise _unlike(text, f"sequential has two modules, not {len(modules)}")
        return f"sequential({', '.join(modules)})"
    if kind[1] == "routing" and len(inner) == 3:
        first, last = (_operation(each, text) for each in (inner[0], inner[2]))
        return f"routing[{first}, {_module(inner[1], text, depth + 1)}, {last}]"
    if kind[1] == "branching" and len(inner) > 2:
        return _branching(inner, number or kind[2], text, depth)
    raise _unlike(text, f"{head} has not {len(inner)} parts")


def _branching(inner: Sequence[_Node], said: str | None, text: str, depth: int) -> str:
    first = _operation(inner[0], text)
    branches = re.search(r"\d", first)
    number = said or (branches[0] if branches else "")
    last = inner[-1]
    joined = f"add({number})" if last.name == "add_tensors" else _operation(last, text)
    modules = [_module(each, text, depth + 1) for each in inner[1:-1]]
    if number != "2" and modules:
        if len(modules) not in (1, int(number or 0)) or len(set(modules)) > 1:
            raise _unlike(text, f"branching({number}) has copies of one module, not {len(modules)}")
        modules = modules[:1]
    return f"branching({number}){{{first}, {', '.join(modules)}, {joined}}}"


def _operation(node: _Node, text: str) -> str:
    """An operation as the grammar here writes it."""
    written = _flat(node)
    for pattern, form in _NAMES:
        found = pattern.fullmatch(written)
        if found is not None and (made := form.format(*found.groups())) in _ALL:
            return made
    raise _unlike(text, f"the grammar has no operation '{written}'")


def _unlike(text: str, what: str) -> InputError:
    return InputError(
        f"{shortened(text)} is no derivation as the authors write it: {what}; write "
        "sequential[computation[linear64], computation[norm]], or as this space does"
    )


NOTATIONS: Mapping[str, OtherNotation] = {
    "authors": OtherNotation("a derivation as einspace's authors write it", read_authors)
}
