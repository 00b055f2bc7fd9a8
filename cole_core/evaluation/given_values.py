"""What somebody's own training gives: a number, or numbers by name; which values those are.

A bare number is what `--metric` says, or a `score` of which a higher one is better. A name is read
as a table's heading is: `valid_accuracy`, `latency_ms`; one that says nothing there is a metric of
its own, whose better nobody knows. Shares are kept in percent: an accuracy up to 1 is a fraction,
and so is what is named one; an error up to 1 may be both, so that it must be said.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

from cole_core.errors import InputError
from cole_core.evaluation.outcomes import Score
from cole_core.sources.headings import UNKNOWN, read_heading
from cole_core.sources.metrics import (
    FRACTION,
    PERCENT,
    canonical_name,
    in_words,
    metric_named,
    settled_direction,
    unit_of,
)

_NAME = re.compile(r"([A-Za-z]\w*)(?:\[([^\[\]:=]+)\])?(?::(\w+))?", re.ASCII)
FORM = "METRIC[UNIT]:higher or :lower, as accuracy, latency[ms] or my_score:lower"


class NoNumberError(Exception):
    """What was given is no number, or is none that can be stored."""


class NotFiniteError(Exception):
    """A number is not finite."""


@dataclass(frozen=True)
class Named:
    """Which values are meant.

    Attributes:
        metric, split, epochs: As in a target.
        unit: In which they are given; None where nobody said.
        direction: Whether higher or lower is better; None: nobody knows.
    """

    metric: str
    split: str = UNKNOWN
    epochs: int | None = None
    unit: str | None = None
    direction: str | None = None

    @property
    def kept_in(self) -> str | None:
        """The unit of what is stored."""
        return unit_of(self.metric) or self.unit

    @property
    def line(self) -> str:
        """All of it in words."""
        unit = self.unit or unit_of(self.metric)
        words = [self.metric, unit, in_words(self.direction)]
        words += [] if self.split == UNKNOWN else [self.split]
        return ", ".join(word for word in words if word)


SCORE = Named("score", direction="higher")
"""What a bare number is of which nobody says what it is."""


def read_name(text: str, option: str = "--metric ") -> Named:
    """Which values a name means.

    Raises:
        InputError: It is no name of a metric, or is said to be better the wrong way.
    """
    found = _NAME.fullmatch(text)
    if found is None:
        raise InputError(f"{option}{text}: no metric is called so; give {FORM}")
    name, unit, direction = found.groups()
    heading = read_heading(name, "")
    if (measured := heading.measured) is not None and not measured.dataset:
        made = Named(measured.metric, measured.split, measured.epochs, unit or measured.unit)
    else:
        made = Named(canonical_name(name), unit=unit)
    if unit_of(made.metric) == PERCENT and made.unit not in (None, PERCENT, FRACTION):
        raise InputError(f"{option}{text}: {made.metric} is a share: [%] or [fraction]")
    return replace(made, direction=settled_direction(made.metric, direction))


def scores(given: Any, number: Named, epochs: int | None) -> list[Score]:
    """The values that a training gave.

    Args:
        given: What it returned.
        number: What a bare number is; of a name that is the same metric it says unit and direction.
        epochs: Of the training, where it was told.

    Raises:
        NoNumberError: It is neither a number nor numbers by name.
        NotFiniteError: One is not finite.
    """
    if not isinstance(given, Mapping):
        return [_score(number, given, "it", epochs)]
    if not given:
        raise NoNumberError("it gives no value: give a number, or numbers by name")
    found = []
    for name, value in given.items():
        try:
            named = read_name(str(name), "the name ")
        except InputError as error:
            raise NoNumberError(str(error)) from error
        if named.metric == number.metric:
            direction = named.direction or number.direction
            named = replace(named, unit=named.unit or number.unit, direction=direction)
        found.append(_score(named, value, f"{name}", epochs))
    if len({(each.metric, each.split, each.epochs) for each in found}) < len(found):
        raise NoNumberError("it gives one value under two names: give each once")
    return found


def _score(named: Named, value: Any, what: str, epochs: int | None) -> Score:
    number = _stored(named, _number(value, what))
    after = named.epochs if named.epochs is not None else epochs
    return Score(named.metric, named.split, after, number, named.kept_in, named.direction)


def _number(value: Any, what: str) -> float:
    plain = value.item() if hasattr(value, "item") and getattr(value, "ndim", 0) == 0 else value
    if isinstance(plain, bool) or not isinstance(plain, Real):
        kind = type(value).__name__
        raise NoNumberError(f"{what} is {kind}: give a number, or numbers by name")
    number = float(plain)
    if not math.isfinite(number):
        raise NotFiniteError(f"{what} is {number}")
    return number


def _stored(named: Named, number: float) -> float:
    if unit_of(named.metric) != PERCENT:
        return number
    metric = metric_named(named.metric)
    if named.unit == FRACTION:
        number *= 100
    elif named.unit is None and 0 < number <= 1:
        if metric is not None and metric.direction == "lower":
            raise NoNumberError(
                f"{named.metric} {number:g} may be a percentage or a fraction: say --metric "
                f"{named.metric}[%] or --metric {named.metric}[fraction]"
            )
        number *= 100
    if not 0 <= number <= 100:
        raise NoNumberError(f"{named.metric} is {number:g}, give a percentage from 0 to 100")
    return number
