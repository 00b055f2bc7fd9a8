"""Repeated stratified folds: balanced, nested, repeatable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cole_core.errors import InputError
from cole_core.statistics import repeated_stratified_folds


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
    with pytest.raises(InputError, match="n = 91 with a pool of 90: choose n from 1 to 90"):
        first.labelled(91)


def test_one_fold_is_refused():
    with pytest.raises(InputError, match="folds = 1: at least 2 are needed"):
        next(repeated_stratified_folds([1.0, 2.0], folds=1))
