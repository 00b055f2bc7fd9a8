"""Kinds of measured values, and what they are called where a question names one."""

import re
from collections.abc import Iterable

import polars as pl

from cole_core.errors import InputError
from cole_core.spaces.base import SearchSpace
from flows.choices import Measured
from warehouse import Target, Warehouse

# By "the accuracy on a dataset" people mean the first of these that there is, on test images,
# after as many epochs as there are.
_METRICS = ("accuracy", "baseline_accuracy")
_SPLITS = ("test", "unknown", "valid", "train")


def preferred_targets(warehouse: Warehouse, space: SearchSpace, measured: Measured) -> list[Target]:
    """The kinds of measured values that fit what is asked for, the one people mean first.

    Raises:
        InputError: None fits; lists what there is.
    """
    rows = warehouse.targets(space)
    asked = {name: value for name, value in vars(measured).items() if value is not None}
    if rows.is_empty() and not asked:
        return []
    fitting = rows
    for column, value in asked.items():
        fitting = fitting.filter(pl.col(column) == value)
    if fitting.is_empty():
        warehouse.target(space, **vars(measured))  # raises, and says what there is
    targets = [Target(**row) for row in fitting.drop("architectures").iter_rows(named=True)]
    return sorted(targets, key=_preference)


def _preference(target: Target) -> tuple[object, ...]:
    metric = _METRICS.index(target.metric) if target.metric in _METRICS else len(_METRICS)
    split = _SPLITS.index(target.split) if target.split in _SPLITS else len(_SPLITS)
    return (metric, split, -(target.epochs or 0), target.metric, target.dataset, target.source)


def column_names(targets: Iterable[Target], taken: Iterable[str]) -> dict[str, Target]:
    """What values are called in a condition.

    Args:
        targets: Kinds of values, the preferred ones first.
        taken: Names that mean something else.

    Returns:
        `cifar10` for the preferred kind of a dataset, and `cifar10_test_accuracy_200` for the
        preferred source of each kind.
    """
    names: dict[str, Target] = {}
    reserved = set(taken)
    for target in targets:
        epochs = "" if target.epochs is None else f"_{target.epochs}"
        long = f"{target.dataset}_{target.split}_{target.metric}{epochs}"
        for name in (target.dataset, long):
            identifier = re.sub(r"\W", "_", name.lower())
            if identifier not in reserved:
                names.setdefault(identifier, target)
    return names


def describe(target: Target) -> str:
    """A kind of values in words."""
    epochs = "" if target.epochs is None else f", {target.epochs} epochs"
    return f"{target.split} {target.metric}{epochs}, {target.source}"


def one_target(warehouse: Warehouse, space: SearchSpace, measured: Measured) -> Target:
    """The kind of measured values that people mean.

    Raises:
        InputError: Nothing was measured, or nothing that fits.
    """
    targets = preferred_targets(warehouse, space, measured)
    if not targets:
        warehouse.target(space)  # raises, and says how to get some
        raise InputError(f"{space.name} has no evaluations")
    return targets[0]
