"""Our figures beside published ones: a row for each size, from stored results alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from cole_core.experiments.published.protocols import SCORES, PublishedProtocol
from cole_core.statistics import best_so_far

Row = dict[str, Any]


def ranking_rows(
    protocol: PublishedProtocol, label: str, configuration_id: str, results: pl.DataFrame
) -> list[Row]:
    """What the trials of a head come to.

    Args:
        protocol: By which they were made.
        label: What the head is called.
        configuration_id: Of the trials.
        results: n, kendall_tau, spearman (NaN where a head collapsed): a row for each trial.

    Returns:
        protocol, label, configuration_id, size, score; ours (mean over draws; None where a head
        collapsed in one), deviation (standard deviation; None for one draw), draws; at_best (None);
        theirs (work, source, figure of each).
    """
    rows = []
    for size in protocol.sizes:
        scores = results.filter(pl.col("n") == size)[protocol.score].to_numpy()
        rows.append(_row(protocol, label, configuration_id, size, scores, None))
    return rows


def search_rows(
    protocol: PublishedProtocol,
    label: str,
    configuration_id: str,
    searches: Sequence[Sequence[tuple[str, float]]],
    best_form: str,
    sign: int,
) -> list[Row]:
    """What searches found after each number of evaluations.

    Args:
        protocol: By which they are told.
        label: What the searches are called.
        configuration_id: Of the searches.
        searches: For each seed the canonical form and the measured value of each evaluation.
        best_form: The canonical form of the best architecture of the space.
        sign: Of the values: 1 where higher is better, else -1.

    Returns:
        As `ranking_rows`; ours is the mean over seeds of the best so far, at_best the share of
        seeds that have evaluated the best form.
    """
    values = sign * np.array([[value for _, value in steps] for steps in searches])
    there = np.array([[form == best_form for form, _ in steps] for steps in searches])
    best, arrived = sign * best_so_far(values), np.logical_or.accumulate(there, axis=1)
    return [
        _row(
            protocol,
            label,
            configuration_id,
            size,
            best[:, size - 1],
            float(arrived[:, size - 1].mean()),
        )
        for size in protocol.sizes
    ]


def finding(rows: Sequence[Mapping[str, Any]]) -> str:
    """What the rows say, in one sentence.

    Searches are told apart: whether published values of searches are means or best runs is not
    known.
    """
    ranked = [row for row in rows if row["at_best"] is None and row["theirs"]]
    known = [row for row in ranked if row["ours"] is not None]
    above = sum(row["ours"] >= max(each["figure"] for each in row["theirs"]) for row in known)
    said = []
    if ranked:
        said.append(f"ours ranks at least as well as all of theirs at {above} of {len(ranked)}")
    if any(row["at_best"] is not None for row in rows):
        last = max((row for row in rows if row["at_best"] is not None), key=_arrived)
        said.append(
            f"after {last['size']} evaluations {last['at_best']:.0%} of the seeds of "
            f"{last['label']} have found the best canonical form"
        )
    sentence = "; ".join(said)
    return f"{sentence[:1].upper()}{sentence[1:]}." if said else "Nothing was run."


def _arrived(row: Mapping[str, Any]) -> tuple[int, float]:
    return row["size"], row["at_best"]


def _row(
    protocol: PublishedProtocol,
    label: str,
    configuration_id: str,
    size: int,
    scores: np.ndarray,
    at_best: float | None,
) -> Row:
    mean = float(np.mean(scores))
    return {
        "protocol": protocol.name,
        "label": label,
        "configuration_id": configuration_id,
        "size": size,
        "score": SCORES[protocol.score],
        "ours": mean if np.isfinite(mean) else None,
        "deviation": float(np.std(scores, ddof=1)) if len(scores) > 1 else None,
        "draws": len(scores),
        "at_best": at_best,
        "theirs": protocol.theirs(size),
    }
