"""Comparisons: the protocol against a plain loop, resuming, tables, refusals."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from cole_core.encodings import VectorEncoding
from cole_core.errors import InputError
from cole_core.experiments.predictor_table import comparison_table, finding
from cole_core.experiments.predictors import (
    EXPERIMENTS,
    AtHand,
    Configuration,
    labels,
    parse_configuration,
)
from cole_core.predictors import make_surrogate
from cole_core.spaces import get_space
from cole_core.statistics import (
    corrected_paired_t_test,
    kendall_tau,
    repeated_stratified_folds,
    top_recall,
)
from flows.resolve.requests import Measured
from flows.stages import compare_predictors as comparing
from flows.stages.compare_predictors import Protocol, compare_predictors
from flows.stages.embed import embed
from flows.stages.report import report
from tests.flows.conftest import SIZE, SPACE, Cole, Small

CIFAR10 = Measured(dataset="cifar10")
EXPRESSION = Configuration(precision="fp32", head="ridge")
GRAF = Configuration(encoding="graf", head="ridge")
QUICK = Protocol(sizes=(12, 20), folds=5, repeats=2)


def compare(small: Small, *configurations: Configuration, **changes: Any) -> dict[str, Any]:
    arguments = {"configurations": configurations or (EXPRESSION, GRAF), "protocol": QUICK}
    return compare_predictors(str(small.home), "nasbench201", CIFAR10, **(arguments | changes))


def trials(small: Small) -> pl.DataFrame:
    return small.warehouse.sql("SELECT * FROM trials ORDER BY encoding, n, draw")


def encoded(name: str, natives: list[str]) -> np.ndarray:
    encoding = get_space("nasbench201").encoding(name)
    assert isinstance(encoding, VectorEncoding)
    return encoding.encode(natives)


def stored_pool(small: Small) -> tuple[list[str], np.ndarray]:
    natives = small.warehouse.architectures(SPACE)["native"].to_list()
    return natives, np.array([small.accuracies[native] for native in natives])


def test_trials_are_those_of_a_plain_loop(small: Small) -> None:
    compare(small)
    natives, values = stored_pool(small)
    vectors = encoded("graf", natives)
    stored = trials(small).filter(pl.col("encoding") == "graf", pl.col("n") == 12)
    assert stored.height == 10
    folds = repeated_stratified_folds(values, folds=5, repeats=2)
    for row, fold in zip(stored.iter_rows(named=True), folds, strict=True):
        rows = fold.labelled(12)
        surrogate = make_surrogate("ridge", structural=True).fit(vectors[rows], values[rows])
        predicted = surrogate.predict(vectors[fold.held_out])
        true = values[fold.held_out]
        assert row["draw"] == fold.repeat * 5 + fold.fold
        assert row["n_test"] == SIZE // 5
        assert row["kendall_tau"] == pytest.approx(kendall_tau(predicted, true))
        assert row["mse"] == pytest.approx(np.mean((predicted - true) ** 2))
        assert row["top_recall"] == pytest.approx(top_recall(predicted, true))


def test_mlps_trained_together_rank_as_those_trained_alone(small: Small) -> None:
    together = (Configuration(encoding="path"), Configuration(encoding="adjacency"))
    compare(small, *together)
    stored = trials(small)
    made = comparing.plan(
        str(small.home), "nasbench201", CIFAR10, configurations=together, protocol=QUICK
    )
    contender = made.contenders[1]
    alone = comparing.run_batch(contender, 20, [3], [made.folds[3]])
    row = stored.filter(pl.col("trial_id") == alone["trial_id"][0])
    assert row["mse"][0] == pytest.approx(alone["mse"][0], rel=1e-3)
    assert row["kendall_tau"][0] == pytest.approx(alone["kendall_tau"][0], abs=0.02)


def test_a_rerun_runs_what_is_missing(small: Small) -> None:
    first = compare(small)
    assert (first["trials"], first["skipped"]) == (40, 0)
    again = compare(small)
    assert (again["trials"], again["skipped"]) == (0, 40)
    assert again["rows"] == first["rows"]

    more = compare(small, EXPRESSION, GRAF, Configuration(encoding="path", head="ridge"))
    assert (more["trials"], more["skipped"]) == (20, 40)
    longer = compare(small, protocol=Protocol(sizes=(12,), folds=5, repeats=3))
    assert (longer["trials"], longer["skipped"]) == (10, 20)
    assert compare(small, protocol=Protocol((12,), 5, 2, seed=1))["skipped"] == 0


def test_a_killed_comparison_keeps_its_batches(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran, run_batch = [], comparing.run_batch

    def killed(*arguments: Any) -> pl.DataFrame:
        ran.append(arguments)
        if len(ran) == 3:
            raise KeyboardInterrupt
        return run_batch(*arguments)

    monkeypatch.setattr(comparing, "run_batch", killed)
    with pytest.raises(KeyboardInterrupt):
        compare(small)
    monkeypatch.undo()
    kept = trials(small).height
    assert kept == 20
    assert compare(small)["trials"] == 40 - kept


def test_the_table_is_computed_from_the_stored_trials(small: Small) -> None:
    summary = compare(small)
    stored = small.warehouse.sql("SELECT * FROM comparisons WHERE n = 20 ORDER BY position")
    by_encoding = dict(trials(small).filter(pl.col("n") == 20).group_by("encoding").agg(pl.all())
                       .select("encoding", "kendall_tau").iter_rows())  # fmt: skip
    taus = [np.array(by_encoding[name]) for name in ("code.expression", "graf")]
    assert stored["label"].to_list() == ["code.expression", "graf"]
    assert stored["kendall_tau"].to_list() == pytest.approx([each.mean() for each in taus])
    assert stored["kendall_tau_std"].to_list() == pytest.approx([t.std(ddof=1) for t in taus])
    test = corrected_paired_t_test(taus[1], taus[0], test_fraction=1 / 4)
    assert stored["p_value"].to_list() == [None, pytest.approx(test.p_value)]
    assert stored["wins"][1] == (taus[1] > taus[0]).sum()
    assert stored.row(1, named=True)["losses"] == (taus[1] < taus[0]).sum()
    ids = stored["configuration_id"].to_list()
    linked = small.warehouse.sql(
        f"SELECT avg(kendall_tau) AS tau FROM trials WHERE configuration_id = '{ids[1]}' AND n = 20"
    )
    assert linked["tau"][0] == pytest.approx(summary["rows"][3]["kendall_tau"])


def test_canonical_takes_one_of_each_form(small: Small) -> None:
    summary = compare(small, protocol=Protocol((12,), 5, 1, canonical=True))
    forms = {SPACE.canonical_form(native) for native in stored_pool(small)[0]}
    assert summary["architectures"] == len(forms) < SIZE
    assert trials(small)["population"].unique().to_list() == ["canonical"]


def test_only_what_all_have_is_compared(small: Small) -> None:
    """A run of `enumerate` after `embed` leaves architectures without a vector."""
    from flows.stages.enumerate import enumerate_architectures
    from flows.stages.ingest import ingest

    enumerate_architectures(str(small.home), "nasbench201", samples=20, seed=1)
    more = small.table.with_name("more.csv")
    natives = small.warehouse.architectures(SPACE)["native"].to_list()
    pl.DataFrame(
        {"arch_str": natives, "cifar10_test_accuracy_200": np.linspace(80.0, 90.0, len(natives))}
    ).write_csv(more)
    ingest(str(small.home), "nasbench201", str(more), source="more")
    measured = Measured(dataset="cifar10", source="more")
    two = compare_predictors(
        str(small.home), "nasbench201", measured, configurations=(EXPRESSION, GRAF), protocol=QUICK
    )
    assert two["architectures"] == SIZE < len(natives)


def test_comparisons_stand_in_the_report(small: Small) -> None:
    summary = compare(small)
    html = Path(report(str(small.home), "nasbench201")["report"]).read_text(encoding="utf-8")
    assert summary["finding"].split(" at ")[0].replace("<", "&lt;") in html
    assert f"{summary['rows'][0]['kendall_tau']:.3f}" in html


def test_train_and_comparisons_keep_to_themselves(small: Small) -> None:
    from flows.resolve.requests import Vectors
    from flows.stages.fit_heads import train

    train(str(small.home), "nasbench201", CIFAR10, Vectors(encoding="path"), "ridge", sizes=[20])
    compare(small)
    target = small.warehouse.target(SPACE, dataset="cifar10")
    assert small.warehouse.trials_of(SPACE, target)["encoding"].unique().to_list() == ["path"]
    assert trials(small)["collapsed"].sum() == 0


def results(*taus: list[float]) -> list[pl.DataFrame]:
    return [
        pl.DataFrame(
            {
                "n": 14,
                "draw": list(range(len(each))),
                "folds": 2,
                "kendall_tau": each,
                "spearman": each,
                "mse": [1.0] * len(each),
                "top_recall": [None if np.isnan(tau) else 0.5 for tau in each],
                "collapsed": [bool(np.isnan(tau)) for tau in each],
            },
            schema_overrides={"top_recall": pl.Float64},
        )
        for each in taus
    ]


def test_a_collapsed_head_is_named_and_never_counts_as_zero() -> None:
    nan = float("nan")
    table = comparison_table(
        results([0.5, 0.6, 0.5, 0.6], [0.7, nan, 0.7, 0.7], [nan] * 4), ["a", "b", "c"]
    )
    assert table["collapsed"].to_list() == [0, 1, 4]
    assert table["kendall_tau"].to_list() == [pytest.approx(0.55), pytest.approx(0.7), None]
    assert table["p_value"].to_list() == [None, None, None]
    assert table.select("wins", "ties", "losses").rows()[1:] == [(3, 0, 1), (0, 0, 4)]
    assert "collapsed: b in 1 of 4 trials at n = 14, c in 4 of 4" in finding(table)


def test_a_head_that_collapses_is_stored_as_collapsed(small: Small) -> None:
    """So strong a penalty that every prediction is the mean."""
    from cole_core.predictors import heads
    from cole_core.predictors.linear import RidgeHead

    class Constant(RidgeHead):
        def predict_distribution(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return np.zeros(len(X)), np.ones(len(X))

    heads.register("constant", Constant)
    try:
        summary = compare(small, GRAF, Configuration(encoding="graf", head="constant"))
    finally:
        del heads._factories["constant"]
    assert [row["collapsed"] for row in summary["rows"]] == [0, 10, 0, 10]
    assert json.loads(json.dumps(summary, allow_nan=False))["rows"][1]["kendall_tau"] is None
    again = compare(small, GRAF, EXPRESSION)
    assert "collapsed" not in again["finding"]


def test_findings_are_what_the_numbers_say() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.001, 10)
    table = comparison_table(
        results(
            list(0.6 + noise), list(0.5 + noise[::-1]), list(0.6 + noise[::-1]), list(0.7 + noise)
        ),
        ["ours", "worse", "alike", "better"],
    )
    said = finding(table)
    assert (
        "ours ranks better (p < 0.05) than worse at every n; it ranks worse (p < 0.05) than" in said
    )
    assert "is not told apart from alike" in said
    assert "highest at n = 14 is better with Kendall tau 0.700" in said


def test_labels_say_what_differs() -> None:
    plain = {"encoding": "a", "head": "mlp", "precision": "bf16"}
    assert labels([plain, plain | {"precision": "fp32"}, {"encoding": "graf", "head": "mlp"}]) == [
        "a · bf16",
        "a · fp32",
        "graf",
    ]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_varies_something_and_has_the_rival(name: str) -> None:
    held = pl.DataFrame(
        {
            "language_model": ["minilm", "mpnet"],
            "pooling": ["avg_avg", "avg_avg"],
            "precision": ["bf16", "bf16"],
            "random_init": [None, None],
        },
        schema_overrides={"random_init": pl.Int64},
    )
    made = EXPERIMENTS[name](Configuration(), AtHand(held))
    assert len(set(made)) == len(made) >= 3
    assert any(each.encoding == "graf" for each in made)
    for each in made:
        get_space("nasbench201").encoding(each.encoding)


def test_what_is_not_there_is_named_with_its_command(small: Small) -> None:
    with pytest.raises(InputError) as error:
        compare(small, experiment="pooling", base=EXPRESSION)
    said = str(error.value)
    assert "\n" not in said
    assert "cole embed nasbench201 --encoding code.expression --lm minilm --pooling cls" in said
    assert "avg_avg" not in said  # that one is there
    with pytest.raises(InputError, match=r"cole render .* code\.inline; cole embed"):
        compare(small, EXPRESSION, parse_configuration("encoding=code.inline", EXPRESSION))


def test_cut_texts_are_never_compared(small: Small) -> None:
    embed(str(small.home), "nasbench201", pooling="mean", precision="fp32", max_length=60)
    cut = parse_configuration("pooling=mean", EXPRESSION)
    with pytest.raises(InputError, match="whole texts"):
        compare(small, EXPRESSION, cut)


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        (Protocol(sizes=(49,), folds=5), "-n 49: 60 architectures .* 2 to 48"),
        (Protocol(sizes=(1,), folds=5), "-n 1: "),
        (Protocol(folds=1), "--folds 1 .* at least 2"),
        (Protocol(folds=40), "too few for --folds 40"),
        (Protocol(folds=5, repeats=0), "--repeats 0"),
    ],
)
def test_protocols_that_cannot_be_run(small: Small, protocol: Protocol, said: str) -> None:
    with pytest.raises(InputError, match=said):
        compare(small, protocol=protocol)


def test_values_that_say_nothing(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    label = comparing.label_pool
    for change, said in (
        (lambda pool: {"values": np.full(SIZE, 5.0)}, "all 60 measured values are 5"),
        (lambda pool: {"values": np.append(pool.values[1:], np.nan)}, "is NaN or infinite"),
        (lambda pool: {"vectors": pool.vectors * np.float32("nan")}, "holds NaN or infinity"),
    ):
        monkeypatch.setattr(
            comparing,
            "label_pool",
            lambda *arguments, change=change: comparing.replace(
                pool := label(*arguments), **change(pool)
            ),
        )
        with pytest.raises(InputError, match=said):
            compare(small)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "unknown experiment 'nothing': choose one of primitives"),
        ([], "nothing to compare"),
        (["-c", "colour=red"], "'colour=red' is not name=value"),
        (["-c", "encoding=graf,n_components=many"], "n_components is a number"),
        (["--encoding", "graf", "--encoding", "patth"], "unknown encoding"),
        (["--encoding", "graf", "--encoding", "path", "-n", "9999"], "-n 9999"),
        (["--encoding", "graf", "-c", "encoding=path,head=ridge,loss=hinge"], "no loss 'hinge'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    small: Small, cole: Cole, arguments: list[str], said: str
) -> None:
    code, _, printed = cole("compare", "predictors", *arguments, "--home", small.home)
    assert code == 2
    assert said in printed
    assert "\n" not in printed.strip()


def test_the_command_prints_table_and_finding(small: Small, cole: Cole) -> None:
    command = ["compare", "predictors", "--encoding", "graf", "--encoding", "path"]
    command += ["--head", "ridge", "-n", "12", "--folds", "5", "--repeats", "1"]
    command += ["--home", str(small.home)]
    code, printed, _ = cole(*command)
    assert code == 0
    assert "trials 10, skipped 0" in printed
    assert "ref." in printed
    assert "graf" in printed
    summary = json.loads(cole(*command, "--json")[1])
    assert (summary["trials"], summary["skipped"]) == (0, 10)
    assert [row["label"] for row in summary["rows"]] == ["graf", "path"]


def test_a_randomly_initialised_model_stands_beside_the_trained_one(small: Small) -> None:
    """Both are called minilm; asking for minilm means the trained one, here and in `train`."""
    from flows.resolve.requests import Vectors
    from flows.stages.fit_heads import train

    embed(str(small.home), "nasbench201", precision="fp32", options={"random_init": 0})
    control = parse_configuration("random_init=0", EXPRESSION)
    summary = compare(small, EXPRESSION, control)
    assert [row["label"] for row in summary["rows"][:2]] == [
        "code.expression",
        "code.expression · random weights (seed 0)",
    ]
    stored = trials(small)
    assert stored["spec_id"].n_unique() == 2
    vectors = Vectors(precision="fp32")
    assert train(str(small.home), "nasbench201", CIFAR10, vectors, sizes=[20], draws=1)["trials"]


def test_the_same_surrogate_twice_is_compared_once(small: Small) -> None:
    by_id = small.warehouse.specifications()["spec_id"][0]
    again = parse_configuration(f"lm={by_id}", EXPRESSION)
    assert len(compare(small, EXPRESSION, again, GRAF)["rows"]) == 2 * 2


def test_encodings_side_by_side_are_compared_trained_and_searched(small: Small) -> None:
    from flows.resolve.requests import Vectors
    from flows.stages.fit_heads import train
    from flows.stages.search import search

    both = parse_configuration("encoding=code.expression+graf", EXPRESSION)
    summary = compare(small, EXPRESSION, both)
    assert [row["label"] for row in summary["rows"][:2]] == [
        "code.expression",
        "code.expression+graf",
    ]
    stored = trials(small).filter(pl.col("encoding") == "code.expression+graf")
    settings = json.loads(stored["configuration"][0])["surrogate"]
    width = encoded("graf", stored_pool(small)[0][:1]).shape[1]
    assert settings["blocks"] == [[384, "whiten"], [width, "zscore"]]
    vectors = Vectors(encoding="code.expression+graf", precision="fp32")
    assert (
        train(str(small.home), "nasbench201", CIFAR10, vectors, sizes=[20], draws=2)["trials"] == 2
    )
    found = search(str(small.home), "nasbench201", CIFAR10, vectors, budget=20)
    assert found["evaluations"] == 20
    heads = small.warehouse.sql("SELECT encoding FROM heads")["encoding"].to_list()
    assert heads == ["code.expression+graf"]
    with pytest.raises(InputError, match="a part twice"):
        compare(small, EXPRESSION, parse_configuration("encoding=graf+graf", EXPRESSION))
