"""What an argument of a constructor may be, as plain data: its size, its values, draws, mutants."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

_DIGITS = 6  # of a number that is drawn: more cannot matter, and are hard to read
_STEP = 0.2  # of its range, by which a number is mutated


@dataclass(frozen=True)
class Member:
    """A member of an enumeration."""

    kind: str
    name: str


@dataclass(frozen=True)
class Record:
    """A dataclass's values, by the names of its fields, sorted."""

    kind: str
    values: tuple[tuple[str, Any], ...]


def same(left: Any, right: Any) -> bool:
    """Whether two values are one: 1, 1.0 and True are three."""
    return type(left) is type(right) and bool(left == right)


class Choice(ABC):
    """What a value may be."""

    @property
    @abstractmethod
    def size(self) -> int | None:
        """Number of values; None: any number."""

    @abstractmethod
    def values(self) -> Iterator[Any]:
        """All values in a fixed order; of a finite choice."""

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> Any:
        """One value at random."""

    @abstractmethod
    def mutate(self, value: Any, rng: np.random.Generator) -> Any:
        """Another value; of a choice that has one."""

    @abstractmethod
    def holds(self, value: Any) -> bool:
        """Whether a value is one of these."""

    @property
    @abstractmethod
    def words(self) -> str:
        """What it may be, for people."""


@dataclass(frozen=True)
class Options(Choice):
    """One of several values."""

    options: tuple[Any, ...]

    @property
    def size(self) -> int:
        return len(self.options)

    def values(self) -> Iterator[Any]:
        yield from self.options

    def sample(self, rng: np.random.Generator) -> Any:
        return self.options[rng.integers(len(self.options))]

    def mutate(self, value: Any, rng: np.random.Generator) -> Any:
        others = [each for each in self.options if not same(each, value)]
        return others[rng.integers(len(others))]

    def holds(self, value: Any) -> bool:
        return any(same(each, value) for each in self.options)

    @property
    def words(self) -> str:
        shown = (each.name if isinstance(each, Member) else repr(each) for each in self.options)
        return f"one of {', '.join(shown)}"


@dataclass(frozen=True)
class Range(Choice):
    """A number between two, bounds included.

    Attributes:
        low, high: The bounds.
        step: Of which it is a multiple; None: any number.
        integer: Whether it is a whole number.
        log: Whether it is drawn on a logarithmic scale.
    """

    low: float
    high: float
    step: float | None
    integer: bool
    log: bool = False

    @property
    def _ends(self) -> tuple[int, int]:
        """The first and the last multiple of the step."""
        assert self.step is not None
        near = 1e-9  # 0.3 is the third multiple of 0.1
        return math.ceil(self.low / self.step - near), math.floor(self.high / self.step + near)

    @property
    def size(self) -> int | None:
        if self.step is None:
            return None if self.low < self.high else 1
        first, last = self._ends
        return max(last - first + 1, 0)

    def values(self) -> Iterator[Any]:
        if self.step is None:
            yield float(self.low)
            return
        first, last = self._ends
        yield from map(self._multiple, range(first, last + 1))

    def sample(self, rng: np.random.Generator) -> Any:
        low, high = self._span
        return self._nearest(rng.uniform(low, high))

    def mutate(self, value: Any, rng: np.random.Generator) -> Any:
        low, high = self._span
        place = math.log(value) if self.log else value
        while True:
            moved = rng.normal(place, _STEP * (high - low))
            if low <= moved <= high and not same(other := self._nearest(moved), value):
                return other

    def holds(self, value: Any) -> bool:
        if type(value) is not (int if self.integer else float) or not math.isfinite(value):
            return False
        if self.step is None:
            return self.low <= value <= self.high
        first, last = self._ends
        number = round(value / self.step)
        return first <= number <= last and same(self._multiple(number), value)

    @property
    def _span(self) -> tuple[float, float]:
        """Between what is drawn, so that each multiple of a step has as much room."""
        low, high = float(self.low), float(self.high)
        if self.step is not None:
            first, last = self._ends
            low, high = (first - 0.5) * self.step, (last + 0.5) * self.step
            if self.log:
                low = max(low, self.step * first * 0.5)
        return (math.log(low), math.log(high)) if self.log else (low, high)

    def _nearest(self, place: float) -> Any:
        number = math.exp(place) if self.log else place
        if self.step is None:
            return min(max(float(f"{number:.{_DIGITS}g}"), float(self.low)), float(self.high))
        first, last = self._ends
        return self._multiple(min(max(round(number / self.step), first), last))

    def _multiple(self, number: int) -> Any:
        assert self.step is not None
        return int(number * self.step) if self.integer else float(f"{number * self.step:.12g}")

    @property
    def words(self) -> str:
        kind = "a whole number" if self.integer else "a number"
        step = "" if self.step is None or self.step == 1 else f", a multiple of {self.step:g}"
        return f"{kind} from {self.low:g} to {self.high:g}{step}"


@dataclass(frozen=True)
class Optional(Choice):
    """A value, or None."""

    inner: Choice

    @property
    def size(self) -> int | None:
        return None if self.inner.size is None else self.inner.size + 1

    def values(self) -> Iterator[Any]:
        yield None
        yield from self.inner.values()

    def sample(self, rng: np.random.Generator) -> Any:
        share = 0.5 if self.size is None else 1 / self.size
        return None if rng.random() < share else self.inner.sample(rng)

    def mutate(self, value: Any, rng: np.random.Generator) -> Any:
        if value is None:
            return self.inner.sample(rng)
        share = 0.5 if self.size is None else 1 / (self.size - 1)
        if self.inner.size == 1 or rng.random() < share:
            return None
        return self.inner.mutate(value, rng)

    def holds(self, value: Any) -> bool:
        return value is None or self.inner.holds(value)

    @property
    def words(self) -> str:
        return f"None, or {self.inner.words}"


@dataclass(frozen=True)
class Several(Choice):
    """Values beside each other: a tuple, a dataclass, or the arguments of a constructor.

    Attributes:
        parts: By their names, sorted; of a tuple by their places.
        kind: Of a dataclass its name; None for a tuple.
    """

    parts: tuple[tuple[str, Choice], ...]
    kind: str | None = None

    @property
    def size(self) -> int | None:
        sizes = [part.size for _, part in self.parts]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    def values(self) -> Iterator[Any]:
        for each in itertools.product(*(tuple(part.values()) for _, part in self.parts)):
            yield self._made(each)

    def sample(self, rng: np.random.Generator) -> Any:
        return self._made(tuple(part.sample(rng) for _, part in self.parts))

    def mutate(self, value: Any, rng: np.random.Generator, edits: int = 1) -> Any:
        values = list(self._taken(value))
        free = [place for place, (_, part) in enumerate(self.parts) if part.size != 1]
        for place in rng.permutation(free)[:edits]:
            values[place] = self.parts[place][1].mutate(values[place], rng)
        return self._made(tuple(values))

    def cross(self, left: Any, right: Any, rng: np.random.Generator) -> Any:
        """Each part from one of two values."""
        both = zip(self._taken(left), self._taken(right), strict=True)
        return self._made(tuple(pair[rng.integers(2)] for pair in both))

    def holds(self, value: Any) -> bool:
        if self.kind is None:
            fits = isinstance(value, tuple) and len(value) == len(self.parts)
        else:
            names = tuple(name for name, _ in self.parts)
            fits = (
                isinstance(value, Record)
                and value.kind == self.kind
                and tuple(name for name, _ in value.values) == names
            )
        return fits and all(
            part.holds(each) for (_, part), each in zip(self.parts, self._taken(value), strict=True)
        )

    def by_name(self) -> Mapping[str, Choice]:
        """The parts by their names."""
        return dict(self.parts)

    def _made(self, values: tuple[Any, ...]) -> Any:
        if self.kind is None:
            return values
        names = (name for name, _ in self.parts)
        return Record(self.kind, tuple(zip(names, values, strict=True)))

    def _taken(self, value: Any) -> tuple[Any, ...]:
        return value if self.kind is None else tuple(each for _, each in value.values)

    @property
    def words(self) -> str:
        parts = ", ".join(
            part.words if self.kind is None else f"{name}: {part.words}"
            for name, part in self.parts
        )
        return f"({parts})" if self.kind is None else f"{self.kind}({parts})"
