"""Stationary kernels of one lengthscale, as functions of the squared distance.

Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), section 4.2.
"""

from collections.abc import Callable

import numpy as np

from cole_core.errors import InputError

# Each gives k(r) and its derivative by log lengthscale, -r k'(r), where r = distance/lengthscale.
KernelFunction = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def _rbf(r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    k = np.exp(-0.5 * r * r)
    return k, r * r * k


def _matern12(r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    k = np.exp(-r)
    return k, r * k


def _matern32(r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    s = np.sqrt(3.0) * r
    e = np.exp(-s)
    return (1 + s) * e, s * s * e


def _matern52(r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    s = np.sqrt(5.0) * r
    e = np.exp(-s)
    return (1 + s + s * s / 3) * e, s * s * (1 + s) / 3 * e


_KERNELS: dict[str, KernelFunction] = {
    "rbf": _rbf,
    "matern12": _matern12,
    "matern32": _matern32,
    "matern52": _matern52,
}


def get_kernel(name: str) -> KernelFunction:
    """A kernel by name: `rbf`, `matern12`, `matern32` or `matern52`.

    Raises:
        InputError: The name is unknown.
    """
    if name not in _KERNELS:
        raise InputError(f"unknown kernel '{name}': choose one of {', '.join(sorted(_KERNELS))}")
    return _KERNELS[name]


def distances(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Euclidean distances between rows, shape (len(A), len(B))."""
    squares = np.einsum("ij,ij->i", A, A)[:, None] + np.einsum("ij,ij->i", B, B)[None]
    squares -= 2 * (A @ B.T)
    # The expansion cancels: what is below its rounding is the distance of equal rows.
    rounding = 1e-13 * (float(squares.max()) if squares.size else 0.0)
    squares[squares < rounding] = 0
    return np.sqrt(squares)


def median_distance(D: np.ndarray) -> float:
    """Median distance between different rows, the natural unit of a lengthscale."""
    positive = D[np.triu_indices(len(D), 1)]
    positive = positive[positive > 0]
    return float(np.median(positive)) if len(positive) else 1.0
