"""Derivation trees, and their strings read and written without recursion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from cole_core.errors import InputError
from cole_core.spaces.einspace.grammar import KINDS, MODULES, OPERATIONS, Kind, Operation, Slot

_HEADS = {kind.parts[0]: kind for kind in KINDS}
_HEAD = re.compile("|".join(re.escape(str(head)) for head in _HEADS))
_BY_TEXT = {
    nonterminal: {operation.text: operation for operation in operations}
    for nonterminal, operations in OPERATIONS.items()
}
_WORD = re.compile(r"\w+(\([\w,]*\))?")
_SHOWN = 24  # characters of the input that an error message quotes


@dataclass(frozen=True, eq=False, repr=False)
class Module:
    """An inner node of a derivation. Two are equal if their derivations are.

    Attributes:
        kind: What kind of module it is.
        children: A module or an operation for each slot of the kind.
    """

    kind: Kind
    children: tuple[Module | Operation, ...]

    @cached_property
    def text(self) -> str:
        """The derivation string."""
        return "".join(
            token if isinstance(token, str) else token.child.text
            for token in _tokens(self)
            if isinstance(token, str) or isinstance(token.child, Operation)
        )

    # Generated methods would recurse, and a deep tree would exhaust the stack.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Module) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Module({self.text!r})"


class Place(NamedTuple):
    """A slot of a derivation, and what fills it.

    Attributes:
        parent: The module whose slot it is.
        nth: Which of the parent's slots, from 0.
        slot: The slot.
        child: What fills it.
    """

    parent: Module
    nth: int
    slot: Slot
    child: Module | Operation


def _tokens(root: Module) -> Iterator[str | Place]:
    """The derivation from left to right: fixed text, operations, and modules as they begin."""
    agenda: list[str | Place] = [*reversed(_parts(root))]
    while agenda:
        token = agenda.pop()
        yield token
        if not isinstance(token, str) and isinstance(token.child, Module):
            agenda += reversed(_parts(token.child))


def _parts(module: Module) -> list[str | Place]:
    parts: list[str | Place] = []
    index = 0
    for part in module.kind.parts:
        if isinstance(part, str):
            parts.append(part)
        else:
            parts.append(Place(module, index, part, module.children[index]))
            index += 1
    return parts


def walk(root: Module) -> Iterator[tuple[int, Place]]:
    """The filled slots below a module from left to right, parents before children.

    Yields:
        The position of the child in the derivation string, and the place.
    """
    position = 0
    for token in _tokens(root):
        if isinstance(token, str):
            position += len(token)
        else:
            yield position, token
            if isinstance(token.child, Operation):
                position += len(token.child.text)


def modules_of(root: Module) -> int:
    """Number of modules in a derivation, the root included."""
    return 1 + sum(isinstance(place.child, Module) for _, place in walk(root))


def depth_of(root: Module) -> int:
    """Modules on the longest way from the root to a leaf."""
    deepest, level = 1, [root]
    while level := [
        child for module in level for child in module.children if isinstance(child, Module)
    ]:
        deepest += 1
    return deepest


def parse(native: str, nonterminal: str = "network") -> Module:
    """Reads a derivation string strictly: each derivation has one string.

    Args:
        native: The string.
        nonterminal: "network", or "module" where a computation alone is allowed as well.

    Raises:
        InputError: The string is no derivation; says where it breaks and what is due there.
    """
    position = 0
    agenda: list[str | Slot | Kind] = [Slot(nonterminal)]  # a kind: its children are complete
    owners: list[Kind] = []
    values: list[Module | Operation] = []
    while agenda:
        part = agenda.pop()
        if isinstance(part, str):
            if not native.startswith(part, position):
                raise malformed(native, position, f"'{part}' of {owners[-1].form}")
            position += len(part)
        elif isinstance(part, Kind):
            owners.pop()
            count = len(part.slots)
            values[-count:] = [Module(part, tuple(values[-count:]))]
        elif part.nonterminal in MODULES:
            head = _HEAD.match(native, position)
            kind = _HEADS[head.group()] if head else None
            if kind is None or kind not in MODULES[part.nonterminal]:
                due = ", ".join(kind.name for kind in MODULES[part.nonterminal])
                raise malformed(native, position, f"a {part.nonterminal} (one of {due})")
            owners.append(kind)
            agenda += [kind, *reversed(kind.parts)]
        else:
            word = _WORD.match(native, position)
            operation = _BY_TEXT[part.nonterminal].get(word.group()) if word else None
            if operation is None:
                due = ", ".join(_BY_TEXT[part.nonterminal])
                raise malformed(native, position, f"one of {due}")
            values.append(operation)
            position += len(operation.text)
    if position < len(native):
        raise malformed(native, position, "the end")
    (root,) = values
    assert isinstance(root, Module)
    return root


def malformed(native: str, position: int, due: str) -> InputError:
    """The error for a string that breaks at a position.

    Args:
        native: The string.
        position: Index of the character where it breaks, from 0.
        due: What should stand there.
    """
    rest = native[position : position + _SHOWN]
    found = repr(rest + ("…" if len(native) > position + _SHOWN else "")) if rest else "the end"
    return InputError(
        f"no einspace derivation: at character {position + 1} stands {found} where {due} is due"
    )
