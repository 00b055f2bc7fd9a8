"""Published protocols: what is labelled and ranked, our figures beside theirs."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.stats

from cole_core.encodings.vectors import LabelledVectors
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.experiments.published.figures import finding, ranking_rows, search_rows
from cole_core.experiments.published.protocols import (
    PublishedProtocol,
    Values,
    Work,
    choose_protocols,
    read_protocols,
)
from cole_core.experiments.published.rankings import (
    Measurements,
    Ours,
    Ranking,
    make_ranking,
    places_in_order,
)
from cole_core.predictors import make_surrogate
from cole_core.spaces import get_space
from tests.cole_core.experiments.cells import NATIVES, SPACE, TARGET, labelled, source

LEARNED = Target("cifar10", "accuracy", "valid", 200, "made up")
PROTOCOL = PublishedProtocol(
    name="few",
    title="Few",
    about="n of sixty",
    learned=Values("cifar10", "valid", "accuracy", 200),
    judged=Values("cifar10", "test", "accuracy", 200),
    architectures=len(NATIVES),
    labelled="random",
    held_out=None,
    sizes=(14, 30),
    score="kendall_tau",
    works=(Work("Somebody", "page 3", {14: 0.2}), Work("Another", "page 4", {14: 0.3, 30: 0.9})),
)


def noisy(of: LabelledVectors) -> LabelledVectors:
    """The same architectures with values of another kind."""
    values = of.values + np.random.default_rng(0).normal(0, 2, len(of.values))
    return replace(of, values=values, labels_hash="noisy")


def ranking(
    protocol: PublishedProtocol = PROTOCOL, order: np.ndarray | None = None, **changes: Any
) -> Ranking:
    judged = labelled("graf")
    measured = Measurements(noisy(judged), judged, LEARNED, TARGET, order)
    ours = Ours(**({"head": "ridge", "given": {}, "draws": 4, "seed": 0} | changes))
    return make_ranking(SPACE, protocol, source("graf"), measured, ours)


def test_the_listed_protocols_are_whole() -> None:
    """Each size has a figure of somebody, each figure a size and a source."""
    protocols = read_protocols(SPACE)
    assert list(protocols) == ["random-cells", "first-cells", "suite-zero", "cifar100-search"]
    for protocol in protocols.values():
        assert protocol.architectures == 15_625
        assert list(protocol.sizes) == sorted(protocol.sizes)
        for size in protocol.sizes:
            assert protocol.theirs(size)
        for work in protocol.works:
            assert work.source
            assert set(work.figures) <= set(protocol.sizes)
            most = 73.51 if protocol.is_search else 1.0  # the best of the space
            assert all(0 < figure <= most for figure in work.figures.values())


@pytest.mark.parametrize("names", [["by-hand"], ["suite-zero", "by-hand"]])
def test_an_unknown_protocol_is_refused(names: list[str]) -> None:
    with pytest.raises(InputError, match="'by-hand': choose one of random-cells, first-cells"):
        choose_protocols(SPACE, names)


def test_a_space_without_published_figures_is_refused() -> None:
    with pytest.raises(InputError, match="of einspace are listed: choose --space nasbench201"):
        choose_protocols(get_space("einspace"), [])


def test_random_cells_are_drawn_anew_and_larger_sizes_hold_the_smaller() -> None:
    made = ranking()
    seen = []
    for draw in range(4):
        few, all_ = made.split(14, draw)
        more, _ = made.split(30, draw)
        assert len(set(few.tolist())) == 14
        assert set(few) < set(more)
        assert all_.tolist() == list(range(len(NATIVES)))
        seen.append(frozenset(few.tolist()))
    assert len(set(seen)) == 4
    assert ranking(seed=1).split(14, 0)[0].tolist() != made.split(14, 0)[0].tolist()


def test_others_are_ranked_where_so_many_are_held_out() -> None:
    made = ranking(replace(PROTOCOL, held_out=20))
    for n, draw in made.trials:
        few, others = made.split(n, draw)
        assert len(set(others.tolist())) == 20
        assert not set(few) & set(others)


def test_the_first_cells_are_those_of_the_file() -> None:
    """By a plain loop over a file in an order of its own, with what is no architecture of ours."""
    judged = labelled("graf")
    file = ["elsewhere", *reversed(NATIVES[:40]), "elsewhere", *NATIVES]
    expected: list[str] = []
    for native in file:
        if native in NATIVES and native not in expected:
            expected.append(native)
    order = places_in_order(judged, file)
    made = ranking(replace(PROTOCOL, labelled="first"), order)
    assert made.trials == [(14, 0), (30, 0)]
    for n, draw in made.trials:
        few, all_ = made.split(n, draw)
        assert [judged.natives[row] for row in few] == expected[:n]
        assert len(all_) == len(NATIVES)


def test_a_file_that_lacks_architectures_gives_no_order() -> None:
    with pytest.raises(InputError, match="lacks 2 architectures"):
        places_in_order(labelled("graf"), NATIVES[2:])


@pytest.mark.parametrize("held_out", [None, 20])
def test_a_trial_learns_one_kind_of_values_and_is_judged_by_the_other(held_out: int | None) -> None:
    made = ranking(replace(PROTOCOL, held_out=held_out))
    row = made.run(30, 2).row(0, named=True)
    few, ranked = made.split(30, 2)
    learned, judged = made.measured.learned, made.measured.judged
    head = make_surrogate("ridge", structural=True)
    predicted = head.fit(learned.vectors[few], learned.values[few]).predict(judged.vectors[ranked])
    true = judged.values[ranked]
    assert row["kendall_tau"] == pytest.approx(scipy.stats.kendalltau(predicted, true).statistic)
    assert row["spearman"] == pytest.approx(scipy.stats.spearmanr(predicted, true).statistic)
    assert row["n_test"] == len(ranked)
    swapped = replace(made, measured=replace(made.measured, learned=judged))
    assert swapped.run(30, 2)["kendall_tau"][0] != row["kendall_tau"]


def test_an_identity_holds_all_that_decides() -> None:
    def identity(*arguments: Any, **changes: Any) -> str:
        return ranking(*arguments, **changes).trial_id(14, 0)

    order = np.arange(len(NATIVES))
    different = [
        identity(),
        identity(seed=1),
        identity(head="gaussian_process"),
        identity(given={"target": "standard"}),
        identity(replace(PROTOCOL, held_out=20)),
        identity(replace(PROTOCOL, labelled="first"), order),
        identity(replace(PROTOCOL, labelled="first"), order[::-1].copy()),
        ranking().trial_id(14, 1),
        ranking().trial_id(30, 0),
    ]
    assert len(set(different)) == len(different)
    assert identity(draws=9) == identity()
    assert identity(replace(PROTOCOL, works=(), about="else", sizes=(14,))) == identity()


def test_fewer_architectures_than_theirs_are_refused() -> None:
    with pytest.raises(InputError, match="few is of 61 architectures, and 60 have"):
        ranking(replace(PROTOCOL, architectures=61))


def test_rankings_beside_theirs() -> None:
    results = pl.DataFrame(
        {
            "n": [14, 14, 14, 30, 30, 30],
            "kendall_tau": [0.1, 0.2, 0.6, 0.5, 0.5, float("nan")],
            "spearman": [0.0] * 6,
        }
    )
    few, more = ranking_rows(PROTOCOL, "ridge on graf", "id", results)
    assert few["ours"] == pytest.approx(0.3)
    assert few["deviation"] == pytest.approx(np.std([0.1, 0.2, 0.6], ddof=1))
    assert (few["size"], few["draws"], few["score"]) == (14, 3, "Kendall tau")
    assert few["theirs"] == [
        {"work": "Somebody", "source": "page 3", "figure": 0.2},
        {"work": "Another", "source": "page 4", "figure": 0.3},
    ]
    assert more["ours"] is None  # a head that gave one value for all
    assert [each["work"] for each in more["theirs"]] == ["Another"]
    assert finding([few, more]) == "Ours ranks at least as well as all of theirs at 1 of 2."


@pytest.mark.parametrize("sign", [1, -1])
def test_searches_beside_theirs(sign: int) -> None:
    """The best so far and the share of seeds at the best form, by a plain loop."""
    rng = np.random.default_rng(1)
    searches = [
        [
            (str(form), float(value))
            for form, value in zip(rng.permutation(30), rng.random(30), strict=True)
        ]
        for _ in range(7)
    ]
    protocol = replace(PROTOCOL, score="best", sizes=(3, 10, 30), works=())
    rows = search_rows(protocol, "luck", "id", searches, "4", sign)
    for row in rows:
        best, there = [], 0
        for steps in searches:
            so_far = steps[: row["size"]]
            values = [value for _, value in so_far]
            best.append(max(values) if sign > 0 else min(values))
            there += any(form == "4" for form, _ in so_far)
        assert row["ours"] == pytest.approx(np.mean(best))
        assert row["deviation"] == pytest.approx(np.std(best, ddof=1))
        assert row["at_best"] == pytest.approx(there / 7)
        assert row["draws"] == 7
    assert rows[-1]["at_best"] == 1.0
    assert finding(rows) == (
        "After 30 evaluations 100% of the seeds of luck have found the best canonical form."
    )
