"""Comparisons: the protocol against a plain loop, resuming, tables, refusals."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from cole_core.encodings.base import VectorEncoding
from cole_core.encodings.vectors import LabelledVectors, Vectors
from cole_core.errors import InputError
from cole_core.experiments.cross_validation import make_comparison, run_batch
from cole_core.experiments.predictor_table import comparison_table, finding
from cole_core.experiments.predictors import (
    EXPERIMENTS,
    AtHand,
    Configuration,
    labels,
    make_experiment,
)
from cole_core.predictors import heads, make_surrogate
from cole_core.predictors.linear import RidgeHead
from cole_core.statistics import (
    corrected_paired_t_test,
    kendall_tau,
    repeated_stratified_folds,
    top_recall,
)
from flows.resolve.requests import AskedEmbeddings, Measured
from flows.resolve.values import one_target
from flows.resolve.vectors import find_vectors
from flows.stages import compare_predictors as comparing
from flows.stages.compare_predictors import ComparePredictorsRequest, compare_predictors
from flows.stages.embed import EmbedRequest, embed
from flows.stages.enumerate import EnumerateRequest, enumerate_architectures
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from flows.stages.ingest import IngestRequest, ingest
from flows.stages.report import ReportRequest, report
from flows.stages.search import SearchRequest, search
from tests.flows.conftest import SIZE, SPACE, Cole, Small

CIFAR10 = Measured(dataset="cifar10")
EXPRESSION, GRAF = "encoding=code.bare", "encoding=graf"


def asked(small: Small, *configurations: str, **changes: Any) -> ComparePredictorsRequest:
    """A quick comparison of ridge regressions on vectors in fp32."""
    usual: dict[str, Any] = {
        "home": small.home,
        "measured": CIFAR10,
        "configuration": configurations,
        "precision": "fp32",
        "head": "ridge",
        "sizes": (12, 20),
        "folds": 5,
        "repeats": 2,
    }
    return ComparePredictorsRequest(**(usual | changes))


def compare(small: Small, *configurations: str, **changes: Any) -> dict[str, Any]:
    return compare_predictors(asked(small, *(configurations or (EXPRESSION, GRAF)), **changes))


def train(small: Small, vectors: Vectors, **options: Any) -> dict[str, Any]:
    return fit_heads(
        FitHeadsRequest(
            space="nasbench201", home=small.home, measured=CIFAR10, vectors=vectors, **options
        )
    )


def trials(small: Small) -> pl.DataFrame:
    return small.warehouse.sql("SELECT * FROM trials ORDER BY encoding, n, draw")


def encoded(name: str, natives: list[str]) -> np.ndarray:
    encoding = SPACE.encoding(name)
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
    request = asked(small, encoding=("path", "adjacency"), head="mlp")
    compare_predictors(request)
    stored = trials(small)
    made = comparing.plan(request)
    contender = made.contenders[1]
    alone = run_batch(contender, 20, [3], [made.folds[3]])
    row = stored.filter(pl.col("trial_id") == alone["trial_id"][0])
    assert row["mse"][0] == pytest.approx(alone["mse"][0], rel=1e-3)
    assert row["kendall_tau"][0] == pytest.approx(alone["kendall_tau"][0], abs=0.02)


def test_a_rerun_runs_what_is_missing(small: Small) -> None:
    first = compare(small)
    assert (first["trials"], first["skipped"]) == (40, 0)
    again = compare(small)
    assert (again["trials"], again["skipped"]) == (0, 40)
    assert again["rows"] == first["rows"]

    more = compare(small, EXPRESSION, GRAF, "encoding=path")
    assert (more["trials"], more["skipped"]) == (20, 40)
    longer = compare(small, sizes=(12,), repeats=3)
    assert (longer["trials"], longer["skipped"]) == (10, 20)
    assert compare(small, sizes=(12,), seed=1)["skipped"] == 0


def test_a_killed_comparison_keeps_its_batches(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[Any] = []

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
    taus = [np.array(by_encoding[name]) for name in ("code.bare", "graf")]
    assert stored["label"].to_list() == ["code.bare", "graf"]
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
    summary = compare(small, sizes=(12,), repeats=1, canonical=True)
    forms = {SPACE.canonical_form(native) for native in stored_pool(small)[0]}
    assert summary["architectures"] == len(forms) < SIZE
    assert trials(small)["population"].unique().to_list() == ["canonical"]


def test_only_what_all_have_is_compared(small: Small) -> None:
    """A run of `enumerate` after `embed` leaves architectures without a vector."""
    enumerate_architectures(
        EnumerateRequest(space="nasbench201", home=small.home, samples=20, seed=1)
    )
    more = small.table.with_name("more.csv")
    natives = small.warehouse.architectures(SPACE)["native"].to_list()
    pl.DataFrame(
        {"arch_str": natives, "cifar10_test_accuracy_200": np.linspace(80.0, 90.0, len(natives))}
    ).write_csv(more)
    ingest(IngestRequest(space="nasbench201", home=small.home, origin=str(more), source="more"))
    two = compare(small, measured=Measured(dataset="cifar10", source="more"))
    assert two["architectures"] == SIZE < len(natives)
    assert compare(small, measured=Measured(source="mine.csv"))["architectures"] == SIZE


def test_comparisons_stand_in_the_report(small: Small) -> None:
    summary = compare(small)
    made = report(ReportRequest(space="nasbench201", home=small.home))
    html = Path(made["report"]).read_text(encoding="utf-8")
    assert summary["finding"].split(" at ")[0].replace("<", "&lt;") in html
    assert f"{summary['rows'][0]['kendall_tau']:.3f}" in html


def test_train_and_comparisons_keep_to_themselves(small: Small) -> None:
    train(small, Vectors(encoding="path"), head="ridge", sizes=(20,))
    compare(small)
    target = one_target(small.warehouse, SPACE, CIFAR10)
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

    class Constant(RidgeHead):
        def predict_distribution(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return np.zeros(len(X)), np.ones(len(X))

    with heads.registered("constant", Constant):
        summary = compare(small, GRAF, "encoding=graf,head=constant")
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
    made = make_experiment(name, SPACE, Configuration(), AtHand(held, ("einspace/digits",)))
    assert len(set(made)) == len(made) >= 3
    assert any(each.encoding == "graf" for each in made)
    for each in made:
        SPACE.encoding(each.encoding)


def test_a_configuration_of_ones_own_stands_beside_an_experiment(small: Small) -> None:
    made = comparing.plan(asked(small, "encoding=ngram", experiment="loss", encoding=("graf",)))
    plain = comparing.plan(asked(small, experiment="loss", encoding=("graf",)))
    mine = [contender.columns["encoding"] for contender in made.contenders]
    assert mine == [contender.columns["encoding"] for contender in plain.contenders] + ["ngram"]


def test_what_is_not_there_is_named_with_its_command(small: Small) -> None:
    with pytest.raises(InputError) as error:
        compare_predictors(asked(small, experiment="pooling"))
    said = str(error.value)
    assert "\n" not in said
    assert "cole embed nasbench201 --encoding code.bare --lm minilm --pooling cls" in said
    assert "avg_avg" not in said  # that one is there
    with pytest.raises(InputError, match=r"cole render .* code\.inline; cole embed"):
        compare(small, EXPRESSION, "encoding=code.inline")


def test_cut_texts_are_never_compared(small: Small) -> None:
    options = AskedEmbeddings(pooling="mean", precision="fp32", max_length=60)
    embed(EmbedRequest(space="nasbench201", home=small.home, options=options))
    with pytest.raises(InputError, match="whole texts"):
        compare(small, EXPRESSION, "pooling=mean")


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ({"sizes": (49,)}, "-n 49: 60 architectures .* 2 to 48"),
        ({"sizes": (1,)}, "-n 1: "),
        ({"folds": 1}, "--folds 1 .* at least 2"),
        ({"folds": 40}, "too few for --folds 40"),
        ({"repeats": 0}, "--repeats 0"),
    ],
)
def test_protocols_that_cannot_be_run(small: Small, protocol: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        compare(small, **protocol)
    assert small.warehouse.recent_runs(1)["flow"].to_list() == ["embed"]  # none was begun


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda pool: {"values": np.full(SIZE, 5.0)}, "all 60 measured values are 5"),
        (lambda pool: {"values": np.append(pool.values[1:], np.nan)}, "is NaN or infinite"),
        (lambda pool: {"vectors": pool.vectors * np.float32("nan")}, "holds NaN or infinity"),
    ],
)
def test_values_that_say_nothing(
    small: Small, change: Callable[[LabelledVectors], dict[str, Any]], said: str
) -> None:
    request = asked(small, EXPRESSION, GRAF)
    configurations = request.configurations(SPACE)
    vectors = [each.vectors for each in configurations]
    sources = find_vectors(small.warehouse, SPACE, vectors, whole=True)
    pools = [contender.labelled for contender in comparing.plan(request).contenders]
    target = one_target(small.warehouse, SPACE, CIFAR10)
    with pytest.raises(InputError, match=said):
        make_comparison(
            SPACE,
            None,
            configurations,
            sources,
            [replace(pool, **change(pool)) for pool in pools],
            target,
            request.protocol,
        )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "unknown experiment 'nothing': choose one of primitives"),
        ([], "nothing to compare"),
        (["-c", "colour=red"], "head 'mlp' has no parameter 'colour'"),
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
    assert "10 trials run" in printed
    assert "ref." in printed
    assert "graf" in printed
    summary = json.loads(cole(*command, "--json")[1])
    assert (summary["trials"], summary["skipped"]) == (0, 10)
    assert [row["label"] for row in summary["rows"]] == ["graf", "path"]


def test_a_randomly_initialised_model_stands_beside_the_trained_one(small: Small) -> None:
    """Both are called minilm; asking for minilm means the trained one, here and in `train`."""
    options = AskedEmbeddings(precision="fp32", random_init=0)
    embed(EmbedRequest(space="nasbench201", home=small.home, options=options))
    summary = compare(small, EXPRESSION, "random_init=0")
    assert [row["label"] for row in summary["rows"][:2]] == [
        "code.bare",
        "code.bare · random weights (seed 0)",
    ]
    stored = trials(small)
    assert stored["spec_id"].n_unique() == 2
    train(small, Vectors(precision="fp32"), sizes=(20,), draws=1)
    mine = pl.col("configuration_id") == summary["rows"][0]["configuration_id"]
    assert small.warehouse.trained_heads()["spec_id"][0] == stored.filter(mine)["spec_id"][0]


def test_the_same_surrogate_twice_is_compared_once(small: Small) -> None:
    by_id = small.warehouse.specifications()["spec_id"][0]
    assert len(compare(small, EXPRESSION, f"lm={by_id}", GRAF)["rows"]) == 2 * 2


def test_encodings_side_by_side_are_compared_trained_and_searched(small: Small) -> None:
    summary = compare(small, EXPRESSION, "encoding=code.bare+graf")
    assert [row["label"] for row in summary["rows"][:2]] == [
        "code.bare",
        "code.bare+graf",
    ]
    stored = trials(small).filter(pl.col("encoding") == "code.bare+graf")
    settings = json.loads(stored["configuration"][0])["surrogate"]
    width = encoded("graf", stored_pool(small)[0][:1]).shape[1]
    assert settings["blocks"] == [[384, "whiten"], [width, "zscore"]]
    vectors = Vectors(encoding="code.bare+graf", precision="fp32")
    assert train(small, vectors, sizes=(20,), draws=2)["trials"] == 2
    found = search(
        SearchRequest(
            space="nasbench201", home=small.home, measured=CIFAR10, vectors=vectors, budget=20
        )
    )
    assert found["evaluations"] == 20
    fitted = small.warehouse.sql("SELECT encoding FROM heads")["encoding"].to_list()
    assert fitted == ["code.bare+graf"]
    with pytest.raises(InputError, match="a part twice"):
        compare(small, EXPRESSION, "encoding=graf+graf")
