"""Measured values from elsewhere: what benchmarks publish, and tables of one's own."""

from pathlib import Path

import polars as pl

from cole_core.errors import InputError
from cole_core.registry import Registry
from cole_core.sources.base import MeasuredSpace, Source

sources: Registry[Source] = Registry(
    "source",
    "cole.sources",
    {
        "analog-nasbench": (
            "cole_core.spaces.nasbench201.benchmarks.analog_nasbench:AnalogNASBench"
        ),
        "nats-bench": "cole_core.spaces.nasbench201.benchmarks.nats_bench:NATSBench",
        "table": "cole_core.sources.tables:Table",
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


def read_evaluations(origin: str, space: MeasuredSpace) -> pl.DataFrame:
    """Reads the measured values of a benchmark or a table.

    Args:
        origin: What a registered source recognises.
        space: The space whose architectures were measured.

    Raises:
        InputError: No source knows it, or it has a wrong value.
    """
    return find_source(origin).read(origin, space)
