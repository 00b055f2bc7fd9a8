"""How fast a search gets there: the two metrics of a search comparison."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cole_core.errors import InputError


@dataclass(frozen=True)
class EvaluationsToReach:
    """Evaluations per seed until the best so far is at the threshold.

    A seed that does not get there within its budget is *censored*: it needs more than its budget,
    and nobody knows how many more.

    Attributes:
        threshold: Value to reach.
        counts: Evaluations of each seed; the budget for a censored one.
        censored: Whether the seed never got there.
        mean: Mean of the counts. A lower bound when a seed is censored.
        standard_error: Of the mean, over seeds.
        interval: 95 % bootstrap interval of the mean over seeds.
        median: Median count; None when half the seeds or more are censored.
    """

    threshold: float
    counts: tuple[int, ...]
    censored: tuple[bool, ...]
    mean: float
    standard_error: float
    interval: tuple[float, float]
    median: float | None

    @property
    def mean_is_lower_bound(self) -> bool:
        """Whether a censored seed makes the mean a lower bound."""
        return any(self.censored)


@dataclass(frozen=True)
class CurveCrossing:
    """Evaluation at which the mean best-so-far curve over seeds crosses the threshold.

    Attributes:
        threshold: Value to cross.
        evaluation: The evaluation, counted from 1; None when the curve stays below.
        standard_error: Bootstrap over seeds; a resampled curve that stays below counts as the
            budget, so it is a lower bound when `resamples_below` is above 0.
        interval: 95 % bootstrap interval, with the same caveat.
        resamples_below: Share of resampled curves that stay below.
    """

    threshold: float
    evaluation: int | None
    standard_error: float
    interval: tuple[float, float]
    resamples_below: float


def best_so_far(values: ArrayLike) -> np.ndarray:
    """Running maximum along the last axis: (seeds, evaluations) or (evaluations,)."""
    return np.maximum.accumulate(np.asarray(values, dtype=float), axis=-1)


def evaluations_to_reach(
    values: ArrayLike, threshold: float, *, resamples: int = 2000, seed: int = 0
) -> EvaluationsToReach:
    """Evaluations per seed until the best so far reaches the threshold.

    Args:
        values: Measured values in the order of evaluation, shape (seeds, budget).
        threshold: Value to reach or exceed.
        resamples: Bootstrap resamples of the interval.
        seed: Seed of the bootstrap.

    Returns:
        Counts, mean, standard error, median and interval.

    Raises:
        InputError: The curves are not a table of seeds by evaluations.
    """
    curves = _table(values)
    reached = curves >= threshold
    censored = np.asarray(~reached.any(axis=1))
    counts = np.where(censored, curves.shape[1], reached.argmax(axis=1) + 1)
    rng = np.random.default_rng(seed)
    means = counts[rng.integers(len(counts), size=(resamples, len(counts)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return EvaluationsToReach(
        threshold=threshold,
        counts=tuple(int(c) for c in counts),
        censored=tuple(bool(c) for c in censored),
        mean=float(counts.mean()),
        standard_error=_standard_error(counts),
        interval=(float(low), float(high)),
        median=_median(counts, censored),
    )


def mean_curve_crossing(
    values: ArrayLike, threshold: float, *, resamples: int = 2000, seed: int = 0
) -> CurveCrossing:
    """Evaluation at which the mean best-so-far curve crosses the threshold.

    The reading of the COLE paper (arXiv 2605.15649). It differs from the mean of the seeds'
    counts: one seed that is stuck low pulls the mean curve down for all.

    Args:
        values: Measured values in the order of evaluation, shape (seeds, budget).
        threshold: Value to cross.
        resamples: Bootstrap resamples over seeds.
        seed: Seed of the bootstrap.

    Returns:
        The crossing and its uncertainty.

    Raises:
        InputError: The curves are not a table of seeds by evaluations.
    """
    curves = best_so_far(_table(values))
    crossed = curves.mean(axis=0) >= threshold
    rng = np.random.default_rng(seed)
    crossings = np.empty(resamples)
    below = 0
    for i in range(resamples):
        above = curves[rng.integers(len(curves), size=len(curves))].mean(axis=0) >= threshold
        below += not above[-1]
        crossings[i] = above.argmax() + 1 if above[-1] else curves.shape[1]
    low, high = np.quantile(crossings, [0.025, 0.975])
    return CurveCrossing(
        threshold=threshold,
        evaluation=int(crossed.argmax()) + 1 if crossed[-1] else None,
        standard_error=float(crossings.std(ddof=1)),
        interval=(float(low), float(high)),
        resamples_below=below / resamples,
    )


def _table(values: ArrayLike) -> np.ndarray:
    table = np.asarray(values, dtype=float)
    if table.ndim != 2 or 0 in table.shape or not np.isfinite(table).all():
        raise InputError(
            f"search curves of shape {table.shape}: give finite values, one row per seed"
        )
    return table


def _standard_error(counts: np.ndarray) -> float:
    if len(counts) < 2:
        return float("nan")
    return float(counts.std(ddof=1) / np.sqrt(len(counts)))


def _median(counts: np.ndarray, censored: np.ndarray) -> float | None:
    # A censored seed lies above every count, so the middle of the order is known as long as
    # the middle seeds got there.
    ordered = np.sort(np.where(censored, np.inf, counts))
    median = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return float(median) if np.isfinite(median) else None
