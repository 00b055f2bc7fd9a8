"""A space that somebody's own class of a file is: it runs in the process of files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from cole_core.encodings.base import Encoding, RenderingError, TextEncoding, VectorEncoding
from cole_core.encodings.proxies import split_source
from cole_core.encodings.registry import encoding_names, make_encoding
from cole_core.errors import InputError
from cole_core.foreign_code import RunFailed
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.own import asking, runs
from cole_core.spaces.own.asking import AskedSpace, Encodes

if TYPE_CHECKING:
    from torch import nn

    from cole_core.encodings.normal_form import NormalForm

_AT_ONCE = 10_000  # architectures that one call lists

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class SpaceDescription:
    """A class of spaces, as plain data.

    Attributes:
        path: The file.
        class_name: The class.
        name: What the warehouse calls the space.
        about: What the class says.
        files: The files that decide it, with their hashes.
        definition: Hash of what the class says, see `Description`.
    """

    path: str
    class_name: str
    name: str
    about: AskedSpace
    files: dict[str, str]
    definition: str

    def call(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        """Runs a function of `asking` for this class."""
        return runs.call_for(self.name, function, self.path, self.class_name, *arguments)


class FileSpace(SearchSpace):
    """A space whose every answer comes from its class. Each class has a subclass, see `space_of`.

    Args:
        **parameters: Of the class.

    Raises:
        InputError: The class does not take them.
    """

    description: ClassVar[SpaceDescription]
    is_foreign = True
    encodings: ClassVar[Mapping[str, str]] = {}

    def __init__(self, **parameters: Any) -> None:
        settled = self.description.call(asking.settle, parameters)
        self._parameters, self._said, self._size = settled

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.description, self._parameters)

    @property
    def parameters(self) -> Mapping[str, Any]:
        return dict(self._parameters)

    @property
    def full_name(self) -> str:
        return f"{self.name}:{self._said}" if self._said else self.name

    @property
    def definition(self) -> str | None:
        return self.description.definition

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(map(Path, self.description.files))

    @property
    def size(self) -> int | None:
        return self._size

    def validate(self, native: str) -> None:
        self._ask("validate", native)

    def enumerate(self) -> Iterator[str]:
        start = 0
        while batch := self._call(asking.listed, start, _AT_ONCE):
            yield from batch
            start += len(batch)

    def sample(self, rng: np.random.Generator) -> str:
        return self._draw(rng, "sample")

    def mutate(self, native: str, rng: np.random.Generator, edits: int = 1) -> str:
        return self._draw(rng, "mutate", native, edits)

    def canonical_form(self, native: str) -> str:
        return str(self._ask("canonical_form", native))

    def build(self, native: str) -> nn.Module:
        """As the base class has it. It runs the file here: for processes that may die."""
        return self._here.build(native)

    def build_for(
        self,
        native: str,
        input_shape: tuple[int, int, int],
        classes: int,
        macro: Mapping[str, int],
    ) -> nn.Module:
        return self._here.build_for(native, input_shape, classes, macro)

    def macro_architecture(self, given: Mapping[str, int]) -> dict[str, int]:
        return dict(self._ask("macro_architecture", dict(given)))

    def normal_form(self, native: str) -> NormalForm:
        about = self.description
        try:
            return runs.call(asking.form, about.path, about.class_name, self._parameters, native)
        except RunFailed as error:
            raise RenderingError(f"{native}: {error}") from error

    def rendered(self, encoding: str, native: str, context: str) -> str:
        """An architecture's text, by an encoding of the class.

        Raises:
            RenderingError: It has none.
        """
        about = (self.description.path, self.description.class_name, self._parameters)
        try:
            return runs.call(asking.render, *about, encoding, [native], context)[0]
        except RunFailed as error:
            raise RenderingError(f"{native}: {error}") from error

    def parameter_count(self, native: str) -> int | None:
        count = self._ask("parameter_count", native)
        return None if count is None else int(count)

    def draw(self, native: str) -> str | None:
        drawn = self._ask("draw", native)
        return None if drawn is None else str(drawn)

    @classmethod
    def parse_parameters(cls, text: str) -> dict[str, Any]:
        return dict(cls.description.call(asking.of_class, "parse_parameters", (text,)))

    @classmethod
    def for_task(
        cls, input_shape: tuple[int, int, int], classes: int, bounds: Mapping[str, int]
    ) -> SearchSpace:
        task = (tuple(input_shape), classes, dict(bounds))
        return cls(**cls.description.call(asking.of_class, "for_task", task))

    def encoding(self, name: str) -> Encoding:
        for each in self.description.about.encodings:
            if each.name == name:
                return (_Vectors if each.contexts is None else _Texts)(self, each)
        if split_source(name)[0] not in self.encoding_names:
            raise InputError(
                f"unknown encoding of {self.name} '{name}': choose one of "
                f"{', '.join(self.encoding_names)}"
            )
        return make_encoding(self, name)

    @property
    def encoding_names(self) -> list[str]:
        own = {each.name for each in self.description.about.encodings}
        return sorted(own | set(encoding_names(self)))

    @property
    def _here(self) -> SearchSpace:
        about = self.description
        return asking.made_space(about.path, about.class_name, self._parameters)

    def _call(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        return self.description.call(function, self._parameters, *arguments)

    def _ask(self, method: str, *arguments: Any) -> Any:
        return self._call(asking.ask, method, arguments)

    def _draw(self, rng: np.random.Generator, method: str, *arguments: Any) -> str:
        bits = rng.bit_generator
        drawn, state = self._call(asking.draw, method, arguments, bits.state)
        bits.state = state
        return drawn


class _Texts(TextEncoding):
    def __init__(self, space: FileSpace, about: Encodes) -> None:
        super().__init__(space)
        self.name = about.name
        self.contexts = about.contexts or ()
        self.is_slow = about.is_slow

    def _render(self, native: str, context: str) -> str:
        return str(self.space.rendered(self.name, native, context))


class _Vectors(VectorEncoding):
    def __init__(self, space: FileSpace, about: Encodes) -> None:
        super().__init__(space)
        self.name = about.name

    def encode(self, natives: Sequence[str]) -> np.ndarray:
        rows = self.space._call(asking.encode, self.name, list(natives))
        return np.asarray(rows, np.float32)


_classes: dict[str, type[FileSpace]] = {}


def file_space_of(description: SpaceDescription) -> type[FileSpace]:
    """The class of a description: one for each, so that copies are of one class."""
    key = f"{description.path}:{description.class_name} {sorted(description.files.items())}"
    if key not in _classes:
        about = {
            name: getattr(description.about, name)
            for name in ("title", "roles", "default_source", "default_dataset")
        }
        about |= {"name": description.name, "description": description, "__module__": __name__}
        _classes[key] = type(description.class_name, (FileSpace,), about)
    return _classes[key]


def _restore(description: SpaceDescription, parameters: Mapping[str, Any]) -> FileSpace:
    return file_space_of(description)(**parameters)
