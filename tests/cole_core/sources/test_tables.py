"""Tables of one's own, against what polars reads and tables written here."""

from pathlib import Path

import polars as pl
import pytest

from cole_core.errors import InputError
from cole_core.sources import read_evaluations
from cole_core.sources.base import SCHEMA
from cole_core.sources.tables import Measured, measured, read_table
from cole_core.spaces import get_space
from cole_core.spaces.base import SearchSpace

CELLS = [
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|none~2|",
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
    "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|nor_conv_3x3~1|none~2|",
]


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return get_space("nasbench201")


def table(path: Path, **columns: object) -> Path:
    pl.DataFrame({"arch_str": CELLS, **columns}).write_csv(path)
    return path


def test_a_parquet_table_gives_what_polars_reads(shared: Path, space: SearchSpace) -> None:
    path = shared / "data" / "nasbench201.parquet"
    frame = read_evaluations(str(path), space)
    raw = pl.read_parquet(path)
    assert frame.schema == SCHEMA
    assert frame.height == 15_625 * 6
    assert set(frame.select("dataset", "metric", "split", "epochs", "seed").unique().rows()) == {
        ("cifar10", "accuracy", "test", 200, None),
        ("cifar100", "accuracy", "test", 200, None),
        ("cifar10", "accuracy", "valid", 12, None),
        ("cifar10", "accuracy", "test", 12, None),
        ("cifar100", "accuracy", "valid", 12, None),
        ("cifar100", "accuracy", "test", 12, None),
    }
    chosen = frame.filter(dataset="cifar100", split="test", epochs=200)
    expected = dict(zip(raw["arch_str"], raw["cifar100_test_accuracy_200"], strict=True))
    assert dict(zip(chosen["native"], chosen["value"], strict=True)) == expected


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_each_kind_of_table_reads_alike(tmp_path: Path, space: SearchSpace, suffix: str) -> None:
    path = tmp_path / f"mine{suffix}"
    frame = pl.DataFrame({"id": [7, 8, 9], "cell": CELLS, "flowers_val_acc_e50": [1.5, None, 99]})
    if suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path, separator="\t" if suffix == ".tsv" else ",")
    assert read_evaluations(str(path), space).rows() == [
        (CELLS[0], "flowers", "accuracy", "valid", 50, None, path.name, 1.5),
        (CELLS[2], "flowers", "accuracy", "valid", 50, None, path.name, 99.0),
    ]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("cifar100_test_accuracy_200", Measured("cifar100", "accuracy", "test", 200, None)),
        ("CIFAR-10 Valid Acc 12", Measured("cifar10", "accuracy", "valid", 12, None)),
        ("acc_imagenet16_120_val", Measured("ImageNet16-120", "accuracy", "valid", None, None)),
        ("ImageNet16-120_test_200ep", Measured("ImageNet16-120", "accuracy", "test", 200, None)),
        ("cifar10_ptq_accuracy", Measured("cifar10", "ptq_accuracy", "unknown", None, None)),
        ("cifar10_test_acc_seed777_200", Measured("cifar10", "accuracy", "test", 200, 777)),
        ("flowers_test_top1_50_epochs", Measured("flowers", "accuracy", "test", 50, None)),
        ("epochs_12_val", Measured("stem", "accuracy", "valid", 12, None)),
        ("accuracy", Measured("stem", "accuracy", "unknown", None, None)),
        ("svhn", Measured("svhn", "accuracy", "unknown", None, None)),
    ],
)
def test_a_columns_name_says_what_was_measured(column: str, expected: Measured) -> None:
    assert measured(column, "stem") == expected


def test_named_accuracies_leave_other_numbers_alone(tmp_path: Path, space: SearchSpace) -> None:
    path = table(tmp_path / "t.csv", loss=[0.1, 0.2, 0.3], test_acc=[90, 80, 70])
    assert read_table(path, space)["value"].to_list() == [90, 80, 70]


def test_without_named_accuracies_floating_point_columns_count(
    tmp_path: Path, space: SearchSpace
) -> None:
    columns = {"index": [0, 1, 2], "params": [0.1, 0.2, 0.3], "svhn": [90.5, 80.0, 70.0]}
    frame = read_table(table(tmp_path / "t.csv", **columns), space)
    assert frame.select("dataset", "value").rows() == [
        ("svhn", 90.5),
        ("svhn", 80.0),
        ("svhn", 70.0),
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([90.0, float("nan"), 70.0], "row 2: column 'acc' is NaN"),
        ([90.0, 80.0, 250.0], "row 3: column 'acc' is 250.0"),
        ([-1.0, 80.0, 70.0], "row 1: column 'acc' is -1.0"),
        ([90.0, float("inf"), 70.0], "row 2: column 'acc' is inf"),
        (["90", "eighty", "70"], "row 2: column 'acc' is eighty"),
        ([0.9, 0.8, 1.0], "multiply it by 100"),
        ([None, None, None], "holds no accuracies"),
        ([True, False, True], "named as an accuracy but holds Boolean"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_wrong_value_is_named(
    tmp_path: Path, space: SearchSpace, values: list[object], message: str, suffix: str
) -> None:
    path = tmp_path / f"t{suffix}"
    frame = pl.DataFrame({"arch_str": CELLS, "acc": values})
    if suffix == ".csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
    with pytest.raises(InputError) as caught:
        read_table(path, space)
    assert message.lower() in str(caught.value).lower()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"acc": [1.0, 2.0]}, "cannot tell the column of native strings"),
        ({"name": ["a", "b"], "acc": [1.0, 2.0]}, "column 'name': row 1"),
        ({"a": CELLS[:2], "b": CELLS[:2], "acc": [1.0, 2.0]}, "a, b could all be it"),
        ({"arch_str": [CELLS[0], "|conv_9x9~0|"], "acc": [1.0, 2.0]}, "row 2"),
        ({"arch_str": [CELLS[0], None], "acc": [1.0, 2.0]}, "row 2: column 'arch_str' is empty"),
        ({"arch_str": [CELLS[0], CELLS[0]], "acc": [1.0, 2.0]}, "row 2 repeats .* row 1"),
        ({"arch_str": CELLS[:2], "index": [1, 2]}, "no column of accuracies"),
        ({"arch_str": CELLS[:2], "cifar10_acc": [1.0, 2.0], "cifar10_top1": [1, 2]}, "twice"),
    ],
)
def test_a_table_that_cannot_be_read_is_bad_input(
    tmp_path: Path, space: SearchSpace, frame: dict[str, list[object]], message: str
) -> None:
    pl.DataFrame(frame).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match=message):
        read_table(tmp_path / "t.parquet", space)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", b"", r"t\.csv is empty \(0 bytes\): half a download\?"),
        ("t.csv", b"\x00\x01\x02", r"t\.csv holds bytes that are no text: give a table"),
        ("t.csv", b'arch_str,acc\n"x', r"t\.csv: a quote that opens in line 2 is never closed"),
        ("t.parquet", b"", r"t\.parquet is empty \(0 bytes\): half a download\?"),
        ("t.parquet", b"\x00\x01\x02", r"t\.parquet is named as Parquet and is not: half a "),
        ("t.parquet", b'arch_str,acc\n"x', r"t\.parquet is named as Parquet and is not: half a "),
    ],
)
def test_a_damaged_table_is_bad_input(
    tmp_path: Path, space: SearchSpace, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_table(tmp_path / name, space)
