"""Rank correlation: how well a surrogate orders architectures."""

import numpy as np
import scipy
from numpy.typing import ArrayLike

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
    return float(scipy.stats.kendalltau(a, b).statistic)


def top_recall(predicted: ArrayLike, true: ArrayLike, *, share: float = 0.1) -> float:
    """Share of the truly best architectures that are among those predicted best.

    Args:
        predicted: Predicted scores, shape (n,), any monotone scale.
        true: Measured values, shape (n,).
        share: How many count as best, as a share of all; rounded up.

    Returns:
        Recall in [0, 1]. Where equal predictions straddle the boundary, its expectation over the
        ways to break the tie; NaN where all predictions are equal.

    Raises:
        InputError: The lengths differ, a value is not finite, or the share is not in (0, 1].
    """
    a, b = np.asarray(predicted, dtype=float), np.asarray(true, dtype=float)
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise InputError(
            f"predicted {a.shape} and true {b.shape} differ in shape: give one score each"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("a score is NaN or infinite: drop it before ranking")
    if not 0 < share <= 1:
        raise InputError(f"share = {share}: give a share above 0 and up to 1")
    if np.ptp(a) == 0:
        return float("nan")
    k = int(np.ceil(share * len(a)))
    return float(_chosen(a, k) @ _chosen(b, k) / k)


def _chosen(scores: np.ndarray, k: int) -> np.ndarray:
    """Probability of each to be among the k highest, ties broken at random."""
    boundary = np.sort(scores)[-k]
    above, tied = scores > boundary, scores == boundary
    return above + tied * (k - above.sum()) / tied.sum()
