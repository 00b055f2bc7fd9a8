"""Rank correlation: how well a surrogate orders architectures."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from cole_core.errors import InputError


def kendall_tau(predicted: ArrayLike, true: ArrayLike) -> float:
    """Kendall's tau-b between predicted scores and true values.

    Args:
        predicted: Predicted scores, shape (n,), any monotone scale.
        true: Measured values, shape (n,).

    Returns:
        Tau-b in [-1, 1]; NaN where one side is constant, so that a collapsed head shows as
        collapsed and not as tau 0.

    Raises:
        InputError: The lengths differ, or a value is not finite.
    """
    a, b = np.asarray(predicted, dtype=float), np.asarray(true, dtype=float)
    if a.shape != b.shape or a.ndim != 1:
        raise InputError(
            f"predicted {a.shape} and true {b.shape} differ in shape: give one score each"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("a score is NaN or infinite: drop it before ranking")
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(stats.kendalltau(a, b).statistic)
