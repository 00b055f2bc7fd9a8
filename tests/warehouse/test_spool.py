from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.spool import spool


def shards_of(
    lengths: list[int], folder: Path, rows: int, characters: int, block: int
) -> list[list[int]]:
    frame = pl.DataFrame({"text": ["x" * length for length in lengths]}, schema={"text": pl.String})
    batches = frame.to_arrow().to_batches(max_chunksize=block)
    schema = frame.to_arrow().schema
    with spool(pa.RecordBatchReader.from_batches(schema, batches), folder) as texts:
        assert texts.height == len(lengths)
        assert sum(part.height for part in texts.blocks()) == len(lengths)
        shards = list(texts.shards(rows, characters))
    assert list(folder.iterdir()) == []
    return [shard["text"].str.len_chars().to_list() for shard in shards]


@given(
    lengths=st.lists(st.integers(0, 30), max_size=40),
    rows=st.integers(1, 12),
    characters=st.integers(1, 60),
    block=st.integers(1, 50),
)
def test_shards_are_cut_where_they_are_full(
    lengths: list[int],
    rows: int,
    characters: int,
    block: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    expected: list[list[int]] = []
    for length in lengths:
        last = expected[-1] if expected else None
        if last is None or len(last) == rows or sum(last) + length > characters:
            expected.append([])
        expected[-1].append(length)
    assert shards_of(lengths, folder, rows, characters, block) == expected
