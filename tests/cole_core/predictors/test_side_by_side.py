"""Several encodings side by side: each scaled on its own, none drowned."""

import numpy as np
import pytest

from cole_core.errors import InputError
from cole_core.predictors import load_surrogate, make_surrogate
from cole_core.predictors.gaussian_process import GaussianProcessHead
from cole_core.predictors.reductions import make_reduction
from cole_core.predictors.reductions.side_by_side import SideBySide
from cole_core.statistics import kendall_tau


def two_encodings(n=150):
    """A wide and loud encoding beside a narrow and quiet one; the target needs both."""
    rng = np.random.default_rng(0)
    wide, narrow = rng.normal(0, 30, (n, 40)), rng.normal(5, 0.01, (n, 4))
    y = wide[:, 0] / 30 + 2 * (narrow[:, 0] - 5) / 0.01
    return np.concatenate([wide, narrow], axis=1), y


def test_each_part_is_its_own_reduction_with_the_same_total_variance():
    X, _ = two_encodings()
    parts = [(40, make_reduction("pca", n_components=10)), (4, make_reduction("zscore"))]
    Z = SideBySide(parts).fit(X).transform(X)
    assert Z.shape == (150, 14)
    for columns, own in (
        (Z[:, :10], make_reduction("pca", n_components=10).fit(X[:, :40]).transform(X[:, :40])),
        (Z[:, 10:], make_reduction("zscore").fit(X[:, 40:]).transform(X[:, 40:])),
    ):
        np.testing.assert_allclose(columns / columns[0, 0], own / own[0, 0], rtol=1e-6)
        assert columns.var(axis=0).sum() == pytest.approx(7)


@pytest.mark.parametrize("head", ["ridge", "gaussian_process", "mlp"])
def test_a_surrogate_reads_both_parts_and_comes_back_from_its_file(head, tmp_path):
    X, y = two_encodings()
    made = make_surrogate(head, blocks=((40, False), (4, True)), fitted_on="space")
    made.fit(X[:100], y[:100], unlabelled=X)
    assert kendall_tau(made.predict(X[100:]), y[100:]) > 0.5
    made.save(tmp_path / "both.npz")
    np.testing.assert_array_equal(load_surrogate(tmp_path / "both.npz").predict(X), made.predict(X))


def test_vectors_of_another_width_are_refused():
    X, y = two_encodings(20)
    with pytest.raises(InputError, match="44 columns, their parts 45"):
        make_surrogate("ridge", blocks=((40, False), (5, True)), fitted_on="labelled").fit(X, y)


@pytest.mark.parametrize(("informative", "weight"), [(0, 0.5), (1, 2.8)])
def test_a_gaussian_process_learns_how_much_the_second_encoding_counts(
    informative: int, weight: float
) -> None:
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(120, 4)), rng.normal(size=(120, 4))]
    X, y = np.hstack(parts), np.sin(parts[informative]).sum(axis=1)
    head = GaussianProcessHead().fit(X[:80], y[:80], blocks=[4, 4])
    assert head.column_weights_.tolist() == [1.0] * 4 + [weight] * 4
    scaled = GaussianProcessHead().fit(X[:80] * head.column_weights_, y[:80])
    expected = scaled.predict(X[80:] * head.column_weights_)
    np.testing.assert_allclose(head.predict(X[80:]), expected, atol=1e-4)
    equal = GaussianProcessHead().fit(X[:80], y[:80])
    error = np.abs(head.predict(X[80:]) - y[80:]).mean()
    assert error < np.abs(equal.predict(X[80:]) - y[80:]).mean()
