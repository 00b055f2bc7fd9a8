"""The contract of a source, the frame in which evaluations travel, and the checks at its end.

One row is one measured value: architecture × dataset × metric × split × epochs × seed, with its
source. A metric has a unit and a direction (`cole_core.sources.metrics`), shares are percentages.
A source that gives one row for each training run keeps a row for
each seed; who wants one value for each architecture averages them.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

import polars as pl

from cole_core.errors import InputError
from cole_core.sources.headings import Measured
from cole_core.sources.metrics import direction_of, metric_named, unit_of
from cole_core.sources.readings import Reading, Taken
from cole_core.sources.told import Told

SCHEMA = pl.Schema(
    {
        "native": pl.String,
        "dataset": pl.String,
        "metric": pl.String,
        "split": pl.String,
        "epochs": pl.Int32,  # null: unknown
        "seed": pl.Int32,  # null: a mean over seeds, or unknown
        "source": pl.String,
        "value": pl.Float64,  # shares are percentages, 0 to 100
    }
)
NATURE = pl.Schema(
    {
        "unit": pl.String,  # null: it has none, or the source does not say
        "direction": pl.String,  # higher or lower; null: nobody said which is better
    }
)
"""What a source may add where the metric's name does not tell."""
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
        headline_split: Whose values of that metric they mean, where it gives those of several.
        has_columns: Whether people may say what its columns are.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    headline: ClassVar[str | None] = None
    headline_split: ClassVar[str | None] = None
    has_columns: ClassVar[bool] = False

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
            One row for each measured value, with the columns of `SCHEMA`, and with those of
            `NATURE` where metrics are not of the vocabulary; shares are percentages.

        Raises:
            InputError: It is of another format or space, or has a wrong value.
        """

    def take(self, origin: str, space: MeasuredSpace, told: Told) -> Taken:
        """The measured values, and what each of its columns was taken for.

        Args:
            origin: What `recognises`.
            space: The space whose architectures were measured.
            told: What people say of its columns.

        Raises:
            InputError: As `read`; or something is said of columns that a source without columns
                does not have.
        """
        refuse_told(origin, told)
        rows = self.read(origin, space)
        return Taken(rows, readings_of(with_nature(rows)))


def refuse_told(origin: str, told: Told) -> None:
    """Checks that nothing is said of columns, where there are none.

    Raises:
        InputError: Something is.
    """
    if told.anything:
        raise InputError(
            f"{origin} says by itself what its values are: leave --column, --skip, --dataset and "
            "--notation out"
        )


def checked(rows: pl.DataFrame | Iterable[tuple[Any, ...]], source: str) -> pl.DataFrame:
    """A frame of evaluations, after the checks that hold for every source.

    Args:
        rows: A frame with the columns of `SCHEMA` and maybe `NATURE`, or tuples in its order.
        source: The benchmark's or the file's name, for messages.

    Returns:
        The rows with the types of `SCHEMA`.

    Raises:
        InputError: There is no row, a value cannot be one of its metric, or one evaluation comes
            twice.
    """
    if not isinstance(rows, pl.DataFrame):
        rows = pl.DataFrame(list(rows), schema=SCHEMA, orient="row")
    columns = SCHEMA | {name: NATURE[name] for name in NATURE if name in rows.columns}
    frame = rows.select(pl.col(name).cast(dtype) for name, dtype in columns.items())
    if frame.is_empty():
        raise InputError(f"{source}: holds no measured values; give a source that does")
    for (name,), group in frame.group_by("metric", maintain_order=True):
        metric = metric_named(str(name))
        least, most = (None, None) if metric is None else (metric.least, metric.most)
        fine = pl.col("value").is_finite()
        fine &= pl.col("value").is_between(
            -math.inf if least is None else least, math.inf if most is None else most
        )
        wrong = group.filter(~fine)
        if not wrong.is_empty():
            row = wrong.row(0, named=True)
            limits = "finite" if metric is None else metric.limits
            raise InputError(
                f"{source}: {row['dataset']} {row['split']} {row['metric']} of {row['native']} is "
                f"{row['value']}; {row['metric']} is {limits}"
            )
    twice = frame.filter(frame.select(KEY).is_duplicated())
    if not twice.is_empty():
        row = twice.row(0, named=True)
        raise InputError(
            f"{source}: {row['dataset']} {row['split']} {row['metric']} of {row['native']} comes "
            "twice; keep one value for each architecture, number of epochs and seed"
        )
    return frame


def with_nature(rows: pl.DataFrame) -> pl.DataFrame:
    """Measured values with the columns of `NATURE`, from the vocabulary where a source has none."""
    if set(NATURE) <= set(rows.columns):
        return rows
    names = rows["metric"].unique().to_list()
    found = pl.DataFrame(
        {
            "metric": names,
            "unit": [unit_of(name) for name in names],
            "direction": [direction_of(name) for name in names],
        },
        schema={"metric": pl.String, **NATURE},
    )
    lacking = [name for name in NATURE if name not in rows.columns]
    return rows.join(found.select("metric", *lacking), on="metric", how="left")


def readings_of(rows: pl.DataFrame) -> tuple[Reading, ...]:
    """What a source without headings gives, as readings of the kinds of its values."""
    about = ["dataset", "metric", "split", "epochs", "seed", "unit", "direction"]
    kinds = rows.select(about).unique(maintain_order=True).iter_rows(named=True)
    measured = [Measured(**kind) for kind in kinds]
    return tuple(Reading(f"{each.dataset} {each.metric}", each) for each in measured)


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
