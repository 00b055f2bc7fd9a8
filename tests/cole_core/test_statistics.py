"""Statistics against scipy, scikit-learn and plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cole_core.errors import InputError
from cole_core.statistics import (
    corrected_paired_t_test,
    evaluations_to_reach,
    kendall_tau,
    mean_curve_crossing,
    repeated_stratified_folds,
)


def test_kendall_tau_counts_pairs_with_ties():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, 40), rng.integers(0, 6, 40)
    concordant = discordant = ties_a = ties_b = 0
    for i in range(40):
        for j in range(i):
            sign = np.sign(a[i] - a[j]) * np.sign(b[i] - b[j])
            concordant += sign > 0
            discordant += sign < 0
            ties_a += a[i] == a[j] and b[i] != b[j]
            ties_b += b[i] == b[j] and a[i] != a[j]
    pairs = concordant + discordant
    expected = (concordant - discordant) / np.sqrt((pairs + ties_a) * (pairs + ties_b))
    assert kendall_tau(a, b) == pytest.approx(expected)


def test_a_collapsed_head_is_nan_and_not_zero():
    assert np.isnan(kendall_tau([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]))


def test_kendall_tau_refuses_nan():
    with pytest.raises(InputError, match="NaN"):
        kendall_tau([1.0, np.nan], [1.0, 2.0])


@given(st.integers(2, 6), st.integers(20, 90), st.integers(0, 100))
def test_folds_partition_and_balance_the_strata(folds, n, seed):
    values = np.random.default_rng(seed).normal(size=n)
    quintile = np.argsort(np.argsort(values)) * 5 // n
    splits = list(repeated_stratified_folds(values, folds=folds, repeats=2, seed=seed))
    assert len(splits) == 2 * folds
    for repeat in (0, 1):
        held_out = [s.held_out for s in splits if s.repeat == repeat]
        assert sorted(np.concatenate(held_out)) == list(range(n))
        assert np.ptp([len(h) for h in held_out]) <= 1
        for q in range(5):
            assert np.ptp([(quintile[h] == q).sum() for h in held_out]) <= 1
    for split in splits:
        assert sorted([*split.pool, *split.held_out]) == list(range(n))


def test_subsamples_are_exact_nested_and_repeatable():
    values = np.random.default_rng(1).normal(size=100)
    first, again = (next(repeated_stratified_folds(values, seed=3)) for _ in range(2))
    assert len(first.labelled(14)) == len(set(first.labelled(14))) == 14
    assert set(first.labelled(14)) <= set(first.labelled(55))
    np.testing.assert_array_equal(first.labelled(55), again.labelled(55))
    with pytest.raises(InputError, match="n = 91"):
        first.labelled(91)


def test_one_fold_is_refused():
    with pytest.raises(InputError, match="folds = 1"):
        next(repeated_stratified_folds([1.0, 2.0], folds=1))


def test_paired_t_test_without_correction_is_scipys():
    rng = np.random.default_rng(2)
    a, b = rng.normal(0.2, 1, 30), rng.normal(0, 1, 30)
    ours, theirs = corrected_paired_t_test(a, b, test_fraction=0.0), stats.ttest_rel(a, b)
    assert (ours.t, ours.p_value) == pytest.approx((theirs.statistic, theirs.pvalue))


def test_correction_widens_as_nadeau_and_bengio_say():
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.5, 1, 100), rng.normal(0, 1, 100)
    plain = corrected_paired_t_test(a, b, test_fraction=0.0)
    corrected = corrected_paired_t_test(a, b, test_fraction=1 / 9)
    assert corrected.t == pytest.approx(plain.t * np.sqrt((1 / 100) / (1 / 100 + 1 / 9)))
    assert corrected.p_value > plain.p_value


def test_evaluations_to_reach_counts_from_one_and_marks_the_censored():
    values = [[1, 5, 2, 9], [9, 1, 1, 1], [1, 2, 3, 4]]
    reached = evaluations_to_reach(values, 9)
    assert reached.counts == (4, 1, 4)
    assert reached.censored == (False, False, True)
    assert reached.mean == pytest.approx(3)
    assert reached.mean_is_lower_bound
    assert reached.median == 4
    assert reached.interval[0] <= 3 <= reached.interval[1]


def test_median_is_unknown_when_half_the_seeds_are_censored():
    assert evaluations_to_reach([[1, 9], [1, 1]], 9).median is None


def test_mean_curve_crosses_where_a_plain_loop_says():
    rng = np.random.default_rng(4)
    values = rng.random((12, 60))
    expected = None
    for t in range(60):
        if np.mean([max(row[: t + 1]) for row in values]) >= 0.9:
            expected = t + 1
            break
    crossing = mean_curve_crossing(values, 0.9)
    assert crossing.evaluation == expected
    assert crossing.interval[0] <= expected <= crossing.interval[1]
    assert mean_curve_crossing(values, 1.1).evaluation is None
    assert mean_curve_crossing(values, 1.1).resamples_below == 1
