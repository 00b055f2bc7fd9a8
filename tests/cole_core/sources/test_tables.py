"""Tables of one's own, against what polars reads and tables written here."""

from pathlib import Path

import polars as pl
import pytest

from cole_core.errors import InputError
from cole_core.sources import read_evaluations
from cole_core.sources.base import NATURE, SCHEMA
from cole_core.sources.tables import take_table
from cole_core.sources.told import Told
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
    assert frame.schema == SCHEMA | NATURE
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
        (CELLS[0], "flowers", "accuracy", "valid", 50, None, path.name, 1.5, "%", "higher"),
        (CELLS[2], "flowers", "accuracy", "valid", 50, None, path.name, 99.0, "%", "higher"),
    ]


def test_a_loss_beside_accuracies_is_read_as_a_loss(tmp_path: Path, space: SearchSpace) -> None:
    path = table(tmp_path / "t.csv", cifar10_loss=[0.1, 0.2, 0.3], cifar10_test_acc=[90, 80, 70])
    rows = read_evaluations(str(path), space)
    assert rows.select("metric", "direction", "unit", "value").rows() == [
        *(("loss", "lower", None, value) for value in (0.1, 0.2, 0.3)),
        *(("accuracy", "higher", "%", value) for value in (90, 80, 70)),
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([90.0, 80.0, 250.0], "column 'cifar10_acc': row 3 is 250.0"),
        ([-1.0, 80.0, 70.0], "column 'cifar10_acc': row 1 is -1.0"),
        ([90.0, float("inf"), 70.0], "row 2: column 'cifar10_acc' is inf"),
        (["90", "eighty", "70"], "row 2: column 'cifar10_acc' is eighty"),
        (["90 %", "80", "70 %"], "row 2: column 'cifar10_acc' is 80"),
        ([0.9, 80.0, 1.0], "mixes fractions and percentages: row 1 is 0.9, row 2 is 80"),
        ([1.0, 0.0, 1.0], "holds 0 and 1 alone"),
        ([None, None, float("nan")], "holds no measured values: 3 cells are missing"),
        ([True, False, True], "row 1: column 'cifar10_acc' is true"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_wrong_value_is_named(
    tmp_path: Path, space: SearchSpace, values: list[object], message: str, suffix: str
) -> None:
    path = tmp_path / f"t{suffix}"
    frame = pl.DataFrame({"arch_str": CELLS, "cifar10_acc": values}, strict=False)
    if suffix == ".csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
    with pytest.raises(InputError) as caught:
        take_table(path, space)
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
        (
            {"arch_str": [CELLS[0], CELLS[0]], "cifar10_acc": [1.0, 2.0]},
            "row 2 repeats .* row 1 with another accuracy, 2 beside 1",
        ),
        (
            {"arch_str": [CELLS[0]] * 2, "seed": [7, 7], "cifar10_acc": [1.0, 2.0]},
            "row 2 repeats .* row 1",
        ),
        ({"arch_str": CELLS[:2], "seed": [7, None], "cifar10_acc": [1.0, 2.0]}, "row 2: .*'seed'"),
        ({"arch_str": CELLS[:2], "seed": [7.0, 0.5], "cifar10_acc": [1.0, 2.0]}, "row 2: .*0.5"),
        (
            {"arch_str": CELLS[:2], "seed": [7, 8], "cifar10_acc_seed1": [1.0, 2.0]},
            "a column 'seed' and a heading with seed1, 'cifar10_acc_seed1': leave one out with "
            "--skip 'seed' or --skip 'cifar10_acc_seed1'",
        ),
        ({"arch_str": CELLS[:2], "index": [1, 2]}, "no column of measured values"),
        ({"arch_str": CELLS[:2], "cifar10_acc": [1.0, 2.0], "cifar10_top1": [1, 2]}, "twice"),
    ],
)
def test_a_table_that_cannot_be_read_is_bad_input(
    tmp_path: Path, space: SearchSpace, frame: dict[str, list[object]], message: str
) -> None:
    pl.DataFrame(frame).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match=message):
        take_table(tmp_path / "t.parquet", space)


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
        take_table(tmp_path / name, space)


# A table of someone's: what each column was read as, the values that came of it, or the line that
# refused it. CELLS stand in the first column.
HANDED_OVER = {
    "fractions": (
        {"cifar10_test_acc": [0.931, 1.0, 0.0]},
        ["accuracy, %, higher is better, cifar10, test, epochs not said; fractions, stored × 100"],
        [93.1, 100, 0],
    ),
    "percent signs": (
        {"cifar10_test_acc": ["93.1%", "70.2 %", "0.4%"]},
        ["accuracy, %, higher is better, cifar10, test, epochs not said"],
        [93.1, 70.2, 0.4],
    ),
    "percent in the heading": (
        {"cifar100 top-1 (%)": [0.9, 70.2, 1.0]},
        ["accuracy, %, higher is better, cifar100, split not said, epochs not said"],
        [0.9, 70.2, 1.0],
    ),
    "missing in words": (
        {"cifar10_test_acc": ["93.1", "N/A", "-"]},
        ["accuracy, %, higher is better, cifar10, test, epochs not said; 2 missing"],
        [93.1],
    ),
    "missing as nothing": (
        {"cifar10_test_acc": ["", "null", " 70.2 "]},
        ["accuracy, %, higher is better, cifar10, test, epochs not said; 2 missing"],
        [70.2],
    ),
    "missing as NaN": (
        {"cifar10_test_acc": [float("nan"), 70.2, None]},
        ["accuracy, %, higher is better, cifar10, test, epochs not said; 2 missing"],
        [70.2],
    ),
    "deviations behind values": (
        {"cifar10_test_acc": ["93.1 ± 0.2", "70.2±0.1", "50 +- 3"]},
        [
            "accuracy, %, higher is better, cifar10, test, epochs not said; mean ± deviation: the "
            "mean is stored"
        ],
        [93.1, 70.2, 50],
    ),
    "deviations beside values": (
        {"cifar10_test_acc": [93.1, 70.2, 50.0], "cifar10_test_acc_std": [0.1, 0.2, 0.3]},
        [
            "accuracy, %, higher is better, cifar10, test, epochs not said",
            "left out: a standard deviation",
        ],
        [93.1, 70.2, 50],
    ),
    "an error": (
        {"cifar10 valid error": [8.1, 29.8, 50.0]},
        ["error, %, lower is better, cifar10, valid, epochs not said"],
        [8.1, 29.8, 50],
    ),
    "missing in other words": (
        {"cifar10_test_acc": ["93.1", "–", "missing"]},
        ["accuracy, %, higher is better, cifar10, test, epochs not said; 2 missing"],
        [93.1],
    ),
    "small errors": (
        {"mnist_test_error": [0.4, 0.9, 1.0]},
        "t.parquet: column 'mnist_test_error' holds errors up to 1 alone, percentages or "
        "fractions: say --column 'mnist_test_error=mnist:test:error[%]' or "
        "'mnist_test_error=mnist:test:error[fraction]'",
    ),
    "small errors in percent": (
        {"mnist_test_error %": [0.4, 0.9, 1.0]},
        ["error, %, lower is better, mnist, test, epochs not said"],
        [0.4, 0.9, 1.0],
    ),
    "small errors with percent signs": (
        {"mnist_test_error": ["0.4 %", "0.9 %", "1 %"]},
        ["error, %, lower is better, mnist, test, epochs not said"],
        [0.4, 0.9, 1.0],
    ),
    "fractions with percent signs": (
        {"cifar10_test_acc_fraction": ["0.4 %", "0.9 %", "1 %"]},
        "t.parquet: column 'cifar10_test_acc_fraction' is said to be in [fraction], and its cells "
        "are written with '%': say [%], or leave the signs out",
    ),
    "some cells that are numbers": (
        {"score": ["0.2", "0.3x", "0.4"]},
        "t.parquet: score → metric not said, dataset not said, 'score' is not understood, row 2 is "
        "'0.3x', no number: name it with --column 'score=DATASET:SPLIT:METRIC:EPOCHS', or leave it "
        "out with --skip 'score'",
    ),
    "one measurement in two units": (
        {"cifar10_latency_ms": [5, 6, 7], "cifar10_latency_s": [0.005, 0.006, 0.007]},
        "t.parquet: columns 'cifar10_latency_ms' and 'cifar10_latency_s' are both latency, s, "
        "lower is better, cifar10, split not said, epochs not said, which comes twice: leave one "
        "out with --skip, or say what it is with --column",
    ),
    "costs": (
        {"cifar10_edgegpu_latency": [5.8, 3.1, 2.0], "cifar10 energy (mJ)": [24.2, 11.4, 9.0]},
        [
            "edgegpu_latency, unit not said, lower is better, cifar10, split not said, epochs not "
            "said",
            "energy, mJ, lower is better, cifar10, split not said, epochs not said",
        ],
        [5.8, 3.1, 2.0, 24.2, 11.4, 9.0],
    ),
    "a proxy": (
        {"cifar10_synflow": [46.6, -20.5, 1e4]},
        ["synflow, better not said, cifar10, split not said, epochs not said"],
        [46.6, -20.5, 1e4],
    ),
    "an index, a rank and a name": (
        {"": [0, 1, 2], "rank": [1, 2, 3], "note": ["a", "b", "c"], "cifar10_acc": [1.5, 2, 3]},
        [
            "left out: an index",
            "left out: no numbers",
            "accuracy, %, higher is better, cifar10, split not said, epochs not said",
        ],
        [1.5, 2, 3],
    ),
    "sizes and times of no dataset": (
        {
            "parameters": [5, 6, 7],
            "flops": [8, 9, 9],
            "seconds": [1.5, 2, 3],
            "digits_test_acc": [1.5, 2, 3],
        },
        [
            "left out: parameters of no dataset; --dataset or --column stores them",
            "left out: flops of no dataset; --dataset or --column stores them",
            "left out: a time of no dataset; --column stores it",
            "accuracy, %, higher is better, digits, test, epochs not said",
        ],
        [1.5, 2, 3],
    ),
    "a negative latency": (
        {"cifar10_edgetpu_latency": [-1.0, 2.0, 3.0]},
        "t.parquet: column 'cifar10_edgetpu_latency': row 1 is -1.0, and edgetpu_latency is at "
        "least 0: correct the value, or leave it empty where it is missing",
    ),
    "fractions beside percentages": (
        {"cifar10_test_acc": [0.931, 70.2, 50.0]},
        "t.parquet: column 'cifar10_test_acc' mixes fractions and percentages: row 1 is 0.931, row "
        "2 is 70.2: correct them, or say --column 'cifar10_test_acc=cifar10:test:accuracy[%]' or "
        "'cifar10_test_acc=cifar10:test:accuracy[fraction]'",
    ),
    "no dataset": (
        {"val_accs": [88.1, 70.2, 50.0]},
        "t.parquet: val_accs → accuracy, dataset not said: name it with --column "
        "'val_accs=DATASET:valid:accuracy:EPOCHS', or with --dataset DATASET, or leave it out with "
        "--skip 'val_accs'",
    ),
    "no metric": (
        {"cifar10_test": [88.1, 70.2, 50.0], "resolution": [224, 224, 192]},
        "t.parquet: cifar10_test → metric not said, cifar10: name it with --column "
        "'cifar10_test=cifar10:test:METRIC:EPOCHS', or leave it out with --skip 'cifar10_test'; "
        "not understood either: 'resolution' (--dry-run lists all)",
    ),
    "two columns of one meaning": (
        {"cifar10_acc": [1.5, 2, 3], "cifar10_top1": [1.5, 2, 3]},
        "t.parquet: columns 'cifar10_acc' and 'cifar10_top1' are both accuracy, %, higher is "
        "better, cifar10, split not said, epochs not said, which comes twice: leave one out with "
        "--skip, or say what it is with --column",
    ),
}


@pytest.mark.parametrize("name", HANDED_OVER)
def test_what_is_handed_over_is_read_as_it_is_said_or_refused(
    tmp_path: Path, space: SearchSpace, name: str
) -> None:
    columns, *expected = HANDED_OVER[name]
    path = tmp_path / "t.parquet"
    pl.DataFrame({"arch_str": CELLS, **columns}, strict=False).write_parquet(path)
    if len(expected) == 1:
        with pytest.raises(InputError) as caught:
            read_evaluations(str(path), space)
        assert str(caught.value) == expected[0]
        return
    lines, values = expected
    taken = take_table(path, space)
    assert [reading.line.split(" → ")[1] for reading in taken.readings[1:]] == lines
    assert taken.rows["value"].to_list() == values
    left_out = "column 2, which has no heading and counts rows, left out"
    assert taken.said == ((left_out,) if "" in columns else ())


def test_rows_of_seeds_are_kept_apart_and_repeated_rows_are_one(
    tmp_path: Path, space: SearchSpace
) -> None:
    path = tmp_path / "t.csv"
    a, b = CELLS[:2]
    path.write_text(
        f"arch_str,seed,cifar10_test_acc\n{a},777,93.1\n{a},888,93.3\n{b},777,70\n{b},777,70\n"
    )
    assert read_evaluations(str(path), space).select("native", "seed", "value").rows() == [
        (a, 777, 93.1),
        (a, 888, 93.3),
        (b, 777, 70.0),
    ]


def test_what_is_said_of_a_column_goes_before_its_heading(
    tmp_path: Path, space: SearchSpace
) -> None:
    path = table(tmp_path / "t.csv", cifar10_test_acc=[0.5, 0.25, 1.0], std=[1, 2, 3], a=[4, 5, 6])
    told = Told(
        ("cifar10_test_acc=cifar100:valid:gain[points]:200:lower", "std=d:test:spread:seed7"),
        ("a",),
    )
    taken = take_table(path, space, told)
    assert taken.rows.drop("native", "source").rows() == [
        *(
            ("cifar100", "gain", "valid", 200, None, value, "points", "lower")
            for value in (0.5, 0.25, 1.0)
        ),
        *(("d", "spread", "test", None, 7, value, None, None) for value in (1.0, 2.0, 3.0)),
    ]
    assert taken.readings[3].line == "a → left out, as asked"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            Told(columns=("cifar_acc=c:test:accuracy",)),
            "no column 'cifar_acc': choose from 'cifar10_a",
        ),
        (Told(skipped=("rnak",)), "--skip: no column 'rnak': choose from 'rank'"),
        (Told(("rank=c:test:x",), ("rank",)), "'rank' is named twice"),
        (Told(columns=("rank=c:test:x", "rank=c:test:y")), "'rank' is named twice"),
        (Told(columns=("arch_str=c:test:x",)), "'arch_str' holds the native strings"),
        (Told(columns=("rank=c:test:accuracy",)), "row 3 is 250"),
        (Told(columns=("cifar10_acc=c:test:METRIC",)), "the metric is missing"),
    ],
)
def test_what_is_said_of_columns_is_checked(
    tmp_path: Path, space: SearchSpace, told: Told, said: str
) -> None:
    path = table(tmp_path / "t.csv", cifar10_acc=[1.5, 2, 3], rank=[1, 2, 250])
    with pytest.raises(InputError, match=said):
        take_table(path, space, told)


def test_a_column_of_seeds_may_be_left_out(tmp_path: Path, space: SearchSpace) -> None:
    path = table(tmp_path / "t.csv", seed=["a", "b", "c"], cifar10_acc_seed777=[1.5, 2, 3])
    taken = take_table(path, space, Told(skipped=("seed",)))
    assert taken.readings[1].line == "seed → left out, as asked"
    assert taken.rows["seed"].to_list() == [777] * 3


def test_an_error_that_is_no_share_is_stored_as_it_stands(
    tmp_path: Path, space: SearchSpace
) -> None:
    path = table(tmp_path / "t.csv", mse=[0.02, 150, 1.0])
    rows = take_table(path, space, Told(("mse=cifar10:test:mean_squared_error",))).rows
    assert rows["value"].to_list() == [0.02, 150, 1.0]
    assert rows.select("unit", "direction").unique().rows() == [(None, "lower")]
