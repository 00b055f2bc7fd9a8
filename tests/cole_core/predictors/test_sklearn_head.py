"""Regressors of scikit-learn as heads, as a plug-in registers them."""

import contextlib
import json

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.ensemble import BaggingRegressor, GradientBoostingRegressor, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import BayesianRidge, LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cole_core.errors import InputError
from cole_core.predictors import heads, load_surrogate, make_surrogate
from cole_core.predictors.sklearn_head import SklearnHead
from cole_core.predictors.surrogate import fit_together
from cole_core.search import SearchProblem, make_algorithm, run_search
from cole_core.spaces import get_space
from cole_core.statistics import kendall_tau


class Unseeded(RegressorMixin, BaseEstimator):
    """Draws at random and takes no seed."""

    def fit(self, X, y):
        self.value_ = np.random.default_rng().normal()
        return self

    def predict(self, X):
        return np.full(len(X), self.value_)


def scaled_neighbours():
    return make_pipeline(StandardScaler(), KNeighborsRegressor(3))


THEIRS = {
    "forest": RandomForestRegressor,
    "bayesian": BayesianRidge,
    "neighbours": KNeighborsRegressor,
    "pipeline": scaled_neighbours,
    "boosting": GradientBoostingRegressor,
    "bagging": BaggingRegressor,
    "process": GaussianProcessRegressor,
    "unseeded": Unseeded,
    "nothing": object,
}
RANDOM = ("forest", "bagging")
USABLE = ("forest", "bayesian", "neighbours", "pipeline", "bagging")
QUICK = {"forest": {"n_estimators": 15}}


@pytest.fixture(autouse=True)
def registered():
    with contextlib.ExitStack() as stack:
        for name, factory in THEIRS.items():
            stack.enter_context(heads.registered(name, factory))
        yield


def problem(n=90, d=6):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d))
    return X, 70 + 4 * X[:, 0] + 2 * np.tanh(X[:, 1])


def predicted(surrogate, X):
    return np.stack(surrogate.predict(X, return_std=True))


@pytest.mark.parametrize("head", USABLE)
def test_fitted_saved_and_loaded_it_predicts_identically(head, tmp_path):
    X, y = problem()
    surrogate = make_surrogate(head, seed=3, **QUICK.get(head, {})).fit(X[:60], y[:60])
    mean, std = surrogate.predict(X[60:], return_std=True)
    assert kendall_tau(mean, y[60:]) > 0.4
    assert (std >= 0).all()
    assert std.max() > 0
    np.testing.assert_array_equal(surrogate.predict(X[60:]), mean)
    surrogate.save(tmp_path / "head.npz")
    loaded = load_surrogate(tmp_path / "head.npz")
    np.testing.assert_array_equal(predicted(loaded, X), predicted(surrogate, X))
    assert loaded.head.get_params() == surrogate.head.get_params()


@pytest.mark.parametrize("head", USABLE)
def test_clones_and_refits_are_the_same_and_seeds_differ_where_they_count(head):
    X, y = problem()
    quick = QUICK.get(head, {})
    made = make_surrogate(head, seed=3, **quick)
    again = clone(made)
    assert again.head.get_params() == made.head.get_params()
    first = predicted(made.fit(X, y), X)
    np.testing.assert_array_equal(first, predicted(again.fit(X, y), X))
    other = predicted(make_surrogate(head, seed=4, **quick).fit(X, y), X)
    assert np.array_equal(first[0], other[0]) == (head not in RANDOM)
    assert np.array_equal(first[1], other[1]) == (head == "bayesian")


def test_the_mean_and_a_known_deviation_are_the_regressors_own():
    X, y = problem()
    ours = SklearnHead("bayesian", BayesianRidge).fit(X, y).predict(X, return_std=True)
    theirs = BayesianRidge().fit(X, y).predict(X, return_std=True)
    np.testing.assert_array_equal(ours, theirs)
    ours = SklearnHead("neighbours", KNeighborsRegressor(4)).fit(X, y).predict(X)
    np.testing.assert_array_equal(ours, KNeighborsRegressor(4).fit(X, y).predict(X))


def test_the_bootstraps_deviation_is_the_standard_error_of_a_linear_fit():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    y = X @ [1.0, -1.0] + rng.normal(size=400)
    head = SklearnHead("linear", LinearRegression(), resamples=200).fit(X, y)
    design = np.c_[np.ones(400), X]
    expected = np.sqrt(np.einsum("ij,jk,ik->i", design, np.linalg.inv(design.T @ design), design))
    ratio = head.predict_distribution(X)[1] / expected
    assert np.median(ratio) == pytest.approx(1, abs=0.1)


def test_parameters_are_the_regressors_and_what_decides_something():
    forest = make_surrogate("forest", seed=7, n_estimators=20).get_params()
    assert forest["head__n_estimators"] == 20
    assert (forest["head__seed"], forest["head__resamples"]) == (7, 8)
    assert "head__random_state" not in forest
    own = BayesianRidge().get_params()
    assert make_surrogate("bayesian", seed=7).head.get_params() == own
    pipeline = make_surrogate("pipeline", kneighborsregressor__n_neighbors=2)
    assert pipeline.get_params()["head__kneighborsregressor__n_neighbors"] == 2
    assert pipeline.head.regressor[-1].n_neighbors == 2
    for name in ("boosting", "bagging", "process", "pipeline"):
        json.dumps(make_surrogate(name).head.get_params(), allow_nan=False)
    assert make_surrogate("boosting", loss="huber").get_params()["head__loss"] == "huber"
    assert make_surrogate("boosting").get_params()["head__loss"] == "squared_error"


def test_its_surrogate_is_the_papers_as_for_any_head_that_says_nothing():
    made = make_surrogate("forest")
    assert (made.reduction, made.n_components, made.fitted_on) == ("pca", 128, "labelled")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"head": "forest", "trees": 3}, "no parameter 'trees': choose one of bootstrap"),
        ({"head": "forest", "random_state": 3}, "no parameter 'random_state'"),
        ({"head": "forest", "loss": "hinge"}, "no loss 'hinge'"),
        ({"head": "process", "kernel": object()}, "'kernel' of head 'process' takes a plain"),
        ({"head": "nothing"}, "neither a Head nor a regressor"),
    ],
)
def test_what_it_does_not_have_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        make_surrogate(**arguments)


def test_what_the_regressor_finds_wrong_is_told_in_one_line():
    X, y = problem()
    with pytest.raises(InputError, match="head 'forest': The 'n_estimators' parameter"):
        make_surrogate("forest", n_estimators=-1).fit(X, y)
    few = make_surrogate("neighbours").fit(X[:4], y[:4])
    with pytest.raises(InputError, match=r"head 'neighbours': .*n_neighbors"):
        few.predict(X)


def test_a_regressor_that_comes_out_otherwise_is_not_loaded(tmp_path):
    X, y = problem()
    make_surrogate("unseeded").fit(X, y).save(tmp_path / "head.npz")
    with pytest.raises(InputError, match="predicts otherwise than when it was saved"):
        load_surrogate(tmp_path / "head.npz")


def test_fitted_together_with_others_it_is_what_it_is_alone():
    X, y = problem()
    made = [make_surrogate(name, n_components=4) for name in ("neighbours", "mlp", "bayesian")]
    fit_together(made, [X] * 3, [y] * 3)
    for surrogate in made:
        alone = clone(surrogate).fit(X, y)
        np.testing.assert_allclose(predicted(surrogate, X), predicted(alone, X), atol=1e-6)


@pytest.mark.parametrize("head", ["forest", "bayesian", "neighbours"])
@pytest.mark.parametrize("acquisition", ["its", "ei"])
def test_a_search_with_it(head, acquisition):
    space, encoding = get_space("nasbench201"), get_space("nasbench201").encoding("adjacency")
    task = SearchProblem(
        space=space,
        canonical=space.canonical_form,
        vectors=encoding.encode,
        evaluate=lambda native: 60 + 3.0 * native.count("nor_conv_3x3") + len(native) / 100,
    )
    options = {"initial": 8, "batch": 5, "n_candidates": 30} | QUICK.get(head, {})
    algorithm = make_algorithm(
        "bananas", head=head, acquisition=acquisition, structural=True, **options
    )
    steps = list(run_search(algorithm, task, 18, seed=0))
    assert len({step.native for step in steps}) == 18
    assert np.mean([s.value for s in steps[8:]]) > np.mean([s.value for s in steps[:8]])
    assert steps == list(run_search(algorithm, task, 18, seed=0))
    assert "head__seed" not in algorithm.surrogate_params()
