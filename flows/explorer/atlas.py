"""A map of one space: its architectures in the plane, and what is known of them."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from cole_core.encodings.vectors import Vectors, VectorSource
from cole_core.errors import InputError
from cole_core.spaces.base import SearchSpace
from flows.explorer.columns import KNOWN, Column, columns_of
from flows.explorer.places import (
    Places,
    places_file,
    principal_places,
    stored_places,
)
from flows.resolve.vectors import find_vectors, load_vectors
from warehouse import Warehouse
from warehouse.expressions import evaluate

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Stamp:
    """The state of a catalog: another one says that something was written since."""

    changed: int
    size: int


def stamp(warehouse: Warehouse) -> Stamp:
    """The state of a warehouse's catalog at this moment."""
    try:
        about = warehouse.catalog.path.stat()
    except FileNotFoundError:
        return Stamp(0, 0)
    return Stamp(about.st_mtime_ns, about.st_size)


def mapped_vectors(warehouse: Warehouse, space: SearchSpace) -> list[VectorSource]:
    """The stored vectors of texts that a space can be mapped by, those that people mean first.

    Raises:
        InputError: There are none; says which commands make them.
    """
    names = {
        row["spec_id"]: row["language_model"]
        for row in warehouse.specifications().iter_rows(named=True)
    }
    found = [
        VectorSource(encoding, context, row["spec_id"], names[row["spec_id"]])
        for encoding, context in warehouse.rendered_as(space)
        for row in warehouse.embedded(space, encoding, context).iter_rows(named=True)
    ]
    try:
        [usual] = find_vectors(warehouse, space, [Vectors()])
    except InputError:
        if not found:
            raise
        return found
    return [usual, *(each for each in found if each != usual)]


class Atlas:
    """A map, with the values of its architectures read as they are asked for.

    Several threads may ask.

    Args:
        warehouse: Where all is.
        space: The search space.
        source: The vectors that it is drawn by.

    Attributes:
        architectures: architecture_id, native, canonical_id, position, a row for each place.
        places: Where they are, by principal components.

    Raises:
        InputError: There are no such vectors.
    """

    def __init__(self, warehouse: Warehouse, space: SearchSpace, source: VectorSource) -> None:
        self.warehouse, self.space, self.source = warehouse, space, source
        with warehouse.together():
            self._read()

    def _read(self) -> None:
        """Reads what there is, and the values that it is coloured by at first."""
        found = load_vectors(self.warehouse, self.space, self.source)
        self.architectures = pl.DataFrame(
            {
                "architecture_id": found.architecture_ids,
                "native": found.natives,
                "canonical_id": found.canonical_ids,
                "position": np.arange(len(found.natives)),
            }
        )
        self.places = principal_places(found.vectors)
        self._row = {id_: row for row, id_ in enumerate(found.architecture_ids)}
        self._lock = threading.Lock()
        self._kept: dict[str, pl.Series] = {}
        self._columns: Mapping[str, Column] = {}
        self._read_at: Stamp | None = None
        for name in list(self.columns)[:1]:
            self.values(name)

    def __len__(self) -> int:
        return self.architectures.height

    def row_of(self, architecture_id: str) -> int | None:
        """The row of an architecture; None where it is not on the map."""
        return self._row.get(architecture_id)

    @property
    def columns(self) -> Mapping[str, Column]:
        """What is known of the architectures now, by name."""
        with self._lock:
            self._renew()
            return self._columns

    def _renew(self) -> None:
        """Forgets what was read before somebody wrote into the warehouse."""
        now = stamp(self.warehouse)
        if now != self._read_at:
            self._kept.clear()
            self._read_at = now
            self._columns = columns_of(self.warehouse, self.space, self.source, self.architectures)

    def values(self, name: str) -> pl.Series:
        """A column's value of each architecture, null where there is none.

        Raises:
            InputError: It is not known, or cannot be read any more.
        """
        with self._lock:
            self._renew()
            if name not in self._columns:
                raise InputError(f"no column {name}: choose one of {', '.join(self._columns)}")
            if name not in self._kept:
                self._kept[name] = self._aligned(self._columns[name].read())
            return self._kept[name]

    def _aligned(self, frame: pl.DataFrame) -> pl.Series:
        ids = self.architectures.select("architecture_id")
        joined = ids.join(frame, on="architecture_id", how="left", maintain_order="left")
        return joined["value"]

    def evaluate(self, expression: str) -> pl.Series:
        """The value of an SQL expression over the columns, for each architecture.

        Raises:
            InputError: It is none.
        """
        words = {word.lower() for word in _WORD.findall(expression)}
        columns = self.columns
        if expression.strip() in columns:
            return self.values(expression.strip())
        named = [name for name in columns if name in words and name not in KNOWN]
        rows = self.architectures.with_columns(self.values(name).alias(name) for name in named)
        try:
            return evaluate(rows, expression)
        except InputError as error:
            others = ", ".join(name for name in columns if name not in rows.columns)
            raise InputError(f"{error}{f', {others}' if others else ''}") from error

    def fits(self, condition: str) -> np.ndarray:
        """Which architectures fit a condition in SQL; (n,) of whether. All, where it is empty.

        Raises:
            InputError: It is none.
        """
        if not condition.strip():
            return np.ones(len(self), dtype=bool)
        found = self.evaluate(condition)
        if found.dtype == pl.Null:
            return np.zeros(len(self), dtype=bool)
        if found.dtype != pl.Boolean:
            raise InputError(f'"{condition}" is no condition: write one such as "{condition} > 1"')
        return found.fill_null(False).to_numpy()

    def vectors(self) -> np.ndarray:
        """The vectors, (n, d), of the architectures in their order; read anew."""
        found = load_vectors(self.warehouse, self.space, self.source)
        if found.architecture_ids != self.architectures["architecture_id"].to_list():
            raise InputError("architectures were added since the map was drawn: load it again")
        return found.vectors

    def layout(self, method: str) -> Places | None:
        """Places by a method other than principal components, where they are stored."""
        vectors = self.vectors()
        return stored_places(self.layout_file(method, vectors), vectors)

    def layout_file(self, method: str, vectors: np.ndarray) -> Path:
        """Where such places are stored."""
        return places_file(self.warehouse.artifacts, vectors, method)
