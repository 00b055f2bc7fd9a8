"""Which other tasks a head or a search learns from."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
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
from cole_core.predictors.transfer.old_values import (
    AUTO,
    BY_ITS_OWN,
    NONE,
    OldTask,
    OldValues,
)
from cole_core.search import SearchAlgorithm
from cole_core.spaces.base import SearchSpace
from flows.resolve.other_spaces import SEPARATOR, find_elsewhere, tasks_elsewhere
from flows.resolve.requests import Measured
from flows.resolve.tasks import by_dataset, kind_of, long_name, named_task, task_in_words
from flows.resolve.values import find_targets, kind_in_words
from flows.resolve.vectors import load_vectors
from warehouse import Warehouse

TransferOption = Annotated[
    str,
    Parameter(
        help="Other tasks that the surrogate learns from: none; auto, of each other"
        " dataset the values of the same metric that are nearest in split and epochs; or tasks"
        " separated by commas, each a dataset's name or dataset:split:metric:epochs, of another"
        " space behind its name, as SPACE/TASK."
    ),
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


def transferred(old: OldValues | None, by_size: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """What a summary says of the tasks that were learned from: nothing where there are none.

    Args:
        old: The tasks.
        by_size: For heads, n and the weight of each task in `weights`.
    """
    if old is None:
        return {}
    tasks: list[dict[str, Any]] = [
        {"task": task_in_words(each.configuration), "values": len(each.labelled.natives)}
        for each in old.tasks
    ]
    for place, task in enumerate(tasks):
        if by_size:
            task["weights"] = [{"n": e["n"], "weight": e["weights"][place]} for e in by_size]
    return {"transfer": tasks}


def transferred_in(each: Iterable[OldValues | None]) -> dict[str, Any]:
    """What a comparison's summary says of all tasks that were learned from."""
    found: dict[str, dict[str, Any]] = {}
    for old in each:
        found |= {task["task"]: task for task in transferred(old).get("transfer", ())}
    return {"transfer": list(found.values())} if found else {}


def find_compared(
    warehouse: Warehouse, space: SearchSpace, source: VectorSource, target: Target, asked: str
) -> OldValues:
    """As `find_old_values`, for one of those that are compared: there `auto` must find something.

    Raises:
        InputError: As `find_old_values`, or there is nothing to learn from.
    """
    old = find_old_values(warehouse, space, source, target, asked)
    if old is None:
        raise InputError(
            f"--transfer {asked}: {space.name} has no {target.metric} of another dataset with"
            f" {LEAST} values: ingest some, or leave it out"
        )
    return old


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
    own, elsewhere = _apart(warehouse, space, source, target, asked)
    if not own and not elsewhere:
        return None
    tasks, vectors = [], np.empty((0, 0), dtype=np.float32)
    if own:
        found = load_vectors(warehouse, space, source)
        kind = {**surrogate_kind(space, source, found), **settings}
        # A reduction that is fitted on the space is another one where the space has grown.
        ids = None if settings else found.architecture_ids
        made = [_labelled(warehouse, space, found, task, asked) for task in own]
        tasks = [
            OldTask(task, each, kind, _artifact(source, task, each, settings, ids))
            for task, each in zip(own, made, strict=True)
            if each is not None
        ]
        vectors = found.vectors
    tasks += [_foreign(warehouse, other, source, task, asked) for other, task in elsewhere]
    return OldValues(tasks, vectors) if tasks else None


def _apart(
    warehouse: Warehouse, space: SearchSpace, source: VectorSource, target: Target, asked: str
) -> tuple[list[Target], list[tuple[SearchSpace, Target]]]:
    """The tasks of the space, and those of others, that are meant.

    `auto` takes, of each other dataset, the values of the same metric that are nearest to what is
    sought: the same split, epochs and source where there are. The dataset's own values, under
    another name or fidelity, and those of other spaces are taken only where they are named.

    Raises:
        InputError: A task is unknown, or is the one that is searched.
    """
    if asked == NONE:
        return [], []
    none_here = not warehouse.has_catalog or warehouse.targets(space).is_empty()
    stored = [] if none_here else _others(warehouse, space, target)
    if asked == AUTO:
        return by_dataset([e for e in stored if e.dataset != target.dataset], target), []
    texts = dict.fromkeys(text.strip() for text in asked.split(","))
    here = {each.dataset for each in stored} | {long_name(each) for each in stored}
    foreign = [text for text in texts if SEPARATOR in text and text not in here]
    own = [text for text in texts if text not in foreign]
    if own and none_here:
        find_targets(warehouse, space, Measured())  # says what makes some
    farther = partial(tasks_elsewhere, warehouse, space, source, target)
    named = dict.fromkeys(
        named_task(stored, target, text, space.name, elsewhere=farther) for text in own
    )
    elsewhere = {}
    for text in foreign:
        other, task = find_elsewhere(warehouse, space, source, target, text)
        elsewhere[other.full_name, task] = (other, task)
    return list(named), list(elsewhere.values())


def _others(warehouse: Warehouse, space: SearchSpace, target: Target) -> list[Target]:
    stored = find_targets(warehouse, space, Measured())
    return [each for each in stored if kind_of(each) != kind_of(target)]


def _labelled(
    warehouse: Warehouse,
    space: SearchSpace,
    vectors: ArchitectureVectors,
    task: Target,
    asked: str,
) -> LabelledVectors | None:
    """The measured architectures of a task; None where there are too few for `auto` to take it.

    Raises:
        InputError: There are too few of a task that is named.
    """
    values = {id_: task.sign * v for id_, v in warehouse.labels(space, task).iter_rows()}
    labelled = label(vectors, values)
    if len(labelled.natives) >= LEAST and labelled.values.std() > 0:
        return labelled
    if asked == AUTO:
        return None
    raise InputError(
        f"--transfer {asked}: {kind_in_words(task.key)} has"
        f" {len(labelled.natives)} architectures with a vector and a value, and"
        f" {LEAST} different ones are needed: leave it out, or ingest more"
    )


def _foreign(
    warehouse: Warehouse, other: SearchSpace, source: VectorSource, task: Target, asked: str
) -> OldTask:
    """A task of another space, whose surrogate reduces vectors by those of its own architectures
    alone.

    Raises:
        InputError: Too little was measured.
    """
    vectors = load_vectors(warehouse, other, source)
    labelled = _labelled(warehouse, other, vectors, task, asked)
    assert labelled is not None  # a task of another space is named
    kind = {**surrogate_kind(other, source, vectors), **BY_ITS_OWN}
    path = _artifact(source, task, labelled, {**BY_ITS_OWN, "space": other.full_name}, None)
    return OldTask(task, labelled, kind, path, other.full_name)


def _artifact(
    source: VectorSource,
    task: Target,
    labelled: LabelledVectors,
    settings: Mapping[str, Any],
    architectures: Sequence[str] | None,
) -> str:
    """Path of a surrogate below the artifacts: a hash of all that decides it."""
    decided = {
        "source": [source.encoding, source.context, source.spec_id],
        "settings": dict(settings),
        "architectures": architectures,
        "task": task.key,
        "labels_hash": labelled.labels_hash,
    }
    return f"old_tasks/{hash_json(decided)}.npz"
