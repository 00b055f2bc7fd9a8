"""Architectures with their vectors, and with values: what heads and searches read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cole_core.encodings.base import NO_CONTEXT
from cole_core.errors import InputError
from cole_core.hashing import hash_bytes


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """Which stored vectors are asked for; None leaves a choice open.

    Attributes:
        encoding: A text or structural encoding; or several side by side, joined by `+`; by default
            the space's reference.
        lm: Language model, or the beginning of a spec_id, which says all by itself. Like what
            follows, it says nothing for a structural encoding.
        context: What stands around the architecture in its text.
        pooling: How token states became one vector.
        precision: Of the language model.
        random_init: Seed of a randomly initialised language model; by default the trained one.
    """

    encoding: str | None = None
    lm: str | None = None
    context: str = NO_CONTEXT
    pooling: str | None = None
    precision: str | None = None
    random_init: int | None = None


USUAL = {"lm": "minilm", "pooling": "avg_avg", "precision": "bf16"}
"""What is meant where several fit and nothing is said."""


@dataclass(frozen=True)
class VectorSource:
    """Where vectors come from.

    Attributes:
        encoding: A text or structural encoding; or several side by side, joined by `+`.
        context: The rendering's context.
        spec_id: The embedding specification; None where all is structural.
        language_model: Its name for people; None for a structural encoding.
    """

    encoding: str
    context: str
    spec_id: str | None
    language_model: str | None


@dataclass(frozen=True)
class ArchitectureVectors:
    """The architectures of a space that have a vector, in the space's order.

    Attributes:
        architecture_ids: n ids.
        natives: n native strings.
        canonical_ids: n ids, equal for architectures that compute the same function.
        vectors: (n, d) float32.
    """

    architecture_ids: list[str]
    natives: list[str]
    canonical_ids: list[str]
    vectors: np.ndarray

    def at(self, places: Sequence[int]) -> "ArchitectureVectors":
        """Those at some places."""
        return ArchitectureVectors(
            architecture_ids=[self.architecture_ids[place] for place in places],
            natives=[self.natives[place] for place in places],
            canonical_ids=[self.canonical_ids[place] for place in places],
            vectors=self.vectors[list(places)],
        )


@dataclass(frozen=True)
class LabelledVectors:
    """The architectures that have both a vector and a measured value.

    Attributes:
        architecture_ids, natives, canonical_ids: n each, in the space's order.
        vectors: (n, d) float32.
        values: (n,) float64.
        labels_hash: Content hash of ids and values: the measurements that a result rests on.
    """

    architecture_ids: list[str]
    natives: list[str]
    canonical_ids: list[str]
    vectors: np.ndarray
    values: np.ndarray
    labels_hash: str

    def take(self, ids: list[str]) -> "LabelledVectors":
        """Those of some architectures, in the order of the ids."""
        if ids == self.architecture_ids:
            return self
        row_of = {id_: row for row, id_ in enumerate(self.architecture_ids)}
        rows = [row_of[id_] for id_ in ids]
        return _labelled(self, rows, self.values[rows])

    def beside(self, columns: np.ndarray) -> "LabelledVectors":
        """The same with more columns beside the vectors.

        Args:
            columns: Shape (n, k).
        """
        return replace(self, vectors=np.hstack([self.vectors, columns]))


def join_side_by_side(parts: Sequence[ArchitectureVectors]) -> ArchitectureVectors:
    """The architectures that all have, in the first one's order, vectors side by side."""
    rows = [{id_: row for row, id_ in enumerate(part.architecture_ids)} for part in parts]
    first = parts[0]
    kept = [i for i, id_ in enumerate(first.architecture_ids) if all(id_ in each for each in rows)]
    ids = [first.architecture_ids[i] for i in kept]
    taken = [part.vectors[[row[id_] for id_ in ids]] for part, row in zip(parts, rows, strict=True)]
    return ArchitectureVectors(
        architecture_ids=ids,
        natives=[first.natives[i] for i in kept],
        canonical_ids=[first.canonical_ids[i] for i in kept],
        vectors=np.concatenate(taken, axis=1),
    )


def label(vectors: ArchitectureVectors, values: Mapping[str, float]) -> LabelledVectors:
    """The architectures that have a value.

    Args:
        vectors: Architectures with vectors.
        values: By architecture_id.
    """
    rows = [row for row, id_ in enumerate(vectors.architecture_ids) if id_ in values]
    measured = np.array([values[vectors.architecture_ids[row]] for row in rows])
    return _labelled(vectors, rows, measured)


def share(labelled: Sequence[LabelledVectors], canonical: bool) -> list[LabelledVectors]:
    """All cut to the architectures that they have in common, in the first one's order.

    Args:
        labelled: One for each configuration.
        canonical: Whether to keep the first architecture of each canonical form alone.

    Raises:
        InputError: They have none in common.
    """
    first = labelled[0]
    common = set(first.architecture_ids).intersection(*(each.architecture_ids for each in labelled))
    kept: list[str] = []
    seen: set[str] = set()
    for id_, form in zip(first.architecture_ids, first.canonical_ids, strict=True):
        if id_ in common and not (canonical and form in seen):
            kept.append(id_)
            seen.add(form)
    if not kept:
        raise InputError("no architecture has vectors of all configurations: embed the same ones")
    return [each.take(kept) for each in labelled]


def check_values(labelled: LabelledVectors) -> None:
    """Checks that there is something to rank.

    Raises:
        InputError: A value is not finite, or all are equal.
    """
    values = labelled.values
    finite = np.isfinite(values)
    if not finite.all():
        bad = labelled.natives[int(np.argmin(finite))]
        raise InputError(f"the measured value of {bad} is NaN or infinite: ingest it anew")
    if np.ptp(values) == 0:
        raise InputError(
            f"all {len(values)} measured values are {values[0]:g}: nothing can be ranked by them"
        )


def _labelled(
    of: ArchitectureVectors | LabelledVectors, rows: list[int], values: np.ndarray
) -> LabelledVectors:
    ids = [of.architecture_ids[row] for row in rows]
    return LabelledVectors(
        architecture_ids=ids,
        natives=[of.natives[row] for row in rows],
        canonical_ids=[of.canonical_ids[row] for row in rows],
        vectors=of.vectors[rows],
        values=values,
        labels_hash=hash_bytes(json.dumps([ids, values.tolist()]).encode()),
    )
