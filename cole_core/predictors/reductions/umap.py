"""UMAP as a reduction (McInnes et al., arXiv 1802.03426), from the extra `umap`."""

from collections.abc import Mapping

import numpy as np

from cole_core.errors import InputError
from cole_core.predictors.kernels import distances
from cole_core.predictors.reductions.base import Reduction
from cole_core.predictors.reductions.scaling import ZScore

_NEIGHBOURS = 15
_NEAREST = 5  # fitted vectors that place a vector which was not fitted


class Umap(Reduction):
    """A nonlinear map to a few dimensions in which near vectors stay near.

    A vector that was not fitted goes to the mean of its nearest fitted ones, weighted by inverse
    distance; so what was learned is two arrays and needs no umap-learn to be used.

    Args:
        n_components: Dimensions of the map.
        seed: Seed of the optimisation.
    """

    name = "umap"

    def __init__(self, n_components: int, seed: int = 0) -> None:
        self.n_components, self.seed = n_components, seed
        self.scaling = ZScore()

    def fit(self, X: np.ndarray) -> "Umap":
        try:
            from umap import UMAP
        except ImportError:
            raise InputError(
                "reduction umap needs the package umap-learn: install cole-warehouse[umap]"
            ) from None

        # Twins have one place on the map, and a neighbourhood full of them says nothing.
        self.vectors_ = np.unique(self.scaling.fit(X).transform(X), axis=0).astype(np.float32)
        count = len(self.vectors_)
        components = min(self.n_components, count - 2)
        if components < 1:
            raise InputError(f"reduction 'umap' needs 3 or more different vectors, not {count}")
        model = UMAP(
            n_components=components,
            n_neighbors=min(_NEIGHBOURS, count - 1),
            init="random" if count < 4 * components else "spectral",
            random_state=self.seed,
            n_jobs=1,
        )
        places = np.asarray(model.fit_transform(self.vectors_), dtype=float)
        places -= places.mean(axis=0)
        self.places_ = places / max(float(places.std()), 1e-300)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        rows = self.scaling.transform(X).astype(np.float32)
        D = distances(rows, self.vectors_)
        nearest = np.argsort(D, axis=1, kind="stable")[:, :_NEAREST]
        apart = np.take_along_axis(D, nearest, axis=1).astype(float)
        weights = 1 / np.maximum(apart, 1e-6)
        weights[apart[:, 0] == 0] = [1.0] + [0.0] * (weights.shape[1] - 1)
        weights /= weights.sum(axis=1, keepdims=True)
        return np.einsum("ij,ijk->ik", weights, self.places_[nearest])

    def state(self) -> dict[str, np.ndarray]:
        return {"vectors": self.vectors_, "places": self.places_, **self.scaling.state()}

    def restore(self, state: Mapping[str, np.ndarray]) -> "Umap":
        self.vectors_, self.places_ = np.array(state["vectors"]), np.array(state["places"])
        self.scaling.restore(state)
        return self
