"""What the report computes from its data: curves, arrivals, correlations, samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from cole_core.predictors.blas import one_blas_thread
from cole_core.statistics import (
    CurveCrossing,
    EvaluationsToReach,
    Regret,
    best_so_far,
    evaluations_to_reach,
    mean_curve_crossing,
    regret,
)

_TOLD_AFTER = 50


@dataclass(frozen=True)
class SearchSummary:
    """All seeds of one algorithm with one configuration.

    Attributes:
        label: What sets the configuration apart, in words.
        is_baseline: Whether it is random search.
        curves: Best so far, (seeds, evaluations), of the seeds with a full budget; a higher value
            is better.
        unfinished: Seeds left out because they have fewer evaluations than the others.
        arrival: Evaluations per seed until the threshold; None without a threshold.
        crossing: Where the mean curve crosses the threshold; None without a threshold.
    """

    label: str
    is_baseline: bool
    curves: np.ndarray
    unfinished: int
    arrival: EvaluationsToReach | None
    crossing: CurveCrossing | None

    @property
    def seeds(self) -> int:
        """How many searches the curves are of."""
        return len(self.curves)

    @property
    def budget(self) -> int:
        """Evaluations of each."""
        return self.curves.shape[1]

    @property
    def mean(self) -> np.ndarray:
        """Mean best so far after each evaluation."""
        return self.curves.mean(axis=0)

    def regret(self, best: float, evaluations: int) -> Regret:
        """How far its best so far is from the best after some evaluations."""
        return regret(self.curves, best, evaluations)

    @property
    def standard_error(self) -> np.ndarray:
        """Of the mean, over seeds; zeros for one seed."""
        if self.seeds < 2:
            return np.zeros(self.budget)
        return self.curves.std(axis=0, ddof=1) / np.sqrt(self.seeds)


def summarize_searches(searches: pl.DataFrame, threshold: float | None) -> list[SearchSummary]:
    """One summary for each label, the fastest first, random search last."""
    summaries = []
    for (algorithm, label), group in searches.sort("search_id", "step").group_by(
        "algorithm", "label", maintain_order=True
    ):
        runs = [
            values.to_numpy()
            for values in group.group_by("search_id", maintain_order=True).agg("value")["value"]
        ]
        budget = max(map(len, runs))
        finished = np.array([run for run in runs if len(run) == budget])
        summaries.append(
            SearchSummary(
                label=str(label),
                is_baseline=algorithm == "random_search",
                curves=best_so_far(finished),
                unfinished=len(runs) - len(finished),
                arrival=None if threshold is None else evaluations_to_reach(finished, threshold),
                crossing=None if threshold is None else mean_curve_crossing(finished, threshold),
            )
        )

    def order(summary: SearchSummary) -> tuple[bool, float, float]:
        arrival = summary.arrival.mean if summary.arrival else 0.0
        return summary.is_baseline, arrival, -float(summary.mean[-1])

    return sorted(summaries, key=order)


def summarize_trials(trials: pl.DataFrame) -> pl.DataFrame:
    """Kendall tau by training size.

    Returns:
        series, head, n, draws, mean (null where a head collapsed, that is, predicted one value
        for all and has no tau), error (standard error of the mean; null for one draw), low and
        high (mean ± error); the best series of the largest training size first.
    """
    tau = pl.col("kendall_tau")
    frame = (
        trials.group_by("series", "head", "n")
        .agg(
            draws=pl.len(),
            mean=tau.mean().fill_nan(None),
            error=(tau.std() / pl.len().sqrt()).fill_nan(None),
        )
        .with_columns(
            low=pl.col("mean") - pl.col("error").fill_null(0),
            high=pl.col("mean") + pl.col("error").fill_null(0),
        )
    )
    best = pl.col("mean").sort_by("n").last().over("series", "head")
    return frame.sort(
        best, "series", "head", "n", descending=[True, False, False, False], nulls_last=True
    )


def told_after(summaries: Sequence[SearchSummary]) -> int:
    """After how many evaluations the distance from the best is told: 50, or as many as all have."""
    return min(_TOLD_AFTER, *(summary.budget for summary in summaries))


def sample_rows(
    frame: pl.DataFrame, limit: int, by: str, keep: int = 50, lowest: bool = False
) -> pl.DataFrame:
    """At most `limit` rows, always the same ones: the `keep` highest by a column (or the lowest),
    others drawn."""
    if frame.height <= limit:
        return frame
    ordered = frame.sort(by, descending=not lowest, nulls_last=True)
    keep = min(keep, limit)
    others = np.random.default_rng(0).choice(frame.height - keep, limit - keep, replace=False)
    return pl.concat([ordered.head(keep), ordered[keep + np.sort(others)]])


def principal_plane(vectors: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Coordinates on the first two principal components.

    Args:
        vectors: (n, d), d at least 2.

    Returns:
        (n, 2) coordinates, and the share of the variance that each component explains.
    """
    plane, shares = principal_axes(vectors)
    return (vectors.astype(np.float64) - vectors.mean(axis=0)) @ plane, shares


def principal_axes(vectors: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """The first two principal components.

    Args:
        vectors: (n, d), d at least 2.

    Returns:
        (d, 2) directions, and the share of the variance that each explains.
    """
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    # The d × d covariance is smaller than the vectors; eigh lists ascending eigenvalues.
    with one_blas_thread():
        variances, components = np.linalg.eigh(centred.T @ centred)
    plane = components[:, [-1, -2]]
    # An eigenvector's sign is arbitrary: the largest entry points up, so that maps repeat.
    largest = np.abs(plane).argmax(axis=0)
    plane = plane * np.sign(plane[largest, [0, 1]])
    total = variances.sum()
    shares = (float(variances[-1] / total), float(variances[-2] / total)) if total else (0.0, 0.0)
    return plane, shares
