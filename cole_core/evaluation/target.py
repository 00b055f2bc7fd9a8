"""What a head predicts and a search maximises."""

import json
from dataclasses import dataclass

ACCURACY = "accuracy"
"""The metric of networks that are trained here: a percentage of images."""


@dataclass(frozen=True)
class Target:
    """One kind of measured value.

    Attributes:
        dataset: For instance cifar10.
        metric: For instance accuracy.
        split: valid, test or unknown.
        epochs: The fidelity; None where it is not known.
        source: Where the values came from.
    """

    dataset: str
    metric: str
    split: str
    epochs: int | None
    source: str

    def to_json(self) -> str:
        """The target as JSON with sorted keys."""
        return json.dumps(vars(self), sort_keys=True)
