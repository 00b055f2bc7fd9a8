"""How the architectures of a space are written, learnt from its own: what resembles one, and
what a string is read as: a native string, its blanks apart, or one in another notation."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cole_core.errors import InputError, shortened
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.other_notation import AmbiguousError, Lookup, OtherNotation, Written, no_list

_SAMPLES = 32
_WORD = re.compile(r"[^\W\d]\w*")
_PAIRS = str.maketrans(")]}>", "([{<")  # a bracket and its other half are one mark
_BRACKETS = set("([{<")
_USUAL = set(",.-:;'\"()")  # marks that any sentence may have


@dataclass(frozen=True)
class Notation:
    """What native strings of a space are made of.

    Attributes:
        example: A short one.
        words: Names of operations and the like.
        marks: What stands between them.
    """

    example: str
    words: frozenset[str]
    marks: frozenset[str]

    def resembles(self, text: str) -> bool:
        """Whether somebody who wrote this meant an architecture of the space.

        A name of the space next to one of its marks, or several marks that are rare elsewhere.
        """
        if len((_marks(text) & self.marks) - _USUAL - _BRACKETS) > 1:
            return True
        return any(
            match[0] in self.words
            and (self._is_mark(text[: match.start()][-1:]) or self._opens(text[match.end() :][:1]))
            for match in _WORD.finditer(text)
        )

    def _is_mark(self, letter: str) -> bool:
        return letter.translate(_PAIRS) in self.marks - _USUAL

    def _opens(self, letter: str) -> bool:
        return self._is_mark(letter) or (letter == "(" and letter in self.marks)


def notation_of(space: SearchSpace) -> Notation:
    """The notation of a space, from some of its architectures."""
    rng = np.random.default_rng(0)
    drawn = [space.sample(rng) for _ in range(_SAMPLES)]
    return Notation(
        example=min(drawn, key=len),
        words=frozenset(word for native in drawn for word in _WORD.findall(native)),
        marks=frozenset(mark for native in drawn for mark in _marks(native)),
    )


def read_native(space: SearchSpace, text: str) -> str | None:
    """The native string that a text is but for its blanks; None where it is none."""
    for native in _spellings(text):
        try:
            space.validate(native)
        except InputError:
            continue
        return native
    return None


def read_architecture(
    space: SearchSpace, text: str, notation: str | None = None, lookup: Lookup = no_list
) -> Written | None:
    """The architecture that a string means.

    Args:
        space: Whose.
        text: In one of its notations.
        notation: Which of the space's other notations; None reads what is sure by itself.
        lookup: Finds a place in the space's official list.

    Returns:
        None where it is written in none.

    Raises:
        AmbiguousError: It means different architectures in different notations.
        InputError: The notation is unknown, or the string is not written so.
    """
    if notation is not None:
        if notation not in space.notations:
            known = ", ".join(space.notations)
            says = (
                f"{known}: choose one of them" if known else "no other than its own: leave it out"
            )
            raise InputError(f"--notation {notation}: {space.name} knows {says}")
        named = space.notations[notation]
        native = named.read(text, lookup)
        space.validate(native)
        return Written(native, named.about)
    if (own := read_native(space, text)) is not None:
        return Written(own)
    meanings: dict[str, list[str]] = {}
    for name, other in space.notations.items():
        if not other.is_named and (meant := _read_or_none(other, text)) is not None:
            meanings.setdefault(meant, []).append(name)
    if len(meanings) > 1:
        ways = (
            f"--notation {' or '.join(names)} for {native}" for native, names in meanings.items()
        )
        raise AmbiguousError(shortened(text), ", ".join(ways))
    for native, names in meanings.items():
        space.validate(native)
        others = ", ".join(names[1:])
        also = f", read alike as {others}" if others else ""
        return Written(native, space.notations[names[0]].about + also)
    return None


def _read_or_none(notation: OtherNotation, text: str) -> str | None:
    try:
        return notation.read(text, no_list)
    except InputError:
        return None


def _spellings(text: str) -> Iterator[str]:
    yield text
    if (bare := "".join(text.split())) != text:
        yield text.strip()
        yield bare
    yield re.sub(r",(?!\d)", ", ", bare)  # arguments apart, numbers together


def _marks(text: str) -> frozenset[str]:
    return frozenset(
        mark
        for mark in text.translate(_PAIRS)
        if not (mark.isalnum() or mark.isspace() or mark == "_")
    )
