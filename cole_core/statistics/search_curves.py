"""How fast a search gets there: the metrics of a search comparison."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cole_core.errors import InputError

_ROUNDING = 1e-9  # a mean of equal values may come out below them


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


@dataclass(frozen=True)
class Regret:
    """How far the best so far is from the best after some evaluations.

    Attributes:
        regrets: Of each seed.
        mean: Over seeds.
        standard_error: Of the mean.
        interval: 95 % bootstrap interval of the mean.
    """

    regrets: tuple[float, ...]
    mean: float
    standard_error: float
    interval: tuple[float, float]


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
    there = curves >= threshold
    censored = np.asarray(~there.any(axis=1))
    counts = np.where(censored, curves.shape[1], there.argmax(axis=1) + 1)
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
    evaluation = _crossing(curves.mean(axis=0, keepdims=True), threshold)[0]
    resampled = _crossing(_resample(len(curves), resamples, seed) @ curves, threshold)
    below = resampled > curves.shape[1]
    crossings = np.minimum(resampled, curves.shape[1])
    low, high = np.quantile(crossings, [0.025, 0.975])
    return CurveCrossing(
        threshold=threshold,
        evaluation=int(evaluation) if evaluation <= curves.shape[1] else None,
        standard_error=float(crossings.std(ddof=1)),
        interval=(float(low), float(high)),
        resamples_below=float(below.mean()),
    )


def crossing_p_value(
    first: ArrayLike, second: ArrayLike, threshold: float, *, resamples: int = 2000, seed: int = 0
) -> float:
    """Whether two mean best-so-far curves cross the threshold at the same evaluation.

    A paired bootstrap over the seeds that the two share: twice the share of resamples in which the
    one that crosses first in the mean does not (a tie counts half), at least 1 / (resamples + 1).

    Args:
        first: Values of one search, shape (seeds, budget).
        second: Of the other with the same seeds; its budget may differ.
        threshold: Value to cross.
        resamples: Bootstrap resamples over seeds.
        seed: Seed of the bootstrap.

    Returns:
        The two-sided p-value.

    Raises:
        InputError: The curves are no tables, or have not the same seeds.
    """
    curves = [best_so_far(_table(values)) for values in (first, second)]
    if len(curves[0]) != len(curves[1]):
        raise InputError(
            f"search curves of {len(curves[0])} and {len(curves[1])} seeds: compare the same seeds"
        )
    weights = _resample(len(curves[0]), resamples, seed)
    one, other = (_crossing(weights @ each, threshold) for each in curves)
    sooner, later = float((one < other).sum()), float((one > other).sum())
    ties = resamples - sooner - later
    return min(1.0, 2 * (min(sooner, later) + ties / 2 + 1) / (resamples + 1))


def regret(
    values: ArrayLike, best: float, evaluations: int, *, resamples: int = 2000, seed: int = 0
) -> Regret:
    """The best value there is minus the best so far.

    Args:
        values: Measured values in the order of evaluation, shape (seeds, budget).
        best: The best value there is.
        evaluations: After how many evaluations, at most the budget.
        resamples: Bootstrap resamples of the interval.
        seed: Seed of the bootstrap.

    Raises:
        InputError: The curves are not a table of seeds by evaluations.
    """
    regrets = best - best_so_far(_table(values))[:, evaluations - 1]
    means = _resample(len(regrets), resamples, seed) @ regrets
    low, high = np.quantile(means, [0.025, 0.975])
    return Regret(
        tuple(regrets.tolist()),
        float(regrets.mean()),
        _standard_error(regrets),
        (float(low), float(high)),
    )


def reached(searches: Sequence[Sequence[float]], threshold: float) -> list[bool]:
    """Which searches may end without moving a metric at this threshold or a lower one.

    A search that is at the threshold has its count. It belongs to the mean curve all the same until
    that has crossed, which it has when the mean over all searches of what they had found within as
    many evaluations is at the threshold.

    Args:
        searches: Values of each search so far, in the order of evaluation; they may differ in
            length, and one that is shorter stands in the mean with its best.
        threshold: The highest of the thresholds.

    Returns:
        For each search whether it may end.
    """
    bests = [best_so_far(values) for values in searches]
    crossed: dict[int, bool] = {0: False}

    def has_crossed(evaluations: int) -> bool:
        if evaluations not in crossed:
            found = [best[:evaluations][-1] if len(best) else -np.inf for best in bests]
            crossed[evaluations] = bool(np.mean(found) >= threshold - _ROUNDING)
        return crossed[evaluations]

    return [
        len(best) > 0 and bool(best[-1] >= threshold) and has_crossed(len(best)) for best in bests
    ]


def extend(searches: Sequence[Sequence[float]]) -> np.ndarray:
    """Curves of equal length: a search that ended early stays at its best.

    Args:
        searches: Values of each search, at least one of each.

    Returns:
        Best so far, shape (searches, evaluations of the longest).
    """
    longest = max(map(len, searches))
    bests = [best_so_far(values) for values in searches]
    return np.array([np.pad(best, (0, longest - len(best)), mode="edge") for best in bests])


def _resample(seeds: int, resamples: int, seed: int) -> np.ndarray:
    """Weights of the seeds in bootstrap resamples of their mean, shape (resamples, seeds)."""
    drawn = np.random.default_rng(seed).integers(seeds, size=(resamples, seeds))
    weights = np.zeros((resamples, seeds))
    np.add.at(weights, (np.arange(resamples)[:, None], drawn), 1 / seeds)
    return weights


def _crossing(curves: np.ndarray, threshold: float) -> np.ndarray:
    """First evaluation at the threshold of each rising curve, counted from 1; one more than there
    are where it stays below."""
    return np.asarray((curves < threshold - _ROUNDING).sum(axis=1) + 1)


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
