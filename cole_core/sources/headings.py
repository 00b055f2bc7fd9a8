"""What a column's heading says of its values, read only as far as it is sure.

The words of a heading, in any order and case:
  - a known dataset (`cifar10`, `CIFAR-100`, `ImageNet16-120`);
  - a metric of the vocabulary (`accuracy`, `acc`, `top-1`, `error`, `latency`, …), and its unit;
  - the split: `train`, `valid` (`val`, `validation`) or `test`;
  - the number of epochs: `200e`, `200ep`, `200epochs`, `e200`; a bare last number is one only where
    dataset, split and metric are all said, as in `cifar100_test_accuracy_200`;
  - the seed: `seed777`;
  - a word before the metric that sets it apart (`cifar10_ptq_accuracy`, `cifar10_edgegpu_latency`);
  - a dataset of one's own, as one word at the front with split and metric right after it
    (`flowers_test_acc`); where the dataset was said already, no other is read so.
Every word must be one of these: what is left is not understood, and nothing is stored then. Neither
is it without a metric or a dataset. Split, epochs and seed may stay unsaid.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cole_core.sources.metrics import (
    OF_CLASSES,
    TURNING,
    Direction,
    Metric,
    direction_of,
    in_words,
    metric_named,
    phrases,
    unit_of,
)

SPLITS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "test": "test",
}
UNKNOWN = "unknown"

_DATASETS = {
    "cifar100": r"cifar[ _-]?100",
    "cifar10": r"cifar[ _-]?10",
    "ImageNet16-120": r"imagenet[ _-]?16[ _-]?120",
}
_EPOCHS = re.compile(r"(?:e|ep|epochs?)(\d{1,6})|(\d{1,6})(?:e|ep|epochs?)")
_SEED = re.compile(r"(?<![a-z])seed[ _-]?(\d{1,9})(?!\d)", re.IGNORECASE)
_DEVIATIONS = {"std", "stdev", "stddev", "sd", "sem", "stderr", "deviation", "var", "variance"}
_INDEX = {"index", "idx", "id", "ids", "rank", "row", "hash", "uid", "uuid", "unnamed", "position"}
_INDEXED = {
    *("arch", "architecture", "canonical", "cell", "model", "net", "network", "str", "string"),
}
_TIMES_ALONE = {"seconds", "minutes", "hours", "time", "duration"}
# Words of a result that name no dataset and no metric of their own.
_VAGUE = TURNING | {
    *("average", "avg", "mean", "median", "best", "final", "last", "max", "min", "maximum"),
    *("minimum", "estimated", "predicted", "pred", "true", "ours", "our", "my", "top", "acc"),
    *("epoch", "epochs", "seed", "score", "value", "result", "metric", "model", "net", "network"),
    *("arch", "cell", "dataset", "data", "run", "trial", "fold", "ci", "ema", "swa", "supernet"),
    "eval",
}
# Words that set a metric apart and name no dataset, without the number behind them (int8, fp16).
_APART = {
    *("adv", "adversarial", "balanced", "baseline", "bf", "clean", "float", "fp", "int", "noisy"),
    *("ptq", "qat", "quantised", "quantized", "raw", "robust", "student", "teacher"),
    *("absolute", "calibration", "position", "squared", "standard"),
}
_TOP_1 = {("top1",), ("top", "1"), ("acc1",)}


@dataclass(frozen=True)
class Measured:
    """What the values of a column are."""

    dataset: str
    metric: str
    split: str = UNKNOWN
    epochs: int | None = None
    seed: int | None = None
    unit: str | None = None
    direction: Direction | None = None

    @property
    def line(self) -> str:
        """All of it in words."""
        metric = metric_named(self.metric)
        unsaid = "unit not said" if metric is not None and metric.units else None
        unit = self.unit or unit_of(self.metric) or unsaid
        known = [self.metric, unit, in_words(self.direction), self.dataset]
        known += ["split not said" if self.split == UNKNOWN else self.split]
        known += ["epochs not said" if self.epochs is None else f"{self.epochs} epochs"]
        known += [] if self.seed is None else [f"seed {self.seed}"]
        return ", ".join(word for word in known if word is not None)


@dataclass(frozen=True)
class Heading:
    """What a heading says, as far as it is sure.

    Attributes:
        dataset, metric, split, epochs, seed: None where it does not say.
        unit: Of the metric, where the heading says it.
        unclear: What is not understood, in words; none if all is.
        nothing: Why the column is no measurement, in words; None if it may be one.
    """

    dataset: str | None = None
    metric: str | None = None
    split: str | None = None
    epochs: int | None = None
    seed: int | None = None
    unit: str | None = None
    unclear: tuple[str, ...] = ()
    nothing: str | None = None

    @property
    def measured(self) -> Measured | None:
        """What its values are; None where that is not sure."""
        if self.unclear or self.nothing or self.dataset is None or self.metric is None:
            return None
        return Measured(
            self.dataset,
            self.metric,
            self.split or UNKNOWN,
            self.epochs,
            self.seed,
            self.unit,
            direction_of(self.metric),
        )

    @property
    def line(self) -> str:
        """What is known and what is not, in words."""
        if (measured := self.measured) is not None:
            return measured.line
        lacking = [self.metric or "metric not said", self.dataset or "dataset not said"]
        return ", ".join([*lacking, *self.unclear]) + ": name it"

    @property
    def said(self) -> str:
        """What `--column` would have to say, with capitals for what the heading does not."""
        parts = [self.dataset or "DATASET", self.split or "SPLIT", self.metric or "METRIC"]
        return ":".join([*parts, "EPOCHS" if self.epochs is None else str(self.epochs)])


def quoted(text: str) -> str:
    """A text in quotes, as a shell takes it."""
    return shlex.quote(text) if "'" in text else f"'{text}'"


def read_heading(column: str, dataset: str | None = None) -> Heading:
    """What a heading says, by the rules at the top of this module.

    Args:
        column: The heading.
        dataset: The dataset where the heading names none, if that was said.
    """
    rest, found = column.strip(), Heading()
    rest, named = _take_dataset(rest)
    if match := _SEED.search(rest):
        found = replace(found, seed=int(match[1]))
        rest = rest[: match.start()] + " " + rest[match.end() :]
    words = _words(rest)
    if not named and set(words) <= _INDEX | _INDEXED | {"0"} and not _only_names(words):
        return Heading(nothing="an index")
    if words and set(words) <= _TIMES_ALONE:
        return Heading(nothing="a time of no dataset; --column stores it")
    if _DEVIATIONS.intersection(words) or "±" in column:
        return Heading(nothing="a standard deviation")
    words, metrics = _take_metrics(words)
    words, unit = _take_unit(words, metrics)
    words, splits = _take_splits(words)
    words, epochs = _take_epochs(words)
    found = replace(found, split=splits[0] if len(set(splits)) == 1 else None, epochs=epochs)
    unclear = ["two datasets"] if len(named) > 1 else []
    unclear += ["two splits"] if len(set(splits)) > 1 else []
    metric, more = _one_metric(metrics)
    unclear += more
    words, named, more = _take_own_dataset(words, named, dataset)
    unclear += more
    dataset = named[0] if named else dataset
    bare = bool(words) and re.fullmatch(r"\d{1,6}", words[-1]) is not None
    if bare and epochs is None and named and metric and splits and words[-2:-1] == [_METRIC]:
        found = replace(found, epochs=int(words[-1]))
        words = words[:-1]
    name, left = _full_name(words, metric)
    unclear += [f"'{word}' is not understood" for word in left]
    return replace(found, dataset=dataset, metric=name, unit=unit, unclear=tuple(unclear))


_METRIC, _SPLIT = "\0metric", "\0split"  # where they stood among the words


def _words(text: str) -> list[str]:
    text = re.sub(r"acc@(\d)", r"acc\1", text, flags=re.IGNORECASE).replace("%", " % ")
    text = re.sub(r"(?<=[a-z]{2})(?=[A-Z][a-z])", " ", text)
    return re.findall(r"[^\W_]+|%", text.lower())


def _only_names(words: list[str]) -> bool:
    """Whether words name an architecture and no index of it."""
    return bool(words) and set(words) <= _INDEXED


def _take_dataset(text: str) -> tuple[str, list[str]]:
    named = []
    for known, pattern in _DATASETS.items():
        whole = rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])"
        if match := re.search(whole, text, re.IGNORECASE):
            named.append(known)
            text = text[: match.start()] + " " + text[match.end() :]
    return text, named


def _take_metrics(words: list[str]) -> tuple[list[str], dict[tuple[str, ...], Metric]]:
    """The words without those that name metrics, and what each of those phrases names."""
    metrics = {}
    for phrase, metric in phrases().items():
        for start in range(len(words) - len(phrase) + 1):
            if tuple(words[start : start + len(phrase)]) == phrase:
                words = [*words[:start], _METRIC, *words[start + len(phrase) :]]
                metrics[phrase] = metric
                break
    # Next to each other they are one: "top-1 accuracy".
    once = [word for i, word in enumerate(words) if word != _METRIC or words[i - 1 : i] != [word]]
    return once, metrics


def _one_metric(metrics: Mapping[tuple[str, ...], Metric]) -> tuple[Metric | None, list[str]]:
    """The metric that the phrases name together, and why it is not sure."""
    by_name = {metric.name: metric for metric in metrics.values()}
    if len(by_name) < 2:
        return next(iter(by_name.values()), None), []
    if by_name.keys() == {"accuracy", "top5_accuracy"}:
        return by_name["top5_accuracy"], []
    # A "top-1 error" is one; an "acc err" is rather how far an accuracy may be off.
    others = {phrase for phrase, metric in metrics.items() if metric.name != "error"}
    if "error" in by_name and others <= _TOP_1:
        return by_name["error"], []
    return None, [f"{' and '.join(sorted(by_name))} in one heading"]


def _take_unit(
    words: list[str], metrics: Mapping[tuple[str, ...], Metric]
) -> tuple[list[str], str | None]:
    """The unit is the last word, or a percent sign anywhere."""
    units = {word: unit for metric in metrics.values() for word, unit in metric.units}
    for place in reversed(range(len(words))):
        last = place == len(words) - 1
        if words[place] in units and (last or words[place] in ("%", "percent", "pct")):
            return words[:place] + words[place + 1 :], units[words[place]]
    return words, None


def _take_splits(words: list[str]) -> tuple[list[str], list[str]]:
    splits = [SPLITS[word] for word in words if word in SPLITS]
    return [_SPLIT if word in SPLITS else word for word in words], splits


def _take_epochs(words: list[str]) -> tuple[list[str], int | None]:
    for place, word in enumerate(words):
        if match := _EPOCHS.fullmatch(word):
            return words[:place] + words[place + 1 :], int(match[1] or match[2])
        if word in ("epoch", "epochs", "ep") and place:
            for number in (place - 1, place + 1):
                if number < len(words) and words[number].isdecimal():
                    low = min(number, place)
                    return words[:low] + words[low + 2 :], int(words[number])
    return words, None


def _take_own_dataset(
    words: list[str], named: list[str], said: str | None
) -> tuple[list[str], list[str], list[str]]:
    """A dataset of one's own: one word at the front, then split and metric, as it is documented.

    Returns:
        The words without it, the datasets that are named, and what is not understood: a word that
        may name another dataset than the one that was said.
    """
    if not named and said is not None and words[:1] == [said.lower()]:
        return words[1:], [said], []
    own = words[1:3] == [_SPLIT, _METRIC] and not _is_vague(words[0])
    if named or not own or words[0].rstrip("0123456789") in _APART:
        return words, named, []
    if said is not None:
        return words[1:], named, [f"'{words[0]}' may name another dataset"]
    return words[1:], [words[0]], []


def _is_vague(word: str) -> bool:
    return word.rstrip("0123456789") in _VAGUE | {""} | set(SPLITS)


def _full_name(words: list[str], metric: Metric | None) -> tuple[str | None, list[str]]:
    """The metric's name with the words that set it apart, and the words that are not understood."""
    words = [word for word in words if word != _SPLIT]
    if metric is None:
        return None, [word for word in words if word != _METRIC]
    before = words[: words.index(_METRIC)] if _METRIC in words else []
    after = [word for word in words[len(before) :] if word != _METRIC]
    # A squared error is no share, nor is what another word may make of an error.
    of_error = metric.name == "error"
    doubtful = [word for word in before if _is_vague(word) or (of_error and word not in OF_CLASSES)]
    doubtful += after
    if doubtful or words.count(_METRIC) > 1:
        return metric.name, doubtful or [metric.name]
    return "_".join([*before, metric.name]), []
