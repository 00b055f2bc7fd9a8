"""What people say of columns with --column: stored just so, or refused in one line."""

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cole_core.errors import InputError
from cole_core.sources.headings import Measured
from cole_core.sources.metrics import (
    canonical_name,
    direction_of,
    metric_named,
    settled_direction,
    unit_of,
)
from cole_core.sources.tables import take_table
from cole_core.sources.told import Told, parse_column
from cole_core.spaces import get_space

CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"


@pytest.mark.parametrize(
    ("text", "column", "measured"),
    [
        (
            "val_accs=cifar10:valid:accuracy:200",
            "val_accs",
            Measured("cifar10", "accuracy", "valid", 200, direction="higher"),
        ),
        ("a=b=c:test:acc", "a=b", Measured("c", "accuracy", "test", direction="higher")),
        ("a:b=c:val:err", "a:b", Measured("c", "error", "valid", direction="lower")),
        ("x=c:unknown:my_score", "x", Measured("c", "my_score")),
        ("x=c:test:my:lower:7", "x", Measured("c", "my", "test", 7, direction="lower")),
        ("x=c:test:my:7:lower", "x", Measured("c", "my", "test", 7, direction="lower")),
        ("x=c:test:my:seed3", "x", Measured("c", "my", "test", None, 3)),
        ("x=c:test:p[W]:lower", "x", Measured("c", "p", "test", unit="W", direction="lower")),
        ("x=c:test:synflow:higher", "x", Measured("c", "synflow", "test", direction="higher")),
        ("x=c:test:loss[%]", "x", Measured("c", "loss", "test", unit="%", direction="lower")),
        (
            "mse=cifar10:test:mean_squared_error",
            "mse",
            Measured("cifar10", "mean_squared_error", "test", direction="lower"),
        ),
        (
            "x=c:test:position_error[mm]",
            "x",
            Measured("c", "position_error", "test", unit="mm", direction="lower"),
        ),
        (
            "x=c:test:acc[fraction]",
            "x",
            Measured("c", "accuracy", "test", unit="fraction", direction="higher"),
        ),
    ],
)
def test_a_column_is_said(text: str, column: str, measured: Measured) -> None:
    assert parse_column(text) == (column, measured)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("val_accs", "give COLUMN=DATASET:SPLIT:METRIC"),
        ("val_accs=cifar10", "give COLUMN=DATASET:SPLIT:METRIC"),
        ("x=:test:acc", "the dataset is missing"),
        ("x=DATASET:test:acc", "the dataset is missing"),
        ("x=c:tset:acc", "no split 'tset': choose from train, valid, test, unknown"),
        ("x=c:test:", "no metric ''"),
        ("x=c:test:METRIC", "the metric is missing: name it"),
        ("x=c:test:METRIC[ms]", "the metric is missing: name it"),
        ("x=c:test:7up", "no metric '7up'"),
        ("x=c:test:a b", "no metric 'a b'"),
        ("x=c:test:acc:EPOCHS", "'EPOCHS' is not understood"),
        ("x=c:test:acc:200:12", "'12' is not understood"),
        ("x=c:test:acc:lower", "a better accuracy is higher"),
        ("x=c:test:loss:higher", "a better loss is lower"),
        ("x=c:test:edgegpu_latency:higher", "a better edgegpu_latency is lower"),
        ("x=c:test:acc[points]", r"its unit is \[%\] or \[fraction\]"),
        ("x=c:test:acc:99999999999", "99999999999 is too large"),
    ],
)
def test_what_is_said_wrongly_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        parse_column(text)
    assert len(str(caught.value).splitlines()) == 1


NAME = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,11}", fullmatch=True)
METRIC = st.from_regex(r"[a-z][a-z0-9_]{0,11}", fullmatch=True)
ERROR = st.from_regex(r"[a-z][a-z0-9]{0,7}_error", fullmatch=True)  # rarely a share of anything


def has_limits(name: str) -> bool:
    metric = metric_named(canonical_name(name))
    return metric is not None and metric.least is not None


@settings(max_examples=60)
@given(
    column=st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1),
    dataset=NAME.filter(lambda name: name != "DATASET"),
    split=st.sampled_from(["train", "valid", "test", "unknown"]),
    metric=(METRIC | ERROR).filter(lambda name: not has_limits(name)),
    epochs=st.none() | st.integers(0, 2**31 - 1),
    seed=st.none() | st.integers(0, 2**31 - 1),
    unit=st.none() | st.sampled_from(["ms", "W", "points", "img/s"]),
    direction=st.none() | st.sampled_from(["higher", "lower"]),
    value=st.floats(allow_nan=False, allow_infinity=False),
)
def test_what_is_said_is_stored_just_so(
    column: str,
    dataset: str,
    split: str,
    metric: str,
    epochs: int | None,
    seed: int | None,
    unit: str | None,
    direction: str | None,
    value: float,
) -> None:
    if column.lower() in ("arch_str", "native"):
        return
    known = direction_of(canonical_name(metric))
    direction = direction if known is None else known
    said = f"{dataset}:{split}:{metric}" + (f"[{unit}]" if unit else "")
    said += "".join(f":{part}" for part in (epochs, direction) if part is not None)
    said += "" if seed is None else f":seed{seed}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        pl.DataFrame({"arch_str": [CELL], column: [value]}).write_parquet(path)
        taken = take_table(path, get_space("nasbench201"), Told((f"{column}={said}",)))
    [row] = taken.rows.drop("native", "source").rows(named=True)
    canonical = parse_column(f"x={said}")[1].metric  # an alias is what it is an alias of
    assert row == {
        **{"dataset": dataset, "metric": canonical, "split": split, "epochs": epochs},
        **{"seed": seed, "unit": unit, "value": value},
        "direction": direction or direction_of(canonical),
    }


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("accuracy", "higher"),
        ("ptq_accuracy", "higher"),
        ("error", "lower"),
        ("edgegpu_latency", "lower"),
        ("mean_squared_error", "lower"),
        ("flops", "lower"),
        ("throughput", "higher"),
        ("synflow", None),
        ("my_score", None),
        ("accuracy_drop", None),
        ("neg_loss", None),
        ("error_accuracy", None),  # what earlier versions made of 'cifar10 error'
        ("std_accuracy", None),
        ("rank_loss", None),
    ],
)
def test_a_better_is_known_by_the_name_or_not_at_all(name: str, direction: str | None) -> None:
    assert direction_of(name) == direction
    assert settled_direction(name, None) == direction


def test_a_direction_that_is_said_counts_where_none_is_known() -> None:
    assert settled_direction("synflow", "higher") == "higher"
    with pytest.raises(InputError, match="'up' is no direction: say my:higher or my:lower"):
        settled_direction("my", "up")


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        *(("error", "%"), ("top1_error", "%"), ("test_error", "%"), ("ptq_accuracy", "%")),
        *(("mean_squared_error", None), ("position_error", None), ("top1_calibration_error", None)),
    ],
)
def test_an_error_is_a_share_where_its_words_say_so(name: str, unit: str | None) -> None:
    assert unit_of(name) == unit
    metric = metric_named(name)
    assert metric is not None
    assert (metric.least, metric.most) == ((None, None) if unit is None else (0, 100))
