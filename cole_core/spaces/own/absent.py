"""A space whose file is not at hand: what a warehouse holds of it can be asked for all the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cole_core.encodings.base import Encoding, RenderingError, TextEncoding
from cole_core.encodings.proxies import split_source
from cole_core.encodings.registry import GENERIC, make_encoding
from cole_core.errors import InputError
from cole_core.spaces.base import Roles, SearchSpace
from cole_core.spaces.own.naming import named_with
from cole_core.spaces.own.usual import USUAL_ROLES

if TYPE_CHECKING:
    from torch import nn

    from cole_core.encodings.normal_form import NormalForm


class AbsentSpace(SearchSpace):
    """A space of which there is a name alone. Nothing of it runs."""

    is_foreign = True
    is_absent = True
    encodings: ClassVar[Mapping[str, str]] = {}
    roles: Roles = USUAL_ROLES

    def __init__(self, **parameters: Any) -> None:
        self._parameters = parameters

    def __reduce__(self) -> tuple[Any, ...]:
        return absent_space, (self.name, self._parameters)

    @property
    def parameters(self) -> Mapping[str, Any]:
        return dict(self._parameters)

    @property
    def full_name(self) -> str:
        return named_with(self.name, self._parameters)

    @property
    def size(self) -> int | None:
        return None

    def encoding(self, name: str) -> Encoding:
        known = split_source(name)[0] in GENERIC
        return make_encoding(self, name) if known else _StoredTexts(self, name)

    @property
    def encoding_names(self) -> list[str]:
        return sorted(GENERIC)

    def validate(self, native: str) -> None:
        raise self.lacks_file()

    def enumerate(self) -> Iterator[str]:
        raise self.lacks_file()

    def sample(self, rng: np.random.Generator) -> str:
        raise self.lacks_file()

    def mutate(self, native: str, rng: np.random.Generator, edits: int = 1) -> str:
        raise self.lacks_file()

    def canonical_form(self, native: str) -> str:
        raise self.lacks_file()

    def architecture_id(self, native: str) -> str:
        raise self.lacks_file()

    def build(self, native: str) -> nn.Module:
        raise self.lacks_file()

    def normal_form(self, native: str) -> NormalForm:
        raise self.lacks_file()

    @classmethod
    def for_task(
        cls, input_shape: tuple[int, int, int], classes: int, bounds: Mapping[str, int]
    ) -> SearchSpace:
        raise cls.lacks_file()

    @classmethod
    def parse_parameters(cls, text: str) -> dict[str, Any]:
        raise cls.lacks_file()

    @classmethod
    def lacks_file(cls) -> InputError:
        """What is said where the file is needed."""
        file, _, thing = cls.name.partition(":")
        return InputError(
            f"{cls.name} is the space of a file, which this needs: name it with its folder, as "
            f"path/to/{file}:{thing}"
        )


class _StoredTexts(TextEncoding):
    """An encoding of which there is what was stored."""

    def __init__(self, space: AbsentSpace, name: str) -> None:
        super().__init__(space)
        self.name = name

    def _render(self, native: str, context: str) -> str:
        raise RenderingError(str(self.space.lacks_file()))


_classes: dict[str, type[AbsentSpace]] = {}


def absent_space(name: str, parameters: Mapping[str, Any]) -> AbsentSpace:
    """The space of a name, as a warehouse says it."""
    if name not in _classes:
        _classes[name] = type("Absent", (AbsentSpace,), {"name": name, "__module__": __name__})
    return _classes[name](**parameters)
