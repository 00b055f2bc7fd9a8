"""Where architectures stand on the map: principal components at once, other layouts when asked."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cole_core.errors import InputError
from cole_core.hashing import hash_bytes, hash_json
from cole_core.predictors.blas import one_blas_thread
from flows.report.summaries import principal_axes

METHODS = {
    "pca": "principal components",
    "umap": "UMAP",
    "tsne": "t-SNE",
}
"""What places are called, by method."""

FITTED = 20_000
"""Different vectors that a layout is fitted to; others go where their nearest fitted ones are."""

_COMPONENTS = 50  # that a layout reads; beyond them distances are much the same
_NEAREST = 5
_BLOCK = 4_096


@dataclass(frozen=True)
class Places:
    """Places in the plane.

    Attributes:
        xy: (n, 2) float32.
        axes: What the axes are, in words; empty where they say nothing.
    """

    xy: NDArray[np.float32]
    axes: tuple[str, str]


def principal_places(vectors: NDArray[np.float32]) -> Places:
    """Places on the first two principal components, of at most `FITTED` of the vectors.

    Args:
        vectors: (n, d), d at least 2.
    """
    step = -(-len(vectors) // FITTED)
    plane, shares = principal_axes(vectors[::step])
    with one_blas_thread():
        xy = vectors @ plane.astype(np.float32)
    axes = (
        f"first principal component ({shares[0]:.0%})",
        f"second principal component ({shares[1]:.0%})",
    )
    return Places(xy - xy.mean(axis=0), axes)


def layout_places(vectors: NDArray[np.float32], method: str, seed: int = 0) -> Places:
    """Places by UMAP or t-SNE, in which near vectors stay near. Takes minutes for 20,000.

    Args:
        vectors: (n, d).
        method: umap or tsne.
        seed: Of the optimisation, and of which vectors are fitted where there are too many.

    Raises:
        InputError: Too few vectors differ, or a package is missing.
    """
    different, back = np.unique(vectors, axis=0, return_inverse=True)
    if len(different) < 4:
        raise InputError(f"{METHODS[method]} needs 4 or more different vectors")
    reduced = _reduced(different)
    chosen = np.arange(len(reduced))
    if len(reduced) > FITTED:
        chosen = np.sort(np.random.default_rng(seed).choice(len(reduced), FITTED, replace=False))
    fitted = _LAYOUTS[method](reduced[chosen], seed)
    fitted = (fitted - fitted.mean(axis=0)) / max(float(fitted.std()), 1e-12)
    places = fitted
    if len(chosen) < len(reduced):
        places = _beside_nearest(reduced, reduced[chosen], fitted)
    return Places(places[back.ravel()].astype(np.float32), ("", ""))


def _reduced(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    with one_blas_thread():
        _, axes = np.linalg.eigh(centred.T @ centred)
        return np.asarray(centred @ axes[:, ::-1][:, :_COMPONENTS])


def _umap(vectors: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    try:
        from umap import UMAP
    except ImportError:
        raise InputError("UMAP needs umap-learn: install cole-warehouse[umap]") from None
    neighbours = min(15, len(vectors) - 1)
    model = UMAP(n_components=2, n_neighbors=neighbours, random_state=seed, n_jobs=1)
    return np.asarray(model.fit_transform(vectors), dtype=float)


def _tsne(vectors: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(vectors) - 1) / 3)
    model = TSNE(perplexity=perplexity, init="pca", random_state=seed)
    return np.asarray(model.fit_transform(vectors), dtype=float)


_LAYOUTS: dict[str, Callable[[NDArray[np.float64], int], NDArray[np.float64]]] = {
    "umap": _umap,
    "tsne": _tsne,
}


def _beside_nearest(
    vectors: NDArray[np.float64], fitted: NDArray[np.float64], places: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Each at the mean of its nearest fitted ones, weighted by inverse distance."""
    from sklearn.neighbors import NearestNeighbors

    finder = NearestNeighbors(n_neighbors=_NEAREST).fit(fitted)
    found = []
    for start in range(0, len(vectors), _BLOCK):
        apart, nearest = finder.kneighbors(vectors[start : start + _BLOCK])
        weights = 1 / np.maximum(apart, 1e-9)
        weights /= weights.sum(axis=1, keepdims=True)
        found.append(np.einsum("ij,ijk->ik", weights, places[nearest]))
    return np.concatenate(found)


def places_file(artifacts: Path, vectors: NDArray[np.float32], method: str, seed: int = 0) -> Path:
    """Where the places of a layout are kept: named by all that they depend on."""
    about = {"vectors": hash_bytes(vectors.tobytes()), "method": method, "seed": seed}
    return artifacts / "maps" / f"{hash_json(about)}.npy"


def stored_places(path: Path, vectors: NDArray[np.float32]) -> Places | None:
    """The places of a layout that was computed before; None where it was not."""
    if not path.is_file():
        return None
    xy = np.load(path)
    return Places(xy, ("", "")) if xy.shape == (len(vectors), 2) else None


def keep_places(path: Path, places: Places) -> None:
    """Stores the places of a layout; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            np.save(file, places.xy)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
