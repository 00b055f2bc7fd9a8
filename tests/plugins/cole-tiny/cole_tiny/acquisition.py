"""An acquisition function."""

import numpy as np
from scipy.stats import norm


def probability_of_improvement(mean, std, best, beta, rng):
    """How likely a candidate is better than the best known (Kushner 1964)."""
    return norm.cdf((mean - best) / np.maximum(std, 1e-9))
