"""Tasks of other spaces that a head or a search can learn from.

Two spaces whose architectures are written in one vocabulary have vectors that can be compared, as
long as one embedding specification made both.
"""

import json
from collections.abc import Iterator

import polars as pl

from cole_core.encodings.side_by_side import is_structural, parts
from cole_core.encodings.vectors import VectorSource
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.predictors.transfer.limits import LEAST
from cole_core.spaces.base import SearchSpace
from flows.resolve.requests import Measured
from flows.resolve.spaces import known_space, stored_space
from flows.resolve.tasks import by_dataset, long_name, named_task
from flows.resolve.values import find_targets
from warehouse import Warehouse

SEPARATOR = "/"
"""Between a space and one of its tasks: SPACE/TASK."""


def find_elsewhere(
    warehouse: Warehouse, space: SearchSpace, source: VectorSource, target: Target, text: str
) -> tuple[SearchSpace, Target]:
    """The other space and its task that somebody names.

    Args:
        warehouse: Where it is.
        space: Whose architectures are predicted.
        source: Where their vectors are from.
        target: What is predicted.
        text: SPACE/TASK.

    Raises:
        InputError: There is no such space or task, it is the space itself, or the two share no
            specification.
    """
    name, _, task = text.rpartition(SEPARATOR)
    other = known_space(warehouse, name)
    if same_space(other, space):
        raise InputError(
            f"--transfer {text}: {other.full_name} is the space itself, name the task alone: {task}"
        )
    check_comparable(space, source, text)
    missing = lacking(warehouse, other, source)
    if missing:
        raise InputError(
            f"--transfer {text}: {other.full_name} has no vectors of {' and '.join(missing)} from "
            f"the specification {str(source.spec_id)[:12]} that {space.full_name} has: make them "
            f"with: {'; '.join(_commands(warehouse, other, source, missing))}"
        )
    stored = find_targets(warehouse, other, Measured())
    return other, named_task(stored, target, task, other.full_name, text)


def tasks_elsewhere(
    warehouse: Warehouse, space: SearchSpace, source: VectorSource, target: Target
) -> list[str]:
    """All tasks of other spaces that could be learned from, as `find_elsewhere` takes them.

    Of each dataset of each space whose vectors can be compared, the values of the same metric that
    are nearest in split and epochs, where there are enough.
    """
    if source.spec_id is None or not _is_text(space, source):
        return []
    return [
        f"{other.full_name}{SEPARATOR}{long_name(each)}"
        for other in _others(warehouse, space)
        if not lacking(warehouse, other, source)
        for each in by_dataset(_with_enough(warehouse, other), target)
    ]


def same_space(one: SearchSpace, other: SearchSpace) -> bool:
    """Whether two are one space with the same parameters."""
    return one.name == other.name and dict(one.parameters) == dict(other.parameters)


def check_comparable(space: SearchSpace, source: VectorSource, text: str) -> None:
    """Checks that vectors may be those of another space as well.

    Raises:
        InputError: They are a structural encoding, whose columns are each space's own.
    """
    if source.spec_id is None or not _is_text(space, source):
        raise InputError(
            f"--transfer {text}: vectors of {source.encoding} are {space.name}'s own, which no "
            "other space shares: name a text encoding alone, as --encoding code.expression"
        )


def lacking(warehouse: Warehouse, space: SearchSpace, source: VectorSource) -> list[str]:
    """The encodings of a source of which a space has no vectors."""
    missing = []
    for name in parts(source.encoding):
        embedded = warehouse.embedded(space, name, source.context)
        if embedded.filter(pl.col("spec_id") == source.spec_id).is_empty():
            missing.append(name)
    return missing


def _is_text(space: SearchSpace, source: VectorSource) -> bool:
    return not any(is_structural(space, name) for name in parts(source.encoding))


def _others(warehouse: Warehouse, space: SearchSpace) -> Iterator[SearchSpace]:
    for row in warehouse.measured_spaces().iter_rows(named=True):
        other = stored_space(warehouse, row)
        if not same_space(other, space):
            yield other


def _with_enough(warehouse: Warehouse, space: SearchSpace) -> list[Target]:
    rows = warehouse.targets(space).filter(pl.col("architectures") >= LEAST).drop("architectures")
    return [Target(**row) for row in rows.iter_rows(named=True)]


def _commands(
    warehouse: Warehouse, space: SearchSpace, source: VectorSource, encodings: list[str]
) -> list[str]:
    """What makes the vectors of another space under a specification."""
    rows = warehouse.specifications().filter(pl.col("spec_id") == source.spec_id)
    [row] = rows.iter_rows(named=True)
    options = f"--lm {row['language_model']} --pooling {row['pooling']}"
    options += f" --precision {row['precision']}"
    seed = json.loads(row["specification"])["random_init"]
    if seed is not None:
        options += f" --random-init {seed}"
    commands = []
    for name in encodings:
        about = f"{space.full_name} --encoding {name}"
        if source.context != "none":
            about += f" --context {source.context}"
        if warehouse.texts(space, name, source.context).is_empty():
            commands.append(f"cole render {about}")
        commands.append(f"cole embed {about} {options}")
    return commands
