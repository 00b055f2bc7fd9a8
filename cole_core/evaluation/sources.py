"""Sources of measured values: packages, what benchmarks publish, tables of one's own."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

import polars as pl

from cole_core.errors import InputError
from cole_core.registry import Registry
from cole_core.spaces.base import SearchSpace


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
    def read(self, origin: str, space: SearchSpace) -> pl.DataFrame:
        """The measured values.

        Args:
            origin: What `recognises`.
            space: The space whose architectures were measured.

        Returns:
            One row for each measured value, with the columns of `cole_core.evaluation.base.SCHEMA`;
            values are percentages.

        Raises:
            InputError: It is of another format or space, or has a wrong value.
        """


sources: Registry[Source] = Registry(
    "source",
    "cole.sources",
    {
        "analog-nasbench": (
            "cole_core.spaces.nasbench201.benchmarks.analog_nasbench:AnalogNASBench"
        ),
        "nats-bench": "cole_core.spaces.nasbench201.benchmarks.nats_bench:NATSBench",
        "table": "cole_core.evaluation.tables:Table",
    },
)


def find_source(origin: str) -> Source:
    """The source that reads what is named.

    Raises:
        InputError: None does; says what would be read.
    """
    known = [make() for make in sources.loadable().values()]
    for source in known:
        if source.recognises(origin):
            return source
    listed = "; ".join(source.about for source in known)
    if Path(origin).exists():
        raise InputError(f"{origin}: no reader for '{Path(origin).suffix}': give {listed}")
    raise InputError(f"no benchmark or file named '{origin}': give {listed}")


def read_evaluations(origin: str, space: SearchSpace) -> pl.DataFrame:
    """Reads the measured values of a benchmark or a table.

    Args:
        origin: What a registered source recognises.
        space: The space whose architectures were measured.

    Raises:
        InputError: No source knows it, or it has a wrong value.
    """
    return find_source(origin).read(origin, space)
