"""Many small multilayer perceptrons trained side by side, compiled where that can be had.

Each network draws from a generator of its own seed and shares nothing with the others, so it comes
out the same whatever it is trained beside.
"""

from collections.abc import Sequence

import numpy as np
import torch

from cole_core.predictors import compiled
from cole_core.predictors.networks import Layers, Lesson, MLPStack, MLPTraining


def train_mlps(
    X: np.ndarray,
    y: np.ndarray,
    seeds: Sequence[int],
    training: MLPTraining,
    *,
    group: Sequence[int] | None = None,
) -> MLPStack:
    """Trains one network for each seed, as many at a time as PyTorch has threads.

    Args:
        X: Features of each training set, shape (sets, n, d).
        y: Targets of each training set, shape (sets, n), standardised.
        seeds: One seed for each network.
        training: How to train.
        group: Training set of each network; network i reads set i by default.

    Returns:
        The networks in the order of the seeds.
    """
    sets = range(len(seeds)) if group is None else group
    lessons = [Lesson(X[i], y[i], seed) for i, seed in zip(sets, seeds, strict=True)]
    trained = _train(lessons, training)
    return MLPStack(
        *(
            tuple(torch.from_numpy(np.stack(layer)) for layer in zip(*networks, strict=True))
            for networks in zip(*trained, strict=True)
        )
    )


def _train(lessons: Sequence[Lesson], training: MLPTraining) -> list[Layers]:
    if compiled.is_available():
        from cole_core.predictors.compiled.training import train_networks
    else:
        from cole_core.predictors.plain_mlp import train_networks
    return train_networks(lessons, training)
