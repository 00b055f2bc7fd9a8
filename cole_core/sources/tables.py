"""A table with a column of native strings and columns of accuracies, in CSV, Parquet, JSON or so.

Rows are keyed by native strings, never by an index. The column of native strings is the one named
`native`, `arch_str`, `architecture` or `arch`, or else the one text column whose values parse.

A column counts as accuracies
  1. if its name has `accuracy`, `acc`, `top1` or `acc1` as a word, whatever its type; or
  2. where no column's name does: if it holds floating point numbers, and its name has no word for
     a cost (`loss`, `flops`, `params`, `latency`, `time`).
Other columns (an index, parameters, a time) are ignored; where accuracies are named, that includes
numbers like `loss`. Values are percentages; an empty cell is a measurement that is missing.

A column's name says what was measured. Its words, in any order and case:
  - a known data set (`cifar10`, `cifar100`, `ImageNet16-120`);
  - the split: `train`, `valid` (`val`, `validation`) or `test`; else `unknown`;
  - the number of epochs: a last number, `200`, or `200e`, `200ep`, `200epochs`, `e200`; else null;
  - the seed: `seed777`; else null;
  - what is left names the data set if none is known (`flowers_test_acc` → `flowers`), and else
    the metric (`cifar10_ptq_accuracy` → `ptq_accuracy`). Without words left the metric is
    `accuracy` and the data set is named after the file.
So `cifar100_test_accuracy_200` is data set cifar100, split test, metric accuracy, 200 epochs.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cole_core.errors import InputError
from cole_core.sources import table_files
from cole_core.sources.base import (
    MeasuredSpace,
    Source,
    check_natives,
    checked,
    is_percentage,
)

_NATIVE_NAMES = ("native", "arch_str", "architecture", "arch")
_ACCURACY_WORDS = {"accuracy", "acc", "top1", "acc1"}
_COST_WORDS = {"loss", "flop", "flops", "param", "params", "parameters", "latency", "time"}
_SPLITS = {
    "train": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "test": "test",
}
_DATASETS = {
    "cifar100": r"cifar[ _-]?100",
    "cifar10": r"cifar[ _-]?10",
    "ImageNet16-120": r"imagenet[ _-]?16[ _-]?120",
}
_EPOCHS = re.compile(r"(?:e|ep|epochs?)?(\d{1,6})|(\d{1,6})(?:e|ep|epochs?)")
_SEED = re.compile(r"seed[ _-]?(\d{1,9})")


@dataclass(frozen=True)
class Measured:
    """What a column of accuracies holds, read from its name."""

    dataset: str
    metric: str
    split: str
    epochs: int | None
    seed: int | None


class Table(Source):
    """Tables of one's own."""

    name = "table"
    about = table_files.ABOUT

    def recognises(self, origin: str) -> bool:
        path = Path(origin)
        return path.exists() and table_files.is_table_name(path)

    def read(self, origin: str, space: MeasuredSpace) -> pl.DataFrame:
        return read_table(Path(origin), space)


def read_table(path: Path, space: MeasuredSpace) -> pl.DataFrame:
    """Reads a table of accuracies.

    Args:
        path: What `table_files` reads.
        space: The space of its architectures.

    Returns:
        A row for each architecture and column of accuracies, without the missing ones.

    Raises:
        InputError: There is no column of native strings or of accuracies, a string or a value is
            wrong (names row, counted from 1 below the header, column and value), or an
            architecture comes twice.
    """
    table = table_files.read_table(path)
    name = _native_column(table, space, path.name)
    natives = table[name]
    if natives.null_count():
        row = int(natives.is_null().arg_true()[0]) + 1
        raise InputError(f"{path.name}: row {row}: column '{name}' is empty; remove the row")
    check_natives(natives, space, path.name)
    _check_once(natives, path.name)
    return checked(
        pl.concat(
            _evaluations(natives, column, measured(column.name, path.stem), path.name)
            for column in _accuracy_columns(table.drop(name), path.name)
        ),
        path.name,
    )


def measured(column: str, default_dataset: str) -> Measured:
    """What a column of accuracies holds, by the rules at the top of this module.

    Args:
        column: The column's name.
        default_dataset: The data set where the name tells none.
    """
    rest = column.lower()
    dataset, seed = None, None
    for known, pattern in _DATASETS.items():
        if match := re.search(rf"(?<![a-z0-9]){pattern}(?![a-z0-9])", rest):
            dataset = known
            rest = rest[: match.start()] + " " + rest[match.end() :]
            break
    if match := _SEED.search(rest):
        seed = int(match[1])
        rest = rest[: match.start()] + " " + rest[match.end() :]
    words = [word for word in _words(rest) if word not in _ACCURACY_WORDS]
    split = next((_SPLITS[word] for word in words if word in _SPLITS), "unknown")
    words = [word for word in words if word not in _SPLITS]
    epochs = None
    if len(words) > 1 and words[-1] in ("epoch", "epochs") and words[-2].isdecimal():
        words = [*words[:-2], words[-2]]
    if words and (match := _EPOCHS.fullmatch(words[-1])):
        epochs = int(match[1] or match[2])
        words = [word for word in words[:-1] if word not in ("epoch", "epochs")]
    left = "_".join(words)
    if dataset is None:
        return Measured(left or default_dataset, "accuracy", split, epochs, seed)
    return Measured(dataset, f"{left}_accuracy" if left else "accuracy", split, epochs, seed)


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]


def _native_column(table: pl.DataFrame, space: MeasuredSpace, source: str) -> str:
    texts = [name for name, dtype in table.schema.items() if dtype == pl.String]
    named = [name for name in texts if name.lower() in _NATIVE_NAMES]
    if len(named) == 1:
        return named[0]
    parsed, reason = [], "it has no text column"
    for name in named or texts:
        try:
            check_natives(table[name].drop_nulls().head(20), space, f"column '{name}'")
        except InputError as error:
            reason = str(error)
        else:
            parsed.append(name)
    if len(parsed) == 1:
        return parsed[0]
    if parsed:
        reason = f"{', '.join(parsed)} could all be it"
    raise InputError(
        f"{source}: cannot tell the column of native strings ({reason}); "
        "name the column 'native' or 'arch_str'"
    )


def _check_once(natives: pl.Series, source: str) -> None:
    rows: dict[str, int] = {}
    for row, native in enumerate(natives, start=1):
        if native in rows:
            raise InputError(
                f"{source}: row {row} repeats the architecture of row {rows[native]}, {native}; "
                "keep one row for each, with a column for each seed (accuracy_seed0, …)"
            )
        rows[native] = row


def _accuracy_columns(table: pl.DataFrame, source: str) -> list[pl.Series]:
    columns = [column for column in table if _ACCURACY_WORDS.intersection(_words(column.name))]
    columns = columns or [
        column
        for column in table
        if column.dtype.is_float() and not _COST_WORDS.intersection(_words(column.name))
    ]
    if not columns:
        raise InputError(
            f"{source}: no column of accuracies; name one like 'cifar10_test_accuracy_200'"
        )
    return [_percentages(column, source) for column in columns]


def _percentages(column: pl.Series, source: str) -> pl.Series:
    if not (column.dtype.is_numeric() or column.dtype in (pl.String, pl.Null)):
        raise InputError(
            f"{source}: column '{column.name}' is named as an accuracy but holds {column.dtype}; "
            "give numbers or another name"
        )
    numbers = column.cast(pl.Float64, strict=False)
    frame = pl.DataFrame({"given": column, "number": numbers}).with_row_index("row", offset=1)
    wrong = frame.filter(
        pl.col("given").is_not_null() & ~is_percentage(pl.col("number")).fill_null(False)
    )
    if not wrong.is_empty():
        row, value = wrong.item(0, "row"), str(wrong.item(0, "given"))
        raise InputError(
            f"{source}: row {row}: column '{column.name}' is {value}; accuracies are percentages "
            "from 0 to 100: correct the value, or leave it empty where it is missing"
        )
    if ((numbers > 0) & (numbers < 1)).any() and (numbers <= 1).all():
        raise InputError(
            f"{source}: column '{column.name}' has no value above 1, like fractions; "
            "accuracies are percentages from 0 to 100: multiply it by 100"
        )
    return numbers


def _evaluations(
    natives: pl.Series, values: pl.Series, what: Measured, source: str
) -> pl.DataFrame:
    return (
        pl.DataFrame({"native": natives, "value": values})
        .with_columns(
            dataset=pl.lit(what.dataset),
            metric=pl.lit(what.metric),
            split=pl.lit(what.split),
            epochs=pl.lit(what.epochs, pl.Int32),
            seed=pl.lit(what.seed, pl.Int32),
            source=pl.lit(source),
        )
        .drop_nulls("value")
    )
