"""Which measured values are meant, and what they are called where a question names one."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.sources.metrics import in_words, settled_direction
from cole_core.spaces.base import SearchSpace
from flows.resolve.requests import Measured
from flows.resolve.spaces import find_space
from warehouse import Warehouse

# By "the accuracy on a dataset" people mean the first of these that there is, on test images,
# after as many epochs as there are.
_METRICS = ("accuracy", "baseline_accuracy")
_SPLITS = ("test", "unknown", "valid", "train")


def find_targets(warehouse: Warehouse, space: SearchSpace, measured: Measured) -> list[Target]:
    """The kinds of measured values that fit what is asked for, the one people mean first.

    Raises:
        InputError: None fits (lists what there is), or what was said of a better is not so.
    """
    measured, said = _apart(measured)
    rows = warehouse.targets(space)
    if rows.is_empty():
        raise InputError(
            f"{space.name} has no evaluations: ingest some with 'cole ingest {space.name} ORIGIN'"
        )
    fitting = rows
    for column, value in measured.asked.items():
        fitting = fitting.filter(pl.col(column) == value)
    if fitting.is_empty():
        raise InputError(
            f"no evaluations of {_words(measured)}: choose from {_listed(_targets(rows))}"
        )
    targets = [_directed(target, said) for target in _targets(fitting)]
    return sorted(targets, key=_preference)


def one_target(warehouse: Warehouse, space: SearchSpace, measured: Measured) -> Target:
    """The one kind of measured values that fits.

    Raises:
        InputError: None fits, or several do; lists them.
    """
    targets = find_targets(warehouse, space, measured)
    if len(targets) > 1:
        raise InputError(
            f"several kinds of evaluation fit {_words(measured)}: choose from {_listed(targets)}"
        )
    return targets[0]


def latest_target(warehouse: Warehouse, space: SearchSpace, measured: Measured) -> Target:
    """The kind of measured values that fits and was searched or learned last, else the one that
    fits.

    Raises:
        InputError: None fits, or several do and none was used.
    """
    fitting = {target: target for target in find_targets(warehouse, space, measured)}
    for target in warehouse.used_targets(space):
        if target in fitting:
            return fitting[target]
    return one_target(warehouse, space, measured)


def check_direction(warehouse: Warehouse, space: SearchSpace, target: Target) -> None:
    """Checks that a kind of values is not stored as better the other way.

    Raises:
        InputError: It is.
    """
    if not warehouse.has_catalog:
        return
    for stored in _targets(warehouse.targets(space)):
        directions = {stored.direction, target.direction} - {None}
        if stored == target and len(directions) > 1:
            raise InputError(
                f"the {target.metric} of {target.source} is stored as "
                f"{in_words(stored.direction)}: take it back with 'cole forget "
                f"{target.source}', or name the metric otherwise"
            )


def by_preference(warehouse: Warehouse, space: SearchSpace, measured: Measured) -> list[Target]:
    """All kinds of measured values of a space: those that are asked for first, then the others of
    the dataset, in each the one that people mean first."""
    asked = measured.asked
    asked.pop("metric", None)

    def order(target: Target) -> tuple[object, ...]:
        unlike = [value != target.key[name] for name, value in asked.items()]
        other = measured.dataset not in (None, target.dataset)
        return other, sum(unlike), _preference(target)

    return sorted(_targets(warehouse.targets(space)), key=order)


def check_one_kind(
    targets: Iterable[Target], name: str, chosen: Target | None, measured: Measured
) -> None:
    """Checks that a metric's name alone leaves no doubt about which kind of values is meant.

    Args:
        targets: All kinds.
        name: What was said.
        chosen: What it was taken for; None: no measured values.
        measured: What else was said of it. A split that the metric has no values of says nothing.

    Raises:
        InputError: Several kinds fit.
    """
    if chosen is None or name not in (chosen.metric, chosen.dataset):
        return
    kinds = [
        each
        for each in dict.fromkeys(targets)
        if (each.dataset, each.metric) == (chosen.dataset, chosen.metric)
    ]
    for column, value in measured.asked.items():
        kinds = [each for each in kinds if each.key[column] == value] or kinds
    if len(kinds) > 1:
        raise InputError(
            f"several kinds of evaluation are called {name}: choose by --split, --epochs and "
            f"--source from {_listed(kinds)}"
        )


def column_names(
    targets: Iterable[Target], taken: Iterable[str], metrics: bool = False
) -> dict[str, Target]:
    """What values are called in a condition.

    Args:
        targets: Kinds of values, the preferred ones first.
        taken: Names that mean something else.
        metrics: Whether a metric's name alone is one too.

    Returns:
        `cifar10` for the preferred kind of a dataset, `cifar10_test_accuracy_200` for the
        preferred source of each kind, and `pixel3_latency` for the preferred kind of a metric.
    """
    names: dict[str, Target] = {}
    reserved = set(taken)
    for target in targets:
        epochs = "" if target.epochs is None else f"_{target.epochs}"
        long = f"{target.dataset}_{target.split}_{target.metric}{epochs}"
        for name in (target.dataset, *([target.metric] if metrics else []), long):
            identifier = re.sub(r"\W", "_", name.lower())
            if identifier not in reserved:
                names.setdefault(identifier, target)
    return names


def describe(target: Target) -> str:
    """A kind of values in words."""
    epochs = "" if target.epochs is None else f", {target.epochs} epochs"
    return f"{target.split} {target.metric}{epochs}, {target.source}"


def kind_in_words(values: Mapping[str, Any]) -> str:
    """A dataset, split, metric and epochs in words."""
    epochs = values["epochs"]
    said = "epochs not said" if epochs is None else f"{epochs} epochs"
    return f"{values['dataset']} {values['split']} {values['metric']}, {said}"


def answering(warehouse: Warehouse, space: str, target: str) -> str:
    """Which values answer a question; where other sources hold the same kind, it names them.

    Args:
        warehouse: Where they are.
        space: The search space as it was named.
        target: What was chosen, as JSON.
    """
    chosen = Target(**json.loads(target))
    others = warehouse.other_sources(find_space(warehouse, space), chosen)
    return f"{kind_in_words(vars(chosen))}, from {chosen.source}{not_from(others)}"


def not_from(others: Iterable[str]) -> str:
    """What is said of the other sources that hold the same kind of values."""
    listed = ", ".join(others)
    return f" (not from {listed}: --source chooses)" if listed else ""


def _apart(measured: Measured) -> tuple[Measured, str | None]:
    """What is asked for, and the direction that stands behind the metric: `synflow:higher`."""
    metric, colon, said = (measured.metric or "").partition(":")
    return (replace(measured, metric=metric), said) if colon else (measured, None)


def _directed(target: Target, said: str | None) -> Target:
    """A kind of values with the direction that was said, where the warehouse knows none.

    Raises:
        InputError: The warehouse or the vocabulary knows another.
    """
    if said is None:
        return target
    direction = settled_direction(target.metric, said)
    if target.direction not in (None, direction):
        raise InputError(
            f"--metric {target.metric}:{said}: the {target.metric} of {target.source} is stored "
            f"as {in_words(target.direction)}: leave ':{said}' out"
        )
    return replace(target, direction=direction)


def _targets(rows: pl.DataFrame) -> list[Target]:
    return [Target(**row) for row in rows.drop("architectures").iter_rows(named=True)]


def _preference(target: Target) -> tuple[object, ...]:
    metric = _METRICS.index(target.metric) if target.metric in _METRICS else len(_METRICS)
    split = _SPLITS.index(target.split) if target.split in _SPLITS else len(_SPLITS)
    return (metric, split, -(target.epochs or 0), target.metric, target.dataset, target.source)


def _words(measured: Measured) -> str:
    return ", ".join(f"{name} {value}" for name, value in measured.asked.items()) or "any kind"


def _listed(targets: Iterable[Target]) -> str:
    return "; ".join(
        f"dataset {each.dataset} metric {each.metric} split {each.split} epochs {each.epochs} "
        f"source {each.source}"
        for each in targets
    )
