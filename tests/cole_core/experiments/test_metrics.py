"""What a trial is judged by, against plain loops."""

import numpy as np
import pytest
from scipy.stats import rankdata

from cole_core.experiments.metrics import score
from tests.cole_core.experiments.cells import plain_top_recall


def test_scores_are_those_of_plain_loops() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(90, 2, 30)
    predicted = true + rng.normal(0, 1, 30)
    told = score(true, predicted)
    pairs = [(i, j) for i in range(30) for j in range(i)]
    agree = sum((true[i] - true[j]) * (predicted[i] - predicted[j]) > 0 for i, j in pairs)
    assert told["kendall_tau"] == pytest.approx((2 * agree - len(pairs)) / len(pairs))
    gaps = rankdata(true) - rankdata(predicted)
    assert told["spearman"] == pytest.approx(1 - 6 * (gaps**2).sum() / (30 * (30**2 - 1)))
    assert told["mse"] == pytest.approx(sum((predicted - true) ** 2) / 30)
    assert told["top_recall"] == pytest.approx(plain_top_recall(predicted, true))
    assert told["collapsed"] is False
    assert score(true, predicted, ranks_only=True) == told | {"mse": None}


def test_one_value_for_all_is_a_collapsed_head() -> None:
    told = score(np.array([90.0, 91.0, 95.0]), np.full(3, 92.0))
    assert np.isnan([told.pop("kendall_tau"), told.pop("spearman")]).all()
    assert told == {"mse": pytest.approx((4 + 1 + 9) / 3), "top_recall": None, "collapsed": True}
