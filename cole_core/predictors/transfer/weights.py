"""How much each old task counts: non-negative, shrunk weights.

After the ranking-weighted ensembles of Feurer et al. (arXiv 1802.02219); a ridge regression instead
of a bootstrap of rankings, since it also says how much all tasks together are worth.
"""

import numpy as np
import scipy

SHRINKAGE = 1.0
"""How many measurements the prior weighs; chosen on cora, citeseer and CIFAR-10."""
FADING = 100
"""After how many measurements old tasks count half, because the head knows by itself by then."""
TRUST = 0.25
"""What the weights of all old tasks add up to before anything is measured."""


def prior_weights(tasks: int) -> np.ndarray:
    """Weights before anything is measured, equal ones: shape (tasks,)."""
    return np.full(tasks, TRUST / tasks)


def task_weights(expected: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Weights of old tasks after some measurements of the new one.

    The minimum of |scores - expected w|² + SHRINKAGE |w - prior|² over w >= 0, with both sides
    centred, times FADING / (FADING + n): the weight of an old task that disagrees with what is
    measured is zero, and all weights fade as measurements come in.

    Args:
        expected: What each old task expects of the measured architectures, shape (n, tasks).
        scores: What was measured, shape (n,).

    Returns:
        Shape (tasks,).
    """
    tasks = expected.shape[1]
    strength = np.sqrt(SHRINKAGE)
    rows = np.vstack([expected - expected.mean(axis=0), strength * np.eye(tasks)])
    wanted = np.concatenate([scores - scores.mean(), strength * prior_weights(tasks)])
    return scipy.optimize.nnls(rows, wanted)[0] * FADING / (FADING + len(scores))
