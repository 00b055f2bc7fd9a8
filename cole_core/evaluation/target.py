"""What a head predicts and a search looks for the best of."""

import json
from dataclasses import dataclass, field
from typing import Any

from cole_core.errors import InputError
from cole_core.sources.metrics import Direction, direction_of, unit_of

ACCURACY = "accuracy"
"""The metric of networks that are trained here: a percentage of images."""

BY_NAME = "by name"
"""A direction or unit that is what the vocabulary says of the metric."""


@dataclass(frozen=True)
class Target:
    """One kind of measured value.

    Attributes:
        dataset: For instance cifar10.
        metric: For instance accuracy.
        split: valid, test or unknown.
        epochs: The fidelity; None where it is not known.
        source: Where the values came from.
        unit: Of the values; None where there is none or it is not known.
        direction: Whether higher or lower is better; None: nobody said. Like the unit, no part of
            what tells kinds apart.
    """

    dataset: str
    metric: str
    split: str
    epochs: int | None
    source: str
    unit: str | None = field(default=BY_NAME, compare=False)
    direction: Direction | str | None = field(default=BY_NAME, compare=False)

    def __post_init__(self) -> None:
        if self.unit == BY_NAME:
            object.__setattr__(self, "unit", unit_of(self.metric))
        if self.direction == BY_NAME:
            object.__setattr__(self, "direction", direction_of(self.metric))

    @property
    def key(self) -> dict[str, Any]:
        """What tells the kind apart from others."""
        names = ("dataset", "metric", "split", "epochs", "source")
        return {name: getattr(self, name) for name in names}

    def to_json(self) -> str:
        """The key as JSON with sorted keys."""
        return json.dumps(self.key, sort_keys=True)

    @property
    def sign(self) -> int:
        """What values are multiplied by so that a higher one is better: 1 or -1.

        Raises:
            InputError: Nobody said which is better.
        """
        if self.direction is None:
            raise InputError(
                f"nobody said whether a higher or a lower {self.metric} is better: say "
                f"--metric {self.metric}:higher or --metric {self.metric}:lower"
            )
        return -1 if self.direction == "lower" else 1

    @property
    def orientation(self) -> dict[str, str]:
        """What a configuration says of the direction: nothing where higher is better, as always."""
        return {"direction": "lower"} if self.sign < 0 else {}
