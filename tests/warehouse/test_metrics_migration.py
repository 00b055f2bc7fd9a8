"""Values that an earlier version took in: what their names say they keep, the others are named."""

from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest

from cole_core.sources.metrics import VOCABULARY
from warehouse import Warehouse
from warehouse.catalog import Catalog
from warehouse.health.doctor import examine

BEFORE = 6  # the version in which every column was an accuracy

# Dataset, metric and source as earlier versions stored them; what they are now: unit, direction.
STORED = {
    ("cifar10", "accuracy", "mine.csv"): ("%", "higher"),
    ("cifar10", "ptq_accuracy", "analog-nasbench"): ("%", "higher"),
    ("ImageNet16-120", "accuracy", "nats"): ("%", "higher"),
    ("made", "accuracy", "mine.csv"): ("%", "higher"),
    ("svhn_cropped", "accuracy", "t.csv"): ("%", "higher"),
    ("digits", "parameters", "cole:1"): ("count", "lower"),
    ("digits", "flops", "cole:1"): ("count", "lower"),
    ("digits", "synflow", "cole:1"): (None, None),
    ("digits", "naswot", "cole:1"): (None, None),
    ("cifar10", "loss", "plug-in"): (None, "lower"),
    ("cifar10", "error", "plug-in"): ("%", "lower"),
    # What headings were wrongly taken for:
    ("accs", "accuracy", "val.csv"): (None, None),
    ("top", "accuracy", "t.csv"): (None, None),
    ("edgegpu_energy", "accuracy", "hw.csv"): (None, None),
    ("eyeriss_arithmetic_intensity", "accuracy", "hw.csv"): (None, None),
    ("fisher", "accuracy", "zc.csv"): (None, None),
    ("cifar10", "error_accuracy", "e.csv"): (None, None),
    ("cifar10", "std_accuracy", "s.csv"): (None, None),
    ("model_size", "accuracy", "m.csv"): (None, None),
    ("gpu_hours", "accuracy", "m.csv"): (None, None),
    # What no vocabulary has:
    ("cifar10", "mae", "plug-in"): (None, None),
}
PROXIES = ("synflow", "naswot")


@pytest.fixture
def old(tmp_path: Path) -> Warehouse:
    return made_before(tmp_path / "home", STORED)


def made_before(home: Path, stored: Iterable[tuple[str, str, str]]) -> Warehouse:
    """A warehouse as version 6 left it, with values of datasets, metrics and sources."""
    home.mkdir()
    Catalog(home / "catalog.duckdb").make(BEFORE)
    with duckdb.connect(home / "catalog.duckdb") as connection:
        connection.execute("INSERT INTO store.architectures VALUES ('a','s','{}','n','c',0,'r')")
        for dataset, metric, source in stored:
            connection.execute(
                "INSERT INTO store.evaluations VALUES ('a', ?, ?, 'test', 12, 7, ?, 42.5, 'r')",
                [dataset, metric, source],
            )
    return Warehouse(home)


def test_stored_values_get_unit_and_direction_where_their_names_say_it(old: Warehouse) -> None:
    columns = "dataset, metric, source, unit, direction"
    rows = old.sql(f"SELECT {columns} FROM evaluations").rows()
    assert {row[:3]: row[3:] for row in rows} == STORED
    untouched = old.sql("SELECT DISTINCT split, epochs, seed, value, run_id FROM evaluations")
    assert untouched.rows() == [("test", 12, 7, 42.5, "r")]


def test_doctor_names_those_that_cannot_be_told(old: Warehouse) -> None:
    found, _ = examine(old)
    [finding] = [each for each in found if each.kind == "unknown direction"]
    assert finding.harmless
    doubtful = [
        key for key, (_, way) in sorted(STORED.items()) if way is None and key[1] not in PROXIES
    ]
    assert len(doubtful) == 10
    for dataset, metric, source in doubtful[:8]:
        assert f"{dataset} {metric} of {source} (1)" in finding.what
    assert "and 2 more kinds" in finding.what
    assert not any(name in finding.what for name in PROXIES)
    assert len(finding.line.splitlines()) == 1


# What earlier versions made datasets of: every name and word of a metric but the accuracy's own,
# units behind them, and columns that were no measurement at all.
DOUBTFUL = sorted(
    {
        *(word.replace(" ", "_") for metric in VOCABULARY for word in (metric.name, *metric.words)),
        *("edgegpu_ms", "raspi4_mJ", "mnist_ce", "uuid", "depth", "seed", "run_id"),
    }
    - {"accuracy"}
)
SURE = ("cifar10", "ms_coco", "my_data", "gbif", "identities", "sounds")


def test_no_dataset_that_is_named_like_something_else_keeps_a_meaning(tmp_path: Path) -> None:
    named = [(name, "accuracy", "t.csv") for name in (*DOUBTFUL, *SURE)]
    rows = (
        made_before(tmp_path / "home", named)
        .sql("SELECT dataset, direction FROM evaluations ORDER BY dataset")
        .rows()
    )
    assert [name for name, direction in rows if direction is None] == DOUBTFUL
    assert {name for name, direction in rows if direction == "higher"} == set(SURE)
