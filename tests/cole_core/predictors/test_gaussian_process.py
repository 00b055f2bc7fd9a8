"""Predictions of the Gaussian process, block by block in threads."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern
from threadpoolctl import threadpool_limits

from cole_core.predictors.blas import blas_threads
from cole_core.predictors.gaussian_process import GaussianProcessHead

ROWS = 1_300  # three blocks, of which the last is not full


@pytest.fixture(scope="module")
def head() -> GaussianProcessHead:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 5))
    return GaussianProcessHead().fit(X, X @ rng.normal(size=5) + 0.1 * rng.normal(size=40))


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(ROWS, 5))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_prediction_is_the_same_on_any_number_of_threads(
    head: GaussianProcessHead, rows: np.ndarray, threads: int
) -> None:
    with threadpool_limits(1):
        assert blas_threads() == 1
        alone = head.predict_distribution(rows)
    with threadpool_limits(threads):
        found = head.predict_distribution(rows)
    assert (found[0] == alone[0]).all()
    assert (found[1] == alone[1]).all()


def test_blocks_are_what_scikit_learn_predicts_at_once(
    head: GaussianProcessHead, rows: np.ndarray
) -> None:
    """The same hyperparameters in its hands, and each row in its place."""
    assert head.kernel == "matern32"
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 5))
    y = X @ rng.normal(size=5) + 0.1 * rng.normal(size=40)
    kernel = ConstantKernel(head.amplitude_) * Matern(head.lengthscale_, nu=1.5)
    theirs = GaussianProcessRegressor(kernel, alpha=head.amplitude_ * head.noise_, optimizer=None)
    mean, deviation = theirs.fit(X, y - head.mean_).predict(rows, return_std=True)
    ours = head.predict_distribution(rows)
    np.testing.assert_allclose(ours[0], mean + head.mean_, atol=2e-3 * np.std(y))
    np.testing.assert_allclose(ours[1], deviation, rtol=2e-3)
    np.testing.assert_allclose(head.predict_mean(rows), ours[0], rtol=1e-5, atol=1e-5)
