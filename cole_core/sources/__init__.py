"""Measured values from elsewhere: what benchmarks publish, and tables of one's own."""

from pathlib import Path

import polars as pl

from cole_core.errors import InputError
from cole_core.registry import Registry
from cole_core.sources.base import MeasuredSpace, Source
from cole_core.sources.readings import Taken
from cole_core.sources.told import NOTHING, Told

sources: Registry[Source] = Registry(
    "source",
    "cole.sources",
    {
        "analog-nasbench": (
            "cole_core.spaces.nasbench201.benchmarks.analog_nasbench:AnalogNASBench"
        ),
        "nas-bench-graph": (
            "cole_core.spaces.nasbenchgraph.benchmarks.nas_bench_graph:NASBenchGraphPackage"
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


def take(origin: str, space: MeasuredSpace, told: Told = NOTHING) -> Taken:
    """What is in a benchmark or a table, and what was taken for what.

    Args:
        origin: What a registered source recognises.
        space: The space whose architectures were measured.
        told: What people say of a table's columns.

    Raises:
        InputError: No source knows it, or it has a wrong value. What is not understood is no error
            here: `refuse_unclear` makes it one.
    """
    return find_source(origin).take(origin, space, told)


def read_evaluations(origin: str, space: MeasuredSpace) -> pl.DataFrame:
    """Reads the measured values of a benchmark or a table.

    Args:
        origin: What a registered source recognises.
        space: The space whose architectures were measured.

    Raises:
        InputError: No source knows it, or it has a wrong value.
    """
    return find_source(origin).read(origin, space)
