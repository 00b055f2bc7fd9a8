"""What is sought: objectives and a condition, and the architectures that have all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import polars as pl

from cole_core.encodings.vectors import LabelledVectors
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.parameters import parse_assignments
from cole_core.search.objectives import Objective, Objectives, parse_objective
from cole_core.spaces.base import SearchSpace
from flows.resolve.columns import PREDICTED, Column, Columns
from flows.resolve.requests import Measured, repeatable, request
from flows.resolve.values import check_one_kind, one_target
from warehouse import Warehouse

MOST = 6
"""Objectives at once: with more of them nearly everything is on the front."""


@request
class Sought:
    """What is sought, and among what.

    Attributes:
        objective: One of several things to be good at, as NAME, NAME:min or NAME:max: a metric of
            --dataset such as accuracy or pixel3_latency, parameters, predicted_accuracy; may be
            repeated.
        where: A condition in SQL that architectures must fit, such as 'parameters < 1e6 AND
            pixel3_latency < 8'.
    """

    objective: Annotated[tuple[str, ...], repeatable("--objective")] = ()
    where: str | None = None


@request
class Goals(Sought):
    """What a search seeks.

    Attributes:
        reference: From which value on an objective of several counts, as accuracy=80; may be
            repeated.
    """

    reference: Annotated[tuple[str, ...], repeatable("--reference")] = ()


@dataclass(frozen=True, eq=False)
class Found:
    """Objectives with the values that architectures have of them.

    Attributes:
        objectives: All of them, and their values.
        architecture_ids: Whose values; those that fit the condition and have all of them.
        target: The measured values that the first objective is.
    """

    objectives: Objectives
    architecture_ids: list[str]
    target: Target

    def of(self, labelled: LabelledVectors) -> tuple[LabelledVectors, Objectives]:
        """The architectures that have vectors as well, with the values of all objectives.

        Raises:
            InputError: There are none.
        """
        row_of = {id_: row for row, id_ in enumerate(self.architecture_ids)}
        both = [id_ for id_ in labelled.architecture_ids if id_ in row_of]
        if not both:
            raise InputError("no architecture has vectors and all objectives: embed the same ones")
        values = self.objectives.values[[row_of[id_] for id_ in both]]
        return labelled.take(both), replace(self.objectives, values=values)


@dataclass(frozen=True, eq=False)
class Chosen:
    """What a search is about.

    Attributes:
        target: The measured values, of several objectives those of the first.
        found: Several objectives; None: the target alone.
        fits: Ids of the architectures that fit the condition, where there is one for a target
            alone; several objectives have those that fit alone.
        where: The condition.
    """

    target: Target
    found: Found | None
    fits: list[str] | None
    where: str | None

    def cut(self, labelled: LabelledVectors) -> tuple[LabelledVectors, Objectives | None]:
        """The architectures that may be evaluated, and all objectives where there are several.

        Raises:
            InputError: There are none.
        """
        if self.found is not None:
            return self.found.of(labelled)
        if self.fits is None:
            return labelled, None
        kept = set(self.fits)
        ids = [id_ for id_ in labelled.architecture_ids if id_ in kept]
        if not ids:
            raise InputError(
                f'--where "{self.where}": {len(kept):,} architectures fit, and none of them has '
                "both a vector and a value: ask for less"
            )
        return labelled.take(ids), None


def choose(warehouse: Warehouse, space: SearchSpace, measured: Measured, sought: Goals) -> Chosen:
    """What a search is about: one kind of measured values, or several objectives; and a condition.

    Raises:
        InputError: As `find_objectives`; or the only objective is not measured.
    """
    if len(sought.objective) > 1:
        found = find_objectives(warehouse, space, measured, sought)
        return Chosen(found.target, found, None, sought.where)
    target = one_target(warehouse, space, one_objective(warehouse, space, measured, sought))
    fits = None
    if sought.where is not None:
        fits = Columns(warehouse, space, measured).fitting(sought.where)
    return Chosen(target, None, fits, sought.where)


def find_objectives(
    warehouse: Warehouse, space: SearchSpace, measured: Measured, sought: Goals
) -> Found:
    """Several objectives and the architectures that have them all.

    What is measured comes first: the value of a step is the first objective's.

    Raises:
        InputError: There is one alone, one is unknown or ambiguous, none is measured, nobody said
            which way is better, or no architecture has them all and fits.
    """
    _check_number(sought)
    columns = Columns(warehouse, space, measured)
    found = [_objective(columns, measured, text) for text in sought.objective]
    for _, column in found:
        check_one_kind(columns.measured.values(), column.name, column.target, measured)
    _check_different([objective for objective, _ in found])
    found.sort(key=lambda pair: pair[1].target is None)
    target = found[0][1].target
    if target is None:
        said = " ".join(f"--objective {text}" for text in sought.objective)
        raise InputError(
            f"{said}: nothing of it is measured, so there is nothing to evaluate: add one that "
            f"is, or list the front with 'cole best {said}'"
        )
    target = replace(target, direction=found[0][0].direction)
    objectives = _with_references([objective for objective, _ in found], sought.reference)
    rows = table(warehouse, space, columns, [column for _, column in found], sought.where)
    signs = [objective.sign for objective in objectives]
    names = [objective.name for objective in objectives]
    values = rows.select(names).to_numpy().astype(np.float64) * signs
    return Found(Objectives(objectives, values), rows["architecture_id"].to_list(), target)


def find_front(
    warehouse: Warehouse, space: SearchSpace, measured: Measured, sought: Sought
) -> tuple[list[Objective], pl.DataFrame]:
    """Several objectives, measured or not, and architecture_id, native, canonical_id, position and
    a column of each objective's values, as they were measured, of those that have them all.

    Raises:
        InputError: As `find_objectives`.
    """
    _check_number(sought)
    columns = Columns(warehouse, space, measured)
    found = [_objective(columns, measured, text) for text in sought.objective]
    _check_different([objective for objective, _ in found])
    rows = table(warehouse, space, columns, [column for _, column in found], sought.where)
    return [objective for objective, _ in found], rows


def table(
    warehouse: Warehouse,
    space: SearchSpace,
    columns: Columns,
    read: Sequence[Column],
    where: str | None,
) -> pl.DataFrame:
    """The architectures that have all columns and fit, with a column for each."""
    rows = warehouse.architectures(space)
    for column in read:
        values = column.read().rename({"value": column.name})
        rows = rows.join(values, on="architecture_id", how="inner", maintain_order="left")
    if rows.is_empty():
        names = ", ".join(column.name for column in read)
        raise InputError(f"no architecture has all of {names}: ingest what is missing")
    if where is None:
        return rows
    fits = set(columns.fitting(where))
    kept = rows.filter(pl.col("architecture_id").is_in(list(fits)))
    if kept.is_empty():
        raise InputError(
            f'--where "{where}": {len(fits):,} architectures fit, and none of them has values of '
            "all objectives: ask for less"
        )
    return kept


def one_objective(
    warehouse: Warehouse, space: SearchSpace, measured: Measured, sought: Goals
) -> Measured:
    """Which measured values a single objective is; what is asked for where there is none.

    Raises:
        InputError: It is not measured, or unknown.
    """
    if sought.reference:
        raise InputError(
            f"--reference {sought.reference[0]} is for several objectives: name two or more"
        )
    if not sought.objective:
        return measured
    columns = Columns(warehouse, space, measured)
    objective, column = _objective(columns, measured, *sought.objective)
    check_one_kind(columns.measured.values(), column.name, column.target, measured)
    if column.target is None:
        raise InputError(
            f"--objective {objective.name} alone is known without evaluating: add a measured one, "
            "such as --objective accuracy"
        )
    return Measured(**column.target.key | {"metric": _with_direction(column.target, objective)})


def _with_direction(target: Target, objective: Objective) -> str:
    return target.metric if target.direction else f"{target.metric}:{objective.direction}"


def _check_number(sought: Sought) -> None:
    if len(sought.objective) < 2:
        named = "".join(f" {text}" for text in sought.objective)
        raise InputError(f"--objective{named}: a front has two objectives or more, name another")
    if len(sought.objective) > MOST:
        raise InputError(f"{len(sought.objective)} objectives: give at most {MOST}")


def _check_different(objectives: Sequence[Objective]) -> None:
    origins = [dict(objective.origin) for objective in objectives]
    for place, objective in enumerate(objectives):
        if origins[place] in origins[:place]:
            raise InputError(
                f"--objective {objective.name} is there twice, and a front has two objectives or "
                "more that differ: name another"
            )


def _objective(columns: Columns, measured: Measured, text: str) -> tuple[Objective, Column]:
    """What one objective is."""
    name, said = parse_objective(text)
    column = _column(columns, measured, name)
    if said is not None and column.direction not in (None, said):
        raise InputError(
            f"--objective {text}: a better {name} is {column.direction}: leave what is behind the "
            "colon out"
        )
    direction = said or column.direction
    if direction is None:
        raise InputError(
            f"nobody said whether a higher or a lower {name} is better: give "
            f"--objective {name}:max or --objective {name}:min"
        )
    return Objective(name, direction, column.origin), column


def _column(columns: Columns, measured: Measured, name: str) -> Column:
    if measured.metric is not None:
        raise InputError(f"--metric {measured.metric}: --objective names what is sought: leave out")
    column = columns.find(name)
    if column is None:
        raise InputError(
            f"--objective {name}: nothing is called so: choose from {', '.join(columns.names)}; or "
            f"what a stored head predicts, as {PREDICTED}accuracy"
        )
    if column.target is not None and measured.dataset not in (None, column.target.dataset):
        raise InputError(
            f"--objective {name}: {measured.dataset} has no such values, "
            f"{column.target.dataset} has: ingest them, or name {column.target.dataset}"
        )
    return column


def _with_references(objectives: Sequence[Objective], said: Sequence[str]) -> tuple[Objective, ...]:
    """The objectives with the references that people say."""
    given: Mapping[str, Any] = parse_assignments("--reference", said)
    names = [objective.name for objective in objectives]
    for name, value in given.items():
        if name not in names:
            raise InputError(f"--reference {name}: choose an objective: {', '.join(names)}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"--reference {name}={value}: give a number")
    return tuple(
        replace(each, reference=float(given[each.name])) if each.name in given else each
        for each in objectives
    )
