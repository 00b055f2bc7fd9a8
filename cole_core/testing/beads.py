"""A small search space for suites that need one: strings of beads."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cole_core.encodings.base import TextEncoding, VectorEncoding
from cole_core.errors import InputError
from cole_core.spaces.base import Roles, SearchSpace

if TYPE_CHECKING:
    from torch import nn

_LETTERS, _LENGTH = "abcd", 5


class Beads(SearchSpace):
    """1,024 strings of five letters of a, b, c and d; one says nothing where an a stands.

    So strings that differ in the places of their a are twins.
    """

    name = "beads"
    encodings: ClassVar = {
        "string": "cole_core.testing.beads:String",
        "places": "cole_core.testing.beads:Places",
    }
    roles = Roles(reference="string", rival="places", classic="places")

    @property
    def size(self) -> int:
        return len(_LETTERS) ** _LENGTH

    def validate(self, native: str) -> None:
        if len(native) != _LENGTH or not set(native) <= set(_LETTERS):
            raise InputError(f"{native[:20]!r}: give {_LENGTH} letters of {_LETTERS}")

    def enumerate(self) -> Iterator[str]:
        return map("".join, itertools.product(_LETTERS, repeat=_LENGTH))

    def sample(self, rng: np.random.Generator) -> str:
        return "".join(rng.choice(list(_LETTERS), _LENGTH))

    def mutate(self, native: str, rng: np.random.Generator, edits: int = 1) -> str:
        self.validate(native)
        if not 1 <= edits <= _LENGTH:
            raise InputError(f"{edits} edits are not possible: choose 1 to {_LENGTH}")
        letters = list(native)
        for place in rng.choice(_LENGTH, edits, replace=False):
            letters[place] = rng.choice([each for each in _LETTERS if each != letters[place]])
        return "".join(letters)

    def canonical_form(self, native: str) -> str:
        self.validate(native)
        return native.replace("a", "") or "a"

    def build(self, native: str) -> nn.Module:
        from torch import nn

        wide = 2 + self.canonical_form(native).count("d")
        return nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(wide), nn.Linear(wide, 4)
        )


class String(TextEncoding):
    """The letters that say something."""

    name = "string"

    def _render(self, native: str, context: str) -> str:
        form: str = self.space.canonical_form(native)
        return " ".join(form)


class Places(VectorEncoding):
    """Which of the letters that say something stands first, second, …; one-hot."""

    name = "places"

    def encode(self, natives: Sequence[str]) -> np.ndarray:
        rows = np.zeros((len(natives), _LENGTH, len(_LETTERS)), dtype=np.float32)
        for row, native in zip(rows, natives, strict=True):
            for place, letter in enumerate(self.space.canonical_form(native)):
                row[place, _LETTERS.index(letter)] = 1
        return rows.reshape(len(natives), _LENGTH * len(_LETTERS))
