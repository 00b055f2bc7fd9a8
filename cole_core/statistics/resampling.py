"""Splits of the predictor comparison: split first, subsample later."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cole_core.errors import InputError


@dataclass(frozen=True)
class Fold:
    """One split of the architectures.

    Attributes:
        repeat: Which shuffle, from 0.
        fold: Which fold of the shuffle, from 0.
        pool: Indices that may be labelled, shuffled, so that `pool[:n]` is a random draw of
            exactly n and the draws of growing n are nested.
        held_out: Indices to predict, sorted.
    """

    repeat: int
    fold: int
    pool: np.ndarray
    held_out: np.ndarray

    def labelled(self, n: int) -> np.ndarray:
        """Exactly `n` architectures of the pool.

        Raises:
            InputError: The pool is smaller than n.
        """
        if not 1 <= n <= len(self.pool):
            raise InputError(
                f"n = {n} with a pool of {len(self.pool)}: choose n from 1 to {len(self.pool)}"
            )
        return self.pool[:n]


def repeated_stratified_folds(
    values: ArrayLike, *, folds: int = 10, repeats: int = 10, strata: int = 5, seed: int = 0
) -> Iterator[Fold]:
    """Repeated k-fold splits, stratified on quantiles of the values.

    Protocol of the COLE paper (arXiv 2605.15649): quintiles, 10 folds, 10 shuffles.

    Args:
        values: Target of each architecture, shape (n,).
        folds: Number of folds k.
        repeats: Number of shuffles.
        strata: Number of quantile groups.
        seed: Seed of the shuffles and of the pools' order.

    Yields:
        `repeats * folds` folds. Their sizes differ by at most one, and so does each stratum's
        share in them.

    Raises:
        InputError: Fewer than two folds, or fewer values than folds.
    """
    target = np.asarray(values, dtype=float)
    if folds < 2:
        raise InputError(f"folds = {folds}: at least 2 are needed to hold something out")
    if len(target) < folds:
        raise InputError(f"{len(target)} values for {folds} folds: give at least {folds}")
    ranks = np.empty(len(target), dtype=np.int64)
    ranks[np.argsort(target, kind="stable")] = np.arange(len(target))
    stratum = ranks * strata // len(target)
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        shuffled = rng.permutation(len(target))
        # Dealing the shuffled strata one after the other, like cards, balances every fold.
        dealt = shuffled[np.argsort(stratum[shuffled], kind="stable")]
        for fold in range(folds):
            held_out = np.sort(dealt[fold::folds])
            pool = np.setdiff1d(np.arange(len(target)), held_out, assume_unique=True)
            yield Fold(repeat, fold, rng.permutation(pool), held_out)
