"""What a head promises, as tests: scikit-learn's own where they apply, and ours."""

import io
import json
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import SkipTestWarning
from sklearn.utils.estimator_checks import check_estimator

from cole_core.predictors import heads, load_surrogate, make_head
from cole_core.predictors.base import Head
from cole_core.predictors.reductions import make_reduction
from cole_core.predictors.sklearn_head import SklearnHead
from cole_core.predictors.surrogate import Surrogate
from cole_core.predictors.targets import make_target
from cole_core.statistics import kendall_tau
from cole_core.testing.checks import NAME, global_generators, refused

_THROUGH_A_SURROGATE = "a surrogate fits before it predicts, and gives vectors of one width"
_REAL_ARRAYS = "vectors are arrays (n, d) of real numbers: nothing else is embedded or encoded"
_OWN_WORDS = "it is refused in one line for people, in other words than scikit-learn's"

NOT_APPLICABLE: Mapping[str, str] = {
    "check_estimators_unfitted": _THROUGH_A_SURROGATE,
    "check_n_features_in": _THROUGH_A_SURROGATE,
    "check_n_features_in_after_fitting": _THROUGH_A_SURROGATE,
    "check_fit2d_predict1d": _THROUGH_A_SURROGATE,
    "check_estimators_nan_inf": "what is not finite is refused where a head is fitted, as is tested"
    " here; vectors to predict from come from where those came from",
    "check_complex_data": _REAL_ARRAYS,
    "check_dtype_object": _REAL_ARRAYS,
    "check_array_api_input": _REAL_ARRAYS,
    "check_regressor_data_not_an_array": _REAL_ARRAYS,
    "check_estimator_sparse_tag": _REAL_ARRAYS,
    "check_estimator_sparse_array": _REAL_ARRAYS,
    "check_estimator_sparse_matrix": _REAL_ARRAYS,
    "check_estimators_empty_data_messages": _OWN_WORDS,
    "check_fit2d_1sample": _OWN_WORDS,
    "check_requires_y_none": _OWN_WORDS,
    "check_supervised_y_2d": "a column of scores is refused, not flattened with a warning",
    "check_methods_subset_invariance": "a row alone is predicted to single precision, as is tested"
    " here, and not to seven digits",
}
"""Tests of scikit-learn that a head need not pass, and why."""


class HeadContract:
    """Tests of a head; see `cole_core.predictors.base.Head`.

    Attributes:
        head: What is tested: a `Head`, or any regressor as scikit-learn has them, with parameters
            that make it quick.
        name: What it is registered as; a `Head` says it itself.
        width: Numbers in a vector.
        least_tau: Kendall tau on held-out rows of an easy task, which shows that it learns.
        not_applicable: Tests of scikit-learn that it need not pass, and why.
    """

    head: Any
    name: str = "mine"
    width: int = 6
    least_tau: float = 0.3
    not_applicable: Mapping[str, str] = NOT_APPLICABLE

    def new(self, **parameters: Any) -> Head:
        """A head that is not fitted."""
        if isinstance(self.head, Head):
            made: Head = clone(self.head)
            return made.set_params(**parameters)
        return SklearnHead(self.name, self.head, **parameters)

    def task(self, seed: int = 0, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
        """Vectors and scores about zero mean and unit variance, which depend on each other."""
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n, self.width))
        scores = X[:, 0] + 0.5 * np.tanh(X[:, -1]) + 0.05 * rng.normal(size=n)
        return X, (scores - scores.mean()) / scores.std()

    def test_scikit_learn_is_content(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("ignore", SkipTestWarning)
            results: list[dict[str, Any]] = check_estimator(self.head, on_fail=None, on_skip=None)
        failed = {
            f"{each['check_name']}: {' '.join(str(each['exception']).split())[:300]}"
            for each in results
            if each["status"] == "failed" and each["check_name"] not in self.not_applicable
        }
        assert not failed, "\n".join(sorted(failed))

    def test_it_has_a_name(self) -> None:
        assert NAME.fullmatch(self.new().name), f"a head cannot be called {self.new().name!r}"

    def test_its_surrogate_can_be_made(self) -> None:
        head = self.new()
        assert set(head.defaults) == {"reduction", "n_components", "fitted_on", "target"}
        make_reduction(head.defaults["reduction"], n_components=head.defaults["n_components"])
        make_target(head.defaults["target"])
        assert head.defaults["fitted_on"] in ("labelled", "space")

    def test_predictions_have_a_deviation(self) -> None:
        X, y = self.task()
        head = self.new()
        assert head.fit(X, y) is head, "fit gives the head"
        for rows in (X, X[:1], self.task(1, 200)[0]):
            mean, std = head.predict(rows, return_std=True)
            for found in (mean, std, head.predict(rows)):
                assert isinstance(found, np.ndarray)
                assert found.shape == (len(rows),)
                assert np.isfinite(found).all()
            assert (std >= 0).all()
            np.testing.assert_allclose(head.predict(rows), mean, rtol=1e-4, atol=1e-5)

    def test_it_learns(self) -> None:
        X, y = self.task(n=160)
        predicted = self.new().fit(X[:120], y[:120]).predict(X[120:])
        tau = kendall_tau(predicted, y[120:])
        assert tau >= self.least_tau, f"Kendall tau is {tau:.2f} on held-out rows"

    def test_a_row_is_predicted_by_itself(self) -> None:
        X, y = self.task()
        head, rows = self.new().fit(X, y), self.task(1)[0]
        together = np.stack(head.predict(rows, return_std=True))
        alone = [np.stack(head.predict(row[None], return_std=True))[:, 0] for row in rows[:8]]
        np.testing.assert_allclose(together[:, :8], np.stack(alone, axis=1), rtol=1e-3, atol=1e-3)

    def test_the_seed_decides(self) -> None:
        X, y = self.task()

        def predicted(**parameters: Any) -> np.ndarray:
            return np.stack(self.new(**parameters).fit(X, y).predict(X, return_std=True))

        with global_generators(1):
            once = predicted()
        with global_generators(2):
            again = predicted()
        np.testing.assert_array_equal(again, once, "it draws from something else than its seed")
        if "seed" in self.new().get_params():
            assert not np.array_equal(predicted(seed=1), predicted(seed=2)), "the seed is ignored"

    def test_fitted_again_it_has_forgotten(self) -> None:
        X, y = self.task()
        head = self.new().fit(*self.task(5, 40)).fit(X, y)
        np.testing.assert_array_equal(head.predict(X), self.new().fit(X, y).predict(X))

    def test_parameters_are_kept_and_cloned(self) -> None:
        head = self.new()
        given = head.get_params()
        assert json.loads(json.dumps(given)) == json.loads(json.dumps(given)), "plain values only"
        head.fit(*self.task())
        assert head.get_params() == given, "fit changes a parameter"
        assert clone(head).get_params() == given
        assert self.new().set_params(**given).get_params() == given

    def test_what_was_learned_travels_as_arrays(self) -> None:
        X, y = self.task()
        head = self.new().fit(X, y)
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **head.state())
        file.seek(0)
        with np.load(file, allow_pickle=False) as read:
            state = {name: read[name] for name in read.files}
        fresh = self.new()
        assert fresh.restore(state) is fresh, "restore gives the head"
        for return_std in (False, True):
            expected = head.predict(X, return_std=return_std)
            np.testing.assert_array_equal(fresh.predict(X, return_std=return_std), expected)

    def test_a_saved_surrogate_predicts_identically(self, tmp_path: Path) -> None:
        X, y = self.task()
        plain = json.loads(json.dumps(self.new().get_params()))
        with heads.registered(self.new().name, self._make):
            made = make_head(self.new().name, **plain)
            surrogate = Surrogate(made, reduction="none").fit(X, 70 + 5 * y)
            surrogate.save(tmp_path / "head.npz")
            loaded = load_surrogate(tmp_path / "head.npz")
        for found, expected in zip(
            loaded.predict(X, return_std=True), surrogate.predict(X, return_std=True), strict=True
        ):
            np.testing.assert_array_equal(found, expected)

    def _make(self, **parameters: Any) -> Any:
        """What is registered: a class, or a regressor whose parameters are set later."""
        return type(self.head)(**parameters) if isinstance(self.head, Head) else clone(self.head)

    def test_what_cannot_be_learned_from_is_refused(self) -> None:
        X, y = self.task()
        for place in (0, -1):
            for value in (np.nan, np.inf):
                features, scores = X.copy(), y.copy()
                features[place, place], scores[place] = value, value
                refused(self.new().fit, features, y)
                refused(self.new().fit, X, scores)
        refused(self.new().fit, X[:1], y[:1])
        refused(self.new().fit, X[:0], y[:0])
        refused(self.new().fit, X, y[:-1])
        refused(self.new().fit, X[:, 0], y)

    def test_it_leaves_what_it_reads_as_it_is(self) -> None:
        X, y = self.task()
        expected = self.new().fit(X, y).predict(X)
        kept, scores = X.copy(), y.copy()
        for given in (kept, scores):
            given.flags.writeable = False
        head = self.new().fit(kept, scores)
        np.testing.assert_array_equal(head.predict(kept), expected)

    def test_single_precision_and_any_memory_layout_will_do(self) -> None:
        X, y = self.task()
        for features in (X.astype(np.float32), np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2]):
            mean, std = self.new().fit(features, y).predict(features, return_std=True)
            assert np.isfinite(mean).all()
            assert np.isfinite(std).all()

    def test_many_together_are_what_each_is_alone(self) -> None:
        sets = [self.task(seed, 40) for seed in range(3)]
        together, alone = [self.new() for _ in sets], [self.new() for _ in sets]
        type(together[0]).fit_many(together, [X for X, _ in sets], [y for _, y in sets])
        for head, other, (X, y) in zip(together, alone, sets, strict=True):
            expected = other.fit(X, y).predict(X)
            np.testing.assert_allclose(head.predict(X), expected, rtol=1e-4, atol=1e-4)

    def test_every_loss_can_be_chosen(self) -> None:
        X, y = self.task()
        for loss in self.new().losses:
            assert np.isfinite(self.new(loss=loss).fit(X, y).predict(X)).all()
        if self.new().losses:
            refused(self.new(loss="no such loss").fit, X, y)

    def test_it_pickles(self) -> None:
        X, y = self.task()
        head = self.new().fit(X, y)
        copy: Head = pickle.loads(pickle.dumps(head))
        np.testing.assert_array_equal(copy.predict(X), head.predict(X))
