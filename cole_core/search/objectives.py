"""What several objectives are called, which way is better, and how a front is told."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cole_core.errors import InputError
from cole_core.hashing import hash_json
from cole_core.search.base import Step
from cole_core.search.dominance import hypervolume, nadir, nondominated

_WORDS = {"min": "lower", "max": "higher"}


@dataclass(frozen=True)
class Objective:
    """One thing to be good at.

    Attributes:
        name: What it is called, such as pixel3_latency.
        direction: Whether `higher` or `lower` values are better.
        origin: Where its values are from, as plain values: part of what tells searches apart.
        reference: The value from which on it counts; None: told by the values.
    """

    name: str
    direction: str
    origin: Mapping[str, Any]
    reference: float | None = None

    @property
    def sign(self) -> int:
        """What values are multiplied by so that a higher one is better."""
        return -1 if self.direction == "lower" else 1


def parse_objective(text: str) -> tuple[str, str | None]:
    """Name and direction (`higher`, `lower`; None: not said) of `NAME[:min|:max]`.

    Raises:
        InputError: It is not written so.
    """
    name, colon, said = text.strip().partition(":")
    if not name or (colon and said not in _WORDS):
        raise InputError(
            f"--objective '{text}': write NAME, NAME:min or NAME:max, such as pixel3_latency:min"
        )
    return name, _WORDS.get(said)


@dataclass(frozen=True, eq=False)
class Objectives:
    """Several objectives and what each is for some architectures.

    Attributes:
        of: The objectives; the first is the one that a search's `value` is of.
        values: Shape (n, m), in the architectures' order; with their sign turned where lower is
            better, so that higher is.
    """

    of: tuple[Objective, ...]
    values: np.ndarray

    @property
    def names(self) -> list[str]:
        """What they are called."""
        return [each.name for each in self.of]

    @property
    def signs(self) -> np.ndarray:
        """What values are multiplied by so that a higher one is better, shape (m,)."""
        return np.array([each.sign for each in self.of])

    @cached_property
    def reference(self) -> np.ndarray:
        """From which on hypervolume counts, shape (m,), signs turned like the values.

        What is not said is told by all values: the worst on their front and a tenth of its range
        more.
        """
        return np.where(np.isnan(self.said), nadir(self.values), self.said)

    @property
    def said(self) -> np.ndarray:
        """The references that people said, signs turned; NaN where they said none."""
        return np.array(
            [np.nan if each.reference is None else each.sign * each.reference for each in self.of]
        )

    @cached_property
    def hypervolume(self) -> float:
        """Of the front of all architectures."""
        return hypervolume(self.values, self.reference)

    @property
    def configuration(self) -> list[dict[str, Any]]:
        """What a search's identity says of them."""
        return [
            {
                "name": each.name,
                "direction": each.direction,
                "origin": dict(each.origin),
                "values_hash": hash_json(column.tolist()),
                **({} if each.reference is None else {"reference": each.reference}),
            }
            for each, column in zip(self.of, self.values.T, strict=True)
        ]

    def as_measured(self, values: Sequence[float]) -> dict[str, float]:
        """Values as searches see them, by name and as they were measured."""
        turned = (np.asarray(values, dtype=float) * self.signs).tolist()
        return dict(zip(self.names, turned, strict=True))

    def to_json(self, values: Sequence[float]) -> str:
        """The same as the warehouse keeps it."""
        return json.dumps(self.as_measured(values))

    def from_json(self, text: str) -> tuple[float, ...]:
        """Values as searches see them, from what the warehouse keeps."""
        kept = json.loads(text)
        return tuple(
            float(sign * kept[name]) for name, sign in zip(self.names, self.signs, strict=True)
        )


def front(steps: Sequence[Step]) -> list[Step]:
    """The evaluated architectures that no other dominates, best first by the first objective."""
    kept = nondominated(np.array([step.values for step in steps], dtype=float))
    found = [step for step, on_front in zip(steps, kept, strict=True) if on_front]
    return sorted(found, key=lambda step: [-value for value in step.values])
