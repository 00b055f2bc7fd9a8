"""Ranks in the place of values."""

import numpy as np
import pytest
import scipy

from cole_core.predictors import load_surrogate, make_surrogate
from cole_core.predictors.reductions import Quantiles, ZScore, make_reduction
from cole_core.predictors.reductions.side_by_side import SideBySide

RNG = np.random.default_rng(0)
X = np.exp(RNG.normal(0, 4, (200, 3)))


def test_values_become_normal_scores_of_their_ranks() -> None:
    expected = scipy.stats.norm.ppf((scipy.stats.rankdata(X, axis=0) - 0.5) / len(X))
    np.testing.assert_allclose(make_reduction("quantiles").fit(X).transform(X), expected)


def test_only_the_order_counts_and_equal_values_stay_equal() -> None:
    some = np.column_stack([X[:, 0], RNG.integers(3, size=200), np.full(200, 7.0)])
    scores = Quantiles().fit(some).transform(some)
    np.testing.assert_allclose(
        Quantiles().fit(np.arcsinh(some)).transform(np.arcsinh(some)), scores
    )
    assert [len(np.unique(column)) for column in scores.T] == [200, 3, 1]
    np.testing.assert_allclose(scores[:, 2], 0)


def test_many_vectors_need_no_more_knots() -> None:
    many = np.exp(np.random.default_rng(1).normal(0, 4, (5_000, 1)))
    made = Quantiles().fit(many)
    assert len(made.values_) == 1_000
    exact = scipy.stats.norm.ppf((scipy.stats.rankdata(many, axis=0) - 0.5) / len(many))
    found = made.transform(many)
    assert np.abs(found - exact).max() < 0.3
    assert np.median(np.abs(found - exact)) < 0.005
    assert (np.diff(found[np.argsort(many[:, 0]), 0]) >= 0).all()


def test_it_counts_more_beside_others_and_comes_back_from_its_file(tmp_path) -> None:
    both = np.concatenate([X, X], axis=1)
    Z = SideBySide([(3, ZScore()), (3, Quantiles())]).fit(both).transform(both)
    ratio = Z[:, 3:].var(axis=0).sum() / Z[:, :3].var(axis=0).sum()
    assert ratio == pytest.approx(Quantiles.weight**2)
    made = make_surrogate(blocks=((3, True), (3, "quantiles")))
    made.fit(both[:50], np.log(X[:50, 0]), unlabelled=both)
    made.save(tmp_path / "both.npz")
    np.testing.assert_array_equal(
        load_surrogate(tmp_path / "both.npz").predict(both), made.predict(both)
    )
