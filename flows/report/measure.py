"""How the values of a target are shown: with their unit, and the better end named."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import polars as pl

from cole_core.evaluation.target import Target

Values = TypeVar("Values", float, np.ndarray, pl.Expr)


@dataclass(frozen=True)
class Measure:
    """A unit and a direction.

    What ranks takes the highest for the best: where lower is better, such values have their sign
    turned, and `real` turns them back for people.

    Attributes:
        unit: None where there is none.
        sign: -1 where lower is better.
    """

    unit: str | None = "%"
    sign: int = 1

    @property
    def end(self) -> str:
        """Which of two numbers a summary holds on to: the 50 highest, or the 50 lowest."""
        return "lowest" if self.sign < 0 else "highest"

    def real(self, values: Values) -> Values:
        """Values as they were measured, of values of which a higher one is better; or back."""
        return values * self.sign

    def titled(self, text: str) -> str:
        """The title of an axis: "measured (%)"; it says so where lower is better."""
        about = [self.unit] if self.unit else []
        about += ["lower is better"] if self.sign < 0 else []
        return f"{text} ({', '.join(about)})" if about else text

    def shown(self, value: float, digits: int = 2) -> str:
        """A measured value with its unit: "93.10 %"."""
        number = f"{value:.{digits}f}"
        return f"{number} {self.unit}" if self.unit else number


def measure_of(target: Target) -> Measure:
    """The measure of a target; one of which nobody said what is better is taken as it stands."""
    return Measure(target.unit, -1 if target.direction == "lower" else 1)
