"""What old tasks expect is weighed: trusted where it holds, dropped where it does not."""

from pathlib import Path

import numpy as np
import pytest
import scipy

from cole_core.encodings.vectors import LabelledVectors
from cole_core.predictors import load_surrogate, make_surrogate
from cole_core.predictors.transfer.limits import BEST, MOST
from cole_core.predictors.transfer.old_task import chosen_rows, expectations, fit_old_task
from cole_core.predictors.transfer.weights import FADING, SHRINKAGE, prior_weights, task_weights


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors and smooth values of them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 6))
    return X, np.sin(X[:, 0]) + X[:, 1] - 0.5 * X[:, 2] ** 2


def test_weights_are_the_minimum_that_a_general_optimiser_finds() -> None:
    rng = np.random.default_rng(3)
    expected = rng.normal(size=(12, 4))
    scores = expected @ [0.9, 0.0, -0.7, 0.3] + 0.2 * rng.normal(size=12)

    def cost(w: np.ndarray) -> float:
        gap = (scores - scores.mean()) - (expected - expected.mean(axis=0)) @ w
        return float(gap @ gap + SHRINKAGE * ((w - prior_weights(4)) ** 2).sum())

    found = scipy.optimize.minimize(cost, np.ones(4), bounds=[(0, None)] * 4).x
    faded = found * FADING / (FADING + 12)
    np.testing.assert_allclose(task_weights(expected, scores), faded, atol=1e-4)


@pytest.mark.parametrize("n", [5, 30])
def test_an_old_task_that_says_the_opposite_counts_nothing(n: int) -> None:
    scores = drawn(n)[1]
    right, wrong = task_weights(np.stack([scores, -scores], axis=1), scores)
    assert right > 0.5
    assert wrong == 0


def test_a_good_past_helps_and_a_reversed_one_changes_nothing() -> None:
    X, y = drawn(400)
    labelled, rest = slice(0, 8), slice(8, None)

    def tau(expected: np.ndarray | None) -> float:
        if expected is None:
            made = make_surrogate(target="rank", reduction="none", fitted_on="labelled")
            vectors = X
        else:
            made = make_surrogate(
                target="rank", reduction="none", fitted_on="labelled", old_tasks=1
            )
            vectors = np.hstack([X, expected[:, None]])
        made.fit(vectors[labelled], y[labelled])
        return float(scipy.stats.kendalltau(made.predict(vectors[rest]), y[rest]).statistic)

    past = scipy.stats.zscore(y + 0.5 * np.random.default_rng(1).normal(size=400))
    assert tau(past) > tau(None) + 0.1
    assert tau(-10 * past) == pytest.approx(tau(None), abs=1e-9)


@pytest.mark.parametrize("reduction", ["none", "whiten"])
def test_it_predicts_the_same_after_it_was_saved(tmp_path: Path, reduction: str) -> None:
    X, y = drawn(60)
    vectors = np.hstack([X, y[:, None] + X[:, :2]])
    made = make_surrogate(reduction=reduction, fitted_on="labelled", old_tasks=2)
    made.fit(vectors[:20], y[:20])
    made.save(tmp_path / "made.npz")
    again = load_surrogate(tmp_path / "made.npz")
    assert again.old_task_weights == made.old_task_weights
    for found, kept in zip(
        again.predict(vectors, return_std=True), made.predict(vectors, return_std=True), strict=True
    ):
        np.testing.assert_array_equal(found, kept)
    # In the unit of the targets, as every surrogate.
    assert abs(made.predict(vectors).mean() - y.mean()) < 0.5


def test_reducing_the_space_first_leaves_the_predictions(tmp_path: Path) -> None:
    X, y = drawn(80)
    vectors = np.hstack([X, y[:, None]])
    whole = make_surrogate(old_tasks=1)
    whole.fit(vectors[:15], y[:15], unlabelled=vectors)
    template = make_surrogate(old_tasks=1)
    reduced = template.reduced(vectors, template.fit_reduction(vectors))
    plain = make_surrogate(reduction="none", fitted_on="labelled", old_tasks=1)
    plain.fit(reduced[:15], y[:15])
    np.testing.assert_allclose(plain.predict(reduced), whole.predict(vectors), atol=1e-6)


def test_at_most_so_many_values_are_read_and_the_best_are_among_them() -> None:
    values = np.random.default_rng(0).normal(size=3 * MOST)
    rows = chosen_rows(values)
    assert len(set(rows.tolist())) == len(rows) == MOST
    assert set(np.argsort(-values)[:BEST]) <= set(rows.tolist())
    np.testing.assert_array_equal(rows, chosen_rows(values))
    np.testing.assert_array_equal(chosen_rows(values[:MOST]), np.arange(MOST))


def test_tasks_of_other_units_expect_on_one_scale() -> None:
    X, y = drawn(100)
    names = [str(i) for i in range(100)]
    kind = {"structural": True}
    tasks = [LabelledVectors(names, names, names, X, v, "") for v in (y, np.exp(50 * y), -y)]
    expected = expectations([fit_old_task(task, kind, None) for task in tasks], X)
    np.testing.assert_allclose(expected[:, 0], expected[:, 1])
    np.testing.assert_allclose(expected[:, 0], -expected[:, 2], atol=1e-5)
    assert scipy.stats.kendalltau(expected[:, 0], y).statistic > 0.8
