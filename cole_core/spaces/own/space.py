"""A space that is a constructor: its arguments say what they may be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cole_core.encodings.base import RenderingError
from cole_core.errors import InputError
from cole_core.foreign_code import RunFailed
from cole_core.foreign_code.task_arguments import TASK
from cole_core.hashing import hash_json
from cole_core.spaces.base import Roles, SearchSpace, Task
from cole_core.spaces.own import runs
from cole_core.spaces.own.annotations import REMEDY, Signature
from cole_core.spaces.own.choices import Record, Several
from cole_core.spaces.own.describing import Failure, build, describe_networks
from cole_core.spaces.own.naming import named_with
from cole_core.spaces.own.native import read, read_arguments, write
from cole_core.spaces.own.usual import USUAL_ROLES

if TYPE_CHECKING:
    from torch import nn

    from cole_core.encodings.normal_form import NormalForm

BATCH = 20  # networks that are described by one call
MOST = 1_000_000  # architectures that are enumerated
_HOPELESS = 3  # networks that hang or crash before the first that does not
_USUAL: Mapping[str, Any] = {"classes": 10, "channels": 3, "shape": [3, 32, 32]}

_Described = dict[tuple[str, str], "NormalForm | Failure"]


@dataclass(frozen=True)
class Description:
    """A class of a file, as plain data.

    Attributes:
        path: The file.
        class_name: The class.
        name: What the warehouse calls the space.
        signature: What the constructor takes.
        files: The files that decide its networks, with their hashes.
        definition: Hash of what the class says, with what it needs of its file, and of the other
            files; comments and formatting are no part of it.
        described: What is known of its networks, by parameters and native string.
    """

    path: str
    class_name: str
    name: str
    signature: Signature
    files: dict[str, str]
    definition: str
    described: _Described = field(default_factory=dict, compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies describe networks anew: a description is quickly made and long to send."""
        about = (self.path, self.class_name, self.name, self.signature, self.files)
        return Description, (*about, self.definition)


class OwnSpace(SearchSpace):
    """The networks of a file's class. Each class has a subclass, see `space_of`.

    Args:
        **parameters: Arguments of the constructor that all networks share: those that the task
            decides, and those that are no choice.

    Raises:
        InputError: The constructor has no such argument, or wants one more.
    """

    description: ClassVar[Description]
    is_foreign = True
    encodings: ClassVar[Mapping[str, str]] = {}
    roles: Roles = USUAL_ROLES

    def __init__(self, **parameters: Any) -> None:
        signature = self.description.signature
        name = self.description.class_name
        for each in parameters:
            if each not in signature.names:
                known = ", ".join(signature.names)
                remedy = f"choose from {known}" if known else "leave it out"
                raise InputError(f"{name} takes no argument '{each}': {remedy}")
        for each, said in signature.unclear:
            if each not in parameters:
                raise InputError(said)
        for each in signature.needed:
            if each not in parameters:
                raise InputError(
                    f"argument '{each}' of {name} may be anything: give it a default, say what it "
                    f"may be ({REMEDY}), or name a value with --arguments "
                    f"'{json.dumps({each: 16})}'"
                )
        task = {
            each: _USUAL[TASK[each]] if usual is None else usual for each, usual in signature.task
        }
        self._parameters = {**task, **parameters}
        for each in task:
            _check_task(each, self._parameters[each])
        self._key = json.dumps(self._parameters, sort_keys=True)
        free = [part for part in signature.choices.parts if part[0] not in parameters]
        self.choices = Several(tuple(free), name)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.description, self._parameters)

    @property
    def parameters(self) -> Mapping[str, Any]:
        return dict(self._parameters)

    @property
    def definition(self) -> str | None:
        return self.description.definition

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(map(Path, self.description.files))

    @property
    def size(self) -> int | None:
        return self.choices.size

    def validate(self, native: str) -> None:
        read(native, self.choices)

    def enumerate(self) -> Iterator[str]:
        if self.size is None or self.size > MOST:
            count = "any number of" if self.size is None else f"{self.size:,}"
            raise InputError(f"{self.name} has {count} architectures: sample it with --samples N")
        yield from map(write, self.choices.values())

    def sample(self, rng: np.random.Generator) -> str:
        return write(self.choices.sample(rng))

    def mutate(self, native: str, rng: np.random.Generator, edits: int = 1) -> str:
        """As the base class has it: an edit gives one argument another value."""
        value = read(native, self.choices)
        if edits < 1:
            raise InputError(f"{edits} edits: give 1 or more")
        if self.size == 1:
            raise InputError(f"{self.name} has one architecture, which has no mutants")
        return write(self.choices.mutate(value, rng, edits))

    def cross(self, left: str, right: str, rng: np.random.Generator) -> str:
        """An architecture whose arguments are each from one of two."""
        both = read(left, self.choices), read(right, self.choices)
        return write(self.choices.cross(*both, rng))

    def prepare(self, natives: Sequence[str]) -> None:
        """Describes networks, several by one call; what fails is known as well.

        Raises:
            InputError: The first of them hang or crash: so will the others.
        """
        known = self.description.described
        lacking = [each for each in dict.fromkeys(natives) if (self._key, each) not in known]
        chosen = {native: read(native, self.choices) for native in lacking}
        hopeless: list[str] = []
        for start in range(0, len(lacking), BATCH):
            batch = lacking[start : start + BATCH]
            for native, form in self._describe(batch, chosen, hopeless):
                known[self._key, native] = form

    def check_makeable(self, natives: Sequence[str]) -> None:
        forms = [self._known(native) for native in natives]
        failed = [form for form in forms if isinstance(form, Failure)]
        if failed and len(failed) == len(forms):
            which = "its network" if len(forms) == 1 else f"none of {len(forms):,} networks"
            cannot = "cannot be made" if len(forms) == 1 else "can be made"
            raise InputError(f"{self.name}: {which} {cannot}, {failed[0].reason}: correct the file")

    def normal_form(self, native: str) -> NormalForm:
        form = self._known(native)
        if isinstance(form, Failure):
            raise RenderingError(f"{native}: {form.reason}")
        return form

    def canonical_form(self, native: str) -> str:
        """As the base class has it: the whole graph's hash, dropout among it. Of a network that
        cannot be traced nobody knows what else computes the same."""
        form = self._known(native)
        if isinstance(form, Failure) or form.graph is None:
            return f"{native} {_digest(form)}"
        return form.digest

    def architecture_id(self, native: str) -> str:
        """Hash of the space, its parameters, the native string and the network itself: a file that
        is changed makes other architectures, where it makes other networks."""
        about = {"space": self.name, "parameters": self.parameters, "native": native}
        return hash_json({**about, "network": _digest(self._known(native))})

    def build(self, native: str) -> nn.Module:
        """As the base class has it. It runs the file here: for processes that may die."""
        chosen = read(native, self.choices)
        return build(self.description.path, self.description.class_name, self._fixed, chosen)

    def runnable(self, native: str, task: Task | None = None) -> str:
        if task is None:
            return super().runnable(native)
        return self.fitting(task.input_shape, task.classes, {}).runnable(native)

    def fitting(
        self, input_shape: tuple[int, int, int], classes: int, bounds: Mapping[str, int]
    ) -> SearchSpace:
        self.for_task(input_shape, classes, bounds)
        of_task = {name for name, _ in self.description.signature.task}
        given = {name: v for name, v in self._parameters.items() if name not in of_task}
        return type(self)(**given, **self._of_task(input_shape, classes))

    @classmethod
    def for_task(
        cls, input_shape: tuple[int, int, int], classes: int, bounds: Mapping[str, int]
    ) -> SearchSpace:
        if bounds:
            raise InputError(f"{cls.name} takes no bounds: leave out {', '.join(bounds)}")
        return cls(**cls._of_task(input_shape, classes))

    @classmethod
    def _of_task(cls, input_shape: tuple[int, int, int], classes: int) -> dict[str, Any]:
        values = {"classes": classes, "channels": input_shape[0], "shape": list(input_shape)}
        return {name: values[TASK[name]] for name, _ in cls.description.signature.task}

    @classmethod
    def parse_parameters(cls, text: str) -> dict[str, Any]:
        given = read_arguments(text) if text else {}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in given.items()}

    @classmethod
    def takes(cls, parameters: Mapping[str, Any]) -> bool:
        try:
            return dict(cls(**parameters).parameters) == dict(parameters)
        except InputError:
            return False

    @property
    def full_name(self) -> str:
        return named_with(self.name, self._parameters)

    @property
    def _fixed(self) -> dict[str, Any]:
        """The arguments that all networks have, as the constructor takes them."""
        shapes = {name for name, what in TASK.items() if what == "shape"}
        return {
            name: tuple(value) if name in shapes else value
            for name, value in self._parameters.items()
        }

    def _known(self, native: str) -> NormalForm | Failure:
        if (self._key, native) not in self.description.described:
            self.prepare([native])
        return self.description.described[self._key, native]

    def _describe(
        self, batch: Sequence[str], chosen: Mapping[str, Record], hopeless: list[str]
    ) -> Iterator[tuple[str, NormalForm | Failure]]:
        try:
            yield from zip(batch, self._run([chosen[native] for native in batch]), strict=True)
        except RunFailed as error:
            if len(batch) > 1:  # which of them it was is seen one by one
                for native in batch:
                    yield from self._describe([native], chosen, hopeless)
                return
            hopeless.append(str(error))
            described = self.description.described.values()
            if len(hopeless) >= _HOPELESS and all(isinstance(e, Failure) for e in described):
                raise InputError(
                    f"{self.name}: networks cannot be made, {error}: correct the file"
                ) from error
            yield batch[0], Failure(str(error))

    def _run(self, chosen: list[Record]) -> list[NormalForm | Failure]:
        shapes = [v for name, v in self._parameters.items() if TASK.get(name) == "shape"]
        about = self.description
        return runs.call(
            describe_networks,
            *(about.path, about.class_name, self._fixed, chosen),
            tuple(shapes[0]) if shapes else None,
        )


def _digest(form: NormalForm | Failure) -> str:
    return "" if isinstance(form, Failure) else form.digest


def _check_task(name: str, value: Any) -> None:
    if TASK[name] == "shape":
        fits = isinstance(value, list) and len(value) == 3 and all(map(_is_count, value))
        wanted = "channels, height and width, as [3, 32, 32]"
    else:
        fits, wanted = _is_count(value), "a whole number from 1"
    if not fits:
        raise InputError(f"argument '{name}' is {value!r}: give {wanted}")


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 1


_classes: dict[str, type[OwnSpace]] = {}


def space_of(description: Description) -> type[OwnSpace]:
    """The class of a description: one for each, so that copies are of one class."""
    key = f"{description.path}:{description.class_name} {sorted(description.files.items())}"
    if key not in _classes:
        about = {"name": description.name, "description": description, "__module__": __name__}
        _classes[key] = type(description.class_name, (OwnSpace,), about)
    return _classes[key]


def _restore(description: Description, parameters: Mapping[str, Any]) -> OwnSpace:
    return space_of(description)(**parameters)
