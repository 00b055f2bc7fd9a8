"""Exact Gaussian process regression, hyperparameters by marginal likelihood and priors.

A dozen measurements hardly determine a lengthscale and a noise: their likelihood is flat and its
maximum lies anywhere. Log-normal priors, in units that carry over (median distance of the labelled
vectors, variance of the scores), hold both where they were good on NAS-Bench-201's CIFAR-10, and
fade as measurements come in.

Why not scikit-learn's: it optimises amplitude, lengthscale and noise together and recomputes the
distances at each step. Here the amplitude has a closed form and distances are computed once, so
that a search can afford a fit at each step.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.linalg import cho_solve, cholesky, lapack, solve_triangular
from scipy.optimize import minimize

from cole_core.predictors.base import TUNED, Head, check_training_set
from cole_core.predictors.blas import blas_threads, one_blas_thread
from cole_core.predictors.kernels import Kernel, distances, get_kernel, median_distance

_LENGTHSCALES = (0.5, 1.0, 2.0, 4.0)  # first guesses, in median distances
_NOISES = (1e-3, 1e-2, 1e-1)  # first guesses, in signal variances
_LOG_BOUNDS = ((np.log(0.05), np.log(50.0)), (np.log(1e-5), np.log(10.0)))
_GUESS_ROWS = 64  # rows that choose the first guess: a coarse choice needs no more
_BLOCK_WEIGHTS = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
_ROWS_AT_ONCE = 512  # rows predicted at once: their covariances stay in the cache

_Priors = tuple[tuple[float, float] | None, tuple[float, float] | None]


class GaussianProcessHead(Head):
    """Gaussian process with a stationary kernel of one lengthscale.

    Args:
        kernel: `matern32`, `matern52`, `matern12` or `rbf`.
        lengthscale_prior: Median, in median distances, and deviation of the logarithm; None for
            the likelihood alone.
        noise_prior: Median, in signal variances, and deviation of the logarithm; or None.
        max_iterations: Of the optimiser of the marginal likelihood.
        likelihood_rows: Rows, evenly spaced, whose marginal likelihood chooses the hyperparameters,
            weighted as if they were all. Two numbers need no more, and its cost grows cubically.
        block_prior: Of the weight of each encoding after the first, where several stand side by
            side: median and deviation of the logarithm.
    """

    name = "gaussian_process"
    defaults = TUNED
    weighs_blocks = True

    def __init__(
        self,
        kernel: str = "matern32",
        lengthscale_prior: tuple[float, float] | None = (4.0, 0.35),
        noise_prior: tuple[float, float] | None = (0.03, 1.15),
        max_iterations: int = 30,
        likelihood_rows: int = 192,
        block_prior: tuple[float, float] = (1.2, 0.5),
    ) -> None:
        self.kernel = kernel
        self.lengthscale_prior = lengthscale_prior
        self.noise_prior = noise_prior
        self.max_iterations = max_iterations
        self.likelihood_rows = likelihood_rows
        self.block_prior = block_prior

    def fit(
        self, X: np.ndarray, y: np.ndarray, *, blocks: Sequence[int] = ()
    ) -> "GaussianProcessHead":
        """Fits the head.

        Args:
            X: Features, shape (n, d).
            y: Scores, shape (n,), about zero mean and unit variance.
            blocks: Columns of each encoding, where several stand side by side. How much each
                counts beside the first is learned, since it depends on how many are labelled.

        Returns:
            The head itself.
        """
        with one_blas_thread():
            return self._fit(*check_training_set(X, y), blocks)

    def _fit(self, X: np.ndarray, y: np.ndarray, blocks: Sequence[int]) -> "GaussianProcessHead":
        X = np.ascontiguousarray(X, dtype=float)
        self.mean_ = float(y.mean())
        residual = y - self.mean_
        self.column_weights_ = self._column_weights(X, residual, blocks)
        X = X * self.column_weights_
        D = distances(X, X)
        self.lengthscale_, self.noise_, _ = self._hyperparameters(D, residual)
        K = get_kernel(self.kernel).value(D / self.lengthscale_)
        K[np.diag_indices_from(K)] += self.noise_
        self.X_ = X
        self.cholesky_ = cholesky(K, lower=True, check_finite=False)
        self.weights_ = cho_solve((self.cholesky_, True), residual, check_finite=False)
        self.amplitude_ = max(float(residual @ self.weights_) / len(residual), 1e-12)
        return self

    def _column_weights(
        self, X: np.ndarray, residual: np.ndarray, blocks: Sequence[int]
    ) -> np.ndarray:
        """Weight of each column: one after the other, each block's most probable among a few."""
        weights = np.ones(X.shape[1])
        rows = self._likelihood_rows(len(X))
        ends = np.cumsum(blocks)
        for start, end in pairwise(ends):
            tried = []
            for weight in _BLOCK_WEIGHTS:
                weights[start:end] = weight
                few = X[rows] * weights
                value = self._hyperparameters(distances(few, few), residual[rows], len(X))[2]
                median, deviation = self.block_prior
                tried.append(value + 0.5 * (np.log(weight / median) / deviation) ** 2)
            weights[start:end] = _BLOCK_WEIGHTS[int(np.argmin(tried))]
        return weights

    def _likelihood_rows(self, n: int) -> np.ndarray:
        return np.linspace(0, n - 1, min(n, self.likelihood_rows)).round().astype(int)

    def _hyperparameters(
        self, D: np.ndarray, residual: np.ndarray, n: int | None = None
    ) -> tuple[float, float, float]:
        """Lengthscale, noise in signal variances, and their negative log posterior.

        The rows stand for `n` of them, by default as many as they are.
        """
        n = n or len(D)
        rows = self._likelihood_rows(len(D))
        D = D[np.ix_(rows, rows)]
        unit = median_distance(D)
        objective = _ProfiledLikelihood(
            get_kernel(self.kernel),
            D / unit,
            residual[rows],
            (self.lengthscale_prior, self.noise_prior),
            weight=n / len(rows),
        )
        few = slice(None, None, -(-len(rows) // _GUESS_ROWS))
        z = objective.z[few]
        guess = replace(objective, D=objective.D[few, few], z=z, weight=n / len(z))
        start = min(
            (np.log([length, noise]) for length in _LENGTHSCALES for noise in _NOISES),
            key=guess.value,
        )
        found = minimize(
            objective,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=_LOG_BOUNDS,
            options={"maxiter": self.max_iterations, "ftol": 1e-5},
        )
        length, noise = np.exp(found.x)
        return float(length * unit), float(noise), float(found.fun)

    def predict_mean(self, X: np.ndarray) -> np.ndarray:
        """Mean of the score, shape (m,)."""
        weights, covariances = self.weights_.astype(np.float32), self._covariances()
        means = [covariances(X[rows]) @ weights for rows in _blocks(len(X))]
        return np.concatenate(means).astype(float) + self.mean_

    def predict_distribution(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of the noise-free score.

        Blocks of rows side by side in threads of their own: the products of one are too small to
        be shared.
        """
        weights, L = self.weights_.astype(np.float32), self.cholesky_.astype(np.float32)
        covariances = self._covariances()

        def predicted(rows: slice) -> tuple[np.ndarray, np.ndarray]:
            K = covariances(X[rows])
            mean = K @ weights
            explained = solve_triangular(L, K.T, lower=True, check_finite=False, overwrite_b=True)
            return mean, 1 - np.einsum("ij,ij->j", explained, explained)

        threads = blas_threads()
        with one_blas_thread(), ThreadPoolExecutor(threads) as pool:
            means, variances = zip(*pool.map(predicted, _blocks(len(X))), strict=True)
        variance = np.maximum(np.concatenate(variances).astype(float), 1e-12)
        return np.concatenate(means).astype(float) + self.mean_, np.sqrt(self.amplitude_ * variance)

    def _covariances(self) -> Callable[[np.ndarray], np.ndarray]:
        """What gives the covariances of rows with the labelled ones, shape (rows, n).

        In single precision, a hundred times finer than the hyperparameters are known, about the
        labelled rows' centre, because distances are differences of squared lengths.
        """
        value = get_kernel(self.kernel).value
        centre = self.X_.mean(axis=0).astype(np.float32)
        scale = np.float32(1 / self.lengthscale_)
        known = (self.X_ - centre).astype(np.float32) * scale

        def covariances(X: np.ndarray) -> np.ndarray:
            rows = np.asarray(X * self.column_weights_ - centre, dtype=np.float32)
            return value(distances(rows * scale, known))

        return covariances

    def state(self) -> dict[str, np.ndarray]:
        return {
            "X": self.X_,
            "cholesky": self.cholesky_,
            "weights": self.weights_,
            "column_weights": self.column_weights_,
            "scalars": np.array([self.mean_, self.lengthscale_, self.noise_, self.amplitude_]),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> "GaussianProcessHead":
        # One that is kept for its mean alone has no factor.
        self.X_, self.cholesky_ = np.array(state["X"]), np.array(state.get("cholesky", ()))
        self.weights_ = np.array(state["weights"])
        self.column_weights_ = np.array(state["column_weights"])
        self.mean_, self.lengthscale_, self.noise_, self.amplitude_ = map(float, state["scalars"])
        return self


def _blocks(rows: int) -> list[slice]:
    """All rows, some at a time."""
    return [slice(start, start + _ROWS_AT_ONCE) for start in range(0, max(rows, 1), _ROWS_AT_ONCE)]


@dataclass(frozen=True)
class _ProfiledLikelihood:
    """Negative log posterior with the best amplitude put in, and its gradient.

    The point is (log lengthscale, log noise).

    With A = R(lengthscale) + noise I and z the centred scores, the best amplitude is zᵀA⁻¹z / n,
    and what remains is n/2 log(zᵀA⁻¹z) + 1/2 log|A| (Rasmussen and Williams, equation 5.8), plus
    the priors. `weight` multiplies the likelihood of rows that stand for more than themselves.
    """

    kernel: Kernel
    D: np.ndarray
    z: np.ndarray
    priors: _Priors = (None, None)
    weight: float = 1.0

    def __call__(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient."""
        value, r, K, L, a = self._solve(point)
        if L is None:
            return value, np.zeros(2)
        dA = self.kernel.slope(r, K)
        n, fit = len(self.z), max(float(self.z @ a), 1e-300)
        inverse = lapack.dpotri(L, lower=1, overwrite_c=1)[0].T  # the upper triangle only
        diagonal = np.diagonal(inverse)
        trace = 2 * np.vdot(np.triu(inverse, 1), dA) + diagonal @ np.diagonal(dA)
        gradient = self.weight * np.array(
            [
                -0.5 * n * (a @ dA @ a) / fit + 0.5 * trace,
                np.exp(point[1]) * (-0.5 * n * (a @ a) / fit + 0.5 * diagonal.sum()),
            ]
        )
        for i, prior in enumerate(self.priors):
            if prior is not None:
                gradient[i] += (point[i] - np.log(prior[0])) / prior[1] ** 2
        return value, gradient

    def value(self, point: np.ndarray) -> float:
        """Value alone."""
        return self._solve(point)[0]

    def _solve(self, point: np.ndarray) -> tuple[float, Any, Any, Any, Any]:
        """Value, scaled distances, kernel, Cholesky factor (None: it failed) and A⁻¹z."""
        length, noise = np.exp(point)
        r = self.D / length
        K = self.kernel.value(r)
        A = K.copy()
        A[np.diag_indices_from(A)] += noise
        # A is symmetric; its transpose lies as LAPACK has it and is overwritten without a copy.
        L, failed = lapack.dpotrf(A.T, lower=1, clean=0, overwrite_a=1)
        if failed:
            return 1e25, r, K, None, None
        a = lapack.dpotrs(L, self.z, lower=1)[0]
        fit = max(float(self.z @ a), 1e-300)
        value = 0.5 * len(self.z) * np.log(fit) + np.log(np.diagonal(L)).sum()
        value *= self.weight
        for i, prior in enumerate(self.priors):
            if prior is not None:
                value += 0.5 * ((point[i] - np.log(prior[0])) / prior[1]) ** 2
        return float(value), r, K, L, a
