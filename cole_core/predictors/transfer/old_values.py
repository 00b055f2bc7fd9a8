"""What was measured on the tasks that a head or a search learns from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cole_core.encodings.vectors import LabelledVectors
from cole_core.evaluation.target import Target

AUTO, NONE = "auto", "none"
"""What people say instead of tasks: those that are nearest, and none."""


@dataclass(frozen=True)
class OldValues:
    """What was measured on other tasks.

    Attributes:
        targets: The tasks.
        labelled: Their measured architectures, with their vectors; a higher value is better.
        vectors: Of all architectures of the space.
        kind: What `surrogate_kind` says of the vectors.
        artifacts: Where the surrogate of each task is kept: another one where values, vectors or
            architectures are others.
    """

    targets: Sequence[Target]
    labelled: Sequence[LabelledVectors]
    vectors: np.ndarray
    kind: dict[str, Any]
    artifacts: Sequence[str]

    @property
    def configuration(self) -> list[dict[str, Any]]:
        """What tells heads and searches apart that read them."""
        return [
            {**target.key, "labels_hash": labelled.labels_hash}
            for target, labelled in zip(self.targets, self.labelled, strict=True)
        ]
