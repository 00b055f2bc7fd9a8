"""What a trial is judged by."""

from typing import Any

import numpy as np
import scipy  # not scipy.stats, which takes a second and is loaded where it is first used

from cole_core.statistics import kendall_tau, top_recall


def score(true: np.ndarray, predicted: np.ndarray, *, ranks_only: bool = False) -> dict[str, Any]:
    """The columns of a trial that say how well held-out architectures were predicted.

    Args:
        true: Measured values, shape (m,).
        predicted: Predictions, shape (m,).
        ranks_only: Whether the predictions have no unit, as under the hinge loss.

    Returns:
        kendall_tau and spearman (NaN where the head collapsed), mse (squared unit of the target;
        None where the predictions have none), top_recall (of the best tenth; None where the head
        collapsed), collapsed: whether the head predicts one value for all.
    """
    collapsed = bool(np.ptp(predicted) == 0)
    # Spearman of a constant is undefined too, and scipy warns of it.
    spearman = (
        float("nan") if collapsed else float(scipy.stats.spearmanr(true, predicted).statistic)
    )
    return {
        "kendall_tau": kendall_tau(predicted, true),
        "spearman": spearman,
        "mse": None if ranks_only else float(np.mean((predicted - true) ** 2)),
        "top_recall": None if collapsed else top_recall(predicted, true),
        "collapsed": collapsed,
    }
