"""The package's tables, against the package's own reading."""

import importlib.util
import pickle
from pathlib import Path

import polars as pl
import pytest

from cole_core.errors import InputError
from cole_core.sources import read_evaluations
from cole_core.spaces import get_space
from cole_core.spaces.nasbenchgraph import NASBenchGraph, read
from cole_core.spaces.nasbenchgraph.benchmarks.nas_bench_graph import number, read_nas_bench_graph
from cole_core.spaces.nasbenchgraph.macro import MACROS

SPACE = NASBenchGraph()


@pytest.fixture(scope="module")
def values() -> pl.DataFrame:
    return read_evaluations("nas-bench-graph", SPACE)


@pytest.mark.parametrize("dataset", MACROS)
def test_values_are_those_of_the_files(values: pl.DataFrame, dataset: str) -> None:
    found = importlib.util.find_spec("nas_bench_graph")
    assert found is not None
    assert found.origin is not None
    theirs = pickle.loads((Path(found.origin).parent / "light" / f"{dataset}.bench").read_bytes())
    quality = "roc_auc" if dataset == "proteins" else "accuracy"
    for metric, split, name, unit, scale in (
        (quality, "valid", "valid_perf", "%", 100),
        (quality, "test", "perf", "%", 100),
        ("latency", "unknown", "latency", "s", 1),
        ("parameters", "unknown", "para", "M", 1),
    ):
        rows = values.filter(dataset=dataset, metric=metric, split=split)
        assert rows.height == len(theirs) == (2_021 if dataset == "proteins" else 26_206)
        assert set(rows["unit"]) == {unit}
        assert set(rows["direction"]) == {"higher" if scale == 100 else "lower"}
        expected = [float(theirs[number(read(native))][name]) * scale for native in rows["native"]]
        assert rows["value"].to_list() == expected


def test_another_space_is_refused() -> None:
    with pytest.raises(InputError, match="measures architectures of nasbenchgraph, not of"):
        read_evaluations("nas-bench-graph", get_space("nasbench201"))


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cora\.bench is missing: pip install nas-bench-graph"):
        read_nas_bench_graph(SPACE, tmp_path)
    for content in ({99_999: {}}, {0: {"perf": 1}}, [0]):
        (tmp_path / "cora.bench").write_bytes(pickle.dumps(content))
        with pytest.raises(InputError, match=r"not of the format of version 1\.4\.0"):
            read_nas_bench_graph(SPACE, tmp_path)
    (tmp_path / "cora.bench").write_bytes(pickle.dumps(Path))
    with pytest.raises(InputError, match="refused, because it asks for pathlib"):
        read_nas_bench_graph(SPACE, tmp_path)
