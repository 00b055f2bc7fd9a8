"""A corpus: the networks that were given, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cole_core.encodings.base import RenderingError
from cole_core.errors import InputError, shortened
from cole_core.spaces.base import Roles, SearchSpace
from cole_core.spaces.corpus.members import Member

if TYPE_CHECKING:
    from torch import nn

    from cole_core.encodings.normal_form import NormalForm

PREFIX = "corpus:"


class UntracedError(RenderingError, InputError):
    """A member has no normal form: of many it is left out, alone it is refused."""


def is_corpus(name: str) -> bool:
    """Whether a search space's name is that of a corpus."""
    return name.startswith(PREFIX)


_TRACED = Roles(
    reference="code.expression",
    renderings=("code.bare", "code.source"),
    runnable="code.class",
    exported="onnx",
    rival="graf",
    structural=("counts",),
    controls=("ngram",),
)


class Corpus(SearchSpace):
    """Networks that somebody collected.

    A search on it chooses among what is given: a mutant is any other member. What is asked of a
    member is told from its source, or from the normal form that was stored when it was traced;
    only `build` runs code, and only where that was allowed.

    Args:
        name: Its full name, such as `corpus:mine`.
        members: The networks, in the order in which they came.
        may_run: Whether their code may be run.
    """

    name: ClassVar[str] = "corpus"
    is_foreign = True
    encodings: ClassVar[Mapping[str, str]] = {
        "code.source": "cole_core.spaces.corpus.encodings:Source",
        "code.bare": "cole_core.spaces.corpus.encodings:Bare",
        "code.expression": "cole_core.spaces.corpus.encodings:Expression",
        "code.class": "cole_core.spaces.corpus.encodings:CodeClass",
    }
    roles: Roles = Roles(reference="code.source")
    static: ClassVar[frozenset[str]] = frozenset({"code.source"})
    """Encodings that need no normal form."""

    def __init__(
        self, name: str = f"{PREFIX}empty", members: Sequence[Member] = (), may_run: bool = False
    ) -> None:
        self.name = name  # type: ignore[misc]  # one class for all corpora
        self.members = tuple(members)
        self.may_run = may_run
        if may_run or self.traced:
            self.roles = _TRACED

    @property
    def size(self) -> int:
        return len(self.members)

    @cached_property
    def _by_native(self) -> dict[str, Member]:
        return {member.native: member for member in self.members}

    def member(self, native: str) -> Member:
        """The member of a native string.

        Raises:
            InputError: There is none.
        """
        if (found := self._by_native.get(native)) is None:
            example = f", such as {self.members[0].native}" if self.members else ""
            raise InputError(
                f"{shortened(native)} is no member of {self.name}: give one of its "
                f"{self.size:,} native strings{example}"
            )
        return found

    @cached_property
    def traced(self) -> list[str]:
        """The members that have a normal form."""
        return [member.native for member in self.members if member.form is not None]

    def check_known(self, encoding: str) -> None:
        """Checks that an encoding has something to write without running anything.

        Raises:
            InputError: It needs normal forms, and there are none.
        """
        if encoding not in self.static and not self.traced:
            raise InputError(
                f"'{encoding}' is written of traced networks, and none of {self.name} was: add "
                "--run, which runs their code, or take --encoding code.source"
            )

    def check_all_known(self, encoding: str) -> None:
        """Checks that an encoding can write every member without running anything.

        Raises:
            InputError: It needs normal forms, and some members have none.
        """
        lacking = self.size - len(self.traced)
        if encoding not in self.static and lacking:
            raise InputError(
                f"'{encoding}' is written of traced networks, and {lacking:,} of {self.size:,} of "
                f"{self.name} were not: trace them with 'cole render {self.name} --encoding "
                f"{encoding} --run', or take --encoding code.source"
            )

    def validate(self, native: str) -> None:
        self.member(native)

    def enumerate(self) -> Iterator[str]:
        return iter([member.native for member in self.members])

    def sample(self, rng: np.random.Generator) -> str:
        return self.members[int(rng.integers(self.size))].native

    def mutate(self, native: str, rng: np.random.Generator, edits: int = 1) -> str:
        """Any other member: what is given has no neighbours but by its vectors."""
        self.validate(native)
        if edits < 1:
            raise InputError(f"{edits} edits: give at least 1")
        others = [member.native for member in self.members if member.native != native]
        if not others:
            raise InputError(f"{self.name} has one member, so there is no other: add some")
        return others[int(rng.integers(len(others)))]

    def canonical_form(self, native: str) -> str:
        return self.member(native).canonical

    def normal_form(self, native: str) -> NormalForm:
        """The stored one: nothing is run to answer.

        Raises:
            InputError: There is no such member.
            UntracedError: It was not traced.
        """
        found = self.member(native).form
        if found is None:
            raise UntracedError(
                f"{native} was not traced: 'cole render {self.name} --encoding code.expression "
                "--run' runs its code and keeps what it computes"
            )
        return found

    def build(self, native: str) -> nn.Module:
        """The network, with the arguments that came with it.

        Raises:
            InputError: There is no such member, or code may not be run.
        """
        return self._build(native, {})

    def build_for(
        self,
        native: str,
        input_shape: tuple[int, int, int],
        classes: int,
        macro: Mapping[str, int],
    ) -> nn.Module:
        task = {"shape": input_shape, "channels": input_shape[0], "classes": classes}
        return self._build(native, task)

    def _build(self, native: str, task: Mapping[str, object]) -> nn.Module:
        member = self.member(native)
        if not self.may_run:
            raise InputError(f"to build networks of {self.name} runs their code: add --run")
        from cole_core.spaces.corpus.running import build_member

        return build_member(member, task)
