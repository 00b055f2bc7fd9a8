"""UMAP as a reduction: neighbours stay neighbours, arrays are enough to use it again."""

import sys

import numpy as np
import pytest

from cole_core.errors import InputError
from cole_core.predictors import load_surrogate, make_surrogate
from cole_core.predictors.reductions import make_reduction


def clusters(n=120):
    rng = np.random.default_rng(0)
    which = np.arange(n) % 4
    return rng.normal(0, 1, (4, 12))[which] * 6 + rng.normal(0, 0.3, (n, 12)), which


def test_clusters_stay_together_and_files_need_no_umap(tmp_path, monkeypatch):
    pytest.importorskip("umap")
    X, which = clusters()
    surrogate = make_surrogate("ridge", reduction="umap", n_components=2, fitted_on="space")
    surrogate.fit(X[:40], which[:40] + 0.01 * X[:40, 0], unlabelled=X)
    Z = surrogate.reduction_.transform(X)
    assert Z.shape == (120, 2)
    centres = np.stack([Z[which == k].mean(axis=0) for k in range(4)])
    nearest = np.linalg.norm(Z[:, None] - centres, axis=2).argmin(axis=1)
    assert (nearest == which).mean() > 0.98
    assert np.linalg.norm(surrogate.reduction_.transform(X[:1] + 1e-3) - Z[:1]) < 0.5
    surrogate.save(tmp_path / "umap.npz")
    monkeypatch.setitem(sys.modules, "umap", None)
    loaded = load_surrogate(tmp_path / "umap.npz")
    np.testing.assert_array_equal(loaded.predict(X), surrogate.predict(X))


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(InputError, match=r"cole-warehouse\[umap\]"):
        make_reduction("umap", n_components=2).fit(clusters()[0])
