"""The tables of a comparison of searches, and what they say in one sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from cole_core.statistics import (
    corrected_paired_t_test,
    crossing_p_value,
    evaluations_to_reach,
    extend,
    mean_curve_crossing,
    regret,
)

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class SearchResult:
    """The searches of one configuration.

    Attributes:
        label: What sets it apart.
        values: Measured values of each seed in the order of evaluation; a seed that ended early
            has fewer.
        seconds: What they took; None where it is not known.
    """

    label: str
    values: Sequence[Sequence[float]]
    seconds: float | None

    def curves(self, budget: int) -> np.ndarray:
        """Best so far of each seed; one that ended early stays at its best."""
        curves = extend(self.values)[:, :budget]
        return np.pad(curves, ((0, 0), (0, budget - curves.shape[1])), mode="edge")


def threshold_table(
    results: Sequence[SearchResult], thresholds: Mapping[str, float], budget: int
) -> pl.DataFrame:
    """How soon each configuration is at each threshold.

    Args:
        results: One for each configuration, with the same seeds. The first is the reference.
        thresholds: What each is called, and its value.
        budget: Evaluations of each seed.

    Returns:
        A row for each configuration and threshold: the columns of store.search_comparisons from
        `position` on, but the ids.
    """
    curves = [result.curves(budget) for result in results]
    rows = []
    for name, value in thresholds.items():
        reference = evaluations_to_reach(curves[0], value)
        first = mean_curve_crossing(curves[0], value)
        for position, (result, own) in enumerate(zip(results, curves, strict=True)):
            arrival = evaluations_to_reach(own, value)
            crossing = mean_curve_crossing(own, value)
            row: dict[str, Any] = {
                "position": position,
                "label": result.label,
                "seconds": result.seconds,
                "threshold": name,
                "threshold_value": value,
                "evaluations": arrival.mean,
                "standard_error": arrival.standard_error,
                "low": arrival.interval[0],
                "high": arrival.interval[1],
                "median": arrival.median,
                "censored": sum(arrival.censored),
                "crossing": crossing.evaluation,
                "crossing_standard_error": crossing.standard_error,
                "crossing_low": crossing.interval[0],
                "crossing_high": crossing.interval[1],
                "crossing_below": crossing.resamples_below,
            }
            if position:
                # A seed that never gets there is later than any that does, whatever its count.
                mine = np.where(arrival.censored, np.inf, arrival.counts)
                other = np.where(reference.censored, np.inf, reference.counts)
                test = corrected_paired_t_test(arrival.counts, reference.counts, test_fraction=0)
                row |= {
                    "change": arrival.mean / reference.mean - 1,
                    "p_value": test.p_value,
                    "wins": int((mine < other).sum()),
                    "ties": int((mine == other).sum()),
                    "losses": int((mine > other).sum()),
                    "crossing_p_value": crossing_p_value(own, curves[0], value),
                }
                if crossing.evaluation is not None and first.evaluation is not None:
                    row["crossing_change"] = crossing.evaluation / first.evaluation - 1
            rows.append(row)
    return pl.DataFrame(rows, schema=_THRESHOLD_COLUMNS)


def regret_table(
    results: Sequence[SearchResult], best: float, evaluations: Sequence[int], budget: int
) -> pl.DataFrame:
    """How far from the best each configuration is after some evaluations.

    Args:
        results: One for each configuration, with the same seeds. The first is the reference.
        best: The best value there is.
        evaluations: After how many.
        budget: Evaluations of each seed.

    Returns:
        A row for each configuration and number of evaluations: the columns of
        store.search_regrets but the ids.
    """
    rows = []
    curves = [result.curves(budget) for result in results]
    for count in evaluations:
        for position, (result, own) in enumerate(zip(results, curves, strict=True)):
            there = regret(own, best, count)
            row: dict[str, Any] = {
                "position": position,
                "label": result.label,
                "evaluations": count,
                "regret": there.mean,
                "standard_error": there.standard_error,
                "low": there.interval[0],
                "high": there.interval[1],
                "ended_early": sum(len(values) < count for values in result.values),
            }
            if position:
                reference = regret(curves[0], best, count)
                test = corrected_paired_t_test(there.regrets, reference.regrets, test_fraction=0)
                row["p_value"] = test.p_value
            rows.append(row)
    return pl.DataFrame(rows, schema=_REGRET_COLUMNS)


def finding(table: pl.DataFrame) -> str:
    """What a comparison's table says, in one sentence."""
    rows = table.filter(pl.col("threshold") == told_threshold(table)).sort("position")
    reference, *others = rows.iter_rows(named=True)
    of_best = f"of the best ({reference['threshold_value']:.2f})"
    at = f"{reference['threshold']} {of_best}"
    told = "; ".join(
        f"{row['label']} {_count(row)} ({_change(row['change'], row['p_value'])}), its mean curve "
        f"{_crossing(row)}"
        for row in others
    )
    return (
        f"To be {'at ' if at[0].isdigit() else ''}{at}, {reference['label']} needs "
        f"{_count(reference)} evaluations per seed and its mean curve {_crossing(reference)}; "
        f"{told}."
    )


def told_threshold(table: pl.DataFrame) -> str:
    """The threshold that is told first: the paper's 99 % where it is there, else the middle one."""
    names = table["threshold"].unique(maintain_order=True).to_list()
    shares = [name for name in names if name.endswith("%")] or names
    return "99 %" if "99 %" in shares else str(shares[len(shares) // 2])


def _count(row: Mapping[str, Any]) -> str:
    return f"{'at least ' if row['censored'] else ''}{row['evaluations']:.0f}"


def _crossing(row: Mapping[str, Any]) -> str:
    if row["crossing"] is None:
        return "never gets there"
    said = f"crosses at {row['crossing']}"
    if row.get("crossing_change") is not None:
        said += f" ({_change(row['crossing_change'], row['crossing_p_value'])})"
    return said


def _change(change: float, p: float) -> str:
    said = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    if p >= SIGNIFICANT:
        said += ", not told apart"
    return f"{abs(change):.0%} {'fewer' if change < 0 else 'more'}, {said}"


_THRESHOLD_COLUMNS = {
    "position": pl.Int64,
    "label": pl.String,
    "seconds": pl.Float64,
    "threshold": pl.String,
    "threshold_value": pl.Float64,
    "evaluations": pl.Float64,
    "standard_error": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "median": pl.Float64,
    "censored": pl.Int64,
    "change": pl.Float64,
    "p_value": pl.Float64,
    "wins": pl.Int64,
    "ties": pl.Int64,
    "losses": pl.Int64,
    "crossing": pl.Int64,
    "crossing_standard_error": pl.Float64,
    "crossing_low": pl.Float64,
    "crossing_high": pl.Float64,
    "crossing_below": pl.Float64,
    "crossing_change": pl.Float64,
    "crossing_p_value": pl.Float64,
}
_REGRET_COLUMNS = {
    "position": pl.Int64,
    "label": pl.String,
    "evaluations": pl.Int64,
    "regret": pl.Float64,
    "standard_error": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "ended_early": pl.Int64,
    "p_value": pl.Float64,
}
