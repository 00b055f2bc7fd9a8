"""How the architectures of a space are written, learnt from its own: what resembles one, and
other ways to set its blanks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cole_core.errors import InputError
from cole_core.spaces.base import SearchSpace

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
