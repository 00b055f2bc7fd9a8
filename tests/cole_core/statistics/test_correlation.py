"""Kendall's tau and the recall of the best, against plain loops."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cole_core.errors import InputError
from cole_core.statistics import kendall_tau, top_recall


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
    with pytest.raises(InputError, match="a score is NaN or infinite"):
        kendall_tau([1.0, np.nan], [1.0, 2.0])


@given(
    st.lists(st.integers(0, 3), min_size=2, max_size=6).filter(lambda some: len(set(some)) > 1),
    st.sampled_from([0.1, 0.4, 0.5, 1.0]),
    st.data(),
)
def test_top_recall_is_the_mean_over_all_ways_to_break_ties(
    predicted: list[int], share: float, data: st.DataObject
) -> None:
    true = data.draw(st.permutations(range(len(predicted))))
    k = math.ceil(share * len(true))
    best = set(sorted(range(len(true)), key=lambda i: -true[i])[:k])
    found = [
        len(best & set(sorted(order, key=lambda i: -predicted[i])[:k])) / k
        for order in itertools.permutations(range(len(true)))  # sorting keeps the order of equals
    ]
    assert top_recall(predicted, true, share=share) == pytest.approx(np.mean(found))


def test_top_recall_of_a_collapsed_head_is_nan() -> None:
    assert np.isnan(top_recall([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]))
