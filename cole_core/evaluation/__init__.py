"""Measured accuracies: tabular benchmarks and tables of one's own, all in one frame."""

from pathlib import Path

import polars as pl

from cole_core.errors import InputError
from cole_core.evaluation.analog_nasbench import NAME as ANALOG_NASBENCH
from cole_core.evaluation.analog_nasbench import read_analog_nasbench
from cole_core.evaluation.base import SCHEMA
from cole_core.evaluation.nats_bench import read_nats_bench
from cole_core.evaluation.tables import SUFFIXES, read_table
from cole_core.spaces.base import SearchSpace

__all__ = ["ANALOG_NASBENCH", "SCHEMA", "check_source", "read_evaluations"]


def check_source(source: str) -> None:
    """Checks that a source is one that there is, without reading it.

    Raises:
        InputError: It is not.
    """
    if source != ANALOG_NASBENCH and not Path(source).exists():
        raise InputError(
            f"no benchmark or file named '{source}': "
            f"give {ANALOG_NASBENCH}, or the path of a table or an official file"
        )


def read_evaluations(source: str, space: SearchSpace) -> pl.DataFrame:
    """Reads the accuracies of a benchmark or a table.

    Args:
        source: `analog-nasbench`; or a CSV, TSV or Parquet table, the official NAS-Bench-201
            file (`.pth`), NATS-Bench's topology file (`.pickle.pbz2`) or folder.
        space: The space whose architectures were measured.

    Returns:
        One row for each measured value, with the columns of `SCHEMA`; values are percentages.

    Raises:
        InputError: The source is unknown, of another format or space, or has a wrong value.
    """
    if source == ANALOG_NASBENCH:
        return read_analog_nasbench(space)
    check_source(source)
    path = Path(source)
    suffix = path.suffix.lower()
    if path.is_dir() or suffix in (".pth", ".pbz2"):
        return read_nats_bench(path, space)
    if suffix in SUFFIXES:
        return read_table(path, space)
    raise InputError(
        f"{source}: no reader for '{suffix}'; give {', '.join(SUFFIXES)}, the official .pth or "
        ".pickle.pbz2 file, or a NATS-Bench folder"
    )
