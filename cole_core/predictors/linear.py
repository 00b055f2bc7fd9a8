"""Ridge and kernel ridge regression, regularised by leave-one-out error in closed form."""

from collections.abc import Mapping

import numpy as np

from cole_core.predictors.base import TUNED, Head, check_training_set
from cole_core.predictors.kernels import distances, get_kernel, median_distance

_PENALTIES = tuple(float(10.0**e) for e in np.arange(-4, 3.1, 0.5))


class RidgeHead(Head):
    """Linear regression with a squared penalty.

    Args:
        penalties: Penalties to choose from, in units of the mean squared length of a row;
            the one with the least leave-one-out error is taken.
    """

    name = "ridge"
    defaults = TUNED

    def __init__(self, penalties: tuple[float, ...] = _PENALTIES) -> None:
        self.penalties = penalties

    def fit(self, X: np.ndarray, y: np.ndarray) -> "RidgeHead":
        X, y = check_training_set(X, y)
        X = np.asarray(X, dtype=float)
        self.centre_, self.mean_ = X.mean(axis=0), float(y.mean())
        U, singular, rows = np.linalg.svd(X - self.centre_, full_matrices=False)
        kept = singular > 1e-10 * max(float(singular[0]), 1e-300)
        U, singular, rows = U[:, kept], singular[kept], rows[kept]
        unit = float(np.sum(singular**2)) / len(y)
        residual = y - self.mean_
        errors = [_leave_one_out(U, singular**2, p * unit, residual) for p in self.penalties]
        self.penalty_ = float(self.penalties[int(np.argmin([np.mean(e**2) for e in errors]))])
        shrunk = singular**2 + self.penalty_ * unit
        self.coefficients_ = rows.T @ (singular / shrunk * (U.T @ residual))
        self.rows_ = rows / np.sqrt(shrunk)[:, None]
        self.error_ = float(np.sqrt(min(np.mean(e**2) for e in errors)))
        return self

    def predict_distribution(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean, and leave-one-out error widened by how far a row lies from the labelled ones."""
        X = np.asarray(X, dtype=float) - self.centre_
        leverage = np.sum((X @ self.rows_.T) ** 2, axis=1)
        return X @ self.coefficients_ + self.mean_, self.error_ * np.sqrt(1 + leverage)

    def state(self) -> dict[str, np.ndarray]:
        return {
            "centre": self.centre_,
            "coefficients": self.coefficients_,
            "rows": self.rows_,
            "scalars": np.array([self.mean_, self.penalty_, self.error_]),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> "RidgeHead":
        self.centre_, self.coefficients_ = (
            np.array(state["centre"]),
            np.array(state["coefficients"]),
        )
        self.rows_ = np.ascontiguousarray(state["rows"])
        self.mean_, self.penalty_, self.error_ = map(float, state["scalars"])
        return self


class KernelRidgeHead(Head):
    """Kernel ridge regression.

    Args:
        kernel: `rbf`, `matern12`, `matern32` or `matern52`.
        lengthscales: Lengthscales to choose from, in median distances of the labelled rows.
        penalties: Penalties to choose from. The pair with the least leave-one-out error is taken.
    """

    name = "kernel_ridge"
    defaults = TUNED

    def __init__(
        self,
        kernel: str = "rbf",
        lengthscales: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0),
        penalties: tuple[float, ...] = (1e-3, 1e-2, 1e-1, 1.0),
    ) -> None:
        self.kernel = kernel
        self.lengthscales = lengthscales
        self.penalties = penalties

    def fit(self, X: np.ndarray, y: np.ndarray) -> "KernelRidgeHead":
        X, y = check_training_set(X, y)
        self.X_ = np.ascontiguousarray(X, dtype=float)
        self.mean_ = float(y.mean())
        residual = y - self.mean_
        D = distances(self.X_, self.X_)
        unit = median_distance(D)
        best = np.inf
        for length in self.lengthscales:
            values, vectors = np.linalg.eigh(get_kernel(self.kernel).value(D / (length * unit)))
            values = np.maximum(values, 0)
            for penalty in self.penalties:
                error = float(np.mean(_leave_one_out(vectors, values, penalty, residual) ** 2))
                if error < best:
                    best = error
                    self.lengthscale_, self.penalty_ = float(length * unit), float(penalty)
                    self.weights_ = vectors @ (vectors.T @ residual / (values + penalty))
                    # Products round by memory layout, and a loaded head predicts identically.
                    self.whitened_ = np.ascontiguousarray((vectors / np.sqrt(values + penalty)).T)
                    self.amplitude_ = float(residual @ self.weights_) / len(residual)
        return self

    def predict_distribution(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean, and deviation of the Gaussian process with the same kernel and penalty."""
        K = get_kernel(self.kernel).value(
            distances(np.asarray(X, dtype=float), self.X_) / self.lengthscale_
        )
        variance = 1 - np.sum((K @ self.whitened_.T) ** 2, axis=1)
        return (
            K @ self.weights_ + self.mean_,
            np.sqrt(max(self.amplitude_, 1e-12) * np.maximum(variance, 1e-12)),
        )

    def state(self) -> dict[str, np.ndarray]:
        return {
            "X": self.X_,
            "weights": self.weights_,
            "whitened": self.whitened_,
            "scalars": np.array([self.mean_, self.lengthscale_, self.penalty_, self.amplitude_]),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> "KernelRidgeHead":
        self.X_, self.weights_ = np.array(state["X"]), np.array(state["weights"])
        # Matrix products round by memory layout, which the file keeps and a copy as well.
        self.whitened_ = np.array(state["whitened"])
        self.mean_, self.lengthscale_, self.penalty_, self.amplitude_ = map(float, state["scalars"])
        return self


def _leave_one_out(
    U: np.ndarray, values: np.ndarray, penalty: float, residual: np.ndarray
) -> np.ndarray:
    """Leave-one-out residuals of a linear smoother U diag(v/(v+p)) Uᵀ (Allen's PRESS)."""
    shrink = values / (values + penalty)
    fitted = U @ (shrink * (U.T @ residual))
    # The mean is fitted too, which costs each row another 1/n of leverage.
    leverage = (U**2) @ shrink + 1 / len(residual)
    return (residual - fitted) / np.maximum(1 - leverage, 1e-3)
