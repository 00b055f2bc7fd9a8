"""Networks evaluated by somebody's own function, which trains them as it likes."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cole_core.errors import InputError
from cole_core.evaluation.attempts import AnyEvaluator
from cole_core.evaluation.given_values import (
    SCORE,
    Named,
    NoNumberError,
    NotFiniteError,
    read_name,
    scores,
)
from cole_core.evaluation.outcomes import DIVERGED, FAILED, OK, TOO_LARGE, Attempt
from cole_core.evaluation.settings import Limits
from cole_core.evaluation.target import Target
from cole_core.foreign_code import load_module
from cole_core.foreign_code.definitions import Function, find_function
from cole_core.foreign_code.faults import Caught, one_line
from cole_core.foreign_code.runner import keep_within, silence
from cole_core.hashing import hash_json
from cole_core.spaces.base import SearchSpace

_KNOWN = ("seed", "epochs")  # what it is told, if it has them


@dataclass(frozen=True)
class OwnSettings:
    """What decides the values besides the network and the seed.

    Attributes:
        function: The function's name, and a hash of what it does.
        epochs: That it is told; None where it has no such argument.
        number: What a bare number is.
    """

    function: str
    digest: str
    epochs: int | None
    number: Named

    def to_dict(self) -> dict[str, Any]:
        """All that decides the values as plain values: what a number is called is no part."""
        return {"function": self.function, "digest": self.digest, "epochs": self.epochs}


@dataclass(frozen=True)
class OwnTraining:
    """Somebody's own training, and what one network may cost.

    Attributes:
        function: What is called with each network.
        dataset: What the values are called to be of.
        number: What a bare number is.
        epochs: That the function is told, if it has such an argument.
        limits: What one network may cost.
        seed: That the function is told, if it has such an argument, and of weights at random.
        workers: Processes, one thread each.
    """

    function: Function
    dataset: str
    number: Named
    epochs: int
    limits: Limits
    seed: int
    workers: int

    def evaluator(self, space: SearchSpace) -> "OwnEvaluator":
        """What evaluates networks of a space so."""
        epochs = self.epochs if "epochs" in self.function.arguments else None
        about = (self.function.name, self.function.digest, epochs, self.number)
        return OwnEvaluator(space, self.limits, OwnSettings(*about), self.function, self.dataset)

    @property
    def line(self) -> str:
        """What the values are taken for, before there is any."""
        return (
            f"{self.function.path.name}:{self.function.name}: a bare number is taken as "
            f"{self.number.line}; names are read as a table's headings; say otherwise with --metric"
        )


def own_training(
    path: Path,
    name: str,
    *,
    metric: str | None,
    dataset: str | None,
    epochs: int,
    limits: Limits,
    seed: int,
    workers: int,
) -> OwnTraining:
    """Reads what somebody asks for. Nothing is run.

    Args:
        path: The file.
        name: The function.
        metric: What a bare number is, as `read_name` reads it.
        dataset: What the values are of; None: named after the function.
        epochs: That it is told.
        limits: What one network may cost.
        seed: That it is told.
        workers: Processes.

    Raises:
        InputError: There is no such function, it wants what it is not told, or a value is not
            possible.
    """
    limits.check()
    if workers < 1:
        raise InputError(f"--workers {workers}: give at least 1")
    if epochs < 1:
        raise InputError(f"--epochs {epochs}: give at least 1")
    function = find_function(path, name)
    if not function.arguments or function.arguments[0] in _KNOWN:
        raise InputError(
            f"{path.name}:{name} takes no network: give it one, as def {name}(network, seed)"
        )
    unknown = [each for each in function.needed[1:] if each not in _KNOWN]
    if unknown:
        raise InputError(
            f"{path.name}:{name} wants '{unknown[0]}', and is told the network, seed and epochs "
            "alone: give it a default"
        )
    return OwnTraining(
        function=function,
        dataset=dataset or f"{path.stem}.{name}",
        number=SCORE if metric is None else read_name(metric),
        epochs=epochs,
        limits=limits,
        seed=seed,
        workers=workers,
    )


@dataclass(frozen=True)
class OwnEvaluator(AnyEvaluator):
    """Calls a function with each network; can be sent to another process.

    Attributes:
        space: Builds the networks.
        limits: What one network may cost.
        given: What decides the values.
        function: What is called.
        named: What the values are called to be of.
    """

    space: SearchSpace
    limits: Limits
    given: OwnSettings
    function: Function
    named: str

    @property
    def settings(self) -> OwnSettings:
        return self.given

    @property
    def settings_id(self) -> str:
        """Content hash of the function and what it is told."""
        return hash_json(self.given.to_dict())

    @property
    def dataset_name(self) -> str:
        return self.named

    @property
    def dataset_hash(self) -> str:
        """That of the function, which brings its data."""
        return self.given.digest

    @property
    def files(self) -> tuple[Path, ...]:
        return (*self.space.files, self.function.path)

    def target(self, split: str | None = None) -> Target:
        """The values that a search betters; the split is said by their name."""
        number = self.given.number
        epochs = self.given.epochs if number.epochs is None else number.epochs
        return Target(
            *(self.named, number.metric, split or number.split, epochs, self.source),
            unit=number.kept_in,
            direction=number.direction,
        )

    @cached_property
    def _call(self) -> Callable[..., Any]:
        """The function. What it prints is shown nowhere, and its memory has an end."""
        silence()
        keep_within(self.limits.mebibytes)
        found: Callable[..., Any] = getattr(load_module(self.function.path), self.function.name)
        return found

    def __call__(self, native: str, seed: int) -> Attempt:
        """Evaluates one network. An error of the network is recorded, not raised."""
        begin = time.monotonic()
        known: dict[str, Any] = {}
        found: list[Any] = []
        with Caught() as caught:
            call = self._call
            _seed(seed)
            network = self.space.build(native)
            known["parameters"] = sum(w.numel() for w in network.parameters() if w.requires_grad)
            told = {"seed": seed, "epochs": self.given.epochs}
            taken = {name: told[name] for name in _KNOWN if name in self.function.arguments}
            found += scores(call(network, **taken), self.given.number, self.given.epochs)
        status, error = OK, None
        if caught.error is not None:
            status, error = _what_went_wrong(caught)
        seconds = time.monotonic() - begin
        return Attempt(native, seed, status, error, seconds, scores=tuple(found), **known)


def _what_went_wrong(caught: Caught) -> tuple[str, str]:
    assert caught.error is not None
    if isinstance(caught.error, NotFiniteError):
        return DIVERGED, f"what it gives is not finite: {caught.error}"
    if isinstance(caught.error, NoNumberError | InputError):
        return FAILED, str(caught.error)
    if caught.is_memory:
        return TOO_LARGE, one_line(caught.error)
    return FAILED, one_line(caught.error)


def _seed(seed: int) -> None:
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
