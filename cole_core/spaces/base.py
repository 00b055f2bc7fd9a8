"""The contract of a search space."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from cole_core.encodings.base import NO_CONTEXT, Encoding
from cole_core.encodings.registry import encoding_names, make_encoding
from cole_core.errors import InputError
from cole_core.hashing import hash_json
from cole_core.spaces.other_notation import OtherNotation

if TYPE_CHECKING:  # torch takes seconds to import, and only `build` needs it
    from torch import nn

    from cole_core.encodings.normal_form import NormalForm


@dataclass(frozen=True)
class Roles:
    """What the encodings of a space are to each other, for experiments that run on every space.

    Attributes:
        reference: What surrogates read unless asked otherwise, and others are compared with.
        former: What that was in earlier versions: a warehouse that began with it keeps it.
        renderings: The other ways to write an architecture as text that are compared with it.
        runnable: The rendering that is a class which runs.
        native: The native notation as a text.
        exported: The text of the exported graph.
        rival: The strongest encoding without a language model: it stands in every table.
        classic: What searches read before language models did.
        structural: Further encodings without a language model.
        controls: Which tell how much the language model itself contributes.
        canonical: Structural encodings of canonical forms, which tell what those contribute.
    """

    reference: str
    former: str | None = None
    renderings: tuple[str, ...] = ()
    runnable: str | None = None
    native: str | None = None
    exported: str | None = None
    rival: str | None = None
    classic: str | None = None
    structural: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    canonical: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """What a network is for.

    Attributes:
        input_shape: Channels, height, width of the images.
        classes: How many.
        macro: What the space leaves open, see `SearchSpace.macro_architecture`.
    """

    input_shape: tuple[int, int, int]
    classes: int
    macro: Mapping[str, int]


class SearchSpace(ABC):
    """A set of architectures, each named by its native string.

    Everything outside a space handles native strings; what a space parses them into is its own.
    Implementations are immutable and cheap to make.

    Attributes:
        name: The registered name.
        title: What people call it, where that is something else.
        encodings: Its encodings: names and `module:class`, each made with the space.
        lacks: What other spaces have by their normal form and this one has not.
        roles: What its encodings are in experiments.
        default_source: Where `cole run` takes accuracies from; None trains networks instead.
        default_dataset: Whose accuracies those are.
        class_name: What `code.expression` calls every architecture's class.
        is_foreign: Whether its networks are somebody's own code, which runs in processes that may
            die, and may change.
        is_absent: Whether it is a name alone, of which there is what is stored.
        notations: Other ways in which people write its architectures, by the names that they give.
        published: TOML file of what other people published on it, see
            `cole_core.experiments.published.protocols`; None where nothing is listed.
    """

    name: ClassVar[str]
    title: ClassVar[str | None] = None
    encodings: ClassVar[Mapping[str, str]]
    lacks: ClassVar[frozenset[str]] = frozenset()
    roles: Roles
    default_source: ClassVar[str | None] = None
    default_dataset: ClassVar[str | None] = None
    class_name: ClassVar[str] = "Network"
    is_foreign: ClassVar[bool] = False
    is_absent: ClassVar[bool] = False
    notations: ClassVar[Mapping[str, OtherNotation]] = {}
    published: ClassVar[Path | None] = None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What besides the native string decides the architecture, such as the input shape."""
        return {}

    @property
    def files(self) -> tuple[Path, ...]:
        """Somebody's own files that run where its networks are built."""
        return ()

    @property
    def definition(self) -> str | None:
        """Hash of what may change the space beside its parameters; None where nothing may."""
        return None

    @property
    @abstractmethod
    def size(self) -> int | None:
        """Number of architectures, or None where the space is open-ended."""

    @abstractmethod
    def validate(self, native: str) -> None:
        """Checks a native string strictly.

        Raises:
            InputError: The string is not an architecture of this space; says where it breaks.
        """

    @abstractmethod
    def enumerate(self) -> Iterator[str]:
        """All architectures in a fixed order.

        Raises:
            InputError: The space is open-ended: sample it.
        """

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> str:
        """One architecture at random."""

    @abstractmethod
    def mutate(self, native: str, rng: np.random.Generator, edits: int = 1) -> str:
        """Another architecture, `edits` edits away."""

    def prepare(self, natives: Sequence[str]) -> None:  # noqa: B027 - most need no telling
        """Told of architectures that are asked about next, for what is cheaper for several."""

    def check_makeable(self, natives: Sequence[str]) -> None:  # noqa: B027 - as most are
        """Checks that not each of some architectures is broken, where that may be.

        Raises:
            InputError: Each is; says why the first one is.
        """

    @abstractmethod
    def canonical_form(self, native: str) -> str:
        """A string that two architectures share if and only if they compute the same function."""

    @abstractmethod
    def build(self, native: str) -> nn.Module:
        """The architecture as a running network, at the space's default size."""

    def normal_form(self, native: str) -> NormalForm:
        """What the network computes, as plain data and as texts; see `NormalForm`.

        What runs somebody else's code overrides this, and does so in a process of its own.

        Raises:
            InputError: The string is not an architecture of this space.
        """
        from cole_core.encodings.normal_form import normal_form

        return normal_form(lambda: self.build(native))

    def write_foreign(self, form: NormalForm, encoding: str) -> str:
        """The text of a network from elsewhere, as an encoding of this space writes its own.

        Args:
            form: Its normal form.
            encoding: Which encoding.

        Raises:
            InputError: The encoding writes what only this space has.
            RenderingError: The network has no such text.
        """
        if encoding == "code.bare":
            return form.bare
        if encoding == "code.expression":
            return form.write_expression(self.class_name)
        raise InputError(
            f"a file's network is written as code.bare or code.expression, not as '{encoding}': "
            "give one of them with --encoding"
        )

    def runnable(self, native: str, task: Task | None = None) -> str:
        """Source that runs by itself and defines a class `Network`, made without arguments.

        Args:
            native: The architecture.
            task: What it is for; None writes the network that `build` makes.

        Raises:
            InputError: The string is not an architecture of this space.
            RenderingError: It has no such source.
        """
        if task is None or self.is_foreign:
            return self.normal_form(native).class_text
        from cole_core.encodings.normal_form import normal_form

        sizes = (task.input_shape, task.classes, task.macro)
        return normal_form(lambda: self.build_for(native, *sizes)).class_text

    def macro_architecture(self, given: Mapping[str, int]) -> dict[str, int]:
        """What the space leaves open of the network around an architecture, by name.

        Args:
            given: What is not as usual.

        Raises:
            InputError: The space leaves nothing open, or not that.
        """
        if given:
            raise InputError(
                f"architectures of {self.name} are whole networks: leave out {', '.join(given)}"
            )
        return {}

    def build_for(
        self,
        native: str,
        input_shape: tuple[int, int, int],
        classes: int,
        macro: Mapping[str, int],
    ) -> nn.Module:
        """The architecture as a network for a task.

        A space whose architectures are whole networks has input shape and classes among its
        parameters (see `get_space_for`) and builds what it builds.

        Args:
            native: The architecture.
            input_shape: Channels, height, width.
            classes: Of the task.
            macro: All that `macro_architecture` gives.
        """
        return self.build(native)

    @classmethod
    def parse_parameters(cls, text: str) -> dict[str, Any]:
        """Arguments of the constructor from what follows the colon of the space's name.

        Args:
            text: Empty where only the name is given.

        Raises:
            InputError: It is none of this space's; says what would be.
        """
        if text:
            raise InputError(
                f"search space '{cls.name}:{text}': {cls.name} has no parameters, "
                f"name it '{cls.name}'"
            )
        return {}

    @property
    def full_name(self) -> str:
        """The name, with the parameters as `parse_parameters` reads them."""
        return self.name

    @classmethod
    def for_task(
        cls, input_shape: tuple[int, int, int], classes: int, bounds: Mapping[str, int]
    ) -> SearchSpace:
        """The space whose architectures can be trained on a task.

        Args:
            input_shape: Channels, height, width of the task's images.
            classes: Of the task.
            bounds: Of what the space draws, where they are not as usual.

        Raises:
            InputError: The space has no such bound.
        """
        if bounds:
            raise InputError(f"{cls.name} takes no bounds: leave out {', '.join(bounds)}")
        return cls()

    def fitting(
        self, input_shape: tuple[int, int, int], classes: int, bounds: Mapping[str, int]
    ) -> SearchSpace:
        """This space for a task: as `for_task`, with what was said of this one."""
        return self.for_task(input_shape, classes, bounds)

    @classmethod
    def takes(cls, parameters: Mapping[str, Any]) -> bool:
        """Whether stored parameters are such as the space has now."""
        return True

    def reference(self, context: str = NO_CONTEXT) -> str:
        """What surrogates read unless asked otherwise: the first that knows the context.

        Args:
            context: What stands around an architecture in its text.
        """
        roles = self.roles
        if context != NO_CONTEXT:
            for name in filter(None, (roles.reference, roles.former, *roles.renderings)):
                if context in getattr(self.encoding(name), "contexts", ()):
                    return name
        return roles.reference

    def with_reference(self, encoding: str) -> Self:
        """The same space, of which surrogates read another encoding unless asked otherwise."""
        other = copy.copy(self)
        object.__setattr__(other, "roles", replace(self.roles, reference=encoding))
        return other

    def encoding(self, name: str) -> Encoding:
        """One of the space's encodings.

        Raises:
            InputError: It is unknown; lists the known ones.
        """
        return make_encoding(self, name)

    @property
    def encoding_names(self) -> list[str]:
        """All encodings that the space has, those of other packages among them."""
        return encoding_names(self)

    def parameter_count(self, native: str) -> int | None:
        """Trainable parameters, where the space knows them without building; None elsewhere."""
        return None

    def flops(self, native: str) -> int | None:
        """Multiply-accumulates for one input, where the space knows them without building."""
        return None

    def draw(self, native: str) -> str | None:
        """An architecture's picture, as an `<svg>` element; None where there is none."""
        return None

    def architecture_id(self, native: str) -> str:
        """Hash of the space, its parameters and the native string."""
        return hash_json({"space": self.name, **self.parameters, "native": native})
