"""Networks trained by the compiled kernel, one on each core.

A network of 3×128 is so small that a training step of a library is mostly overhead, and too small
to be split over cores. Members of an ensemble, seeds of a search and trials of a comparison are
therefore trained by one compiled function (`kernel`), each core busy with a network of its own.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import torch

from cole_core.predictors.compiled.kernel import Draws, Steps, train_epochs
from cole_core.predictors.compiled.layout import layer_views, new_network, padded
from cole_core.predictors.networks import Layers, Lesson, MLPTraining, NetworkDraws

_DRAWN = 2**20  # dropout draws at once: they stay in the cache until they are used


def train_networks(lessons: Sequence[Lesson], training: MLPTraining) -> list[Layers]:
    """Trains one network for each lesson, as many at a time as PyTorch has threads."""

    def start(lesson: Lesson) -> _Training:
        return _Training(lesson, training)

    count = len(lessons)
    threads = min(torch.get_num_threads(), count)
    if threads < 2:
        return [start(lesson).finish() for lesson in lessons]
    # What does not come out even is trained by turns, so that no core waits for the others.
    whole = count if count % threads == 0 else (count // threads - 1) * threads
    with ThreadPoolExecutor(threads) as executor:
        trained = list(executor.map(lambda lesson: start(lesson).finish(), lessons[:whole]))
        rest = [start(lesson) for lesson in lessons[whole:]]
        waiting = deque(rest)
        for worker in [executor.submit(_take_turns, waiting) for _ in range(threads)]:
            worker.result()
    return trained + [each.finish() for each in rest]


class _Training:
    """One network in training.

    Args:
        lesson: What it is trained on.
        training: How to train.
    """

    def __init__(self, lesson: Lesson, training: MLPTraining) -> None:
        X, draws = lesson.X, NetworkDraws(lesson.seed)
        self.draws, self.training = draws, training
        shapes = list(pairwise((X.shape[1], *training.hidden, 1)))
        self.layers = [draws.layer(inputs, outputs) for inputs, outputs in shapes]
        # The weights of an input that is zero in all rows have no gradient and stay as they were
        # drawn: of a path encoding's 1,365 inputs a few dozen to 150 are left.
        self.active = np.flatnonzero(np.any(X != 0, axis=0))
        inputs = padded(max(len(self.active), 1))
        widths = [inputs, *map(padded, training.hidden)]
        self.network = new_network(widths, training.batch_size)
        self.views = layer_views(self.network, [len(self.active), *training.hidden])
        for layer, (weight, bias) in enumerate(self.layers):
            self.views[layer][0][:] = (weight if layer else weight[self.active]).T
            self.views[layer][1][:] = bias[0]
        self.features = np.zeros((len(X), inputs), dtype=np.float32)
        self.features[:, : len(self.active)] = X[:, self.active]
        self.targets = np.ascontiguousarray(lesson.y, dtype=np.float32)
        self.epochs = self.steps = 0

    @property
    def is_done(self) -> bool:
        """Whether all epochs are behind it."""
        return self.epochs == self.training.epochs

    def advance(self) -> None:
        """Trains for as many epochs as are worth drawing for at once."""
        n, how = len(self.features), self.training
        together = max(1, _DRAWN // (n * sum(how.hidden)))
        epochs = min(together, how.epochs - self.epochs)
        drawn = _draw(self.draws, epochs, n, self.network.widths, how)
        steps = Steps(
            how.batch_size, how.learning_rate, 1 / (1 - how.dropout), how.clip_norm, how.margin
        )
        self.steps = train_epochs(
            self.features, self.targets, drawn, self.network, steps, self.steps
        )
        self.epochs += epochs

    def finish(self) -> Layers:
        """Trains to the end: weights (inputs, outputs) and biases (1, outputs) of all layers."""
        while not self.is_done:
            self.advance()
        weights = [weight.T for weight, _ in self.views]
        whole = self.layers[0][0]
        whole[self.active] = weights[0]
        return [whole, *weights[1:]], [bias[None] for _, bias in self.views]


def _take_turns(waiting: deque[_Training]) -> None:
    """Advances the network that waited longest, until none waits."""
    while waiting:
        try:
            network = waiting.popleft()
        except IndexError:  # another thread took the last one
            return
        network.advance()
        if not network.is_done:
            waiting.append(network)


def _draw(
    draws: NetworkDraws, epochs: int, n: int, widths: np.ndarray, training: MLPTraining
) -> Draws:
    """The random choices of some epochs as `train_epochs` takes them."""
    orders = np.empty((epochs, n), dtype=np.int64)
    kept = np.empty((epochs, 0, 0), dtype=np.uint8)
    partners = np.empty((epochs, 0, 0), dtype=np.int64)
    if training.dropout > 0:
        kept = np.ones((epochs, sum(widths[1:]), n), dtype=np.uint8)
    if training.loss == "hinge":
        partners = np.full((epochs, training.pairs, n), -1)
    offsets = np.cumsum([0, *widths[1:]])
    splits = np.cumsum(training.hidden)[:-1]
    for epoch in range(epochs):
        orders[epoch] = draws.order(n)
        if training.dropout > 0:
            drawn = draws.kept(sum(training.hidden), n, training.dropout)
            for offset, layer in zip(offsets, np.split(drawn, splits), strict=False):
                kept[epoch, offset : offset + len(layer)] = layer
        if training.loss == "hinge":
            for start in range(0, n, training.batch_size):
                size = min(training.batch_size, n - start)
                if size > 1:
                    each = draws.partners(size, training.pairs)
                    partners[epoch, : len(each), start : start + size] = each
    return Draws(orders, kept, partners)
