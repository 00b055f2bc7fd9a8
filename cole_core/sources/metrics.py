"""What is measured: metrics with a unit and a direction. One vocabulary for the whole program.

A metric of the vocabulary has a direction by its nature: a better accuracy is higher, a better loss
lower. So has one that a word sets apart (`ptq_accuracy`, `edgegpu_latency`). An error is a share of
what was classified only where its words say so: `top1_error` is, `mean_squared_error` is not. Of a
zero-cost proxy, or a score of someone's own, nobody knows a better until it is said: `None`.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from cole_core.errors import InputError

Direction = Literal["higher", "lower"]
DIRECTIONS: tuple[Direction, ...] = ("higher", "lower")
PERCENT, FRACTION = "%", "fraction"


@dataclass(frozen=True)
class Metric:
    """A kind of measured value.

    Attributes:
        name: What the warehouse calls it.
        direction: Whether higher or lower is better; None: nobody knows until it is said.
        unit: In which it is kept where there is but one; None: it has none, or the source says it.
        units: How headings write its units, by the unit that is meant.
        words: How headings write its name.
        least: The lowest value that there can be.
    """

    name: str
    direction: Direction | None
    words: tuple[str, ...] = ()
    unit: str | None = None
    units: tuple[tuple[str, str], ...] = ()
    least: float | None = None

    @property
    def is_percentage(self) -> bool:
        """Whether it is a share, kept as a percentage from 0 to 100."""
        return self.unit == PERCENT

    @property
    def most(self) -> float | None:
        """The highest value that there can be."""
        return 100 if self.is_percentage else None

    @property
    def limits(self) -> str:
        """Which values there can be, in words."""
        if self.is_percentage:
            return "a percentage from 0 to 100"
        return "any finite number" if self.least is None else f"at least {self.least:g}"


_TIMES = (("ms", "ms"), ("msec", "ms"), ("us", "us"), ("s", "s"), ("sec", "s"), ("seconds", "s"))
_LONG_TIMES = (*_TIMES, ("min", "min"), ("minutes", "min"), ("h", "h"), ("hours", "h"))
_ENERGIES = (("mj", "mJ"), ("j", "J"), ("uj", "uJ"))
_COUNTS = (("m", "M"), ("million", "M"), ("millions", "M"), ("k", "k"), ("g", "G"), ("b", "G"))
_BYTES = (("kb", "KB"), ("mb", "MB"), ("gb", "GB"), ("kib", "KiB"), ("mib", "MiB"), ("gib", "GiB"))
_SHARES = ((PERCENT, PERCENT), ("percent", PERCENT), ("pct", PERCENT), ("fraction", FRACTION))

_PROXIES = (
    *("epe_nas", "fisher", "grad_norm", "grasp", "jacov", "jacob_cov", "l2_norm", "logsynflow"),
    *("naswot", "nwot", "plain", "snip", "synflow", "zen", "zen_score", "zico"),
)

VOCABULARY: tuple[Metric, ...] = (
    Metric(
        "accuracy",
        "higher",
        ("accuracies", "acc", "accs", "top1", "top 1", "acc1"),
        PERCENT,
        _SHARES,
        0,
    ),
    Metric("top5_accuracy", "higher", ("top5", "top 5", "acc5"), PERCENT, _SHARES, 0),
    Metric("error", "lower", ("errors", "err", "error rate"), PERCENT, _SHARES, 0),
    Metric("loss", "lower", ("losses",)),
    Metric("latency", "lower", ("latencies", "inference time"), None, _TIMES, 0),
    Metric("energy", "lower", (), None, _ENERGIES, 0),
    Metric(
        "parameters",
        "lower",
        ("parameter", "params", "param", "n params", "num params", "param count", "params count"),
        None,
        _COUNTS,
        0,
    ),
    Metric("flops", "lower", ("flop",), None, _COUNTS, 0),
    Metric("macs", "lower", ("multiply adds", "madds"), None, _COUNTS, 0),
    Metric("memory", "lower", ("mem",), None, _BYTES, 0),
    Metric("model_size", "lower", (), None, _BYTES, 0),
    Metric("train_time", "lower", ("training time", "train times"), None, _LONG_TIMES, 0),
    Metric("gpu_hours", "lower", (), "GPU h", (), 0),
    Metric("throughput", "higher", (), None, (), 0),
    Metric("arithmetic_intensity", None, (), None, (), 0),
    *(Metric(name, None) for name in _PROXIES),
)
"""Every metric whose nature is known."""

_BY_NAME = {metric.name: metric for metric in VOCABULARY}
_ALIASES = {word.replace(" ", "_"): metric for metric in VOCABULARY for word in metric.words}

TURNING = frozenset(
    (
        *("delta", "diff", "difference", "drop", "gain", "gap", "inv", "inverse", "minus", "neg"),
        *("negative", "normalized", "normalised", "rank", "ranked", "ratio", "regret", "relative"),
        *("improvement", "change", "loss", "error", "std", "variance"),
    )
)
"""Words beside a metric's name after which another value, or another direction, is meant."""

OF_CLASSES = frozenset(
    ("top1", "top5", "train", "valid", "validation", "test", "classification", "misclassification")
)
"""Words before an error that leave it a share of what was classified."""


def metric_named(name: str) -> Metric | None:
    """The metric of the vocabulary that a stored name is of, or that a word sets apart from it.

    `edgegpu_latency` is a latency; `neg_loss` and `accuracy_drop` are nothing that is known. Of a
    `position_error` no more is known than that a lower one is better.
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    for metric in VOCABULARY:
        front = name.removesuffix(f"_{metric.name}")
        words = set(front.split("_"))
        if front != name and not TURNING & words:
            of_another_kind = metric.name == "error" and not words <= OF_CLASSES
            return replace(metric, unit=None, least=None) if of_another_kind else metric
    return None


def canonical_name(name: str) -> str:
    """What the warehouse calls a metric: `acc` is accuracy, an unknown name itself."""
    alias = _ALIASES.get(name.lower())
    return name if name in _BY_NAME or alias is None else alias.name


def direction_of(name: str) -> Direction | None:
    """Whether higher or lower is better, as far as the name tells."""
    metric = metric_named(name)
    return None if metric is None else metric.direction


def unit_of(name: str) -> str | None:
    """The one unit that values of a name are kept in; None: it has none, or the source says it."""
    metric = metric_named(name)
    return None if metric is None else metric.unit


def settled_direction(name: str, said: str | None) -> Direction | None:
    """The direction of a metric of which people may have said one.

    Args:
        name: The metric's name.
        said: What they said, if anything.

    Raises:
        InputError: It is neither higher nor lower, or the vocabulary knows the opposite.
    """
    known = direction_of(name)
    if said is None:
        return known
    for direction in DIRECTIONS:
        if said == direction:
            if known not in (None, direction):
                raise InputError(
                    f"{name}:{said}: a better {name} is {known}; give what is meant another name"
                )
            return direction
    raise InputError(f"'{said}' is no direction: say {name}:higher or {name}:lower")


def in_words(direction: str | None) -> str:
    """A direction as people read it."""
    return "better not said" if direction is None else f"{direction} is better"


def phrases() -> dict[tuple[str, ...], Metric]:
    """The words of a heading that name each metric, the longest phrases first."""
    found = {
        tuple(re.split(r"[ _]", phrase)): metric
        for metric in VOCABULARY
        for phrase in (metric.name, *metric.words)
    }
    return dict(sorted(found.items(), key=lambda pair: -len(pair[0])))
