"""The corrected paired t-test, against scipy's and the formula of Nadeau and Bengio."""

import numpy as np
import pytest
from scipy import stats

from cole_core.statistics import corrected_paired_t_test


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


def test_no_difference_anywhere_is_none_and_the_same_everywhere_is_certain() -> None:
    scores = np.array([0.5, 0.6, 0.75])
    equal = corrected_paired_t_test(scores, scores, test_fraction=1 / 9)
    assert (equal.t, equal.p_value) == (0.0, 1.0)
    shifted = corrected_paired_t_test(scores + 0.25, scores, test_fraction=1 / 9)
    assert (shifted.mean_difference, shifted.t, shifted.p_value) == (0.25, np.inf, 0.0)
