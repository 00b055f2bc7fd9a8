"""Exact Gaussian process regression, hyperparameters by marginal likelihood and priors.

A dozen measurements hardly determine a lengthscale and a noise: their likelihood is flat and its
maximum lies anywhere. Log-normal priors, in units that carry over (median distance of the labelled
vectors, variance of the scores), hold both where they were good on NAS-Bench-201's CIFAR-10, and
fade as measurements come in.

Why not scikit-learn's: it optimises amplitude, lengthscale and noise together and recomputes the
distances at each step. Here the amplitude has a closed form and distances are computed once, so
that a search can afford a fit at each step.
"""

from collections.abc import Mapping

import numpy as np
from scipy.linalg import cho_solve, cholesky, lapack, solve_triangular
from scipy.optimize import minimize

from cole_core.predictors.base import Head, check_training_set
from cole_core.predictors.blas import one_blas_thread
from cole_core.predictors.kernels import KernelFunction, distances, get_kernel, median_distance

_LENGTHSCALES = (0.5, 1.0, 2.0, 4.0)  # first guesses, in median distances
_NOISES = (1e-3, 1e-2, 1e-1)  # first guesses, in signal variances
_LOG_BOUNDS = ((np.log(0.05), np.log(50.0)), (np.log(1e-5), np.log(10.0)))
_GUESS_ROWS = 200  # rows that choose the first guess: a coarse choice needs no more

_Priors = tuple[tuple[float, float] | None, tuple[float, float] | None]


class GaussianProcessHead(Head):
    """Gaussian process with a stationary kernel of one lengthscale.

    Args:
        kernel: `matern32`, `matern52`, `matern12` or `rbf`.
        lengthscale_prior: Median, in median distances, and deviation of the logarithm; None for
            the likelihood alone.
        noise_prior: Median, in signal variances, and deviation of the logarithm; or None.
        max_iterations: Of the optimiser of the marginal likelihood.
    """

    name = "gaussian_process"

    def __init__(
        self,
        kernel: str = "matern32",
        lengthscale_prior: tuple[float, float] | None = (4.0, 0.35),
        noise_prior: tuple[float, float] | None = (0.03, 1.15),
        max_iterations: int = 30,
    ) -> None:
        self.kernel = kernel
        self.lengthscale_prior = lengthscale_prior
        self.noise_prior = noise_prior
        self.max_iterations = max_iterations

    def fit(self, X: np.ndarray, y: np.ndarray) -> "GaussianProcessHead":
        with one_blas_thread():
            return self._fit(*check_training_set(X, y))

    def _fit(self, X: np.ndarray, y: np.ndarray) -> "GaussianProcessHead":
        X = np.ascontiguousarray(X, dtype=float)
        kernel = get_kernel(self.kernel)
        D = distances(X, X)
        unit = median_distance(D)
        self.mean_ = float(y.mean())
        residual = y - self.mean_
        priors = (self.lengthscale_prior, self.noise_prior)
        objective = _ProfiledLikelihood(kernel, D / unit, residual, priors)
        few = slice(None, _GUESS_ROWS)
        guess = _ProfiledLikelihood(kernel, D[few, few] / unit, residual[few], priors)
        start = min(
            (np.log([length, noise]) for length in _LENGTHSCALES for noise in _NOISES),
            key=lambda point: guess(point)[0],
        )
        found = minimize(
            objective,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=_LOG_BOUNDS,
            options={"maxiter": self.max_iterations, "ftol": 1e-6},
        )
        length, noise = np.exp(found.x)
        self.lengthscale_ = float(length * unit)
        self.noise_ = float(noise)
        self._condition(X, residual, D)
        return self

    def _condition(self, X: np.ndarray, residual: np.ndarray, D: np.ndarray) -> None:
        K = get_kernel(self.kernel)(D / self.lengthscale_)[0]
        K[np.diag_indices_from(K)] += self.noise_
        self.X_ = X
        self.cholesky_ = cholesky(K, lower=True, check_finite=False)
        self.weights_ = cho_solve((self.cholesky_, True), residual, check_finite=False)
        self.amplitude_ = max(float(residual @ self.weights_) / len(residual), 1e-12)

    def predict_distribution(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of the noise-free score."""
        X = np.asarray(X, dtype=float)
        K = get_kernel(self.kernel)(distances(X, self.X_) / self.lengthscale_)[0]
        explained = solve_triangular(self.cholesky_, K.T, lower=True, check_finite=False)
        variance = 1 - np.einsum("ij,ij->j", explained, explained)
        std = np.sqrt(self.amplitude_ * np.maximum(variance, 1e-12))
        return K @ self.weights_ + self.mean_, std

    def state(self) -> dict[str, np.ndarray]:
        return {
            "X": self.X_,
            "cholesky": self.cholesky_,
            "weights": self.weights_,
            "scalars": np.array([self.mean_, self.lengthscale_, self.noise_, self.amplitude_]),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> "GaussianProcessHead":
        self.X_, self.cholesky_ = np.array(state["X"]), np.array(state["cholesky"])
        self.weights_ = np.array(state["weights"])
        self.mean_, self.lengthscale_, self.noise_, self.amplitude_ = map(float, state["scalars"])
        return self


class _ProfiledLikelihood:
    """Negative log posterior with the best amplitude put in, and its gradient.

    The point is (log lengthscale, log noise).

    With A = R(lengthscale) + noise I and z the centred scores, the best amplitude is zᵀA⁻¹z / n,
    and what remains is n/2 log(zᵀA⁻¹z) + 1/2 log|A| (Rasmussen and Williams, equation 5.8), plus
    the priors.
    """

    def __init__(
        self, kernel: KernelFunction, D: np.ndarray, z: np.ndarray, priors: _Priors = (None, None)
    ) -> None:
        self.kernel, self.D, self.z, self.priors = kernel, D, z, priors

    def __call__(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        length, noise = np.exp(point)
        A, dA = self.kernel(self.D / length)
        A[np.diag_indices_from(A)] += noise
        L, failed = lapack.dpotrf(A, lower=1, clean=0, overwrite_a=1)
        if failed:
            return 1e25, np.zeros(2)
        a = lapack.dpotrs(L, self.z, lower=1)[0]
        fit = max(float(self.z @ a), 1e-300)
        n = len(self.z)
        value = 0.5 * n * np.log(fit) + np.log(np.diagonal(L)).sum()
        inverse = lapack.dpotri(L, lower=1, overwrite_c=1)[0]  # the lower triangle only
        diagonal = np.diagonal(inverse).copy()
        trace = 2 * np.einsum("ij,ij->", np.tril(inverse, -1), dA) + diagonal @ np.diagonal(dA)
        gradient = np.array(
            [
                -0.5 * n * (a @ dA @ a) / fit + 0.5 * trace,
                noise * (-0.5 * n * (a @ a) / fit + 0.5 * diagonal.sum()),
            ]
        )
        for i, prior in enumerate(self.priors):
            if prior is not None:
                deviation = (point[i] - np.log(prior[0])) / prior[1]
                value += 0.5 * deviation**2
                gradient[i] += deviation / prior[1]
        return float(value), gradient
