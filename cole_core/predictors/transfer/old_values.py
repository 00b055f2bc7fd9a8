"""What was measured on the tasks that a head or a search learns from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cole_core.encodings.vectors import LabelledVectors
from cole_core.evaluation.target import Target

AUTO, NONE = "auto", "none"
"""What people say instead of tasks: those that are nearest, and none."""

BY_ITS_OWN: Mapping[str, Any] = {"reduction": "zscore", "fitted_on": "labelled"}
"""How an old task's surrogate reduces vectors by those of its own architectures alone: where the
stored ones grow as a search goes on, or are those of another space."""


@dataclass(frozen=True)
class OldTask:
    """What was measured on another task.

    Attributes:
        target: The task.
        labelled: Its measured architectures, with their vectors; a higher value is better.
        kind: What its surrogate must know about the vectors: arguments of `make_surrogate`.
        artifact: Where its surrogate is kept: another one where values, vectors or architectures
            are others.
        space: The space that it is of, with its parameters, where that is another one.
    """

    target: Target
    labelled: LabelledVectors
    kind: Mapping[str, Any]
    artifact: str
    space: str | None = None

    @property
    def configuration(self) -> dict[str, Any]:
        """What tells heads and searches apart that read it."""
        elsewhere = {} if self.space is None else {"space": self.space}
        return {**self.target.key, **elsewhere, "labels_hash": self.labelled.labels_hash}


@dataclass(frozen=True)
class OldValues:
    """What was measured on other tasks.

    Attributes:
        tasks: The tasks, at least one.
        vectors: Of all architectures of the space, for surrogates whose reduction is fitted on it.
    """

    tasks: Sequence[OldTask]
    vectors: np.ndarray

    @property
    def targets(self) -> list[Target]:
        """What the tasks are of."""
        return [task.target for task in self.tasks]

    @property
    def configuration(self) -> list[dict[str, Any]]:
        """What tells heads and searches apart that read them."""
        return [task.configuration for task in self.tasks]
