"""Files with tables in them, made on the spot: what is read, or the line that refuses them."""

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv
from pyarrow import feather

from cole_core.errors import InputError
from cole_core.sources import delimited
from cole_core.sources.table_files import COMPRESSED, is_table_name, open_table, read_table

A = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"
B = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
TREE = "sequential(computation<linear(64)>, computation<relu>)"
BRACES = '{"op": "branching(2)", "of": ["a;b", "c|d"]}'

ROWS = [(A, 93.1), (B, 70.2)]
PLAIN = f"arch_str,acc\n{A},93.1\n{B},70.2\n"
SEMICOLONS = PLAIN.replace(",", ";")
FRAME = pl.DataFrame({"arch_str": [A, B], "acc": [93.1, 70.2]})
HALF = "half a download? fetch it again, or write it anew"
NO_ROW = f"has headings and no row below them: {HALF}"
HEADLESS = (
    "and there are no headings above it: write a line that names the columns, as "
    "arch_str,cifar10_test_accuracy"
)
FORMS = "give a list of objects, or one object of columns"


def columns(write: Callable[[io.BytesIO], object]) -> bytes:
    """What a library writes into a file."""
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def archive(name: str) -> bytes:
    def write(file: io.BytesIO) -> None:
        with zipfile.ZipFile(file, "w") as made:
            made.writestr(name, "…")

    return columns(write)


def objects(*rows: object) -> str:
    return json.dumps(rows)


PACKED = gzip.compress(PLAIN.encode())
FLIPPED = PACKED[:10] + b"\xff" + PACKED[11:]

COUNTING = ("column 1, which has no heading and counts rows, left out",)
EMPTY = tuple(f"column {n}, which has no heading and is empty, left out" for n in (3, 4))
# Name of the file: (content, rows, what is said of the reading).
READ: dict[str, tuple[bytes | str, list[tuple[Any, ...]], tuple[str, ...]]] = {
    "plain.csv": (PLAIN, ROWS, ()),
    "no-last-line-end.csv": (PLAIN.rstrip(), ROWS, ()),
    "semicolon.csv": (SEMICOLONS, ROWS, ("columns are separated by ';'",)),
    "decimal-comma.csv": (
        f"arch_str;acc\n{A};93,1\n{B};70,2\n",
        ROWS,
        ("columns are separated by ';'", "',' is the decimal sign (acc)"),
    ),
    "decimal-comma-missing.csv": (
        f"arch_str;acc\n{A};93,1\n{B};N/A\n",
        [(A, "93.1"), (B, "N/A")],
        ("columns are separated by ';'", "',' is the decimal sign (acc)"),
    ),
    "decimal-comma-quoted.csv": (
        f'arch_str,acc\n{A},"93,1"\n{B},"70,2"\n',
        ROWS,
        ("',' is the decimal sign (acc)",),
    ),
    "three-decimals.csv": (  # that a comma is no sign of thousands, the other column says
        f"arch_str;acc;loss\n{A};93,125;0,5\n{B};70,250;1,25\n",
        [(A, 93.125, 0.5), (B, 70.25, 1.25)],
        ("columns are separated by ';'", "',' is the decimal sign (acc, loss)"),
    ),
    "decimal-comma-other-missing.csv": (
        f"arch_str;acc;loss\n{A};93,1;0,5\n{B};<NA>;--\n",
        [(A, "93.1", "0.5"), (B, "<NA>", "--")],
        ("columns are separated by ';'", "',' is the decimal sign (acc, loss)"),
    ),
    "comma-in-a-heading.csv": (
        f"arch_str;acc, %\n{A};93,1\n{B};70,2\n",
        ROWS,
        ("columns are separated by ';'", "',' is the decimal sign (acc, %)"),
    ),
    "excel-names-it.csv": ("sep=;\n" + SEMICOLONS, ROWS, ("columns are separated by ';'",)),
    "tabs.csv": (PLAIN.replace(",", "\t"), ROWS, ("columns are separated by a tab",)),
    "tabs.tsv": (PLAIN.replace(",", "\t"), ROWS, ("columns are separated by a tab",)),
    "tabs.txt": (PLAIN.replace(",", "\t"), ROWS, ("columns are separated by a tab",)),
    "commas.tsv": (PLAIN, ROWS, ()),
    "utf8-mark.csv": (PLAIN.encode("utf-8-sig"), ROWS, ()),
    "utf16.csv": (PLAIN.encode("utf-16"), ROWS, ("read as UTF-16",)),
    "utf16-big.csv": (b"\xfe\xff" + PLAIN.encode("utf-16-be"), ROWS, ("read as UTF-16",)),
    "utf16-unmarked.csv": (PLAIN.encode("utf-16-le"), ROWS, ("read as UTF-16",)),
    "utf32.csv": (PLAIN.encode("utf-32"), ROWS, ("read as UTF-32",)),
    "latin1.csv": (
        f"arch_str,größe\n{A},93.1\n{B},70.2\n".encode("latin-1"),
        ROWS,
        ("read as Windows-1252",),
    ),
    "utf8-heading.csv": (f"arch_str,größe\n{A},93.1\n{B},70.2\n", ROWS, ()),
    "crlf.csv": (PLAIN.replace("\n", "\r\n"), ROWS, ()),
    "cr.csv": (PLAIN.replace("\n", "\r"), ROWS, ()),
    "comment.csv": (
        "# cifar10, 200 epochs, ours\n" + PLAIN,
        ROWS,
        ("1 line of comment left out",),
    ),
    "comments.csv": (
        "% one\n\n// two, of more\n" + PLAIN,
        ROWS,
        ("2 lines of comment left out",),
    ),
    "comment-between.csv": (f"arch_str,acc\n{A},93.1\n# ours\n{B},70.2\n", ROWS, ()),
    "comment-between-as-wide.csv": (f"arch_str,acc\n{A},93.1\n# a, b\n{B},70.2\n", ROWS, ()),
    "heading-in-a-comment.csv": (f"# arch_str,acc\n{A},93.1\n{B},70.2\n", ROWS, ()),
    "blank-lines.csv": (f"\narch_str,acc\n\n{A},93.1\n   \n{B},70.2\n\n", ROWS, ()),
    "empty-columns.csv": (f"arch_str,acc,,\n{A},93.1,,\n,,,\n{B},70.2,,\n", ROWS, EMPTY),
    "pandas-index.csv": (f",arch_str,acc\n0,{A},93.1\n1,{B},70.2\n", ROWS, COUNTING),
    "numbered.csv": (f"#,arch_str,acc\n1,{A},93.1\n2,{B},70.2\n", ROWS, COUNTING),
    "blanks-around.csv": (
        f'"arch_str" , "acc"\n{A} , 93.1\n "{B}" , 70.2\n',
        ROWS,
        (),
    ),
    "one-row.csv": (f"arch_str,acc\n{A},93.1", ROWS[:1], ()),
    "empty-cell.csv": (f"arch_str,acc\n{A},\n{B},70.2\n", [(A, None), (B, 70.2)], ()),
    "quoted-tree.csv": (f'arch_str,acc\n"{TREE}",93.1\n', [(TREE, 93.1)], ()),
    "unquoted-tree.csv": (
        f"arch_str;acc\n{TREE};93.1\n",
        [(TREE, 93.1)],
        ("columns are separated by ';'",),
    ),
    "braces.csv": (
        'arch_str,acc\n"' + BRACES.replace('"', '""') + '",93.1\n',
        [(BRACES, 93.1)],
        (),
    ),
    "lone-quotes.csv": ('name,size\n5" disk,3\n6" disk,4\n', [('5" disk', 3), ('6" disk', 4)], ()),
    "lone-quote.csv": ('name,size\nan 8" disk,3\n', [('an 8" disk', 3)], ()),
    "program.csv": (
        'code,acc\n"# a net\n\n# of ""two"" lines",93.1\n\n  \n"y",70.2\n',
        [('# a net\n\n# of "two" lines', 93.1), ("y", 70.2)],
        (),
    ),
    "line-ends-of-unicode.csv": (
        f"arch_str,note\n{A},a\u0085b\u2028c\n \n",
        [(A, "a\u0085b\u2028c")],
        (),
    ),
    "epochs-as-headings.csv": (f"arch_str,12,200\n{A},91.5,93.1\n", [(A, 91.5, 93.1)], ()),
    "types.csv": (
        "n,x,t,s,e\n1,1.5,True,a,1e3\n2,-2,false,7,nan\n",
        [(1, 1.5, True, "a", 1000.0), (2, -2.0, False, "7", pytest.approx(np.nan, nan_ok=True))],
        (),
    ),
    "many-headings.csv": (
        ",".join(f"c{i}" for i in range(3_000)) + "\n" + ",".join("7" * 3_000) + "\n",
        [(7,) * 3_000],
        (),
    ),
    "long-cell.csv": ("code,acc\n" + "x" * 2_000_000 + ",1\n", [("x" * 2_000_000, 1)], ()),
    "gzip.csv.gz": (gzip.compress(PLAIN.encode()), ROWS, ()),
    "gzip-unnamed.csv": (gzip.compress(PLAIN.encode()), ROWS, ()),
    "bzip2.csv.bz2": (bz2.compress(PLAIN.encode()), ROWS, ()),
    "xz.csv.xz": (lzma.compress(PLAIN.encode()), ROWS, ()),
    "zstd.csv.zst": (zstd(PLAIN.encode()), ROWS, ()),
    "utf16.tsv.gz": (
        gzip.compress(PLAIN.replace(",", "\t").encode("utf-16")),
        ROWS,
        ("read as UTF-16", "columns are separated by a tab"),
    ),
    "objects.json": (objects(*FRAME.to_dicts()), ROWS, ()),
    "objects-with-gaps.json": (
        objects({"arch_str": A, "acc": 93.1}, {"acc": None, "arch_str": B}),
        [(A, 93.1), (B, None)],
        (),
    ),
    "columns.json": (json.dumps(FRAME.to_dict(as_series=False)), ROWS, ()),
    "by-native.json": (json.dumps({A: {"acc": 93.1}, B: {"acc": 70.2}}, indent=1), ROWS, ()),
    "numbered-columns.json": (
        json.dumps({"arch_str": {"0": A, "1": B}, "acc": {"0": 93.1, "1": 70.2}}),
        ROWS,
        (),
    ),
    "split.json": (
        json.dumps({"columns": ["arch_str", "acc"], "index": [0, 1], "data": ROWS}),
        ROWS,
        (),
    ),
    "split-counted.json": (
        json.dumps({"columns": [0, 1], "index": [0, 1], "data": ROWS}),
        ROWS,
        (),
    ),
    "large-numbers.json": (
        f'[{{"a": 1, "b": {10**60}}}, {{"a": {10**18}, "b": -{"9" * 5_000}}}]',
        [(1, 1e60), (10**18, -np.inf)],
        (),
    ),
    "mixed.json": (objects({"a": 1, "b": "x"}, {"a": 2.5, "b": 7}), [(1, "x"), (2.5, "7")], ()),
    "lines.jsonl": ("\n\n".join(json.dumps(row) for row in FRAME.to_dicts()), ROWS, ()),
    "lines.json": ("\n".join(json.dumps(row) for row in FRAME.to_dicts()), ROWS, ()),
    "lines.ndjson.gz": (gzip.compress(json.dumps({"a": A, "b": 1}).encode()), [(A, 1)], ()),
    "json-in.csv": (objects(*FRAME.to_dicts()), ROWS, ()),
    "written.parquet": (columns(FRAME.write_parquet), ROWS, ()),
    "categories.parquet": (
        columns(FRAME.with_columns(pl.col("arch_str").cast(pl.Categorical)).write_parquet),
        ROWS,
        (),
    ),
    "decimals.parquet": (
        columns(FRAME.with_columns(pl.col("acc").cast(pl.Decimal(6, 2))).write_parquet),
        ROWS,
        (),
    ),
    "index.parquet": (
        columns(FRAME.with_columns(__index_level_0__=pl.Series([0, 1])).write_parquet),
        ROWS,
        ("column 3, which has no heading and counts rows, left out",),
    ),
    "packed.parquet.gz": (gzip.compress(columns(FRAME.write_parquet)), ROWS, ()),
    "parquet-in.csv": (columns(FRAME.write_parquet), ROWS, ()),
    "file.arrow": (columns(FRAME.write_ipc), ROWS, ()),
    "stream.arrow": (columns(FRAME.write_ipc_stream), ROWS, ()),
    "lz4.feather": (columns(lambda file: feather.write_feather(FRAME.to_arrow(), file)), ROWS, ()),
}

# Name of the file: (content, the whole line but the name of the file that it begins with).
REFUSED: dict[str, tuple[bytes | str, str]] = {
    "nothing.csv": ("", f" is empty (0 bytes): {HALF}"),
    "blanks.csv": ("  \n\n", f" is empty (4 bytes of blanks): {HALF}"),
    "comment.csv": ("# a\n", " has comments and no table: write headings and rows below them"),
    "heading.csv": ("arch_str,acc\n", f" {NO_ROW}"),
    "heading-alone.csv": ("arch_str;acc", f" {NO_ROW}"),
    "heading.parquet": (columns(FRAME.clear().write_parquet), f" {NO_ROW}"),
    "twice.csv": (
        f"arch_str,acc, acc \n{A},1,2\n",
        ": heading 'acc' stands twice, over columns 2 and 3: give each a name of its own",
    ),
    "unnamed.csv": (
        f"arch_str,acc,\n{A},1,2.5\n",
        ": column 3 has no heading: name what it holds",
    ),
    "no-heading.csv": (f"{B},93.1\n{A},70.2\n", f": line 1 is a row, '{B}', '93.1', {HEADLESS}"),
    "no-heading-integers.csv": (f"{B},93\n", f": line 1 is a row, '{B}', '93', {HEADLESS}"),
    "no-heading-of-names.csv": (
        "# ours\nresnet18;93,1\nvgg;70,2\n",
        f": line 2 is a row, 'resnet18', '93,1', {HEADLESS}",
    ),
    "ragged-tree.csv": (
        f"arch_str,acc\nx,70.2\n{TREE},93.1\n",
        ": line 3 has 3 columns, more than the 2 headings ('sequential(computation<linear(64)>', "
        "'computation<relu>)', '93.1'): put a text that holds ',' in quotes",
    ),
    "cut-row.csv": (
        "# ours\narch_str;acc;loss\nx;93.1;1\n\ny;70.2\n",
        ": line 5 has 2 columns, fewer than the 3 headings ('y', '70.2'): leave a missing value "
        "empty between separators, or write the file anew",
    ),
    "row-of-one.csv": (
        "arch_str,acc\nx,93.1\nTotal\n",
        ": line 3 has 1 column, fewer than the 2 headings ('Total'): leave a missing value empty "
        "between separators, or write the file anew",
    ),
    "open-quote.csv": (
        'arch_str,acc\nx,1\n"y,2\nz,3\n',
        ": a quote that opens in line 3 is never closed: close it, or write the file anew",
    ),
    "open-quote-at-the-end.csv": (
        'arch_str,acc\nx,1\ny,"2\nz,3\n',
        ": a quote that opens in line 3 is never closed: close it, or write the file anew",
    ),
    "pipes.csv": (
        "arch|acc\nresnet18|93.1\n",
        ": no ',', ';' or tab separates the columns of 'resnet18|93.1': write the table with one "
        "of them",
    ),
    "blanks.txt": (
        "arch acc\nresnet18 93.1\nvgg    70.2\n",
        ": no ',', ';' or tab separates the columns of 'resnet18 93.1': write the table with one "
        "of them",
    ),
    "thousands.csv": (
        f"arch_str;params\n{A};1,234\n{B};802,426\n",
        " uses ';' between columns and ',' in numbers: '1,234' of 'params' may count thousands: "
        "write numbers with '.' alone, without signs of thousands",
    ),
    "millions.csv": (
        f'arch_str,acc,params\n{A},93.1,"1,073,466"\n',
        " uses ',' between columns and ',' in numbers: '1,073,466' of 'params' may count "
        "thousands: write numbers with '.' alone, without signs of thousands",
    ),
    "bytes.csv": (
        b"\x00\x01\x02",
        " holds bytes that are no text: give a table as its name says, in UTF-8",
    ),
    "zeros-between.csv": (
        PLAIN + "\0",
        " holds bytes that are no text: give a table as its name says, in UTF-8",
    ),
    "marked-and-other.csv": (
        b"\xef\xbb\xbfarch_str,gr\xf6\xdfe\nx,1\n",
        " is UTF-8 by its first bytes and cannot be read as that: save it anew as UTF-8",
    ),
    "separators.csv": (",,\n", f" {NO_ROW}"),
    "separators-above.csv": (",,\nx,1,2\n", ": column 1 has no heading: name what it holds"),
    "no-heading-exponents.csv": (
        "resnet18,9.31e1\nvgg,7.02e1\n",
        f": line 1 is a row, 'resnet18', '9.31e1', {HEADLESS}",
    ),
    "odd.csv": (
        PLAIN.encode("utf-16")[:-1],
        " is UTF-16 by its first bytes and cannot be read as that: save it anew as UTF-8",
    ),
    "page.csv": (
        "\n<!DOCTYPE html>\n<html><body>93.1</body></html>",
        " is a web page, not the table it shows: download the file itself (its 'raw' link)",
    ),
    "pointer.parquet": (
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        " is a Git LFS pointer, not the file itself: fetch that with 'git lfs pull'",
    ),
    "book.xlsx": (archive("xl/workbook.xml"), " is a workbook: save its sheet as CSV"),
    "old-book.xls": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        " is an Excel workbook: save its sheet as CSV",
    ),
    "archive.csv": (
        archive("a.csv"),
        " is a zip archive: unpack it and give the table in it",
    ),
    "pickle.csv": (b"\x80\x04\x95", " is a pickle: write its table as Parquet or CSV"),
    "array.csv": (
        columns(lambda file: np.save(file, np.zeros(2))),
        " is a NumPy array: write it as CSV with headings and a column of native strings",
    ),
    "cut.csv.gz": (
        gzip.compress(PLAIN.encode())[:-9],
        " is gzip-compressed and damaged (Compressed file ended before the end-of-stream marker "
        f"was reached): {HALF}",
    ),
    "flipped.csv.gz": (
        FLIPPED,
        " is gzip-compressed and damaged (Error -3 while decompressing data: invalid block type): "
        f"{HALF}",
    ),
    "text.parquet": (PLAIN, f" is named as Parquet and is not: {HALF}"),
    "text.feather": (PLAIN, f" is named as Feather and is not: {HALF}"),
    "cut.json": (
        '[{"a": 1},\n',
        ": line 2 is no JSON (Expecting value): correct it, or write the file anew",
    ),
    "text.json": (
        PLAIN,
        ": line 1 is no JSON (Expecting value): correct it, or write the file anew",
    ),
    "cut.jsonl": (
        '{"a": 1}\n\n{"a": 2\n',
        ": line 3 is no JSON (Expecting ',' delimiter): correct it, or write the file anew",
    ),
    "numbers.jsonl": ('{"a": 1}\n2\n', ": line 2 is no object: give one in each line"),
    "lists.json": (
        json.dumps([["a", 1]]),
        f": element 1 is no object that names its values: {FORMS}",
    ),
    "nothing.json": ("[]", f" holds no rows: {FORMS}"),
    "empty.json": ("{}", f" holds no table: {FORMS}"),
    "not-found.json": ("null", f" holds no table: {FORMS}"),
    "numbers.json": (
        json.dumps({A: 93.1}),
        ' does not say what its numbers are: write each as {"native": …, '
        '"cifar10_test_accuracy": …}',
    ),
    "uneven.json": (
        json.dumps({"arch_str": [A, B], "acc": [93.1]}),
        ": column 'acc' has 1 values and 'arch_str' 2: give as many in each",
    ),
    "split-short.json": (
        json.dumps({"columns": ["arch_str", "acc"], "data": [[A, 93.1], [B]]}),
        ": row 2 of 'data' has 1 values under 2 headings: give one for each, null where it is "
        "missing",
    ),
    "split-long.json": (
        json.dumps({"columns": ["arch_str", "acc"], "data": [[A, 93.1, 7]]}),
        ": row 1 of 'data' has 3 values under 2 headings: give one for each, null where it is "
        "missing",
    ),
    "split-flat.json": (
        json.dumps({"columns": ["arch_str"], "data": [1, 2]}),
        ": row 1 of 'data' is no list: give one for each row",
    ),
    "split-count.json": (
        json.dumps({"columns": 3, "data": [[1, 2, 3]]}),
        ": 'columns' is no list of headings: give one for each column",
    ),
    "split-nested.json": (
        json.dumps({"columns": [["a", "b"], ["a", "c"]], "data": [[1, 2]]}),
        ": 'columns' is no list of headings: give one for each column",
    ),
    "split-twice.json": (
        json.dumps({"columns": ["acc", "acc"], "data": [[1, 2]]}),
        ": heading 'acc' stands twice in 'columns': keep one",
    ),
    "nested.json": (
        objects({"a": "x"}, {"a": "y", "seeds": [1, 2]}),
        ": row 2: 'seeds' holds a list: give each value a name of its own",
    ),
    "deeper.json": (
        json.dumps({A: {"cifar10": {"test": 93.1}}}),
        ": row 1: 'cifar10' holds an object: give each value a name of its own",
    ),
    "twice.json": (
        '[{"a": 1, "a": 2}]',
        ": 'a' stands twice in one object: keep one",
    ),
    "half-a-letter.json": (
        '[{"a": "\\ud800"}]',
        ": 'a' holds half of a character ('\\ud800'): write the file anew in UTF-8",
    ),
    "deep.json": ("[" * 100_000, f" is nested too deeply for a table: {FORMS}"),
}


def written(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_there_are_many_files() -> None:
    assert len(READ) >= 45
    assert len(REFUSED) >= 45


@pytest.mark.parametrize("name", READ)
def test_a_table_is_read(tmp_path: Path, name: str) -> None:
    content, rows, said = READ[name]
    path = written(tmp_path, name, content)
    table = open_table(path)
    assert table.frame.rows() == rows
    assert table.said == said
    assert all(heading == heading.strip() != "" for heading in table.frame.columns)
    assert is_table_name(path)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sure_table_is_refused_in_a_line(tmp_path: Path, name: str) -> None:
    content, line = REFUSED[name]
    path = written(tmp_path, name, content)
    with pytest.raises(InputError) as caught:
        read_table(path)
    assert str(caught.value) == name + line
    assert is_table_name(path)


@pytest.mark.parametrize("suffix", COMPRESSED[1:])
def test_a_damaged_compressed_file_says_so(tmp_path: Path, suffix: str) -> None:
    compress = {".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}[suffix]
    path = written(tmp_path, f"t.csv{suffix}", compress(PLAIN.encode())[:-9])
    with pytest.raises(InputError, match=r"-compressed and damaged \(.+\): half a download\?"):
        read_table(path)


def test_damaged_columns_say_so(tmp_path: Path) -> None:
    for name, data in {
        "t.parquet": columns(FRAME.write_parquet),
        "t.feather": columns(FRAME.write_ipc),
        "t.arrow": columns(FRAME.write_ipc_stream),
    }.items():
        path = written(tmp_path, name, data[: len(data) // 2])
        with pytest.raises(InputError, match=rf"{name} is damaged \(.+\): half a download\?"):
            read_table(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=r"^folder\.csv is no file: give a table \(\.csv, "):
        read_table(tmp_path / "folder.csv")
    with pytest.raises(InputError, match=r"^none\.csv is no file"):
        read_table(tmp_path / "none.csv")


@pytest.mark.parametrize("name", ["t.pth", "t.gz", "t", "csv", ".csv", "t.csv.zip", "t.pickle.bz2"])
def test_other_names_are_left_to_other_sources(name: str) -> None:
    assert not is_table_name(Path(name))


CELLS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), max_size=12
).filter(lambda text: not text.lstrip().startswith(("#", "%", "//")))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, st.floats(-1e6, 1e6)), min_size=1, max_size=8),
    separator=st.sampled_from(sorted(delimited.SEPARATORS)),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_python_writes_is_read_back(
    tmp_path: Path,
    rows: list[tuple[str, str, float]],
    separator: str,
    quoting: Any,
    line_end: str,
) -> None:
    """Whatever stands in the cells, and on either way through the rows."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator, quoting=quoting, lineterminator=line_end)
    writer.writerow(["name", "text", "value"])
    # A letter before each text keeps it one.
    kept = [(f"n{name}", f"t{text}", value) for name, text, value in rows]
    writer.writerows(kept)
    path = written(tmp_path, "t.csv", file.getvalue())
    expected = [(name.strip(), text.strip(), value) for name, text, value in kept]
    assert read_table(path).rows() == expected
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(delimited, "_read_regular", lambda text, layout: None)
        assert read_table(path).rows() == expected


def test_a_large_regular_file_takes_the_quick_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line by line a million rows take ten times as long; what pyarrow reads is the judge."""
    values = np.random.default_rng(0).uniform(10, 95, 50_000).round(2)
    path = tmp_path / "large.csv"
    pl.DataFrame({"arch_str": [A] * len(values), "acc": values}).write_csv(path)

    def refuse(*_: object) -> None:
        raise AssertionError("read line by line")

    monkeypatch.setattr(delimited, "_read_any", refuse)
    expected = pl.DataFrame(pl.from_arrow(arrow_csv.read_csv(path)))
    assert read_table(path).equals(expected)
