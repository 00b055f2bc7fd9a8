"""What a person names when they ask for stored vectors or measured values."""

from dataclasses import dataclass

MAX_SEED = 2**31 - 1
"""What the catalog holds, and every library takes."""


@dataclass(frozen=True)
class Vectors:
    """Which stored vectors.

    Attributes:
        encoding: A text or structural encoding of the space.
        lm: Language model, or the beginning of a spec_id; like what follows, it says nothing for a
            structural encoding.
        context: The rendering's context: none, network or comment.
        pooling: How token states became one vector.
        precision: Of the language model.
    """

    encoding: str = "code.expression"
    lm: str = "minilm"
    context: str = "none"
    pooling: str = "avg_avg"
    precision: str = "bf16"


@dataclass(frozen=True)
class Measured:
    """Which measured values; None admits any, as long as one kind fits.

    Attributes:
        dataset: For instance cifar10.
        metric: For instance accuracy.
        split: valid or test.
        epochs: The fidelity.
        source: Where the values came from.
    """

    dataset: str | None = None
    metric: str | None = None
    split: str | None = None
    epochs: int | None = None
    source: str | None = None
