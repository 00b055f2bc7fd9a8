"""Sources of measured values, found by what people name."""

from pathlib import Path

import polars as pl
import pytest

from cole_core.errors import InputError
from cole_core.sources import Source, find_source, read_evaluations, sources
from cole_core.sources.tables import Table
from cole_core.spaces import get_space
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.nasbench201.benchmarks.analog_nasbench import AnalogNASBench
from cole_core.spaces.nasbench201.benchmarks.nats_bench import NATSBench


def test_what_people_name_finds_the_source_that_reads_it(tmp_path: Path) -> None:
    tables = ("mine.csv", "mine.TSV", "mine.parquet", "mine.JSON.gz", "mine.xlsx")
    for name in (*tables, "official.pth", "topology.pickle.pbz2"):
        (tmp_path / name).touch()
    found = {path.name: type(find_source(str(path))) for path in tmp_path.iterdir()}
    assert found == {
        **dict.fromkeys(tables, Table),
        "official.pth": NATSBench,
        "topology.pickle.pbz2": NATSBench,
    }
    assert type(find_source(str(tmp_path))) is NATSBench
    assert type(find_source("analog-nasbench")) is AnalogNASBench


def test_an_unknown_source_is_bad_input_and_says_what_would_be_read(tmp_path: Path) -> None:
    every = r"give analog-nasbench, the installed package; .*\.pth.*; a table \(\.csv, \.tsv"
    with pytest.raises(InputError, match=f"no benchmark or file named 'imagenet': {every}"):
        find_source("imagenet")
    (tmp_path / "a.docx").touch()
    with pytest.raises(InputError, match=rf"a\.docx: no reader for '\.docx': {every}"):
        find_source(str(tmp_path / "a.docx"))


class Ledger(Source):
    """Accuracies that stand in the name itself."""

    name = "ledger"
    about = "ledger:ACCURACY"

    def recognises(self, origin: str) -> bool:
        return origin.startswith("ledger:")

    def read(self, origin: str, space: SearchSpace) -> pl.DataFrame:
        return pl.DataFrame({"native": next(space.enumerate()), "value": [float(origin[7:])]})


def test_a_source_of_ones_own_is_found_beside_the_others() -> None:
    space = get_space("nasbench201")
    with sources.registered("ledger", Ledger):
        assert read_evaluations("ledger:93.5", space)["value"].to_list() == [93.5]
        with pytest.raises(InputError, match="ledger:ACCURACY"):
            find_source("imagenet")
    with pytest.raises(InputError, match=r"no benchmark or file named 'ledger:93\.5'"):
        find_source("ledger:93.5")
