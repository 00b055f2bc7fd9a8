"""AnalogNAS-Bench: all NAS-Bench-201 cells trained on CIFAR-10, as the package `analog-nasbench`.

Five accuracies of each cell on the CIFAR-10 test set: in 32-bit floating point (`baseline`), after
post-training quantization (`ptq`), after quantization-aware training (`qat`), and on simulated
analog hardware without and with training for it (`noisy`, `analog`). The package stores means over
runs (the values are multiples of 1/25 of one test image), without seeds or a number of epochs.
"""

import importlib.util
from pathlib import Path

import polars as pl

from cole_core.errors import InputError
from cole_core.sources.base import MeasuredSpace, Source, check_natives, checked, require_space
from cole_core.sources.unpickling import load_pickle
from cole_core.spaces.nasbench201.notations import from_numbers

NAME = "analog-nasbench"
METRICS = (
    "baseline_accuracy",
    "ptq_accuracy",
    "qat_accuracy",
    "noisy_accuracy",
    "analog_accuracy",
)


class AnalogNASBench(Source):
    """The installed package."""

    name = NAME
    about = f"{NAME}, the installed package"
    headline = METRICS[0]

    def recognises(self, origin: str) -> bool:
        return origin == NAME

    def read(self, origin: str, space: MeasuredSpace) -> pl.DataFrame:
        return read_analog_nasbench(space)


def read_analog_nasbench(space: MeasuredSpace, path: Path | None = None) -> pl.DataFrame:
    """Reads AnalogNAS-Bench: 15,625 cells × 5 accuracies.

    Args:
        space: NAS-Bench-201.
        path: The package's data file; the installed package's by default.

    Raises:
        InputError: The package is not installed, or its file is not of this format.
    """
    require_space(space, "nasbench201", NAME)
    path = path or _installed_file()
    with path.open("rb") as stream:
        cells = load_pickle(stream, _stand_ins(), NAME)
    try:
        natives = [from_numbers(cell, "analognas") for cell in cells]
        values = {
            metric: [float(getattr(results, metric)) for results in cells.values()]
            for metric in METRICS
        }
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise InputError(
            f"{NAME}: {path.name} is not of the format of version 0.1.3 ({error}); "
            "install analog-nasbench==0.1.3"
        ) from error
    check_natives(natives, space, NAME)
    table = pl.DataFrame({"native": natives, **values}).unpivot(
        index="native", variable_name="metric", value_name="value"
    )
    return checked(
        table.with_columns(
            dataset=pl.lit("cifar10"),
            split=pl.lit("test"),
            epochs=pl.lit(None, pl.Int32),
            seed=pl.lit(None, pl.Int32),
            source=pl.lit(NAME),
        ),
        NAME,
    )


def _stand_ins() -> dict[tuple[str, str], type]:
    """Inert classes in the place of the package's two, made anew for each reading."""

    class Architecture:
        pass

    class DriftMeasurement:
        pass

    return {
        ("analognasbench.data", "Architecture"): Architecture,
        ("analognasbench.data", "DriftMeasurement"): DriftMeasurement,
    }


def _installed_file() -> Path:
    # Found without importing it: the package imports pandas and pkg_resources.
    specification = importlib.util.find_spec("analognasbench")
    if specification is None or specification.origin is None:
        raise InputError(
            f"{NAME} is not installed: pip install analog-nasbench==0.1.3, or give a table"
        )
    path = Path(specification.origin).with_name("data.anb")
    if not path.is_file():
        raise InputError(f"{NAME}: {path} is missing: pip install analog-nasbench==0.1.3")
    return path
