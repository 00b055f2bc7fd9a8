"""Acquisition functions: what a mean and a deviation make worth evaluating."""

import numpy as np
import scipy


def independent_thompson_sampling(
    mean: np.ndarray, std: np.ndarray, best: float, beta: float, rng: np.random.Generator
) -> np.ndarray:
    """One draw of each candidate's own normal (BANANAS, arXiv 1910.11858, section 4)."""
    return rng.normal(mean, std)


def upper_confidence_bound(
    mean: np.ndarray, std: np.ndarray, best: float, beta: float, rng: np.random.Generator
) -> np.ndarray:
    """Mean plus beta deviations (Srinivas et al., arXiv 0912.3995)."""
    return mean + beta * std


def expected_improvement(
    mean: np.ndarray, std: np.ndarray, best: float, beta: float, rng: np.random.Generator
) -> np.ndarray:
    """Expected gain over the best known score (Jones et al., 1998, equation 15)."""
    safe = np.maximum(std, 1e-12)
    z = (mean - best) / safe
    return safe * (z * scipy.stats.norm.cdf(z) + scipy.stats.norm.pdf(z))


def exploit(
    mean: np.ndarray, std: np.ndarray, best: float, beta: float, rng: np.random.Generator
) -> np.ndarray:
    """The mean alone."""
    return mean
