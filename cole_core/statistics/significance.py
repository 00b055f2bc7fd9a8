"""Tests of significance for comparisons on the same splits or the same seeds."""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from cole_core.errors import InputError


@dataclass(frozen=True)
class PairedTest:
    """Outcome of a paired t-test.

    Attributes:
        mean_difference: Mean of first minus second.
        standard_error: Of the mean difference.
        t: The statistic.
        degrees_of_freedom: Number of pairs minus one.
        p_value: Two-sided.
    """

    mean_difference: float
    standard_error: float
    t: float
    degrees_of_freedom: int
    p_value: float


def corrected_paired_t_test(
    first: ArrayLike, second: ArrayLike, *, test_fraction: float
) -> PairedTest:
    """Corrected resampled t-test of Nadeau and Bengio (Machine Learning 52, 2003, section 3).

    Folds of repeated cross-validation share training data, so the naive variance of the mean is
    too small; it becomes (1/k + n_test/n_train) times the variance of the differences.

    Args:
        first: Scores of one method, shape (k,), one per split.
        second: Scores of the other on the same splits, shape (k,).
        test_fraction: n_test / n_train of a split (1/9 for ten folds). 0 gives the ordinary
            paired t-test, for independent seeds.

    Returns:
        The test of the mean difference being zero.

    Raises:
        InputError: Fewer than two pairs, or the lengths differ.
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if a.shape != b.shape or a.ndim != 1 or len(a) < 2:
        raise InputError(f"paired scores of shapes {a.shape} and {b.shape}: give two or more pairs")
    difference = a - b
    k = len(difference)
    mean = float(difference.mean())
    error = float(np.sqrt((1 / k + test_fraction) * difference.var(ddof=1)))
    # Equal scores everywhere are no difference; the same difference everywhere is a certain one.
    t = mean / error if error > 0 else float(np.sign(mean)) * np.inf if mean else 0.0
    p = float(2 * scipy.stats.t.sf(abs(t), k - 1))
    return PairedTest(mean, error, t, k - 1, p)
