"""How much each old task counts: non-negative, shrunk weights.

After the ranking-weighted ensembles of Feurer et al. (arXiv 1802.02219); a ridge regression instead
of a bootstrap of rankings, since it also says how much all tasks together are worth.
"""

import numpy as np
import scipy

SHRINKAGE = 1.0
"""How many measurements the prior weighs; chosen on cora, citeseer and CIFAR-10."""
TRUST = 0.25
"""What the weights of all old tasks add up to before anything is measured."""


def prior_weights(tasks: int) -> np.ndarray:
    """Weights before anything is measured, equal ones: shape (tasks,)."""
    return np.full(tasks, TRUST / tasks)


def task_weights(expected: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Weights of old tasks after some measurements of the new one.

    The minimum of |scores - expected w|² + SHRINKAGE |w - prior|² over w >= 0, with both sides
    centred: the weight of an old task that disagrees with what is measured is zero.

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
    return scipy.optimize.nnls(rows, wanted)[0]
