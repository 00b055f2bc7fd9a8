"""Target transforms: measured values to what a head regresses on, and back."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
import scipy

from cole_core.errors import InputError


class TargetTransform(ABC):
    """A monotone map between measured values and scores."""

    name: str

    @abstractmethod
    def fit(self, y: np.ndarray) -> "TargetTransform":
        """Learns the map from the labelled values, shape (n,)."""

    @abstractmethod
    def transform(self, y: np.ndarray) -> np.ndarray:
        """Values to scores."""

    @abstractmethod
    def inverse(self, scores: np.ndarray) -> np.ndarray:
        """Scores to values, strictly monotone so that no ranking is lost on the way back."""

    @abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """What was learned, as arrays."""

    @abstractmethod
    def restore(self, state: Mapping[str, np.ndarray]) -> "TargetTransform":
        """Takes back what `state` gave."""

    def inverse_std(self, scores: np.ndarray, std: np.ndarray) -> np.ndarray:
        """Standard deviations of scores to those of values: half the width of mean ± std."""
        return (self.inverse(scores + std) - self.inverse(scores - std)) / 2


class StandardTarget(TargetTransform):
    """Zero mean, unit variance."""

    name = "standard"

    def fit(self, y: np.ndarray) -> "StandardTarget":
        self.mean_ = float(np.mean(y))
        self.scale_ = _spread(y)
        return self

    def transform(self, y: np.ndarray) -> np.ndarray:
        return (np.asarray(y, dtype=float) - self.mean_) / self.scale_

    def inverse(self, scores: np.ndarray) -> np.ndarray:
        return np.asarray(scores, dtype=float) * self.scale_ + self.mean_

    def state(self) -> dict[str, np.ndarray]:
        return {"mean": np.array(self.mean_), "scale": np.array(self.scale_)}

    def restore(self, state: Mapping[str, np.ndarray]) -> "StandardTarget":
        self.mean_, self.scale_ = float(state["mean"]), float(state["scale"])
        return self


class RankTarget(TargetTransform):
    """Normal scores of the ranks: what remains is the order, and outliers weigh no more.

    Score of rank r among n: Φ⁻¹((r − 1/2) / n); equal values share their mean rank. The way back
    interpolates between the labelled values and goes on linearly beyond them.
    """

    name = "rank"

    def fit(self, y: np.ndarray) -> "RankTarget":
        y = np.asarray(y, dtype=float)
        scores = scipy.stats.norm.ppf((scipy.stats.rankdata(y) - 0.5) / len(y))
        self.values_, first = np.unique(y, return_index=True)
        self.scores_ = scores[first]
        # Beyond the labelled values: the slope among the outer tenth at either end.
        outer = max(1, len(self.values_) // 10)
        self.slopes_ = np.array([self._slope(0, outer), self._slope(-1 - outer, -1)])
        return self

    def _slope(self, i: int, j: int) -> float:
        if len(self.values_) < 2:
            return 1.0
        return float((self.values_[j] - self.values_[i]) / (self.scores_[j] - self.scores_[i]))

    def transform(self, y: np.ndarray) -> np.ndarray:
        return _interpolate(
            np.asarray(y, dtype=float), self.values_, self.scores_, 1 / self.slopes_
        )

    def inverse(self, scores: np.ndarray) -> np.ndarray:
        return _interpolate(
            np.asarray(scores, dtype=float), self.scores_, self.values_, self.slopes_
        )

    def state(self) -> dict[str, np.ndarray]:
        return {
            "values": self.values_,
            "scores": self.scores_,
            "slopes": self.slopes_,
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> "RankTarget":
        self.values_, self.scores_ = np.array(state["values"]), np.array(state["scores"])
        self.slopes_ = np.array(state["slopes"])
        return self


TARGETS: dict[str, type[TargetTransform]] = {t.name: t for t in (StandardTarget, RankTarget)}


def make_target(name: str) -> TargetTransform:
    """A target transform by name.

    Raises:
        InputError: The name is unknown.
    """
    if name not in TARGETS:
        raise InputError(f"unknown target '{name}': choose one of {', '.join(sorted(TARGETS))}")
    return TARGETS[name]()


def _spread(y: np.ndarray) -> float:
    spread = float(np.std(y))
    # Equal values up to rounding have nothing to scale by.
    return spread if spread > 1e-12 * max(1.0, float(np.max(np.abs(y)))) else 1.0


def _interpolate(x: np.ndarray, xs: np.ndarray, ys: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    below, above = np.minimum(x - xs[0], 0), np.maximum(x - xs[-1], 0)
    return np.interp(x, xs, ys) + slopes[0] * below + slopes[1] * above
