"""Surrogates on the same splits, against a plain loop over the folds."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from cole_core.encodings.vectors import LabelledVectors
from cole_core.errors import InputError
from cole_core.experiments.cross_validation import (
    STRATA,
    Comparison,
    Protocol,
    make_comparison,
    run_batch,
)
from cole_core.experiments.predictors import Configuration
from cole_core.predictors import make_surrogate
from cole_core.statistics import repeated_stratified_folds
from tests.cole_core.experiments.cells import (
    SPACE,
    TARGET,
    labelled,
    plain_top_recall,
    source,
)

GRAF = Configuration(encoding="graf", head="ridge")
PATH = Configuration(encoding="path", head="ridge")
QUICK = Protocol(sizes=(12, 20), folds=5, repeats=2, seed=3)


def compare(
    *configurations: Configuration,
    protocol: Protocol = QUICK,
    pools: list[LabelledVectors] | None = None,
) -> Comparison:
    return make_comparison(
        SPACE,
        None,
        configurations,
        [source(each.encoding) for each in configurations],
        pools or [labelled(each.encoding) for each in configurations],
        TARGET,
        protocol,
    )


def test_a_batch_is_a_plain_loop_over_the_folds() -> None:
    made = compare(GRAF, PATH)
    contender = made.contenders[0]
    draws = [1, 8]
    batch = run_batch(contender, 12, draws, [made.folds[draw] for draw in draws])
    pool = labelled("graf")
    folds = list(repeated_stratified_folds(pool.values, folds=5, repeats=2, strata=STRATA, seed=3))
    for draw, row in zip(draws, batch.iter_rows(named=True), strict=True):
        rows, out = folds[draw].labelled(12), folds[draw].held_out
        surrogate = make_surrogate("ridge", structural=True)
        surrogate.fit(pool.vectors[rows], pool.values[rows])
        predicted, true = surrogate.predict(pool.vectors[out]), pool.values[out]
        assert (row["n"], row["draw"], row["n_test"]) == (12, draw, len(out))
        assert row["kendall_tau"] == pytest.approx(kendalltau(predicted, true).statistic)
        assert row["spearman"] == pytest.approx(spearmanr(predicted, true).statistic)
        assert row["mse"] == pytest.approx(np.mean((predicted - true) ** 2))
        assert row["top_recall"] == plain_top_recall(predicted, true)
        assert row["trial_id"] == made.trial_ids(contender)[draw]


def test_under_the_hinge_loss_only_ranks_are_told() -> None:
    made = compare(GRAF, Configuration(encoding="graf", head="mlp", loss="hinge"))
    batch = run_batch(made.contenders[1], 12, [0], made.folds[:1])
    assert batch["mse"].to_list() == [None]
    assert -1 <= batch["kendall_tau"][0] <= 1


def test_the_same_surrogate_under_two_names_is_one_contender() -> None:
    made = compare(GRAF, PATH, replace(GRAF, lm="another", pooling="cls"))
    assert [each.label for each in made.contenders] == ["graf", "path"]
    assert len(made.folds) == 10
    assert len(set(made.trial_ids(made.contenders[0]))) == 20


def test_all_are_cut_to_what_they_share_and_twins_to_one() -> None:
    graf, path = labelled("graf"), labelled("path")
    kept = path.architecture_ids[5:]
    made = compare(GRAF, PATH, pools=[graf, path.take(kept)])
    assert made.architectures == 55
    for contender in made.contenders:
        assert contender.labelled.architecture_ids == kept
    forms = compare(GRAF, PATH, protocol=replace(QUICK, canonical=True))
    assert forms.architectures == len(set(graf.canonical_ids)) < 60
    assert forms.contenders[0].columns["population"] == "canonical"


def test_ids_follow_what_decides_the_result() -> None:
    first = compare(GRAF, PATH)
    assert compare(GRAF, PATH).comparison_id == first.comparison_id
    more = compare(GRAF, PATH, protocol=replace(QUICK, sizes=(12,)))
    assert more.comparison_id == first.comparison_id  # the sizes may grow
    for changed in (
        compare(PATH, GRAF),
        compare(GRAF, replace(PATH, head="mlp")),
        compare(GRAF, PATH, protocol=replace(QUICK, seed=4)),
        compare(GRAF, PATH, protocol=replace(QUICK, repeats=3)),
        compare(GRAF, PATH, protocol=replace(QUICK, folds=4)),
    ):
        assert changed.comparison_id != first.comparison_id


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        (Protocol(sizes=(49,), folds=5), "-n 49: 60 architectures .* 2 to 48"),
        (Protocol(sizes=(1,), folds=5), "-n 1: 60 architectures .* 2 to 48"),
        (Protocol(folds=1), "--folds 1 --repeats 10: at least 2 folds"),
        (Protocol(folds=40), "60 architectures .* too few for --folds 40"),
        (Protocol(folds=5, repeats=0), "--folds 5 --repeats 0: at least 2 folds .* 1 repeat"),
    ],
)
def test_protocols_that_cannot_be_run(protocol: Protocol, said: str) -> None:
    with pytest.raises(InputError, match=said):
        compare(GRAF, PATH, protocol=protocol)


def test_a_vector_that_holds_nan_is_named_with_its_encoding() -> None:
    path = labelled("path")
    path.vectors[7, 3] = np.nan
    with pytest.raises(InputError) as caught:
        compare(GRAF, PATH, pools=[labelled("graf"), path])
    assert str(caught.value) == (
        f"the vector of {path.natives[7]} under 'path' holds NaN or infinity: embed it anew"
    )
