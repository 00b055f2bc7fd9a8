"""Surrogates compared on the same splits, by the protocol of the COLE paper.

Split first, subsample later (arXiv 2605.15649): stratified folds, repeated with other shuffles;
from each training pool exactly n architectures; the whole held-out fold is predicted.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from cole_core.encodings.side_by_side import surrogate_kind
from cole_core.encodings.vectors import LabelledVectors, VectorSource, check_values, share
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.experiments.metrics import score
from cole_core.experiments.predictors import CUSTOM, Configuration, describe, labels
from cole_core.hashing import hash_bytes, hash_json
from cole_core.predictors import make_surrogate
from cole_core.predictors.transfer.old_values import OldValues
from cole_core.spaces.base import SearchSpace
from cole_core.statistics import Fold, repeated_stratified_folds

if TYPE_CHECKING:
    from cole_core.predictors.reductions import Reduction

STRATA = 5
SIZES = (14, 55, 220, 879)


@dataclass(frozen=True)
class Protocol:
    """How a comparison splits.

    Attributes:
        sizes: Numbers of labelled architectures.
        folds: Folds of each shuffle.
        repeats: Shuffles.
        canonical: Whether to take one architecture of each canonical form, the first in the
            space's order, so that no twin of a labelled one is held out.
        seed: Seed of the splits and, with the split, of the heads.
    """

    sizes: tuple[int, ...] = SIZES
    folds: int = 10
    repeats: int = 10
    canonical: bool = False
    seed: int = 0

    @property
    def population(self) -> str:
        """Which architectures, in a word."""
        return "canonical" if self.canonical else "all"


@dataclass(frozen=True)
class Contender:
    """One configuration, resolved.

    Attributes:
        label: What sets it apart from the others.
        columns: What all of its trials' rows share.
        configuration: Everything that decides their results but n and draw.
        parameters: Arguments of `make_surrogate`.
        labelled: The architectures, the same for all contenders, with this one's vectors.
        old: What was measured on the tasks that it learns from, as long as what they expect does
            not stand beside the vectors yet.
    """

    label: str
    columns: dict[str, Any]
    configuration: dict[str, Any]
    parameters: dict[str, Any]
    labelled: LabelledVectors
    old: OldValues | None = None

    @property
    def configuration_id(self) -> str:
        """Content hash of the configuration."""
        return hash_json(self.configuration)

    @cached_property
    def reduction(self) -> "Reduction | None":
        """The reduction, where it learns from the whole space: the same in all trials."""
        surrogate = make_surrogate(**self.parameters)
        return surrogate.fit_reduction(self.labelled.vectors) if surrogate.needs_space else None

    def trial_id(self, n: int, draw: int) -> str:
        """Content hash of the configuration with n and draw."""
        return hash_json(self.configuration | {"n": n, "draw": draw})


@dataclass(frozen=True)
class Comparison:
    """What the flow will do.

    Attributes:
        experiment: Its name.
        protocol: How it splits.
        target: What is predicted, as JSON.
        contenders: What it compares, the reference first.
        folds: The splits, in the order of the draws.
    """

    experiment: str
    protocol: Protocol
    target: str
    contenders: list[Contender]
    folds: list[Fold]

    @property
    def comparison_id(self) -> str:
        """Content hash of the contenders and the splits; the sizes may grow."""
        ids = [contender.configuration_id for contender in self.contenders]
        return hash_json({"configurations": ids, "repeats": self.protocol.repeats})

    @property
    def architectures(self) -> int:
        """How many there are to label and to hold out."""
        return len(self.contenders[0].labelled.values)

    def with_expectations(
        self, expected: Callable[[OldValues, np.ndarray], np.ndarray]
    ) -> "Comparison":
        """The comparison with what old tasks expect beside the vectors of those that learn.

        Args:
            expected: Of old tasks and vectors of shape (n, d), shape (n, tasks).
        """
        ready = [
            each
            if each.old is None
            else replace(
                each,
                labelled=each.labelled.beside(expected(each.old, each.labelled.vectors)),
                old=None,
            )
            for each in self.contenders
        ]
        return replace(self, contenders=ready)

    def trial_ids(self, contender: Contender) -> list[str]:
        """The trials of a contender, size by size in the order of the draws."""
        return [
            contender.trial_id(n, draw)
            for n in self.protocol.sizes
            for draw in range(len(self.folds))
        ]


def make_comparison(
    space: SearchSpace,
    experiment: str | None,
    configurations: Sequence[Configuration],
    sources: Sequence[VectorSource],
    labelled: Sequence[LabelledVectors],
    target: Target,
    protocol: Protocol,
    old: Sequence[OldValues | None] | None = None,
) -> Comparison:
    """The comparison of configurations whose vectors and values are at hand.

    Args:
        space: The search space.
        experiment: Its name; None for a list of one's own.
        configurations: What is compared, the reference first.
        sources: Where the vectors of each are from.
        labelled: The architectures of each.
        target: What is predicted.
        protocol: How to split.
        old: What each learns from beside its labels; None where none learns.

    Raises:
        InputError: A name is unknown, a value is none, or a size does not fit.
    """
    learned = list(old) if old is not None else [None] * len(configurations)
    shared = share(labelled, protocol.canonical)
    check(shared, configurations, protocol)
    names = labels(
        [
            describe(
                replace(each, lm=source.language_model or each.lm),
                source.spec_id is None,
                () if tasks is None else tasks.configuration,
            )
            for each, source, tasks in zip(configurations, sources, learned, strict=True)
        ]
    )
    # The same surrogate under two names would be tested against itself.
    contenders: dict[str, Contender] = {}
    for each, source, own, name, tasks in zip(
        configurations, sources, shared, names, learned, strict=True
    ):
        made = _contender(space, each, source, own, name, target, protocol, tasks)
        contenders.setdefault(made.configuration_id, made)
    folds = repeated_stratified_folds(
        shared[0].values,
        folds=protocol.folds,
        repeats=protocol.repeats,
        strata=STRATA,
        seed=protocol.seed,
    )
    return Comparison(
        experiment or CUSTOM, protocol, target.to_json(), list(contenders.values()), list(folds)
    )


def _contender(
    space: SearchSpace,
    configuration: Configuration,
    source: VectorSource,
    labelled: LabelledVectors,
    label: str,
    target: Target,
    protocol: Protocol,
    old: OldValues | None,
) -> Contender:
    tasks = [] if old is None else old.configuration
    parameters = {
        "head": configuration.head,
        **surrogate_kind(space, source, labelled),
        **configuration.surrogate_parameters(),
        "old_tasks": len(tasks),
    }
    made = make_surrogate(**parameters)
    columns = {
        "space": space.name,
        "encoding": source.encoding,
        "context": source.context,
        "spec_id": source.spec_id,
        "head": configuration.head,
        "target": target.to_json(),
        "population": protocol.population,
        "folds": protocol.folds,
    }
    settings = {k: v for k, v in made.get_params().items() if k not in ("head", "head__seed")}
    identity = columns | {
        "surrogate": settings,
        "labels_hash": labelled.labels_hash,
        "strata": STRATA,
        "seed": protocol.seed,
        **target.orientation,
    }
    if tasks:
        identity["transfer"] = tasks
    return Contender(label, columns, identity, parameters, labelled, old)


def check(
    labelled: Sequence[LabelledVectors],
    configurations: Sequence[Configuration],
    protocol: Protocol,
) -> None:
    """Checks what the trials rest on before the first of them.

    Raises:
        InputError: A value or vector is not finite, all values are equal, there is nothing to
            hold out, or a size is below 2 or above the smallest training pool.
    """
    values = labelled[0].values
    if protocol.folds < 2 or protocol.repeats < 1:
        raise InputError(
            f"--folds {protocol.folds} --repeats {protocol.repeats}: at least 2 folds are needed "
            "to hold something out, and 1 repeat"
        )
    if len(values) < 2 * protocol.folds:
        raise InputError(
            f"{len(values)} architectures have vectors of all configurations: too few for "
            f"--folds {protocol.folds}"
        )
    check_values(labelled[0])
    for own, each in zip(labelled, configurations, strict=True):
        finite = np.isfinite(own.vectors).all(axis=1)
        if not finite.all():
            bad = own.natives[int(np.argmin(finite))]
            raise InputError(
                f"the vector of {bad} under '{each.encoding}' holds NaN or infinity: embed it anew"
            )
    largest = len(values) - -(-len(values) // protocol.folds)
    for n in protocol.sizes:
        if not 2 <= n <= largest:
            raise InputError(
                f"-n {n}: {len(values)} architectures have vectors of all configurations, one of "
                f"{protocol.folds} folds is held out, so ask for 2 to {largest}"
            )


@contextlib.contextmanager
def one_core_each() -> Iterator[int]:
    """Lets batches run side by side, each on a core of its own.

    The networks of a trial are too small to be worth splitting over cores.

    Yields:
        How many cores there are.
    """
    import torch

    from cole_core.predictors.blas import one_blas_thread

    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with one_blas_thread():
            yield cores
    finally:
        torch.set_num_threads(cores)


def run_batch(
    contender: Contender, n: int, draws: Sequence[int], folds: Sequence[Fold]
) -> pl.DataFrame:
    """Fits one contender on n architectures of several splits together, and scores each.

    Args:
        contender: The configuration.
        n: Number of labelled architectures.
        draws: Numbers of the splits.
        folds: The splits.

    Returns:
        Rows as `Writer.add_trials` takes them; seconds are the batch's, shared evenly.
    """
    from cole_core.predictors.surrogate import fit_together

    started = time.perf_counter()
    architectures = contender.labelled
    labelled = [fold.labelled(n) for fold in folds]
    surrogates = [
        make_surrogate(**contender.parameters, seed=_seed(contender.configuration["seed"], fold))
        for fold in folds
    ]
    fit_together(
        surrogates,
        [architectures.vectors[rows] for rows in labelled],
        [architectures.values[rows] for rows in labelled],
        unlabelled=[contender.reduction] * len(folds),
    )
    rows = []
    for draw, fold, rows_in, surrogate in zip(draws, folds, labelled, surrogates, strict=True):
        ids = [architectures.architecture_ids[row] for row in rows_in]
        predicted = surrogate.predict(architectures.vectors[fold.held_out])
        rows.append(
            {
                "trial_id": contender.trial_id(n, draw),
                "configuration": json.dumps(contender.configuration),
                "configuration_id": contender.configuration_id,
                "n": n,
                "draw": draw,
                "n_test": len(fold.held_out),
                "training_hash": hash_bytes(
                    json.dumps([ids, architectures.values[rows_in].tolist()]).encode()
                ),
                **score(
                    architectures.values[fold.held_out],
                    predicted,
                    ranks_only=contender.parameters["loss"] == "hinge",
                ),
                "old_task_weights": list(surrogate.old_task_weights) or None,
                **contender.columns,
            }
        )
    seconds = (time.perf_counter() - started) / len(draws)
    nullable: dict[str, Any] = {
        "mse": pl.Float64,
        "top_recall": pl.Float64,
        "spec_id": pl.String,
        "old_task_weights": pl.List(pl.Float64),
    }
    return pl.DataFrame(rows, schema_overrides=nullable).with_columns(seconds=pl.lit(seconds))


def _seed(seed: int, fold: Fold) -> int:
    """Seed of a trial's head: another for each split, the same for each contender."""
    state = np.random.SeedSequence([seed, fold.repeat, fold.fold]).generate_state(1)[0]
    return int(state >> 1)  # XGBoost takes a signed integer
