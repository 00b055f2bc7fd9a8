"""Which other tasks a search learns from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from cole_core.encodings.side_by_side import surrogate_kind
from cole_core.encodings.vectors import ArchitectureVectors, LabelledVectors, VectorSource, label
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.hashing import hash_json
from cole_core.predictors.transfer.limits import LEAST
from cole_core.search import SearchAlgorithm
from cole_core.spaces.base import SearchSpace
from flows.resolve.requests import Measured
from flows.resolve.values import find_targets, kind_in_words
from flows.resolve.vectors import load_vectors
from warehouse import Warehouse

AUTO, NONE = "auto", "none"

TransferOption = Annotated[
    str,
    Parameter(
        help="Other tasks of the space that the surrogate learns from: none; auto, of each other"
        " dataset the values of the same metric that are nearest in split and epochs; or tasks"
        " separated by commas, each a dataset's name or dataset:split:metric:epochs."
    ),
]


@dataclass(frozen=True)
class OldValues:
    """What was measured on other tasks.

    Attributes:
        targets: The tasks.
        labelled: Their measured architectures, with their vectors; a higher value is better.
        vectors: Of all architectures of the space.
        kind: What `surrogate_kind` says of the vectors.
        artifacts: Where the surrogate of each task is kept: another one where values, vectors or
            architectures are others.
    """

    targets: Sequence[Target]
    labelled: Sequence[LabelledVectors]
    vectors: np.ndarray
    kind: dict[str, Any]
    artifacts: Sequence[str]

    @property
    def configuration(self) -> list[dict[str, Any]]:
        """What tells searches apart that read them."""
        return [
            {**target.key, "labels_hash": labelled.labels_hash}
            for target, labelled in zip(self.targets, self.labelled, strict=True)
        ]


def may_transfer(searcher: SearchAlgorithm, asked: str, *, several: bool = False) -> bool:
    """Whether an algorithm has a surrogate that could learn from other tasks.

    Args:
        searcher: The algorithm.
        asked: `auto`, `none`, or tasks.
        several: Whether several objectives are sought, each of which is a task of its own.

    Raises:
        InputError: It has none, and tasks are named.
    """
    if several:
        if asked in (AUTO, NONE):
            return False
        raise InputError(
            f"--transfer {asked}: a search of several objectives learns from no other task, leave "
            "it out"
        )
    able = searcher.surrogate_params() is not None
    if not able and asked not in (AUTO, NONE):
        raise InputError(
            f"--transfer {asked}: {searcher.name} has no surrogate that could learn from it, leave"
            " it out or choose --algorithm bananas"
        )
    return able


def transferred(old: OldValues | None) -> dict[str, Any]:
    """What a summary says of the tasks that were learned from: nothing where there are none."""
    if old is None:
        return {}
    tasks = [
        {"task": kind_in_words(target.key), "values": len(labelled.natives)}
        for target, labelled in zip(old.targets, old.labelled, strict=True)
    ]
    return {"transfer": tasks}


def find_old_values(
    warehouse: Warehouse,
    space: SearchSpace,
    source: VectorSource,
    target: Target,
    asked: str,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> OldValues | None:
    """What a search learns from beside its own evaluations; None where there is nothing.

    Args:
        warehouse: Where it is.
        space: The search space.
        source: Where the vectors are from.
        target: What the search is of.
        asked: `auto`, `none`, or tasks separated by commas.
        settings: What the surrogates of the old tasks do otherwise than usual.

    Raises:
        InputError: A task is unknown, is the search's own, or has too few values.
    """
    tasks = find_tasks(warehouse, space, target, asked)
    if not tasks:
        return None
    vectors = load_vectors(warehouse, space, source)
    enough: list[tuple[Target, LabelledVectors]] = []
    for task in tasks:
        values = {id_: task.sign * v for id_, v in warehouse.labels(space, task).iter_rows()}
        labelled = label(vectors, values)
        if len(labelled.natives) >= LEAST and labelled.values.std() > 0:
            enough.append((task, labelled))
        elif asked != AUTO:
            raise InputError(
                f"--transfer {asked}: {kind_in_words(task.key)} has"
                f" {len(labelled.natives)} architectures with a vector and a value, and"
                f" {LEAST} different ones are needed: leave it out, or ingest more"
            )
    if not enough:
        return None
    targets, labelled_ones = zip(*enough, strict=True)
    return OldValues(
        targets,
        labelled_ones,
        vectors.vectors,
        {**surrogate_kind(space, source, vectors), **settings},
        [_artifact(source, vectors, task, each, settings) for task, each in enough],
    )


def _artifact(
    source: VectorSource,
    vectors: ArchitectureVectors,
    task: Target,
    labelled: LabelledVectors,
    settings: Mapping[str, Any],
) -> str:
    """Path of a surrogate below the artifacts: a hash of all that decides it."""
    decided = {
        "source": [source.encoding, source.context, source.spec_id],
        "settings": dict(settings),
        # A reduction that is fitted on the space is another one where the space has grown.
        "architectures": None if settings else vectors.architecture_ids,
        "task": task.key,
        "labels_hash": labelled.labels_hash,
    }
    return f"old_tasks/{hash_json(decided)}.npz"


def find_tasks(
    warehouse: Warehouse, space: SearchSpace, target: Target, asked: str
) -> list[Target]:
    """The tasks that are meant.

    `auto` takes, of each other dataset, the values of the same metric that are nearest to what is
    sought: the same split, epochs and source where there are. The dataset's own values, under
    another name or fidelity, are taken only where they are named.

    Raises:
        InputError: A task is unknown, or is the one that is searched.
    """
    if asked == NONE:
        return []
    if asked == AUTO and (not warehouse.has_catalog or warehouse.targets(space).is_empty()):
        return []
    stored = find_targets(warehouse, space, Measured())
    others = [each for each in stored if _kind(each) != _kind(target)]
    if asked == AUTO:
        fitting = [
            each
            for each in others
            if each.dataset != target.dataset
            and each.metric == target.metric
            and each.direction is not None
        ]
        datasets = sorted({each.dataset for each in fitting})
        return [_nearest([e for e in fitting if e.dataset == name], target) for name in datasets]
    named = [_named(others, target, text.strip(), space.name) for text in asked.split(",")]
    return list(dict.fromkeys(named))


def _named(others: Sequence[Target], target: Target, text: str, space: str) -> Target:
    """The task of a dataset's name or of `dataset:split:metric:epochs`.

    Raises:
        InputError: There is none.
    """
    asked = text.split(":")
    if len(asked) == 1 and text != target.dataset:
        fitting = [each for each in others if each.dataset == text]
        same = [each for each in fitting if each.metric == target.metric]
        fitting = same or fitting
    else:
        fitting = [each for each in others if _long(each) == text]
    if fitting:
        return _nearest(fitting, target)
    listed = ", ".join(dict.fromkeys(_long(each) for each in others)) or "no other task"
    if text in (_long(target), target.dataset):
        raise InputError(f"--transfer {text}: that is what is searched, choose from {listed}")
    raise InputError(f"--transfer {text}: {space} has no such task, choose from {listed}")


def _nearest(fitting: Sequence[Target], target: Target) -> Target:
    names = ("metric", "split", "epochs", "source")
    return min(fitting, key=lambda each: [getattr(each, n) != getattr(target, n) for n in names])


def _kind(target: Target) -> tuple[Any, ...]:
    """A task whatever the source of its values."""
    return (target.dataset, target.metric, target.split, target.epochs)


def _long(target: Target) -> str:
    """A task as people name it."""
    epochs = "" if target.epochs is None else target.epochs
    return f"{target.dataset}:{target.split}:{target.metric}:{epochs}"
