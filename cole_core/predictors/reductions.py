"""Reductions: what a head sees of an encoding."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import numpy as np

from cole_core.errors import InputError
from cole_core.predictors.blas import one_blas_thread

_RELATIVE_FLOOR = 1e-6  # directions with less of the largest variance are rounding of float32


class Reduction(ABC):
    """A linear map of feature vectors that is learned without targets."""

    name: str

    @abstractmethod
    def fit(self, X: np.ndarray) -> "Reduction":
        """Learns the map from vectors, shape (n, d)."""

    @abstractmethod
    def transform(self, X: np.ndarray) -> np.ndarray:
        """Maps vectors, shape (m, d), to features, shape (m, k)."""

    @abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """What was learned, as arrays."""

    @abstractmethod
    def restore(self, state: Mapping[str, np.ndarray]) -> "Reduction":
        """Takes back what `state` gave."""


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
        self.mean_, self.scale_ = _moments(X)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return (np.asarray(X, dtype=float) - self.mean_) / self.scale_

    def state(self) -> dict[str, np.ndarray]:
        return {"mean": self.mean_, "scale": self.scale_}

    def restore(self, state: Mapping[str, np.ndarray]) -> "ZScore":
        self.mean_, self.scale_ = np.array(state["mean"]), np.array(state["scale"])
        return self


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
        self.mean_, scale = _moments(X)
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


def _umap(n_components: int, whitening: float) -> Reduction:
    from cole_core.predictors.umap_reduction import Umap

    return Umap(n_components)


REDUCTIONS: dict[str, Callable[[int, float], Reduction]] = {
    "none": lambda n_components, whitening: Identity(),
    "zscore": lambda n_components, whitening: ZScore(),
    "pca": lambda n_components, whitening: PrincipalComponents(n_components, 0.0),
    "whiten": PrincipalComponents,
    "umap": _umap,
}


def make_reduction(name: str, *, n_components: int = 128, whitening: float = 0.35) -> Reduction:
    """A reduction by name.

    Args:
        name: `none`, `zscore`, `pca`, `whiten` or `umap`.
        n_components: Largest number of components of `pca`, `whiten` and `umap`.
        whitening: Power of `whiten`.

    Raises:
        InputError: The name is unknown.
    """
    if name not in REDUCTIONS:
        raise InputError(
            f"unknown reduction '{name}': choose one of {', '.join(sorted(REDUCTIONS))}"
        )
    return REDUCTIONS[name](n_components, whitening)


def _moments(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    X = np.asarray(X, dtype=float)
    mean, std = X.mean(axis=0), X.std(axis=0)
    constant = std <= 1e-7 * np.maximum(1.0, np.abs(mean))
    return mean, np.where(constant, 1.0, std)


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
