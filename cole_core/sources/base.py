"""The contract of a source, the frame in which evaluations travel, and the checks at its end.

One row is one measured value: architecture × dataset × metric × split × epochs × seed, with its
source. Values are percentages. A source that gives one row for each training run keeps a row for
each seed; who wants one value for each architecture averages them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

import polars as pl

from cole_core.errors import InputError

SCHEMA = pl.Schema(
    {
        "native": pl.String,
        "dataset": pl.String,
        "metric": pl.String,
        "split": pl.String,
        "epochs": pl.Int32,  # null: unknown
        "seed": pl.Int32,  # null: a mean over seeds, or unknown
        "source": pl.String,
        "value": pl.Float64,  # percent, 0 to 100
    }
)
KEY = ["native", "dataset", "metric", "split", "epochs", "seed"]


class MeasuredSpace(Protocol):
    """What is asked of a search space here; see `cole_core.spaces.base.SearchSpace`."""

    name: ClassVar[Any]

    def validate(self, native: str) -> None: ...


class Source(ABC):
    """Reads measured values of architectures.

    Attributes:
        name: The registered name.
        about: What people give for it, in words.
        headline: The metric that people mean by the accuracy, where it gives several.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    headline: ClassVar[str | None] = None

    @abstractmethod
    def recognises(self, origin: str) -> bool:
        """Whether it reads what people name so: a name, or a path that is there."""

    @abstractmethod
    def read(self, origin: str, space: MeasuredSpace) -> pl.DataFrame:
        """The measured values.

        Args:
            origin: What `recognises`.
            space: The space whose architectures were measured.

        Returns:
            One row for each measured value, with the columns of `SCHEMA`;
            values are percentages.

        Raises:
            InputError: It is of another format or space, or has a wrong value.
        """


def checked(rows: pl.DataFrame | Iterable[tuple[Any, ...]], source: str) -> pl.DataFrame:
    """A frame of evaluations, after the checks that hold for every source.

    Args:
        rows: A frame with the columns of `SCHEMA`, or tuples in its order.
        source: The benchmark's or the file's name, for messages.

    Returns:
        The rows with the types of `SCHEMA`.

    Raises:
        InputError: There is no row, a value is not a percentage, or one evaluation comes twice.
    """
    if not isinstance(rows, pl.DataFrame):
        rows = pl.DataFrame(list(rows), schema=SCHEMA, orient="row")
    frame = rows.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
    if frame.is_empty():
        raise InputError(f"{source}: holds no accuracies; give a source that does")
    wrong = frame.filter(~is_percentage(pl.col("value")))
    if not wrong.is_empty():
        row = wrong.row(0, named=True)
        raise InputError(
            f"{source}: {row['dataset']} {row['split']} {row['metric']} of {row['native']} is "
            f"{row['value']}; accuracies are percentages from 0 to 100"
        )
    twice = frame.filter(frame.select(KEY).is_duplicated())
    if not twice.is_empty():
        row = twice.row(0, named=True)
        raise InputError(
            f"{source}: {row['dataset']} {row['split']} {row['metric']} of {row['native']} comes "
            "twice; keep one value for each architecture, number of epochs and seed"
        )
    return frame


def is_percentage(values: pl.Expr) -> pl.Expr:
    """Whether values are finite and from 0 to 100."""
    return values.is_finite() & values.is_between(0.0, 100.0)


def check_natives(natives: Iterable[str], space: MeasuredSpace, source: str) -> None:
    """Checks native strings, each once.

    Raises:
        InputError: A string is not an architecture of the space; names its row, counted from 1.
    """
    seen: set[str] = set()
    for row, native in enumerate(natives, start=1):
        if native in seen:
            continue
        seen.add(native)
        try:
            space.validate(native)
        except InputError as error:
            raise InputError(f"{source}: row {row}: {error}") from None


def require_space(space: MeasuredSpace, name: str, source: str) -> None:
    """Checks that a benchmark measures architectures of this space.

    Raises:
        InputError: It measures those of another.
    """
    if space.name != name:
        raise InputError(
            f"{source} measures architectures of {name}, not of {space.name}: "
            "give a CSV or Parquet table of your own measurements"
        )
