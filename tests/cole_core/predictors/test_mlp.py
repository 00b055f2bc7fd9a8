"""Networks trained together come out as networks trained alone, the plain way."""

import numpy as np
import pytest
import torch

from cole_core.errors import InputError
from cole_core.predictors import make_surrogate
from cole_core.predictors.batched_mlp import train_mlps
from cole_core.predictors.networks import MLPTraining, NetworkDraws
from cole_core.predictors.plain_mlp import train_plain_mlp
from cole_core.predictors.surrogate import fit_together
from cole_core.statistics import kendall_tau


def training_sets(sets=3, n=45, d=10):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(sets, n, d)).astype(np.float32)
    return X, np.round(X[:, :, 0] - X[:, :, 1] ** 2, 1)


@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("loss", ["mse", "hinge"])
def test_batched_training_is_the_plain_loop_within_rounding(loss, dropout):
    X, y = training_sets()
    training = MLPTraining(hidden=(32, 16), epochs=6, loss=loss, dropout=dropout)
    stack = train_mlps(X, y, [5, 6, 7], training)
    for i in range(3):
        plain = train_plain_mlp(X[i], y[i], 5 + i, training)
        with torch.no_grad():
            expected = plain(torch.from_numpy(X[0])).numpy()
        scores = stack.predict(torch.from_numpy(X[0]))[i].numpy()
        if loss == "hinge":
            # The hinge knows differences only: Adam walks the output's bias on rounding alone.
            scores, expected = scores - scores.mean(), expected - expected.mean()
        np.testing.assert_allclose(scores, expected, atol=2e-4)


def test_gradient_clipping_takes_part():
    X, y = training_sets(1)
    training = MLPTraining(hidden=(16,), epochs=3, dropout=0.0, clip_norm=0.05)
    scores = train_mlps(X, 50 * y, [1], training).predict(torch.from_numpy(X[0]))[0].numpy()
    plain = train_plain_mlp(X[0], 50 * y[0], 1, training)
    expected = plain(torch.from_numpy(X[0])).detach().numpy()
    np.testing.assert_allclose(scores, expected, atol=1e-4)


@pytest.mark.parametrize("loss", ["mse", "hinge"])
def test_widths_that_fill_no_tile_and_inputs_that_are_always_zero(loss):
    X, y = training_sets(1, n=37, d=21)
    X[:, :, ::3] = 0
    training = MLPTraining(hidden=(20, 9), epochs=5, batch_size=17, loss=loss)
    stack = train_mlps(X, y, [3], training)
    plain = train_plain_mlp(X[0], y[0], 3, training)
    seen = torch.from_numpy(np.random.default_rng(1).normal(size=(50, 21)).astype(np.float32))
    with torch.no_grad():
        expected, scores = plain(seen), stack.predict(seen)[0]
    # An unseen row may have what no labelled one had: the weights there are the initial ones.
    if loss == "hinge":
        expected, scores = expected - expected.mean(), scores - scores.mean()
    torch.testing.assert_close(scores, expected, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_networks_come_out_the_same_on_any_number_of_cores(threads):
    X, y = training_sets(5, n=20)
    training = MLPTraining(hidden=(16,), epochs=30)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        stack = train_mlps(X, y, range(5), training)
    finally:
        torch.set_num_threads(before)
    for i in range(5):
        alone = train_mlps(X[i : i + 1], y[i : i + 1], [i], training)
        assert all(
            torch.equal(a[i], b[0])
            for a, b in zip(stack.weights + stack.biases, alone.weights + alone.biases, strict=True)
        )


def test_the_company_of_other_networks_changes_nothing():
    X, y = training_sets(40, n=33)
    training = MLPTraining(hidden=(16, 16), epochs=4)
    rows = torch.from_numpy(X[0])
    together = train_mlps(X, y, range(40), training).predict(rows)
    for i in (0, 17, 39):
        alone = train_mlps(X[i : i + 1], y[i : i + 1], [i], training).predict(rows)[0]
        torch.testing.assert_close(together[i], alone, atol=1e-4, rtol=1e-4)


def test_members_share_a_training_set():
    X, y = training_sets(2)
    training = MLPTraining(hidden=(16,), epochs=3)
    rows = torch.from_numpy(X[0])
    shared = train_mlps(X, y, [1, 2, 1], training, group=[0, 0, 1]).predict(rows)
    assert not torch.allclose(shared[0], shared[1])
    own = train_mlps(X[[0, 0, 1]], y[[0, 0, 1]], [1, 2, 1], training).predict(rows)
    torch.testing.assert_close(shared, own)


def test_draws_have_the_shares_they_should():
    draws = NetworkDraws(0)
    assert draws.kept(256, 400, 0.1).mean() == pytest.approx(0.9, abs=0.005)
    partners = draws.partners(9, 4)
    assert partners.shape == (4, 9)
    assert (partners != np.arange(9)).all()
    assert all(len(set(column)) == 4 for column in partners.T)
    assert draws.partners(3, 4).shape == (2, 3)


def test_surrogates_fitted_together_are_those_fitted_alone():
    X, y = training_sets(3, n=40)
    kinds = [("mlp", 0), ("ridge", 0), ("mlp", 1)]

    def made(head, seed):
        extra = {"members": 2, "epochs": 5} if head == "mlp" else {"fitted_on": "labelled"}
        return make_surrogate(head, seed=seed, n_components=8, **extra)

    together = [made(*kind) for kind in kinds]
    fit_together(together, list(X), list(y))
    for i, kind in enumerate(kinds):
        alone = made(*kind).fit(X[i], y[i])
        for a, b in zip(
            together[i].predict(X[0], return_std=True),
            alone.predict(X[0], return_std=True),
            strict=True,
        ):
            np.testing.assert_allclose(a, b, atol=1e-4)


@pytest.mark.parametrize("loss", ["mse", "hinge"])
def test_the_papers_head_learns(loss):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 20))
    y = X[:, 0] * 2 + np.abs(X[:, 1])
    surrogate = make_surrogate("mlp", loss=loss).fit(X[:200], y[:200])
    assert kendall_tau(surrogate.predict(X[200:]), y[200:]) > 0.6


def test_an_unknown_loss_is_refused():
    X, y = training_sets(1)
    with pytest.raises(InputError, match="choose one of hinge, mse"):
        make_surrogate("mlp", loss="mae").fit(X[0], y[0])
