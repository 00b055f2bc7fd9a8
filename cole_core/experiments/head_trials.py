"""Heads fitted on a few labelled architectures and tested on others."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from cole_core.encodings.side_by_side import surrogate_kind
from cole_core.encodings.vectors import LabelledVectors, VectorSource
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.experiments.metrics import score
from cole_core.hashing import hash_bytes, hash_json
from cole_core.predictors import make_surrogate
from cole_core.spaces.base import SearchSpace

if TYPE_CHECKING:
    from cole_core.predictors.reductions import Reduction
    from cole_core.predictors.surrogate import Surrogate

TEST_SHARE = 0.1


@dataclass(frozen=True)
class Trial:
    """One fit on n architectures and one test on the held-out ones.

    Attributes:
        configuration: Everything that decides the result.
        n: Number of labelled architectures.
        draw: Which random split; the test fold depends on it alone, not on n.
    """

    configuration: dict[str, Any]
    n: int
    draw: int

    @property
    def trial_id(self) -> str:
        """Content hash of the configuration with n and draw."""
        return hash_json(self.configuration | {"n": self.n, "draw": self.draw})


@dataclass(frozen=True)
class HeadTrials:
    """The trials of one head on the same vectors and values.

    Attributes:
        labelled: What they read.
        configuration: Everything that decides the results but n and draw.
        trials: All of them.
        columns: What all of the trials' rows share.
        parameters: Arguments of `make_surrogate` beside the head's name.
        old_tasks: Surrogates of the tasks that it learns from, whose expectations stand beside the
            vectors.
    """

    labelled: LabelledVectors
    configuration: dict[str, Any]
    trials: list[Trial]
    columns: dict[str, Any]
    parameters: dict[str, Any]
    old_tasks: "Sequence[Surrogate]" = ()

    def learning_from(self, surrogates: "Sequence[Surrogate]") -> "HeadTrials":
        """The trials with what old tasks expect of the architectures beside their vectors.

        Args:
            surrogates: One for each old task.
        """
        from cole_core.predictors.transfer.old_task import expectations

        expected = expectations(surrogates, self.labelled.vectors)
        return replace(self, labelled=self.labelled.beside(expected), old_tasks=tuple(surrogates))

    def new_surrogate(self) -> "Surrogate":
        """A surrogate to fit."""
        return make_surrogate(self.columns["head"], **self.parameters)

    @cached_property
    def unlabelled(self) -> "np.ndarray | Reduction":
        """What the reduction learns of the space: the same for all trials, so learned once."""
        surrogate = self.new_surrogate()
        if not surrogate.needs_space:
            return self.labelled.vectors
        return surrogate.fit_reduction(self.labelled.vectors)

    def run(self, trial: Trial) -> "tuple[dict[str, Any], Surrogate]":
        """Fits on the trial's n architectures and tests on its held-out ones.

        Returns:
            A row as the warehouse takes it, and the fitted surrogate.
        """
        labelled = self.labelled
        held_out, rows = split(
            len(labelled.values), trial.n, self.configuration["seed"], trial.draw
        )
        started = time.perf_counter()
        surrogate = self.new_surrogate()
        surrogate.fit(labelled.vectors[rows], labelled.values[rows], unlabelled=self.unlabelled)
        predicted = surrogate.predict(labelled.vectors[held_out])
        ids = [labelled.architecture_ids[row] for row in rows]
        training = json.dumps([ids, labelled.values[rows].tolist()])
        row = {
            "trial_id": trial.trial_id,
            "configuration": json.dumps(trial.configuration),
            "configuration_id": hash_json(trial.configuration),
            "n": trial.n,
            "draw": trial.draw,
            "n_test": len(held_out),
            "training_hash": hash_bytes(training.encode()),
            **score(
                labelled.values[held_out],
                predicted,
                ranks_only=self.parameters.get("loss") == "hinge",
            ),
            "old_task_weights": list(surrogate.old_task_weights) or None,
            "seconds": time.perf_counter() - started,
        }
        if self.old_tasks:
            surrogate.carry(self.old_tasks)
        return row | self.columns, surrogate


def make_head_trials(
    space: SearchSpace,
    source: VectorSource,
    target: Target,
    labelled: LabelledVectors,
    head: str,
    head_parameters: Mapping[str, Any],
    splits: "Splits",
    old_tasks: Sequence[Mapping[str, Any]] = (),
) -> HeadTrials:
    """The trials of a head on vectors and values that are at hand.

    Args:
        space: The search space.
        source: Where the vectors are from.
        target: What is predicted.
        labelled: The architectures.
        head: The head's name.
        head_parameters: Arguments of `make_surrogate` that are not as usual.
        splits: Sizes, draws and seed.
        old_tasks: What tells apart the tasks that `learning_from` is going to be told of.

    Raises:
        InputError: A name is unknown, or a size does not fit.
    """
    parameters = {"seed": splits.seed, **head_parameters}
    parameters |= surrogate_kind(space, source, labelled)
    if old_tasks:
        parameters["old_tasks"] = len(old_tasks)
    surrogate = make_surrogate(head, **parameters)
    splits.check(len(labelled.values))
    columns = {
        "space": space.name,
        "encoding": source.encoding,
        "context": source.context,
        "spec_id": source.spec_id,
        "head": head,
        "target": target.to_json(),
    }
    configuration = columns | {
        "surrogate": {k: v for k, v in surrogate.get_params().items() if k != "head"},
        "labels_hash": labelled.labels_hash,
        "test_share": TEST_SHARE,
        "seed": splits.seed,
        **target.orientation,
    }
    if old_tasks:
        configuration["transfer"] = list(old_tasks)
    trials = [Trial(configuration, n, draw) for n in splits.sizes for draw in range(splits.draws)]
    return HeadTrials(labelled, configuration, trials, columns, parameters)


@dataclass(frozen=True)
class Splits:
    """How architectures are held out and labelled.

    Attributes:
        sizes: Numbers of labelled architectures.
        draws: Random splits for each size.
        seed: Of the splits and of the heads.
    """

    sizes: tuple[int, ...] = (220,)
    draws: int = 10
    seed: int = 0

    def check(self, count: int) -> None:
        """Checks them before anything is fitted.

        Args:
            count: How many architectures have a vector and a value.

        Raises:
            InputError: A size is below 2 or above what is left beside the held-out tenth.
        """
        largest = count - n_test(count)
        for n in self.sizes:
            if not 2 <= n <= largest:
                raise InputError(
                    f"-n {n}: {count} architectures have a vector and a value, a tenth is held "
                    f"out, so ask for 2 to {largest}"
                )
        if self.draws < 1:
            raise InputError(f"--draws {self.draws}: ask for at least 1")


def split(count: int, n: int, seed: int, draw: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows held out and rows labelled; the larger sizes of a draw contain the smaller ones."""
    order = np.random.default_rng([seed, draw]).permutation(count)
    held_out = n_test(count)
    return order[:held_out], order[held_out : held_out + n]


def n_test(count: int) -> int:
    """Number of architectures held out: a tenth, rounded up."""
    return -(-count // 10)


def summarise(trials: Sequence[Trial], results: pl.DataFrame) -> list[dict[str, Any]]:
    """Mean and standard deviation of Kendall's tau for each training size; None where a head
    collapsed."""
    of_trial = dict(results.select("trial_id", "kendall_tau").iter_rows())
    sizes: dict[int, list[float]] = {}
    for trial in trials:
        sizes.setdefault(trial.n, []).append(of_trial[trial.trial_id])
    return [
        {"n": n, "mean": _finite(np.mean(taus)), "std": _finite(np.std(taus)), "draws": len(taus)}
        for n, taus in sizes.items()
    ]


def _finite(value: np.floating) -> float | None:
    return float(value) if np.isfinite(value) else None
