"""What a comparison of searches rests on, against plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cole_core.errors import InputError
from cole_core.statistics import (
    best_so_far,
    crossing_p_value,
    evaluations_to_reach,
    extend,
    mean_curve_crossing,
    reached,
    regret,
)


def curves(seeds, budget, seed=0):
    return np.random.default_rng(seed).uniform(60, 73, (seeds, budget))


def test_the_bootstrap_of_the_crossing_is_a_plain_loop_over_resampled_seeds():
    values, threshold = curves(8, 40), 72.0
    crossing = mean_curve_crossing(values, threshold, resamples=300, seed=4)
    drawn = np.random.default_rng(4).integers(8, size=(300, 8))
    best = np.maximum.accumulate(values, axis=1)
    found = []
    for rows in drawn:
        mean = best[rows].mean(axis=0)
        found.append(next((i + 1 for i in range(40) if mean[i] >= threshold), 40))
    assert crossing.standard_error == pytest.approx(np.std(found, ddof=1))
    assert crossing.interval == pytest.approx(tuple(np.quantile(found, [0.025, 0.975])))


def test_equal_curves_cross_where_they_reach_the_best_itself():
    """The mean of fifty times 73.51 is not 73.51 in floating point."""
    values = np.full((50, 5), 73.51)
    values[:, :2] = 70
    assert mean_curve_crossing(values, 73.51).evaluation == 3
    assert mean_curve_crossing(values, 73.51).resamples_below == 0


def test_crossings_that_differ_are_told_apart_and_equal_ones_are_not():
    slow, fast = curves(30, 60, 1), curves(30, 60, 2)
    fast[:, 5] = 73.5
    assert crossing_p_value(fast, slow, 72.9) < 0.01
    assert crossing_p_value(slow, fast, 72.9) == crossing_p_value(fast, slow, 72.9)
    assert crossing_p_value(slow, slow, 72.0) == 1
    other = np.random.default_rng(3).permutation(slow)
    assert crossing_p_value(slow, other, 72.0) > 0.5
    with pytest.raises(InputError, match="of 30 and 5 seeds: compare the same seeds"):
        crossing_p_value(slow, fast[:5], 72.0)


def test_regret_is_the_best_minus_the_best_so_far():
    values = curves(5, 20)
    there = regret(values, 73.5, 7)
    own = [73.5 - max(row[:7]) for row in values]
    assert there.regrets == pytest.approx(own)
    assert there.mean == pytest.approx(np.mean(own))
    assert there.standard_error == pytest.approx(np.std(own, ddof=1) / np.sqrt(5))
    assert there.interval[0] <= there.mean <= there.interval[1]


def test_a_search_that_ended_stays_at_its_best():
    assert extend([[1.0, 3.0], [2.0, 1.0, 4.0, 0.0]]).tolist() == [
        [1.0, 3.0, 3.0, 3.0],
        [2.0, 2.0, 4.0, 4.0],
    ]


@settings(max_examples=60, deadline=None)
@given(
    seeds=st.integers(1, 6),
    batch=st.integers(1, 7),
    threshold=st.floats(68, 73),
    behind=st.integers(0, 3),
    seed=st.integers(0, 1000),
)
def test_ending_what_has_reached_the_threshold_moves_no_metric(
    seeds, batch, threshold, behind, seed
):
    """Searches that go on in batches and end when they may, some with a history already."""
    budget = 30
    values = curves(seeds, budget, seed)
    lengths = [behind * batch * (place % 2) for place in range(seeds)]
    lengths = [min(length, budget) for length in lengths]
    while True:
        shown = [values[place, :length].tolist() for place, length in enumerate(lengths)]
        ended = reached(shown, threshold)
        going = [p for p in range(seeds) if not ended[p] and lengths[p] < budget]
        if not going:
            break
        least = min(lengths[place] for place in going)
        for place in going:
            if lengths[place] == least:
                lengths[place] = min(lengths[place] + batch, budget)
    longest = extend(shown)
    short = np.pad(longest, ((0, 0), (0, budget - longest.shape[1])), mode="edge")
    for lower in (threshold, threshold - 1):
        counts = [evaluations_to_reach(table, lower) for table in (short, values)]
        assert counts[0].counts == counts[1].counts
        assert counts[0].censored == counts[1].censored
        crossings = [mean_curve_crossing(table, lower).evaluation for table in (short, values)]
        assert crossings[0] == crossings[1]
    assert (short <= best_so_far(values)).all()


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
