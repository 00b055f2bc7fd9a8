"""Principal components, plain or whitened."""

from collections.abc import Mapping

import numpy as np

from cole_core.errors import InputError
from cole_core.predictors.blas import one_blas_thread
from cole_core.predictors.reductions.base import Reduction
from cole_core.predictors.reductions.scaling import moments

_RELATIVE_FLOOR = 1e-6  # directions with less of the largest variance are rounding of float32


class PrincipalComponents(Reduction):
    """Principal components of the z-scored vectors, each divided by a power of its deviation.

    `whitening` 0 is PCA, 1 is whitening. In between, the many directions of small variance in
    which embeddings of code differ count without drowning what matters; 0.35 was best on
    NAS-Bench-201's CIFAR-10 from 14 to 220 measurements. One factor for all components then makes
    the mean squared length of a vector equal to the number of components.

    Args:
        n_components: Largest number of components; fewer when the vectors span fewer.
        whitening: Power from 0 to 1.
    """

    def __init__(self, n_components: int, whitening: float) -> None:
        if n_components < 1:
            raise InputError(f"n_components = {n_components}: give 1 or more")
        if not 0 <= whitening <= 1:
            raise InputError(f"whitening = {whitening}: give a power from 0 to 1")
        self.n_components = n_components
        self.whitening = whitening
        self.name = "whiten" if whitening else "pca"

    def fit(self, X: np.ndarray) -> "PrincipalComponents":
        self.mean_, scale = moments(X)
        Z = (np.asarray(X, dtype=float) - self.mean_) / scale
        with one_blas_thread():
            variances, directions = _principal_axes(Z)
        kept = variances > _RELATIVE_FLOOR * max(float(variances[0]), 1e-300)
        kept[self.n_components :] = False
        if not kept.any():  # equal vectors: one feature that is always zero
            self.components_ = np.zeros((len(scale), 1))
            return self
        variances, directions = variances[kept], directions[:, kept]
        axes = directions * variances ** (-self.whitening / 2)
        mean_square = np.sum(variances ** (1 - self.whitening))
        axes = axes * np.sqrt(len(variances) / mean_square)
        self.components_ = axes / scale[:, None]
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return (np.asarray(X, dtype=float) - self.mean_) @ self.components_

    def state(self) -> dict[str, np.ndarray]:
        return {"mean": self.mean_, "components": self.components_}

    def restore(self, state: Mapping[str, np.ndarray]) -> "PrincipalComponents":
        self.mean_ = np.array(state["mean"])
        # Matrix products round by memory layout, and a loaded surrogate predicts identically.
        self.components_ = np.ascontiguousarray(state["components"])
        return self


def _principal_axes(Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Variances in descending order and unit directions as columns, of centred rows."""
    n, d = Z.shape
    # The smaller of the two Gram matrices has the same variances.
    if n >= d:
        variances, directions = np.linalg.eigh(Z.T @ Z / n)
    else:
        variances, combinations = np.linalg.eigh(Z @ Z.T / n)
        directions = Z.T @ combinations
        directions /= np.maximum(np.linalg.norm(directions, axis=0), 1e-300)
    return np.maximum(variances[::-1], 0), directions[:, ::-1]
