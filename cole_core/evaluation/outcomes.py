"""What can come of one network: measured values, or a status and what went wrong.

Apart from the evaluators, which run training and proxies, because those speak of outcomes as well.
"""

from dataclasses import dataclass

from cole_core.evaluation.settings import Limits
from cole_core.evaluation.target import BY_NAME

OK, DIVERGED, TOO_LARGE = "ok", "diverged", "too_large"
TIMED_OUT, FAILED, CRASHED = "timed_out", "failed", "crashed"


class DivergedError(Exception):
    """The loss is no number any more."""


class OverTimeError(Exception):
    """The deadline has passed."""


@dataclass(frozen=True)
class Score:
    """One measured value; accuracies in percent.

    Its unit is said where the metric has several, its direction where people say it.
    """

    metric: str
    split: str
    epochs: int | None
    value: float
    unit: str | None = None
    direction: str | None = BY_NAME


@dataclass(frozen=True)
class Attempt:
    """What came of one network.

    Attributes:
        native: The architecture.
        seed: Of its weights and of the order of images.
        status: ok, diverged, too_large, timed_out, failed (an error of the network) or crashed
            (its process died).
        error: What went wrong, in one line; None for ok.
        seconds: Wall time.
        parameters: Trainable values; None where measuring failed, as for what follows.
        flops: Of one image's forward pass.
        memory: Bytes that training takes at most, inferred.
        scores: Measured values; none unless ok.
    """

    native: str
    seed: int
    status: str
    error: str | None
    seconds: float
    parameters: int | None = None
    flops: int | None = None
    memory: int | None = None
    scores: tuple[Score, ...] = ()


def over_time(limits: Limits) -> str:
    """What is recorded of a network that took too long."""
    return f"not done after {limits.seconds:g} s"
