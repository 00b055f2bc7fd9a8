"""A comparison's table, and what it says in one sentence."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from cole_core.statistics import corrected_paired_t_test

METRICS = ("kendall_tau", "spearman", "mse", "top_recall")
SIGNIFICANT = 0.05


def comparison_table(results: Sequence[pl.DataFrame], names: Sequence[str]) -> pl.DataFrame:
    """Means, deviations and tests of several configurations on the same splits.

    Args:
        results: For each configuration n, draw, folds, kendall_tau, spearman, mse, top_recall and
            collapsed of its trials. The first is the reference.
        names: What each configuration is called.

    Returns:
        A row for each n and configuration: n, position, label, trials, collapsed, mean and
        standard deviation (`_std`) of each metric over the trials that did not collapse (null
        where none is left), difference of the mean Kendall tau to the reference's and p_value
        (null for the reference, and where a trial of either collapsed), wins, ties and losses
        against the reference split by split; a collapsed trial loses against one that is not.
    """
    rows = []
    sizes = sorted(results[0]["n"].unique().to_list())
    for n in sizes:
        reference = results[0].filter(pl.col("n") == n).sort("draw")
        for position, (name, frame) in enumerate(zip(names, results, strict=True)):
            trials = frame.filter(pl.col("n") == n).sort("draw")
            row = {
                "n": n,
                "position": position,
                "label": name,
                "trials": trials.height,
                "collapsed": int(trials["collapsed"].sum()),
            }
            for metric in METRICS:
                values = trials.filter(~pl.col("collapsed"))[metric].drop_nulls()
                row[metric] = values.mean()
                row[f"{metric}_std"] = values.std()
            rows.append(row | (_against(trials, reference) if position else {}))
    schema = {"n": pl.Int64, "position": pl.Int64, "label": pl.String}
    schema |= {"trials": pl.Int64, "collapsed": pl.Int64}
    schema |= {f"{m}{end}": pl.Float64 for m in METRICS for end in ("", "_std")}
    schema |= {"difference": pl.Float64, "p_value": pl.Float64}
    schema |= {"wins": pl.Int64, "ties": pl.Int64, "losses": pl.Int64}
    return pl.DataFrame(rows, schema=schema)


def _against(trials: pl.DataFrame, reference: pl.DataFrame) -> dict[str, float | int | None]:
    own, other = trials["kendall_tau"].to_numpy(), reference["kendall_tau"].to_numpy()
    # A collapsed head ranks nothing: below whatever does.
    ranked, ranked_other = np.nan_to_num(own, nan=-2.0), np.nan_to_num(other, nan=-2.0)
    counts: dict[str, float | int | None] = {
        "wins": int((ranked > ranked_other).sum()),
        "ties": int((ranked == ranked_other).sum()),
        "losses": int((ranked < ranked_other).sum()),
    }
    if np.isnan(own).any() or np.isnan(other).any():
        return counts
    test = corrected_paired_t_test(own, other, test_fraction=1 / (trials["folds"][0] - 1))
    return counts | {"difference": test.mean_difference, "p_value": test.p_value}


def finding(table: pl.DataFrame) -> str:
    """What a comparison's table says, in one sentence."""
    sizes = sorted(table["n"].unique().to_list())
    reference = table.filter(pl.col("position") == 0)["label"][0]
    above: dict[str, list[int]] = {}
    below: dict[str, list[int]] = {}
    untested: list[str] = []
    others = table.filter(pl.col("position") > 0).sort("position", "n")
    for (name,), rows in others.group_by("label", maintain_order=True):
        for row in rows.iter_rows(named=True):
            if row["p_value"] is None:
                untested.append(str(name))
            elif row["p_value"] < SIGNIFICANT:
                side = above if row["difference"] < 0 else below
                side.setdefault(str(name), []).append(row["n"])
    names = others["label"].unique(maintain_order=True).to_list()
    parts = [
        f"ranks {word} (p < {SIGNIFICANT}) than {_listed(side, sizes)}"
        for word, side in (("better", above), ("worse", below))
        if side
    ]
    alike = [name for name in names if name not in above | below and name not in untested]
    if alike:
        parts.append(f"is not told apart from {', '.join(alike)}")
    sentence = f"{reference} {'; it '.join(parts)}" if parts else f"{reference} is the reference"
    collapsed = table.filter(pl.col("collapsed") > 0)
    if not collapsed.is_empty():
        listed = ", ".join(
            f"{row['label']} in {row['collapsed']} of {row['trials']} trials at n = {row['n']:,}"
            for row in collapsed.iter_rows(named=True)
        )
        sentence += f"; collapsed: {listed}"
    largest = table.filter(pl.col("n") == sizes[-1]).drop_nulls("kendall_tau")
    if not largest.is_empty():
        best = largest.sort("kendall_tau", descending=True).row(0, named=True)
        sentence += (
            f"; highest at n = {sizes[-1]:,} is {best['label']} with Kendall tau "
            f"{best['kendall_tau']:.3f}"
        )
    return sentence + "."


def _listed(sizes_of: dict[str, list[int]], sizes: list[int]) -> str:
    """Names, grouped by the sizes at which it holds."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for name, at in sizes_of.items():
        groups.setdefault(tuple(at), []).append(name)
    return ", ".join(
        f"{' and '.join(names)} at "
        + ("every n" if list(at) == sizes else f"n = {' and '.join(f'{n:,}' for n in at)}")
        for at, names in groups.items()
    )
