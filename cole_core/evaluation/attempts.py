"""One network's evaluation, from its name to measured values, whatever goes wrong on the way."""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cole_core.evaluation.datasets import Dataset
from cole_core.evaluation.outcomes import (
    DIVERGED,
    FAILED,
    OK,
    TIMED_OUT,
    TOO_LARGE,
    Attempt,
    DivergedError,
    OverTimeError,
    Score,
    over_time,
)
from cole_core.evaluation.settings import Limits, ProxySettings, TrainingSettings, source_name
from cole_core.evaluation.target import ACCURACY, Target
from cole_core.foreign_code.runner import keep_within, silence
from cole_core.spaces.base import SearchSpace

if TYPE_CHECKING:
    from torch import nn

    from cole_core.evaluation.images import ImageTensors
    from cole_core.evaluation.measuring import NetworkSize

_LINE = 300  # characters of an error that are kept

# What a network may raise; anything else ends the worker, which counts as a crash.
NETWORK_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)


class Settings(Protocol):
    """What decides values besides the network and the seed."""

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""


class AnyEvaluator(ABC):
    """Evaluates networks of a space; can be sent to another process.

    Attributes:
        space: Builds the networks.
        limits: What one network may cost.
    """

    space: SearchSpace
    limits: Limits

    @property
    @abstractmethod
    def settings(self) -> Settings:
        """What decides the values besides space, data and seed."""

    @property
    @abstractmethod
    def settings_id(self) -> str:
        """Content hash of settings and data."""

    @property
    @abstractmethod
    def dataset_name(self) -> str:
        """What the values are called to be of."""

    @property
    @abstractmethod
    def dataset_hash(self) -> str:
        """Content hash of the data."""

    @abstractmethod
    def __call__(self, native: str, seed: int) -> Attempt:
        """Evaluates one network. An error of the network is recorded, not raised."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Files of somebody's own that are run, with what they import from where they lie."""
        return self.space.files

    @property
    def source(self) -> str:
        """What the values name as their source."""
        return source_name(self.settings_id)

    @property
    def failed_value(self) -> float | None:
        """The value of a network that failed; None: as of the worst that there is."""
        return None


@dataclass(frozen=True)
class Evaluator(AnyEvaluator):
    """Evaluates networks on a dataset.

    Attributes:
        space: Builds the networks.
        dataset: What they are evaluated on.
        limits: What one network may cost.
        device: Where they are evaluated.
    """

    space: SearchSpace
    dataset: Dataset
    limits: Limits
    device: str

    @property
    @abstractmethod
    def settings(self) -> TrainingSettings | ProxySettings:
        """What decides the values besides space, dataset and seed."""

    @property
    def dataset_name(self) -> str:
        return self.dataset.name

    @property
    def dataset_hash(self) -> str:
        return self.dataset.content_hash

    @property
    def failed_value(self) -> float | None:
        """That of chance: of a network that learned nothing."""
        return 100 / self.dataset.classes

    @abstractmethod
    def scores(
        self, network: "nn.Module", size: "NetworkSize", seed: int, deadline: float
    ) -> list[Score]:
        """Measures a network with fresh weights; may change it.

        Raises:
            DivergedError: The loss is no number any more.
            OverTimeError: The deadline (by `time.monotonic`) has passed.
        """

    @property
    def settings_id(self) -> str:
        """Content hash of settings and dataset."""
        return self.settings.settings_id(self.dataset.content_hash)

    @cached_property
    def data(self) -> "ImageTensors":
        """The dataset on the device."""
        from cole_core.evaluation.images import ImageTensors

        return ImageTensors(self.dataset, self.device)

    def __call__(self, native: str, seed: int) -> Attempt:
        """Evaluates one network. An error of the network is recorded, not raised."""
        import torch

        from cole_core.evaluation.measuring import measure

        begin = time.monotonic()
        if self.space.is_foreign:
            _ = self._confined
        known: dict[str, Any] = {}

        def attempt(
            status: str, error: str | None = None, scores: tuple[Score, ...] = ()
        ) -> Attempt:
            seconds = time.monotonic() - begin
            return Attempt(native, seed, status, error, seconds, scores=scores, **known)

        try:
            size = measure(lambda: self._build(native), self.dataset.input_shape)
            memory = size.training_bytes(self.settings.batch_size, self.settings.optimizer_states)
            known |= {"parameters": size.parameters, "flops": size.flops, "memory": memory}
            if memory > self.limits.mebibytes * 2**20:
                return attempt(TOO_LARGE, self._too_large(size, memory))
            torch.manual_seed(seed)
            network = self._build(native).to(self.device)
            scores = self.scores(network, size, seed, begin + self.limits.seconds)
        except DivergedError:
            return attempt(DIVERGED, "the loss is no number any more")
        except OverTimeError:
            return attempt(TIMED_OUT, over_time(self.limits))
        except NETWORK_ERRORS as error:
            return attempt(FAILED, one_line(error))
        return attempt(OK, scores=tuple(scores))

    @cached_property
    def _confined(self) -> bool:
        """Somebody's own network prints nothing in its process, and its memory has an end."""
        silence()
        keep_within(self.limits.mebibytes)
        return True

    def _build(self, native: str) -> "nn.Module":
        shape, classes = self.dataset.input_shape, self.dataset.classes
        return self.space.build_for(native, shape, classes, self.settings.macro)

    def _too_large(self, size: "NetworkSize", memory: int) -> str:
        return (
            f"needs up to {memory / 2**20:,.0f} MiB ({size.parameters:,} parameters, "
            f"{size.activations:,} activations an image), the limit is {self.limits.mebibytes:,}"
        )


@dataclass(frozen=True)
class TrainingEvaluator(Evaluator):
    """Trains each network and measures its accuracies."""

    training: TrainingSettings

    @property
    def settings(self) -> TrainingSettings:
        return self.training

    def target(self, split: str | None = None) -> Target:
        """Accuracies at the last epoch."""
        last = self.training.epochs
        return Target(self.dataset_name, ACCURACY, split or "valid", last, self.source)

    def scores(
        self, network: "nn.Module", size: "NetworkSize", seed: int, deadline: float
    ) -> list[Score]:
        from cole_core.evaluation.training import train

        return train(network, self.data, self.training, seed, deadline)


@dataclass(frozen=True)
class ProxyEvaluator(Evaluator):
    """Computes each network's zero-cost proxies."""

    proxies: ProxySettings

    @property
    def settings(self) -> ProxySettings:
        return self.proxies

    def scores(
        self, network: "nn.Module", size: "NetworkSize", seed: int, deadline: float
    ) -> list[Score]:
        from cole_core.evaluation.proxies import compute_proxies

        return compute_proxies(network, size, self.data, self.proxies.batch_size)


def one_line(error: BaseException) -> str:
    """What is recorded of an error."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:_LINE]
