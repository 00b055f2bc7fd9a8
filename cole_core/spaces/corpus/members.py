"""The members of a corpus: a network's code, which class of it, and what it is made with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cole_core.errors import InputError
from cole_core.hashing import hash_text
from cole_core.spaces.corpus.natives import native_of

if TYPE_CHECKING:
    from cole_core.encodings.normal_form import NormalForm


@dataclass(frozen=True)
class Member:
    """One network that somebody wrote.

    Attributes:
        name: What it is called: the path of its file in its folder, or what a table says.
        class_name: Which class of its code, or what its `nn.Sequential` is assigned to.
        code: The whole source of its file.
        arguments: Of the constructor, by name.
        place: Where it is from, in words: a file, or a table's row.
        own: What a table says of it beside measured values.
        canonical: What its twins share: the text of its normal form where it was traced when it
            came in, its normalised source otherwise.
        form: Its normal form, where it was traced.
    """

    name: str
    class_name: str
    code: str = field(repr=False)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""
    own: Mapping[str, Any] = field(default_factory=dict)
    canonical: str = field(default="", repr=False)
    form: NormalForm | None = field(default=None, repr=False)

    @property
    def code_hash(self) -> str:
        """Content hash of the code."""
        return hash_text(self.code)

    @cached_property
    def native(self) -> str:
        """How it is named."""
        return native_of(self.name, self.class_name, self.code_hash, self.arguments)


def read_arguments(text: str, where: str) -> dict[str, Any]:
    """Arguments of a constructor, as people write them: a JSON object.

    Args:
        text: What they wrote.
        where: Where, for messages: "--arguments", or a table's row.

    Raises:
        InputError: It is none.
    """
    remedy = "give a JSON object of names and values, as '{\"channels\": 16}'"
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is no JSON ({error}): {remedy}") from error
    if not isinstance(found, dict) or not all(name.isidentifier() for name in found):
        raise InputError(f"{where} is {' '.join(text.split())[:80]}: {remedy}")
    return found
