"""AnalogNAS-Bench, against scipy and NATS-Bench's accuracies."""

import pickle
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from scipy.stats import kendalltau

from cole_core.errors import InputError
from cole_core.sources import read_evaluations
from cole_core.sources.base import SCHEMA
from cole_core.spaces import get_space
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.nasbench201.benchmarks.analog_nasbench import (
    METRICS,
    NAME,
    read_analog_nasbench,
)


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return get_space("nasbench201")


@pytest.fixture(scope="module")
def analog(space: SearchSpace) -> pl.DataFrame:
    return read_evaluations(NAME, space)


def test_analog_nasbench_has_five_accuracies_of_every_cell(
    analog: pl.DataFrame, space: SearchSpace
) -> None:
    assert analog.schema == SCHEMA
    assert analog.height == 78_125
    assert set(analog["native"]) == set(space.enumerate())
    assert analog["metric"].value_counts().sort("metric").rows() == [
        (metric, 15_625) for metric in sorted(METRICS)
    ]
    assert analog.select("dataset", "split", "epochs", "seed", "source").unique().rows() == [
        ("cifar10", "test", None, None, "analog-nasbench")
    ]


def test_analog_nasbench_lists_edges_in_the_order_that_agrees_with_nats_bench(
    analog: pl.DataFrame, shared: Path
) -> None:
    table = pl.read_parquet(shared / "data" / "nasbench201.parquet")
    nats = table.select(native="arch_str", nats="cifar10_test_accuracy_200")
    both = analog.filter(pl.col("metric") == "baseline_accuracy").join(nats, on="native")
    assert both.height == 15_625
    assert kendalltau(both["value"], both["nats"]).statistic == pytest.approx(0.926, abs=0.0005)


def test_analog_nasbench_is_read_without_importing_the_package() -> None:
    program = (
        "import sys; from cole_core.spaces import get_space;"
        "from cole_core.sources import read_evaluations;"
        "read_evaluations('analog-nasbench', get_space('nasbench201'));"
        "sys.exit(any(m in sys.modules for m in ('analognasbench', 'pandas', 'pkg_resources')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_hostile_analog_nasbench_is_refused(tmp_path: Path, space: SearchSpace) -> None:
    trace = tmp_path / "ran"
    path = tmp_path / "data.anb"
    path.write_bytes(pickle.dumps(Touch(trace)))
    with pytest.raises(InputError, match=r"refused.*pathlib"):
        read_analog_nasbench(space, path)
    assert not trace.exists()


class Touch:
    """Unpickled by pickle itself, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_a_damaged_analog_nasbench_is_bad_input(tmp_path: Path, space: SearchSpace) -> None:
    path = tmp_path / "data.anb"
    path.write_bytes(b"\x80\x04no pickle")
    with pytest.raises(InputError, match="not readable as a pickle"):
        read_analog_nasbench(space, path)
