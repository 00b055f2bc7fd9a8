"""Heads, reductions, targets and surrogates: behaviour, independent formulas, round trips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.stats import norm
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from cole_core.errors import InputError
from cole_core.predictors import heads, load_surrogate, make_surrogate
from cole_core.predictors.gaussian_process import GaussianProcessHead, _ProfiledLikelihood
from cole_core.predictors.kernels import distances, get_kernel
from cole_core.predictors.linear import RidgeHead
from cole_core.predictors.reductions import PrincipalComponents, make_reduction
from cole_core.predictors.targets import RankTarget
from cole_core.statistics import kendall_tau

HEADS = list(heads)
QUICK = {
    "mlp": {"epochs": 60},
    "xgboost": {"rounds": 60},
    "perceiver": {"layers": 1, "epochs": 200, "members": 2},
}


def problem(n=120, d=12, seed=0):
    """Features of very different scales and a smooth target with an outlier."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.linspace(0.2, 3, d) + 5
    y = 70 + 4 * np.tanh(X[:, -1] - 5) + 2 * (X[:, -2] - 5) + rng.normal(0, 0.1, n)
    y[0] = 1.0
    return X, y


def make(head, **parameters):
    return make_surrogate(head, fitted_on="labelled", **parameters)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("target", ["standard", "rank"])
def test_every_head_ranks_unseen_rows_in_the_unit_of_the_targets(head, target):
    X, y = problem()
    surrogate = make(head, target=target, **QUICK.get(head, {})).fit(X[:90], y[:90])
    mean, std = surrogate.predict(X[90:], return_std=True)
    assert mean.shape == std.shape == (30,)
    assert kendall_tau(mean, y[90:]) > 0.6
    assert np.abs(np.median(mean) - np.median(y[90:])) < 4
    assert (std >= 0).all()
    assert std.max() > 0


@pytest.mark.parametrize("head", HEADS)
def test_saved_and_loaded_predicts_identically(head, tmp_path):
    X, y = problem(60)
    surrogate = make(head, target="rank", **QUICK.get(head, {})).fit(X, y)
    surrogate.save(tmp_path / "head.npz")
    loaded = load_surrogate(tmp_path / "head.npz")
    for ours, theirs in zip(
        surrogate.predict(X + 0.1, return_std=True),
        loaded.predict(X + 0.1, return_std=True),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert loaded.head.get_params().keys() == surrogate.head.get_params().keys()


@pytest.mark.parametrize("head", HEADS)
def test_scikit_learn_conventions_and_repeatability(head):
    X, y = problem(40)
    surrogate = make(head, **QUICK.get(head, {}))
    before = surrogate.get_params()
    again = clone(surrogate)
    first = surrogate.fit(X, y).predict(X)
    np.testing.assert_array_equal(first, again.fit(X, y).predict(X))
    assert {k: v for k, v in surrogate.get_params().items() if k != "head"} == {
        k: v for k, v in before.items() if k != "head"
    }
    assert any(name.endswith("_") for name in vars(surrogate.head))


def test_ones_own_estimator_fits_in():
    from sklearn.linear_model import BayesianRidge

    from cole_core.predictors.surrogate import Surrogate

    X, y = problem()
    mean, std = Surrogate(BayesianRidge(), "zscore").fit(X, y).predict(X, return_std=True)
    assert kendall_tau(mean, y) > 0.6
    assert (std > 0).all()


@pytest.mark.parametrize("kernel", ["rbf", "matern12", "matern32", "matern52"])
def test_marginal_likelihood_gradient(kernel):
    X, y = problem(25)
    z = (y - y.mean()) / y.std()
    objective = _ProfiledLikelihood(
        get_kernel(kernel), distances(X, X), z, ((4.0, 0.4), (0.03, 1.0))
    )
    for point in np.random.default_rng(0).normal([1, -2], 0.5, (4, 2)):
        error = check_grad(lambda p: objective(p)[0], lambda p: objective(p)[1], point)
        assert error < 1e-4


def test_a_part_of_the_rows_chooses_nearly_the_same_hyperparameters():
    X, y = problem(600)
    whole, part = (
        GaussianProcessHead(likelihood_rows=rows).fit(X[1:], y[1:]) for rows in (600, 192)
    )
    assert part.lengthscale_ == pytest.approx(whole.lengthscale_, rel=0.25)
    seen = X[1:] + 0.1
    assert kendall_tau(whole.predict(seen), part.predict(seen)) > 0.97


def test_equal_vectors_tie_exactly():
    X, y = problem(90)
    twins = np.concatenate([X, X[::-1], X[7:50]])
    predicted = make("gaussian_process").fit(X, y).predict(twins)
    np.testing.assert_array_equal(predicted[:90], predicted[90:180][::-1])
    np.testing.assert_array_equal(predicted[7:50], predicted[180:])


@pytest.mark.parametrize(("kernel", "theirs"), [("rbf", RBF()), ("matern32", Matern(nu=1.5))])
def test_gaussian_process_agrees_with_scikit_learn(kernel, theirs):
    X, y = problem(61, d=3)
    X, y = X[1:], (y[1:] - y[1:].mean()) / y[1:].std()
    ours = GaussianProcessHead(kernel, lengthscale_prior=None, noise_prior=None).fit(X, y)
    mean, std = ours.predict(X + 0.3, return_std=True)
    fixed = ConstantKernel(ours.amplitude_) * theirs.set_params(
        length_scale=ours.lengthscale_
    ) + WhiteKernel(ours.amplitude_ * ours.noise_)
    reference = GaussianProcessRegressor(fixed, optimizer=None).fit(X, y - ours.mean_)
    expected, deviation = reference.predict(X + 0.3, return_std=True)
    # Predictions are made in single precision, and here there is next to no noise.
    np.testing.assert_allclose(mean, expected + ours.mean_, atol=5e-4)
    # scikit-learn counts the noise in: take it out again.
    latent = np.sqrt(deviation**2 - ours.amplitude_ * ours.noise_)
    np.testing.assert_allclose(std, latent, atol=5e-4)
    optimised = GaussianProcessRegressor(fixed, n_restarts_optimizer=5, random_state=0)
    best = optimised.fit(X, y - ours.mean_).log_marginal_likelihood_value_
    assert reference.log_marginal_likelihood_value_ > best - 0.05


def test_priors_rule_a_dozen_measurements_and_fade():
    X, y = problem(300)

    def move(n):
        free, held = (
            GaussianProcessHead(**kw).fit(X[1:n], y[1:n])
            for kw in ({"lengthscale_prior": None}, {"lengthscale_prior": (40.0, 0.2)})
        )
        return np.log(held.lengthscale_ / free.lengthscale_)

    assert move(8) > 1.3 * move(300)


def test_ridge_is_scikit_learns_with_the_chosen_penalty():
    X, y = problem(50)
    ours = RidgeHead().fit(X, y)
    unit = np.sum((X - X.mean(0)) ** 2) / len(X)
    theirs = Ridge(alpha=ours.penalty_ * unit)
    np.testing.assert_allclose(ours.predict(X + 1), theirs.fit(X, y).predict(X + 1), rtol=1e-7)
    held_out = cross_val_predict(theirs, X, y, cv=LeaveOneOut())
    assert ours.error_ == pytest.approx(np.sqrt(np.mean((y - held_out) ** 2)), rel=0.05)


@pytest.mark.parametrize("n", [10, 80])
def test_pca_spans_what_scikit_learns_spans(n):
    X = np.random.default_rng(0).normal(size=(n, 20))
    ours = make_reduction("pca", n_components=5).fit(X).transform(X)
    theirs = PCA(5).fit_transform((X - X.mean(0)) / X.std(0))
    correlation = np.abs(np.corrcoef(ours.T, theirs.T)[:5, 5:])
    np.testing.assert_allclose(np.diag(correlation), 1, atol=1e-9)
    assert np.mean(np.sum(ours**2, axis=1)) == pytest.approx(5)


def test_full_whitening_gives_unit_covariance_and_drops_empty_directions():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 9))
    Z = PrincipalComponents(9, 1.0).fit(X).transform(X)
    assert Z.shape[1] == 4
    np.testing.assert_allclose(np.cov(Z.T, bias=True), np.eye(4), atol=1e-9)


# The perceiver reads layers, which principal components mix.
@pytest.mark.parametrize("head", [head for head in HEADS if head != "perceiver"])
def test_labelled_twins_alone_give_a_constant_and_no_fault(head):
    _, y = problem(20)
    predicted = make(head, reduction="pca", **QUICK.get(head, {})).fit(np.ones((20, 5)), y)
    assert np.ptp(predicted.predict(np.arange(15.0).reshape(3, 5))) == 0


def test_a_reduction_of_the_space_needs_the_space():
    X, y = problem(20)
    surrogate = make_surrogate("ridge", reduction="whiten", fitted_on="space")
    with pytest.raises(
        InputError, match="the reduction is fitted on the space: give its vectors as unlabelled"
    ):
        surrogate.fit(X, y)
    surrogate.fit(X, y, unlabelled=problem(300, seed=1)[0])
    assert surrogate.reduction_.components_.shape[1] == 12


def test_defaults_follow_the_head_and_the_kind_of_vectors():
    best = make_surrogate()
    assert (best.head.name, best.reduction, best.fitted_on) == (
        "gaussian_process",
        "whiten",
        "space",
    )
    paper = make_surrogate("mlp")
    assert (paper.reduction, paper.n_components, paper.target) == ("pca", 128, "standard")
    assert make_surrogate("mlp", structural=True).reduction == "none"
    assert make_surrogate("mlp", structural=True, reduction="pca").reduction == "pca"


def test_normal_scores():
    y = np.array([3.0, 1.0, 2.0, 9.0])
    scores = RankTarget().fit(y).transform(y)
    np.testing.assert_allclose(scores, norm.ppf([0.625, 0.125, 0.375, 0.875]))


@given(
    st.lists(st.integers(-50, 50), min_size=2, max_size=40).filter(lambda v: len(set(v)) > 1),
    st.lists(st.floats(-4, 4), min_size=2, max_size=20, unique_by=lambda v: round(v, 3)),
)
def test_the_way_back_from_ranks_keeps_the_order(values, scores):
    target = RankTarget().fit(np.array(values, dtype=float))
    np.testing.assert_allclose(target.inverse(target.transform(np.array(values))), values)
    assert (np.diff(target.inverse(np.sort(scores))) > 0).all()


@pytest.mark.parametrize("head", HEADS)
def test_bad_training_sets_are_refused_in_one_line(head):
    X, y = problem(20)
    surrogate = make(head)
    for bad_X, bad_y, message in [
        (X, np.full(20, 3.0), "all 20 targets are 3"),
        (X, np.where(np.arange(20) == 3, np.nan, y), "target is NaN"),
        (np.where(X[2, 2] == X, np.nan, X), y, "vector holds NaN"),
        (X[:1], y[:1], "n = 1"),
        (X, y[:5], "one row and one value"),
    ]:
        with pytest.raises(InputError, match=message):
            surrogate.fit(bad_X, bad_y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"head": "forest"}, "choose one of committee, gaussian_process, kernel_ridge"),
        ({"head": "ridge", "reduction": "tsne"}, "unknown reduction 'tsne'"),
        ({"head": "ridge", "target": "log"}, "unknown target 'log'"),
        ({"head": "ridge", "loss": "hinge"}, "no loss 'hinge'"),
        ({"head": "ridge", "depth": 3}, "depth"),
        ({"head": "mlp", "n_components": 0}, "n_components = 0"),
    ],
)
def test_unknown_names_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        make_surrogate(**arguments)


def test_a_file_that_is_no_surrogate_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.npz.* train one first"):
        load_surrogate(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("hello")
    np.savez(tmp_path / "pickled.npz", about=np.array([{"format": 1}], dtype=object))
    for name in ("text.npz", "pickled.npz"):
        with pytest.raises(InputError, match="not a saved surrogate"):
            load_surrogate(tmp_path / name)
