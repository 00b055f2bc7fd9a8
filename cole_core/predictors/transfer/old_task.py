"""The surrogate that is kept of what was measured on another task."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy

from cole_core.encodings.vectors import LabelledVectors
from cole_core.predictors import make_surrogate
from cole_core.predictors.reductions.base import Reduction
from cole_core.predictors.surrogate import Surrogate
from cole_core.predictors.transfer.limits import BEST, MOST

_HEAD = "gaussian_process"


def chosen_rows(values: np.ndarray) -> np.ndarray:
    """Which of an old task's values are read: all, or the best and others at random.

    Args:
        values: A higher one is better, shape (n,).

    Returns:
        Rows, in their order.
    """
    if len(values) <= MOST:
        return np.arange(len(values))
    order = np.argsort(-values, kind="stable")
    others = np.random.default_rng(0).permutation(order[BEST:])[: MOST - BEST]
    return np.sort(np.concatenate([order[:BEST], others]))


def new_surrogate(kind: Mapping[str, Any]) -> Surrogate:
    """What is fitted to an old task.

    Args:
        kind: What `surrogate_kind` says of the vectors.
    """
    return make_surrogate(_HEAD, target="standard", **kind)


def fit_old_task(
    labelled: LabelledVectors, kind: Mapping[str, Any], reduction: Reduction | None
) -> Surrogate:
    """The surrogate of an old task.

    It learns normal quantiles of ranks among all its values, so that what different tasks expect
    is on one scale.

    Args:
        labelled: What was measured; a higher value is better.
        kind: What `surrogate_kind` says of the vectors.
        reduction: Fitted on the space, where the surrogate needs that.
    """
    values, rows = labelled.values, chosen_rows(labelled.values)
    quantiles = scipy.stats.norm.ppf((scipy.stats.rankdata(values) - 0.5) / len(values))
    surrogate = new_surrogate(kind)
    return surrogate.fit(labelled.vectors[rows], quantiles[rows], unlabelled=reduction)


def expectations(surrogates: Sequence[Surrogate], vectors: np.ndarray) -> np.ndarray:
    """What each old task expects of architectures.

    Args:
        surrogates: One for each old task.
        vectors: Shape (m, d).

    Returns:
        Normal quantiles of ranks, shape (m, tasks), float32.
    """
    return np.stack([each.predict(vectors) for each in surrogates], axis=1).astype(np.float32)
