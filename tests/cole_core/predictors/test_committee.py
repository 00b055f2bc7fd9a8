"""A committee against its members, each made and fitted by itself."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cole_core.encodings import VectorEncoding
from cole_core.errors import InputError
from cole_core.predictors import load_surrogate, make_head, make_surrogate
from cole_core.predictors.committee import CommitteeHead, default_members, parse_member
from cole_core.predictors.reductions import make_reduction
from cole_core.predictors.reductions.side_by_side import SideBySide
from cole_core.predictors.surrogate import fit_together
from cole_core.predictors.targets import make_target
from cole_core.search import SearchProblem, make_algorithm, run_search
from cole_core.search.together import run_searches
from cole_core.spaces import get_space

SPACE = get_space("nasbench201")
NATIVES = list(itertools.islice(SPACE.enumerate(), 3, None, 101))
FORMS = {native: SPACE.canonical_form(native) for native in NATIVES}
WIDTHS = (30, 191)
BLOCKS = tuple((width, True) for width in WIDTHS)


def encode(name: str) -> np.ndarray:
    encoding = SPACE.encoding(name)
    assert isinstance(encoding, VectorEncoding)
    return encoding.encode(NATIVES)


VECTORS = np.hstack([encode("adjacency"), encode("graf")])
VALUES = VECTORS @ np.random.default_rng(7).normal(size=VECTORS.shape[1])


def task(seed: int, n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rows = np.random.default_rng(seed).choice(len(NATIVES), n, replace=False)
    X = make_reduction("zscore").fit(VECTORS).transform(VECTORS)[rows]
    return X, (VALUES[rows] - VALUES[rows].mean()) / VALUES[rows].std()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("xgboost", ("xgboost", {}, ())),
        (" gaussian_process:1+3", ("gaussian_process", {}, (0, 2))),
        ("mlp(loss=hinge, hidden=[8,8]):2", ("mlp", {"loss": "hinge", "hidden": (8, 8)}, (1,))),
    ],
)
def test_a_member_is_a_head_its_parameters_and_what_it_reads(text: str, expected: Any) -> None:
    member = parse_member(text)
    assert (member.head, member.given, member.blocks) == expected


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("forest", "unknown head 'forest'"),
        ("ridge:graf", "'ridge:graf' is no member"),
        ("ridge(penalty)", "'penalty'"),
        ("mlp(depth=3)", "'depth'"),
        ("committee", "a committee has no committees"),
        ("ridge:1+3", "'ridge:1\\+3' reads encoding 3 of 2, give places from 1 to 2"),
        ("ridge:0", "reads encoding 0 of 2"),
    ],
)
def test_what_is_no_member_is_refused_before_anything_is_fitted(member: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_surrogate("committee", members=("ridge", member), blocks=BLOCKS)


def test_of_one_encoding_there_is_no_second() -> None:
    with pytest.raises(InputError, match="reads encoding 2 of 1"):
        CommitteeHead(("ridge:2",)).fit(*task(0))


def test_the_mean_of_its_members_and_the_deviation_of_their_mixture() -> None:
    X, y = task(0)
    others, _ = task(1)
    head = CommitteeHead(("ridge:2", "gaussian_process", "xgboost(rounds=9):1"), seed=5)
    mean, deviation = head.fit(X, y, blocks=WIDTHS).predict(others, return_std=True)
    alone = [
        make_head("ridge").fit(X[:, 30:], y).predict(others[:, 30:], return_std=True),
        make_head("gaussian_process").fit(X, y, blocks=WIDTHS).predict(others, return_std=True),
        make_head("xgboost", rounds=9, seed=5)
        .fit(X[:, :30], y)
        .predict(others[:, :30], return_std=True),
    ]
    # Trees draw at random, and 40 labels are two thirds of enough.
    weights = [1, 1, 4 / 9]
    for row in range(len(others)):
        means = [float(each[0][row]) for each in alone]
        expected = sum(w * m for w, m in zip(weights, means, strict=True)) / sum(weights)
        assert mean[row] == pytest.approx(expected, abs=1e-6)
        squares = [float(each[1][row]) ** 2 + float(each[0][row]) ** 2 for each in alone]
        second = sum(w * s for w, s in zip(weights, squares, strict=True)) / sum(weights)
        assert deviation[row] == pytest.approx((second - expected**2) ** 0.5, rel=1e-3)


@pytest.mark.parametrize(("n", "late"), [(12, 0.04), (30, 0.25), (60, 1.0), (200, 1.0)])
def test_networks_and_trees_count_more_with_more_labels(n: int, late: float) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, 4)), rng.normal(size=n)
    head = CommitteeHead(("ridge", "xgboost(rounds=2)")).fit(X, y)
    of_ridge, of_trees = head.member_scores(X)
    np.testing.assert_allclose(head.predict(X), (of_ridge + late * of_trees) / (1 + late))


def test_the_usual_members_follow_from_the_encodings() -> None:
    vectors = [VECTORS[:60], VALUES[:60]]
    for structural in ((True,), (False,), (True, True), (False, True), (True, False)):
        head = CommitteeHead(("ridge",)).set_params(members=(), structural=structural)
        for text in default_members(structural):
            member = parse_member(text)
            member.make(0)
            assert all(structural[place] for place in member.blocks)
        widths = WIDTHS if len(structural) == 2 else ()
        assert len(head.fit(*vectors, blocks=widths).member_scores(VECTORS)) == len(
            default_members(structural)
        )


def test_saved_it_predicts_exactly_the_same(tmp_path: Path) -> None:
    members = ("gaussian_process", "ridge:2", "mlp(loss=hinge,epochs=3)")
    surrogate = make_surrogate("committee", members=members, blocks=BLOCKS, seed=3)
    surrogate.fit(VECTORS[:30], VALUES[:30], unlabelled=VECTORS)
    surrogate.save(tmp_path / "head.npz")
    loaded = load_surrogate(tmp_path / "head.npz")
    for found, expected in zip(
        loaded.predict(VECTORS, return_std=True),
        surrogate.predict(VECTORS, return_std=True),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


def test_many_together_read_their_encodings_apart() -> None:
    def made() -> list[Any]:
        members = ("ridge:2", "mlp(epochs=3):1")
        return [make_surrogate("committee", members=members, blocks=BLOCKS, seed=i) for i in (0, 1)]

    together, alone, rows = made(), made(), [slice(0, 30), slice(20, 60)]
    X, y = [VECTORS[part] for part in rows], [VALUES[part] for part in rows]
    fit_together(together, X, y, unlabelled=[VECTORS, VECTORS])
    for one, other, features, values in zip(together, alone, X, y, strict=True):
        other.fit(features, values, unlabelled=VECTORS)
        np.testing.assert_allclose(one.predict(VECTORS), other.predict(VECTORS), rtol=1e-4)


def problem() -> SearchProblem:
    row = {native: place for place, native in enumerate(NATIVES)}
    return SearchProblem(
        space=SPACE,
        canonical=FORMS.__getitem__,
        vectors=lambda some: VECTORS[[row[native] for native in some]],
        evaluate=lambda native: float(VALUES[row[native]]),
        candidates=NATIVES,
    )


def algorithm() -> Any:
    return make_algorithm(
        "bananas",
        head="committee",
        members=("ridge:1", "gaussian_process:2"),
        blocks=BLOCKS,
        candidates="space",
        acquisition="ucb",
        initial=12,
        batch=3,
    )


def test_in_a_search_members_read_their_encodings() -> None:
    """The first batch is what the members, each by itself, would have chosen."""
    steps = list(run_search(algorithm(), problem(), 15, seed=1))
    row = {native: place for place, native in enumerate(NATIVES)}
    rows = [row[step.native] for step in steps[:12]]
    parts = [(width, make_reduction("zscore")) for width in WIDTHS]
    features = SideBySide(parts).fit(VECTORS).transform(VECTORS).astype(np.float32)
    y = make_target("rank").fit(VALUES[rows]).transform(VALUES[rows])
    each = [
        make_head(head).fit(columns[rows], y).predict(columns, return_std=True)
        for head, columns in (("ridge", features[:, :30]), ("gaussian_process", features[:, 30:]))
    ]
    means = np.mean([mean for mean, _ in each], axis=0)
    variance = np.mean([mean**2 + std**2 for mean, std in each], axis=0) - means**2
    worth = means + np.sqrt(variance)
    seen = {FORMS[NATIVES[place]] for place in rows}
    best: dict[str, float] = {}
    for native, value in zip(NATIVES, worth, strict=True):
        if FORMS[native] not in seen:
            best[FORMS[native]] = max(value, best.get(FORMS[native], -np.inf))
    expected = sorted(best, key=lambda form: -best[form])[:3]
    assert {FORMS[step.native] for step in steps[12:]} == set(expected)


def test_searches_side_by_side_take_the_way_of_each() -> None:
    together: list[list[str]] = [[], []]
    for made in run_searches(algorithm(), problem(), 18, seeds=(0, 1)):
        for place, steps in made.items():
            together[place] += [step.native for step in steps]
    for seed, found in enumerate(together):
        alone = run_search(algorithm(), problem(), 18, seed)
        assert [step.native for step in alone] == found
