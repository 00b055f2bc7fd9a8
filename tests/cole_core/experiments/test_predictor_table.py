"""The table of a comparison against plain loops over the splits, and what it says."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from cole_core.experiments.predictor_table import comparison_table, finding

NAN = float("nan")


def trials(taus: dict[int, list[float]]) -> pl.DataFrame:
    """Trials by n, in the order of the draws; five folds each."""
    rows = [
        {
            "n": n,
            "draw": draw,
            "folds": 5,
            "kendall_tau": tau,
            "spearman": tau / 2,
            "mse": 1 - tau,
            "top_recall": None if np.isnan(tau) else tau**2,
            "collapsed": bool(np.isnan(tau)),
        }
        for n, each in taus.items()
        for draw, tau in enumerate(each)
    ]
    types = {"top_recall": pl.Float64, "kendall_tau": pl.Float64}
    return pl.DataFrame(rows, schema_overrides=types).sample(fraction=1, shuffle=True, seed=1)


def test_the_table_is_a_plain_loop_over_the_splits() -> None:
    rng = np.random.default_rng(0)
    taus = [{n: list(rng.uniform(0.3, 0.9, 10)) for n in (14, 55)} for _ in range(3)]
    taus[1][14][0] = taus[0][14][0]  # a tie
    table = comparison_table([trials(each) for each in taus], ["first", "second", "third"])
    assert table.select("n", "position", "label").rows() == [
        (n, position, name)
        for n in (14, 55)
        for position, name in enumerate(["first", "second", "third"])
    ]
    for row in table.iter_rows(named=True):
        own, reference = (np.array(taus[i][row["n"]]) for i in (row["position"], 0))
        assert (row["trials"], row["collapsed"]) == (10, 0)
        for name, of in (
            ("kendall_tau", own),
            ("spearman", own / 2),
            ("mse", 1 - own),
            ("top_recall", own**2),
        ):
            assert row[name] == pytest.approx(sum(of) / 10)
            assert row[f"{name}_std"] == pytest.approx(np.sqrt(sum((of - of.mean()) ** 2) / 9))
        if row["position"] == 0:
            assert (row["difference"], row["p_value"], row["wins"]) == (None, None, None)
            continue
        gaps = [a - b for a, b in zip(own, reference, strict=True)]
        assert row["difference"] == pytest.approx(sum(gaps) / 10)
        error = np.sqrt((1 / 10 + 1 / 4) * np.var(gaps, ddof=1))  # one fold to four
        assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(np.mean(gaps)) / error, 9))
        counts = (sum(g > 0 for g in gaps), sum(g == 0 for g in gaps), sum(g < 0 for g in gaps))
        assert (row["wins"], row["ties"], row["losses"]) == counts


def test_a_collapsed_trial_is_no_zero_and_loses() -> None:
    results = [
        trials({14: each}) for each in ([0.5, 0.6, 0.5, 0.6], [0.7, NAN, 0.7, 0.7], [NAN] * 4)
    ]
    table = comparison_table(results, ["a", "b", "c"])
    assert table["collapsed"].to_list() == [0, 1, 4]
    assert table["kendall_tau"].to_list() == [pytest.approx(0.55), pytest.approx(0.7), None]
    assert table["p_value"].to_list() == [None, None, None]
    assert table.select("wins", "ties", "losses").rows()[1:] == [(3, 0, 1), (0, 0, 4)]
    assert finding(table) == (
        "a is the reference; collapsed: b in 1 of 4 trials at n = 14, c in 4 of 4 trials at n = 14;"
        " highest at n = 14 is b with Kendall tau 0.700."
    )


def test_the_finding_is_what_the_numbers_say() -> None:
    noise = np.random.default_rng(0).normal(0, 0.001, 10)

    def around(*means: float) -> pl.DataFrame:
        return trials({n: list(m + noise) for n, m in zip((14, 1400), means, strict=True)})

    table = comparison_table(
        [
            trials({14: list(0.6 + noise[::-1]), 1400: list(0.6 + noise[::-1])}),
            around(0.5, 0.5),
            around(0.6, 0.5),
            around(0.6, 0.6),
            around(0.6, 0.7),
        ],
        ["ours", "worse", "later", "alike", "better"],
    )
    assert finding(table) == (
        "ours ranks better (p < 0.05) than worse at every n, later at n = 1,400; it ranks worse "
        "(p < 0.05) than better at n = 1,400; it is not told apart from alike; highest at "
        f"n = 1,400 is better with Kendall tau {0.7 + noise.mean():.3f}."
    )
