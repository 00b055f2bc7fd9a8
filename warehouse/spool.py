"""Texts on their way to a language model: in order, on disk, a shard at a time."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa


class Spool:
    """Rows that were too many to hold, read back block by block.

    Made by `spool`; good inside its block.

    Args:
        file: Of Arrow's file format.
    """

    def __init__(self, file: pa.ipc.RecordBatchFileReader, height: int) -> None:
        self._file = file
        self.height = height

    def blocks(self) -> Iterator[pl.DataFrame]:
        """The rows in their order, thousands at a time."""
        for i in range(self._file.num_record_batches):
            yield pl.DataFrame(pl.from_arrow(self._file.get_batch(i)))

    def shards(self, rows: int, characters: int) -> Iterator[pl.DataFrame]:
        """The rows in their order, cut where a shard is full.

        Args:
            rows: Most rows of a shard.
            characters: Most characters of the column `text`, unless one row alone has more.
        """
        waiting: pl.DataFrame | None = None
        for block in self.blocks():
            waiting = block if waiting is None else pl.concat([waiting, block])
            while (full := _full(waiting, rows, characters)) < waiting.height:
                yield waiting[:full]
                waiting = waiting[full:]
        if waiting is not None and not waiting.is_empty():
            yield waiting


def _full(texts: pl.DataFrame, rows: int, characters: int) -> int:
    """How many of the first rows make a shard; all of them where more would still fit."""
    used = texts["text"].str.len_chars().head(rows).cum_sum()
    return max(int((used <= characters).sum()), 1)


@contextlib.contextmanager
def spool(reader: pa.RecordBatchReader, folder: Path) -> Iterator[Spool]:
    """Writes all that a reader has into a nameless file, so that its source can be let go.

    Args:
        reader: Read to its end before the block begins.
        folder: Where the disk space is taken. Nothing is left there, even by a killed process.
    """
    height = 0
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with tempfile.TemporaryFile(dir=folder) as file:
        with pa.ipc.new_file(file, reader.schema, options=options) as writer:
            for batch in reader:
                writer.write_batch(batch)
                height += batch.num_rows
        file.seek(0)
        with pa.ipc.open_file(file) as blocks:
            yield Spool(blocks, height)
