"""Heads fitted on few and tested on others, against a plain loop."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr

from cole_core.errors import InputError
from cole_core.experiments.head_trials import Splits, Trial, make_head_trials, split, summarise
from cole_core.predictors import make_surrogate
from tests.cole_core.experiments.cells import (
    SPACE,
    TARGET,
    labelled,
    plain_top_recall,
    source,
)

GRAF = labelled("graf")


def test_a_trial_is_a_plain_fit_on_the_first_and_a_test_on_a_tenth() -> None:
    made = make_head_trials(
        SPACE, source("graf"), TARGET, GRAF, "ridge", {}, Splits((12, 30), draws=2, seed=5)
    )
    assert [(trial.n, trial.draw) for trial in made.trials] == [(12, 0), (12, 1), (30, 0), (30, 1)]
    count = len(GRAF.values)
    for trial in made.trials:
        row, surrogate = made.run(trial)
        order = np.random.default_rng([5, trial.draw]).permutation(count)
        out, rows = order[: -(-count // 10)], order[-(-count // 10) :][: trial.n]
        plain = make_surrogate("ridge", structural=True)
        plain.fit(GRAF.vectors[rows], GRAF.values[rows])
        predicted, true = plain.predict(GRAF.vectors[out]), GRAF.values[out]
        np.testing.assert_array_equal(surrogate.predict(GRAF.vectors[out]), predicted)
        assert (row["n"], row["draw"], row["n_test"]) == (trial.n, trial.draw, len(out))
        assert row["kendall_tau"] == pytest.approx(kendalltau(predicted, true).statistic)
        assert row["spearman"] == pytest.approx(spearmanr(predicted, true).statistic)
        assert row["mse"] == pytest.approx(np.mean((predicted - true) ** 2))
        assert row["top_recall"] == plain_top_recall(predicted, true)
        assert not row["collapsed"]
        assert row["trial_id"] == trial.trial_id


def test_ids_tell_trials_apart_and_are_the_same_again() -> None:
    def ids(head: str = "ridge", seed: int = 0, **parameters: object) -> set[str]:
        splits = Splits((12, 20), draws=2, seed=seed)
        made = make_head_trials(SPACE, source("graf"), TARGET, GRAF, head, parameters, splits)
        return {trial.trial_id for trial in made.trials}

    assert len(ids()) == 4
    assert ids() == ids()
    assert ids(target="rank") == ids()  # as the head has it anyway
    changed = [
        ids(),
        ids(seed=1),
        ids("kernel_ridge"),
        ids(reduction="pca"),
        ids(target="standard"),
    ]
    assert len(set.union(*changed)) == 4 * len(changed)


@given(st.integers(2, 200), st.integers(0, 5), st.integers(0, 5), st.data())
def test_held_out_do_not_depend_on_n_and_larger_draws_contain_smaller(
    count: int, seed: int, draw: int, data: st.DataObject
) -> None:
    tenth = -(-count // 10)
    small, large = sorted(data.draw(st.tuples(*[st.integers(0, count - tenth)] * 2)))
    out, few = split(count, small, seed, draw)
    same, many = split(count, large, seed, draw)
    np.testing.assert_array_equal(out, same)
    assert list(many[:small]) == list(few)
    assert len(out) == tenth
    assert len({*out, *many}) == tenth + large


@pytest.mark.parametrize(
    ("splits", "said"),
    [
        (Splits((1,)), "-n 1: 60 architectures have a vector and a value, .* ask for 2 to 54"),
        (Splits((20, 55)), "-n 55: 60 architectures .* ask for 2 to 54"),
        (Splits((20,), draws=0), "--draws 0: ask for at least 1"),
    ],
)
def test_splits_that_cannot_be_made(splits: Splits, said: str) -> None:
    assert len(GRAF.values) == 60
    with pytest.raises(InputError, match=said):
        make_head_trials(SPACE, source("graf"), TARGET, GRAF, "ridge", {}, splits)


def test_a_summary_is_of_each_size_and_of_a_collapsed_head_none() -> None:
    trials = [Trial({}, n, draw) for n in (5, 9) for draw in range(3)]
    taus = [0.5, 0.75, 0.25, 0.5, float("nan"), 0.5]
    results = pl.DataFrame(
        {"trial_id": [each.trial_id for each in trials], "kendall_tau": taus}
    ).reverse()
    first, second = summarise(trials, results)
    deviation = pytest.approx(np.std([0.25, 0.5, 0.75]))
    assert first == {"n": 5, "mean": 0.5, "std": deviation, "draws": 3}
    assert second == {"n": 9, "mean": None, "std": None, "draws": 3}
