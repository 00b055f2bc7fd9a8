"""Rankings by a published protocol: heads that learn one kind of values and are judged by another.

Split first: the larger sizes of a draw contain the smaller ones.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from cole_core.encodings.side_by_side import surrogate_kind
from cole_core.encodings.vectors import LabelledVectors, VectorSource, check_values
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.experiments.metrics import score
from cole_core.experiments.published.protocols import PublishedProtocol
from cole_core.hashing import hash_bytes, hash_json
from cole_core.predictors import make_surrogate
from cole_core.spaces.base import SearchSpace

if TYPE_CHECKING:
    from cole_core.predictors.reductions import Reduction


@dataclass(frozen=True)
class Ours:
    """What of ours stands beside published figures.

    Attributes:
        head: Name of the head.
        given: Arguments of `make_surrogate` that are not as usual.
        draws: Of labelled architectures, where they are drawn.
        seed: Of the draws and, with the draw, of the heads.
    """

    head: str
    given: Mapping[str, Any]
    draws: int
    seed: int


@dataclass(frozen=True)
class Measurements:
    """What a protocol is run on.

    Attributes:
        learned, judged: The same architectures with the values that heads learn and with those
            that judge.
        learned_target, judged_target: Which kinds of values those are.
        order: Places of the architectures in the order of a file; None where none is needed.
    """

    learned: LabelledVectors
    judged: LabelledVectors
    learned_target: Target
    judged_target: Target
    order: np.ndarray | None


@dataclass(frozen=True)
class Ranking:
    """The trials of one head by one protocol.

    Attributes:
        protocol: How they are made.
        measured: What they read.
        columns: What all of their rows share.
        configuration: Everything that decides their results but n and draw.
        parameters: Arguments of `make_surrogate`.
        draws: How many for each size.
    """

    protocol: PublishedProtocol
    measured: Measurements
    columns: dict[str, Any]
    configuration: dict[str, Any]
    parameters: dict[str, Any]
    draws: int

    @property
    def trials(self) -> list[tuple[int, int]]:
        """n and draw of each."""
        return [(n, draw) for n in self.protocol.sizes for draw in range(self.draws)]

    def trial_id(self, n: int, draw: int) -> str:
        """Content hash of the configuration with n and draw."""
        return hash_json(self.configuration | {"n": n, "draw": draw})

    def split(self, n: int, draw: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows that are labelled, and rows that are ranked."""
        count = len(self.measured.learned.values)
        order = self.measured.order
        if order is None:
            order = np.random.default_rng([self.configuration["seed"], draw]).permutation(count)
        held_out = self.protocol.held_out
        return order[:n], np.arange(count) if held_out is None else order[n : n + held_out]

    @cached_property
    def _reduction(self) -> "Reduction | None":
        """The reduction, where it learns from the whole space: the same in all trials."""
        surrogate = make_surrogate(**self.parameters)
        if not surrogate.needs_space:
            return None
        return surrogate.fit_reduction(self.measured.learned.vectors)

    def run(self, n: int, draw: int) -> pl.DataFrame:
        """Fits on n architectures and ranks.

        Returns:
            A row as `Writer.add_trials` takes it.

        Raises:
            InputError: As `Surrogate.fit`.
        """
        started = time.perf_counter()
        learned, judged = self.measured.learned, self.measured.judged
        labelled, ranked = self.split(n, draw)
        surrogate = make_surrogate(**self.parameters, seed=self._seed(draw))
        surrogate.fit(
            learned.vectors[labelled], learned.values[labelled], unlabelled=self._reduction
        )
        predicted = surrogate.predict(learned.vectors[ranked])
        training = [[learned.architecture_ids[row] for row in labelled]]
        training.append(learned.values[labelled].tolist())
        row = {
            "trial_id": self.trial_id(n, draw),
            "configuration": json.dumps(self.configuration),
            "configuration_id": hash_json(self.configuration),
            "n": n,
            "draw": draw,
            "n_test": len(ranked),
            "training_hash": hash_bytes(json.dumps(training).encode()),
            **score(
                judged.values[ranked], predicted, ranks_only=self.parameters["loss"] == "hinge"
            ),
            **self.columns,
            "seconds": time.perf_counter() - started,
        }
        nullable = {"mse": pl.Float64, "top_recall": pl.Float64, "spec_id": pl.String}
        return pl.DataFrame([row], schema_overrides=nullable)

    def _seed(self, draw: int) -> int:
        """Seed of a trial's head: another for each draw."""
        state = np.random.SeedSequence([self.configuration["seed"], draw]).generate_state(1)[0]
        return int(state >> 1)  # XGBoost takes a signed integer


def make_ranking(
    space: SearchSpace,
    protocol: PublishedProtocol,
    source: VectorSource,
    measured: Measurements,
    ours: Ours,
) -> Ranking:
    """The trials of a head by a protocol.

    Args:
        space: The search space.
        protocol: How they are made.
        source: Where the vectors are from.
        measured: The architectures, with both kinds of values.
        ours: Which head.

    Raises:
        InputError: A name is unknown, or there are not the architectures that the protocol is of.
    """
    check_whole(protocol, measured.learned)
    check_values(measured.learned)
    check_values(measured.judged)
    given = {"loss": "mse", **ours.given}
    kind = surrogate_kind(space, source, measured.learned)
    parameters = {"head": ours.head, **given, **kind}
    made = make_surrogate(**parameters)
    settings = {k: v for k, v in made.get_params().items() if k not in ("head", "head__seed")}
    columns = {
        "space": space.name,
        "encoding": source.encoding,
        "context": source.context,
        "spec_id": source.spec_id,
        "head": ours.head,
        "target": measured.judged_target.to_json(),
        "population": population(protocol),
        "folds": 0,  # nothing is held out by folds
    }
    configuration = columns | {
        "surrogate": settings,
        "learned": measured.learned_target.key,
        "labels_hashes": [measured.learned.labels_hash, measured.judged.labels_hash],
        "labelled": protocol.labelled,
        "held_out": protocol.held_out,
        "seed": ours.seed,
        **measured.judged_target.orientation,
    }
    if measured.order is not None:
        configuration["order_hash"] = hash_bytes(measured.order.tobytes())
    draws = 1 if measured.order is not None else ours.draws  # the first cells are always the same
    return Ranking(protocol, measured, columns, configuration, parameters, draws)


def population(protocol: PublishedProtocol) -> str:
    """What the trials of a protocol are called among others."""
    return f"published: {protocol.name}"


def check_whole(protocol: PublishedProtocol, labelled: LabelledVectors) -> None:
    """Checks that figures are of the architectures that theirs are of.

    Raises:
        InputError: There are fewer, or others.
    """
    count = len(labelled.natives)
    if count != protocol.architectures:
        raise InputError(
            f"{protocol.name} is of {protocol.architectures:,} architectures, and {count:,} have a "
            "vector and all of its values: embed the whole space and give whole tables"
        )


def places_in_order(labelled: LabelledVectors, natives: Sequence[str]) -> np.ndarray:
    """Places of architectures in the order in which a file names them.

    Args:
        labelled: The architectures.
        natives: In the file's order; others are passed over.

    Returns:
        (n,) int64.

    Raises:
        InputError: The file lacks one.
    """
    place_of = {native: place for place, native in enumerate(labelled.natives)}
    places = [place_of[native] for native in dict.fromkeys(natives) if native in place_of]
    if len(places) < len(place_of):
        raise InputError(
            f"the file whose order is meant lacks {len(place_of) - len(places):,} architectures: "
            "give a whole one first with --table"
        )
    return np.array(places, dtype=np.int64)
