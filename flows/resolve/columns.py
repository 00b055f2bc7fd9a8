"""What is known of architectures by name: measured values, what spaces count, what heads predict.

One set of names for conditions and objectives. A measured kind is called by its dataset (`cifar10`,
the values that people mean), by its metric (`pixel3_latency`, of the dataset that is asked for) and
in full (`cifar10_test_accuracy_200`). What a space counts without measuring is called `parameters`
and `flops`. What a stored head predicts of a measured kind is that kind's name after `predicted_`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.sources.metrics import direction_of
from cole_core.spaces.base import SearchSpace
from flows.resolve.predicting import head_of, predict
from flows.resolve.requests import Measured
from flows.resolve.values import by_preference, column_names
from warehouse import Warehouse
from warehouse.conditions import fitting, mentioned
from warehouse.neighbours import CONDITION_COLUMNS, Values

PREDICTED = "predicted_"
_COUNTED = {"parameters": "parameter_count", "flops": "flops"}
_OF_ARCHITECTURES = ("architecture_id", "native", "canonical_id", "position")


@dataclass(frozen=True, eq=False)
class Column:
    """Something that is known of architectures.

    Attributes:
        name: What it is called.
        origin: Where it comes from, as plain values.
        direction: Whether higher or lower is better; None: nobody said.
        read: Reads architecture_id and value, of the architectures that have one.
        target: Which measured values these are; None: they are not measured.
    """

    name: str
    origin: Mapping[str, Any]
    direction: str | None
    read: Values
    target: Target | None = None


class Columns:
    """The columns that the architectures of a space have.

    Args:
        warehouse: Where values and heads are.
        space: The search space.
        measured: Which kind a name means first where several have it.
    """

    def __init__(self, warehouse: Warehouse, space: SearchSpace, measured: Measured) -> None:
        self._warehouse, self._space, self._measured = warehouse, space, measured

    @cached_property
    def measured(self) -> dict[str, Target]:
        """Names of measured kinds, those of the preferred ones first."""
        targets = by_preference(self._warehouse, self._space, self._measured)
        return column_names(targets, CONDITION_COLUMNS, metrics=True)

    @property
    def names(self) -> list[str]:
        """All names but those of predictions."""
        return [*self.measured, *(name for name in _COUNTED if name not in self.measured)]

    def find(self, name: str) -> Column | None:
        """What a name stands for; None for an unknown one.

        Raises:
            InputError: It is a prediction, and no head predicts that.
        """
        if name in self.measured:
            target = self.measured[name]
            return Column(name, target.key, target.direction, lambda: self._labels(target), target)
        if name in _COUNTED:
            return Column(name, {"counted": name}, direction_of(name), lambda: self._count(name))
        of = self.measured.get(name.removeprefix(PREDICTED))
        if not name.startswith(PREDICTED) or of is None:
            return None
        head = head_of(self._warehouse, self._space, of)
        return Column(
            name,
            {"head_id": head["head_id"]},
            of.direction,
            lambda: predict(self._warehouse, self._space, of, head).select(
                "architecture_id", value="predicted"
            ),
        )

    def known(self, where: str) -> dict[str, Values]:
        """The columns that a condition may speak of beside measured values, with those predictions
        that it does speak of."""
        counted = [name for name in self.names if name not in self.measured]
        spoken = [word for word in sorted(mentioned(where)) if word.startswith(PREDICTED)]
        found = [self.find(name) for name in (*counted, *spoken)]
        return {column.name: column.read for column in found if column is not None}

    def fitting(self, where: str) -> list[str]:
        """The ids of the space's architectures that fit a condition, in the space's order.

        Raises:
            InputError: It is no condition, or nothing fits it.
        """
        known = self._warehouse.architectures(self._space)
        words = mentioned(where)
        others = self.known(where)
        for name in (*self.measured, *others):
            if name in words:
                column = self.find(name)
                assert column is not None
                values = column.read().rename({"value": name})
                known = known.join(values, on="architecture_id", how="left", maintain_order="left")
        names = [*_OF_ARCHITECTURES, *self.measured, *others]
        kept = fitting(self._warehouse, known, where, names, "parameters < 1e6")
        if kept.is_empty():
            raise InputError(
                f'--where "{where}": none of {known.height:,} architectures fits: ask for less'
            )
        return kept["architecture_id"].to_list()

    def _labels(self, target: Target) -> pl.DataFrame:
        return self._warehouse.labels(self._space, target)

    def _count(self, name: str) -> pl.DataFrame:
        count = getattr(self._space, _COUNTED[name])
        rows = self._warehouse.architectures(self._space)
        counts = pl.Series("value", [count(native) for native in rows["native"]], dtype=pl.Float64)
        if counts.null_count() == len(counts):
            raise InputError(
                f"{self._space.name} does not count {name} by itself: ingest a table that has them"
            )
        return rows.select("architecture_id").with_columns(counts).drop_nulls()
