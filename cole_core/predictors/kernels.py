"""Stationary kernels of one lengthscale, as functions of the squared distance.

Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), section 4.2.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cole_core.errors import InputError


@dataclass(frozen=True)
class Kernel:
    """A kernel of r = distance / lengthscale.

    Attributes:
        value: k(r).
        slope: Its derivative by the logarithm of the lengthscale, -r k'(r), from r and k(r).
    """

    value: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray, np.ndarray], np.ndarray]


def _rbf(r: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * r * r)


def _matern12(r: np.ndarray) -> np.ndarray:
    return np.exp(-r)


def _matern32(r: np.ndarray) -> np.ndarray:
    s = math.sqrt(3) * r
    return (1 + s) * np.exp(-s)


def _matern52(r: np.ndarray) -> np.ndarray:
    s = math.sqrt(5) * r
    return (1 + s + s * s / 3) * np.exp(-s)


def _matern32_slope(r: np.ndarray, k: np.ndarray) -> np.ndarray:
    s = math.sqrt(3) * r
    return s * s / (1 + s) * k


def _matern52_slope(r: np.ndarray, k: np.ndarray) -> np.ndarray:
    s = math.sqrt(5) * r
    return s * s * (1 + s) / (3 + 3 * s + s * s) * k


_KERNELS = {
    "rbf": Kernel(_rbf, lambda r, k: r * r * k),
    "matern12": Kernel(_matern12, lambda r, k: r * k),
    "matern32": Kernel(_matern32, _matern32_slope),
    "matern52": Kernel(_matern52, _matern52_slope),
}


def get_kernel(name: str) -> Kernel:
    """A kernel by name: `rbf`, `matern12`, `matern32` or `matern52`.

    Raises:
        InputError: The name is unknown.
    """
    if name not in _KERNELS:
        raise InputError(f"unknown kernel '{name}': choose one of {', '.join(sorted(_KERNELS))}")
    return _KERNELS[name]


def distances(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Euclidean distances between rows, shape (len(A), len(B)), in the precision of the rows."""
    squares = A @ B.T
    squares *= -2
    squares += np.einsum("ij,ij->i", A, A)[:, None]
    squares += np.einsum("ij,ij->i", B, B)
    # The expansion cancels: what is below its rounding is the distance of equal rows.
    largest = float(squares.max()) if squares.size else 0.0
    squares *= squares >= 500 * np.finfo(squares.dtype).eps * largest
    return np.sqrt(squares, out=squares)


def median_distance(D: np.ndarray) -> float:
    """Median distance between different rows, the natural unit of a lengthscale."""
    positive = D[np.triu_indices(len(D), 1)]
    positive = positive[positive > 0]
    return float(np.median(positive)) if len(positive) else 1.0
