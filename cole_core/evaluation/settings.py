"""How networks are trained, and within which limits."""

from dataclasses import asdict, dataclass, field
from typing import Any

from cole_core.errors import InputError
from cole_core.hashing import hash_json
from cole_core.spaces.base import SearchSpace

PROCEDURE = 1  # raised whenever other code gives the same settings other values
OPTIMIZERS = ("adamw", "sgd")
AUGMENTATIONS = ("none", "shift", "flip", "shift+flip")
PRECISIONS = ("fp32", "bf16")

# Of networks whose proxies are computed: as deep as the benchmark's, as gradients tell what depth
# does to them, and on small images instead. On 100 cells of NAS-Bench-201 snip, grad_norm, fisher
# and jacov correlated with CIFAR-10's accuracy by .43, .42, .30 and .67; with one cell for each
# stage, on images of twice the sides, by .15, .16, -.62 and .53, at a third of the time.
_PROXY_MACRO = {"channels": 8, "cells": 5}


@dataclass(frozen=True)
class TrainingProcedure:
    """How networks are trained, whatever their space.

    Attributes:
        epochs: Passes over the training images.
        batch_size: Images of one step.
        optimizer: adamw, or sgd with Nesterov momentum 0.9.
        learning_rate: At the first step; a cosine takes it to zero at the last. By default 0.01
            for adamw, which suits few epochs, and 0.05 for sgd.
        weight_decay: Of all parameters.
        augmentation: none, shift (by up to an eighth), flip (left and right) or shift+flip.
        precision: fp32, or bf16 in what autocast lowers.
    """

    epochs: int = 8
    batch_size: int = 64
    optimizer: str = "adamw"
    learning_rate: float | None = None
    weight_decay: float = 5e-4
    augmentation: str = "none"
    precision: str = "fp32"


@dataclass(frozen=True)
class TrainingSettings(TrainingProcedure):
    """What decides a network's accuracies besides the dataset and the seed.

    Attributes:
        macro: What the space leaves open of the network around an architecture, such as
            `channels` and `cells`.
    """

    macro: dict[str, int] = field(default_factory=dict)

    def check(self) -> None:
        """Checks every value.

        Raises:
            InputError: One is not possible.
        """
        for name, value, choices in (
            ("optimizer", self.optimizer, OPTIMIZERS),
            ("augmentation", self.augmentation, AUGMENTATIONS),
            ("precision", self.precision, PRECISIONS),
        ):
            if value not in choices:
                raise InputError(f"{name} '{value}': choose one of {', '.join(choices)}")
        if self.epochs < 1 or self.batch_size < 2:
            raise InputError(
                f"epochs = {self.epochs}, batch size = {self.batch_size}: give at least 1 and 2"
            )
        if not self.rate > 0 or not self.weight_decay >= 0:
            raise InputError(
                f"learning rate {self.rate}, weight decay {self.weight_decay}: give a positive "
                "number and none below zero"
            )

    @property
    def rate(self) -> float:
        """The learning rate at the first step."""
        if self.learning_rate is not None:
            return self.learning_rate
        return {"adamw": 1e-2, "sgd": 5e-2}[self.optimizer]

    @property
    def optimizer_states(self) -> int:
        """Values that the optimizer keeps for each parameter."""
        return {"adamw": 2, "sgd": 1}[self.optimizer]

    @property
    def scored_epochs(self) -> list[int]:
        """Epochs after which accuracies are measured: the powers of two, and the last."""
        powers = [2**i for i in range(self.epochs.bit_length())]
        return sorted({epoch for epoch in powers if epoch <= self.epochs} | {self.epochs})

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self) | {"learning_rate": self.rate, "procedure": PROCEDURE}

    def settings_id(self, dataset_hash: str) -> str:
        """Content hash of these settings on a dataset."""
        return hash_json(self.to_dict() | {"dataset": dataset_hash})


@dataclass(frozen=True)
class ProxySettings:
    """What decides a network's zero-cost proxies besides the dataset and the seed.

    Attributes:
        batch_size: Images that they read.
        macro: As in `TrainingSettings`.
    """

    batch_size: int = 64
    macro: dict[str, int] = field(default_factory=dict)

    @property
    def optimizer_states(self) -> int:
        """Values kept for each parameter beside its gradient: its double precision."""
        return 2

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self) | {"proxies": PROCEDURE}

    def settings_id(self, dataset_hash: str) -> str:
        """Content hash of these settings on a dataset."""
        return hash_json(self.to_dict() | {"dataset": dataset_hash})


@dataclass(frozen=True)
class EncodedProxySettings:
    """What decides the values of the encoding `proxies` besides the images.

    Attributes:
        images: How many a network is shown.
        seed: Of the weights, the noise and the choice of images.
        macro: As in `TrainingSettings`.
    """

    images: int = 32
    seed: int = 0
    macro: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, space: SearchSpace, **given: Any) -> "EncodedProxySettings":
        """Those of a space, whose whole macro-architecture they say.

        Args:
            space: The search space.
            **given: What is not as usual.

        Raises:
            InputError: The space does not leave that open, or a network cannot be told anything by
                so few images.
        """
        said = given.get("macro", {})
        usual = {k: _PROXY_MACRO.get(k, v) for k, v in space.macro_architecture({}).items()}
        made = cls(**given | {"macro": space.macro_architecture(usual | said)})
        if made.images < 2:
            raise InputError(f"--images {made.images}: give at least 2, which are told apart")
        return made

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self) | {"encoded_proxies": PROCEDURE}

    def settings_id(self, dataset_hash: str) -> str:
        """Content hash of these settings on a dataset."""
        return hash_json(self.to_dict() | {"dataset": dataset_hash})


def source_name(settings_id: str) -> str:
    """What evaluations name as their source."""
    return f"cole:{settings_id[:12]}"


@dataclass(frozen=True)
class Limits:
    """What one network may cost; beyond them it is recorded as failed.

    Attributes:
        seconds: Wall time of measuring and training.
        mebibytes: Memory of training, inferred before any is taken.
    """

    seconds: float = 300.0
    mebibytes: int = 2_048

    def check(self) -> None:
        """Checks both.

        Raises:
            InputError: One is not positive.
        """
        if not self.seconds > 0 or self.mebibytes < 1:
            raise InputError(
                f"limits of {self.seconds} s and {self.mebibytes} MiB: give positive ones"
            )
