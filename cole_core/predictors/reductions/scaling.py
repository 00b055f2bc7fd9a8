"""Reductions that leave each dimension where it is: none, and the z-score."""

from collections.abc import Mapping

import numpy as np

from cole_core.predictors.reductions.base import Reduction


class Identity(Reduction):
    """The vectors as they are."""

    name = "none"

    def fit(self, X: np.ndarray) -> "Identity":
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        X = np.asarray(X)
        return X if X.dtype == np.float32 else X.astype(float)

    def state(self) -> dict[str, np.ndarray]:
        return {}

    def restore(self, state: Mapping[str, np.ndarray]) -> "Identity":
        return self


class ZScore(Reduction):
    """Zero mean and unit variance in each dimension; constant dimensions become zero."""

    name = "zscore"

    def fit(self, X: np.ndarray) -> "ZScore":
        self.mean_, self.scale_ = moments(X)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return (np.asarray(X, dtype=float) - self.mean_) / self.scale_

    def state(self) -> dict[str, np.ndarray]:
        return {"mean": self.mean_, "scale": self.scale_}

    def restore(self, state: Mapping[str, np.ndarray]) -> "ZScore":
        self.mean_, self.scale_ = np.array(state["mean"]), np.array(state["scale"])
        return self


def moments(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each dimension, shape (d,), of vectors, shape (n, d).

    A dimension that is constant up to rounding has the deviation 1, so that it becomes zero.
    """
    X = np.asarray(X, dtype=float)
    mean, std = X.mean(axis=0), X.std(axis=0)
    constant = std <= 1e-7 * np.maximum(1.0, np.abs(mean))
    return mean, np.where(constant, 1.0, std)
