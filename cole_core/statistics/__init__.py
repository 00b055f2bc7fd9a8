"""Kendall tau, repeated stratified folds, corrected paired t-test, metrics of a search."""

from cole_core.statistics.correlation import kendall_tau, top_recall
from cole_core.statistics.resampling import Fold, repeated_stratified_folds
from cole_core.statistics.search_curves import (
    CurveCrossing,
    EvaluationsToReach,
    Regret,
    best_so_far,
    crossing_p_value,
    evaluations_to_reach,
    extend,
    mean_curve_crossing,
    reached,
    regret,
)
from cole_core.statistics.significance import PairedTest, corrected_paired_t_test

__all__ = [
    "CurveCrossing",
    "EvaluationsToReach",
    "Fold",
    "PairedTest",
    "Regret",
    "best_so_far",
    "corrected_paired_t_test",
    "crossing_p_value",
    "evaluations_to_reach",
    "extend",
    "kendall_tau",
    "mean_curve_crossing",
    "reached",
    "regret",
    "repeated_stratified_folds",
    "top_recall",
]
