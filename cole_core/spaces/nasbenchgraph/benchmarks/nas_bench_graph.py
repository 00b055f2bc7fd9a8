"""NAS-Bench-Graph: all its networks trained on nine graphs, as the package `nas-bench-graph`.

A pickle for each dataset maps an architecture's number to four values, means over three seeds:
`valid_perf` and `perf` at the best validation epoch, `latency`, and `para`. The number's first
digit is that of the link list, the others are those of the operations. What the authors' training
code says of the values: `perf` is accuracy, but on `proteins` the ROC-AUC that the Open Graph
Benchmark has for it; `latency` is seconds that the trained network takes for the whole graph once;
`para` is millions of parameters.

`proteins` has the 2,021 networks that are made of gcn, sage, arma, fc and skip alone.
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from cole_core.errors import InputError
from cole_core.sources.base import MeasuredSpace, Source, checked, require_space
from cole_core.sources.metrics import PERCENT
from cole_core.sources.unpickling import load_pickle, plain_values
from cole_core.spaces.nasbenchgraph.canonical import SHAPES, trained_cells
from cole_core.spaces.nasbenchgraph.cell import OPERATIONS, Cell
from cole_core.spaces.nasbenchgraph.macro import MACROS

NAME = "nas-bench-graph"
VERSION = "1.4.0"
PROTEINS = "proteins"
ROC_AUC = "roc_auc"

_VALID, _TEST, _NEITHER = "valid", "test", "unknown"


class NASBenchGraphPackage(Source):
    """The installed package."""

    name = NAME
    about = f"{NAME}, the installed package"
    headline = "accuracy"
    headline_split = "valid"  # what a search may see

    def recognises(self, origin: str) -> bool:
        return origin == NAME

    def read(self, origin: str, space: MeasuredSpace) -> pl.DataFrame:
        return read_nas_bench_graph(space)


def read_nas_bench_graph(space: MeasuredSpace, folder: Path | None = None) -> pl.DataFrame:
    """Reads NAS-Bench-Graph: nine datasets with four values of each network.

    Args:
        space: NAS-Bench-Graph.
        folder: With a file for each dataset; the installed package's by default.

    Raises:
        InputError: The package is not installed, or a file is not of its format.
    """
    require_space(space, "nasbenchgraph", NAME)
    folder = folder or _installed_folder()
    natives = {number(cell): cell.format() for cell in trained_cells()}
    return checked(pl.concat(_table(folder, dataset, natives) for dataset in MACROS), NAME)


def number(cell: Cell) -> int:
    """The number of an architecture in the package's files."""
    digits = [SHAPES.index(cell.links), *(OPERATIONS.index(name) for name in cell.operations)]
    return int("".join(map(str, digits)))


def _table(folder: Path, dataset: str, natives: Mapping[int, str]) -> pl.DataFrame:
    path = folder / f"{dataset}.bench"
    if not path.is_file():
        raise InputError(f"{NAME}: {path} is missing: pip install {NAME}=={VERSION}")
    with path.open("rb") as stream:
        results = load_pickle(stream, plain_values(), NAME)
    quality = ROC_AUC if dataset == PROTEINS else "accuracy"
    kinds = {
        "valid_perf": (quality, _VALID, PERCENT, "higher", 100),
        "perf": (quality, _TEST, PERCENT, "higher", 100),
        "latency": ("latency", _NEITHER, "s", "lower", 1),
        "para": ("parameters", _NEITHER, "M", "lower", 1),
    }
    try:
        known = [natives[number] for number in results]
        columns = {
            name: [float(result[name]) * scale for result in results.values()]
            for name, (*_, scale) in kinds.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{NAME}: {path.name} is not of the format of version {VERSION} "
            f"({type(error).__name__}: {error}): pip install {NAME}=={VERSION}"
        ) from error
    return pl.concat(
        pl.DataFrame({"native": known, "value": columns[name]}).with_columns(
            dataset=pl.lit(dataset),
            metric=pl.lit(metric),
            split=pl.lit(split),
            epochs=pl.lit(None, pl.Int32),
            seed=pl.lit(None, pl.Int32),
            source=pl.lit(NAME),
            unit=pl.lit(unit),
            direction=pl.lit(direction),
        )
        for name, (metric, split, unit, direction, _) in kinds.items()
    )


def _installed_folder() -> Path:
    # Found without importing it: nothing of the package needs to run.
    specification = importlib.util.find_spec("nas_bench_graph")
    if specification is None or specification.origin is None:
        raise InputError(f"{NAME} is not installed: pip install {NAME}=={VERSION}, or give a table")
    return Path(specification.origin).with_name("light")
