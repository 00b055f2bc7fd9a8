"""The head that attends to the layers of a language model."""

from pathlib import Path

import numpy as np
import pytest

from cole_core.errors import InputError
from cole_core.predictors import load_surrogate, make_surrogate
from cole_core.statistics import kendall_tau


def layered(n: int = 440) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of three layers of which the second decides."""
    rng = np.random.default_rng(0)
    layers = rng.normal(size=(n, 3, 8))
    return layers.reshape(n, -1), layers[:, 1, :4].sum(axis=1)


def test_it_finds_the_layer_that_decides_and_comes_back_from_its_file(tmp_path: Path) -> None:
    X, y = layered()
    made = make_surrogate("perceiver", layers=3, members=2, epochs=40).fit(X[:400], y[:400])
    mean, std = made.predict(X[400:], return_std=True)
    assert kendall_tau(mean, y[400:]) > 0.5
    assert (std > 0).all()
    again = make_surrogate("perceiver", layers=3, members=2, epochs=40).fit(X[:400], y[:400])
    np.testing.assert_array_equal(again.predict(X[400:]), mean)
    made.save(tmp_path / "head.npz")
    np.testing.assert_array_equal(load_surrogate(tmp_path / "head.npz").predict(X[400:]), mean)


def test_vectors_that_are_not_so_many_layers_are_refused() -> None:
    X, y = layered(20)
    with pytest.raises(InputError, match="24 numbers are not 5 layers"):
        make_surrogate("perceiver", layers=5).fit(X, y)
