"""Many small multilayer perceptrons trained side by side.

A network of 3×128 is so small that a training step of a library is mostly overhead, and too small
to be split over cores. Members of an ensemble, seeds of a search and trials of a comparison are
therefore trained by one compiled function (`mlp_kernel`), each core busy with a network of its own.

Each network draws from a generator of its own seed and shares nothing with the others, so it comes
out the same whatever it is trained beside.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from cole_core.predictors.mlp_kernel import (
    PAD,
    SLOPE,
    layer_starts,
    padded,
    train_epochs,
    work_size,
)

Loss = Literal["mse", "hinge"]

_DRAWN = 2**20  # dropout draws at once: they stay in the cache until they are used


@dataclass(frozen=True)
class MLPTraining:
    """How to train: the defaults are the COLE paper's head (arXiv 2605.15649).

    Attributes:
        hidden: Widths of the hidden layers.
        epochs: Passes over the labelled rows.
        batch_size: Rows of a step; the last batch of an epoch may be smaller.
        learning_rate: Adam's.
        dropout: Share of hidden units dropped.
        clip_norm: Largest gradient norm of a network.
        loss: `mse`, or pairwise `hinge`: mean over pairs of max(0, margin - difference).
        margin: Of the hinge, in units of the standardised target.
        pairs: Pairs that each row leads in a batch under the hinge.
    """

    hidden: tuple[int, ...] = (128, 128, 128)
    epochs: int = 100
    batch_size: int = 32
    learning_rate: float = 1e-3
    dropout: float = 0.1
    clip_norm: float = 1.0
    loss: Loss = "mse"
    margin: float = 0.1
    pairs: int = 4


@dataclass(frozen=True)
class MLPStack:
    """Weights of several networks.

    Attributes:
        weights: One tensor for each layer, shape (networks, inputs, outputs).
        biases: One tensor for each layer, shape (networks, 1, outputs).
    """

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.weights[0])

    def __getitem__(self, networks: slice) -> "MLPStack":
        return MLPStack(
            tuple(w[networks] for w in self.weights), tuple(b[networks] for b in self.biases)
        )

    def predict(self, X: Tensor) -> Tensor:
        """Scores of rows that all networks share: (m, d) to (networks, m)."""
        h = X.expand(len(self), *X.shape)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            h = torch.nn.functional.leaky_relu_(torch.baddbmm(bias, h, weight), SLOPE)
        return torch.baddbmm(self.biases[-1], h, self.weights[-1]).squeeze(2)


class NetworkDraws:
    """Every random choice in the training of one network, in a fixed order.

    Args:
        seed: Seed of the network.
    """

    def __init__(self, seed: int) -> None:
        self._rng = np.random.Generator(np.random.SFC64(seed))

    def layer(self, inputs: int, outputs: int) -> tuple[np.ndarray, np.ndarray]:
        """Initial weight (inputs, outputs) and bias (1, outputs): PyTorch's for `nn.Linear`."""
        bound = 1 / np.sqrt(inputs)
        return (
            self._rng.uniform(-bound, bound, (inputs, outputs)).astype(np.float32),
            self._rng.uniform(-bound, bound, (1, outputs)).astype(np.float32),
        )

    def order(self, n: int) -> np.ndarray:
        """Order of the rows in an epoch, shape (n,)."""
        return self._rng.permutation(n)

    def kept(self, units: int, rows: int, rate: float) -> np.ndarray:
        """Which hidden units dropout leaves in an epoch, shape (units, rows), rows in order."""
        # 16 bits place the rate within 1e-5, and four of them are one draw.
        words = self._rng.integers(0, 2**64, -(-units * rows // 4), dtype=np.uint64)
        drawn = words.view(np.uint16)[: units * rows].reshape(units, rows)
        return drawn >= round(rate * 65536)

    def partners(self, size: int, pairs: int) -> np.ndarray:
        """Partners of each row of a batch in the pairs it leads, shape (pairs, size)."""
        shifts = 1 + self._rng.permutation(size - 1)[:pairs]
        return (np.arange(size) + shifts[:, None]) % size


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
    count = len(seeds)

    def start(network: int) -> _Training:
        data = X[sets[network]], y[sets[network]]
        return _Training(*data, NetworkDraws(seeds[network]), training)

    threads = min(torch.get_num_threads(), count)
    trained: list[_Layers] = []
    if threads < 2:
        trained = [start(network).finish() for network in range(count)]
    else:
        # What does not come out even is trained by turns, so that no core waits for the others.
        whole = count if count % threads == 0 else (count // threads - 1) * threads
        with ThreadPoolExecutor(threads) as executor:
            trained += executor.map(lambda network: start(network).finish(), range(whole))
            rest = [start(network) for network in range(whole, count)]
            waiting = deque(rest)
            for worker in [executor.submit(_take_turns, waiting) for _ in range(threads)]:
                worker.result()
            trained += [each.finish() for each in rest]
    return MLPStack(
        *(
            tuple(torch.from_numpy(np.stack(layer)) for layer in zip(*networks, strict=True))
            for networks in zip(*trained, strict=True)
        )
    )


class _Training:
    """One network in training.

    Args:
        X: Features, shape (n, d).
        y: Targets, shape (n,).
        draws: Its random choices.
        training: How to train.
    """

    def __init__(
        self, X: np.ndarray, y: np.ndarray, draws: NetworkDraws, training: MLPTraining
    ) -> None:
        self.draws, self.training = draws, training
        shapes = list(pairwise((X.shape[1], *training.hidden, 1)))
        self.layers = [draws.layer(inputs, outputs) for inputs, outputs in shapes]
        # The weights of an input that is zero in all rows have no gradient and stay as they were
        # drawn: of a path encoding's 1,365 inputs a few dozen to 150 are left.
        self.active = np.flatnonzero(np.any(X != 0, axis=0))
        inputs = padded(max(len(self.active), 1))
        self.widths = np.array([inputs, *map(padded, training.hidden)])
        self.parameters = np.zeros(layer_starts(self.widths)[-1], dtype=np.float32)
        self.views = _layer_views(
            self.parameters, self.widths, [len(self.active), *training.hidden]
        )
        for layer, (weight, bias) in enumerate(self.layers):
            self.views[layer][0][:] = (weight if layer else weight[self.active]).T
            self.views[layer][1][:] = bias[0]
        self.features = np.zeros((len(X), inputs), dtype=np.float32)
        self.features[:, : len(self.active)] = X[:, self.active]
        self.targets = np.ascontiguousarray(y, dtype=np.float32)
        self.state = tuple(np.zeros_like(self.parameters) for _ in range(3))
        self.work = np.zeros(work_size(self.widths, training.batch_size), dtype=np.float32)
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
        orders, kept, partners = _draw(self.draws, epochs, n, self.widths, how)
        first, second, gradient = self.state
        self.steps = train_epochs(
            self.features,
            self.targets,
            orders,
            kept,
            partners,
            self.widths,
            self.parameters,
            first,
            second,
            gradient,
            self.work,
            self.steps,
            how.batch_size,
            how.learning_rate,
            1 / (1 - how.dropout),
            how.clip_norm,
            how.margin,
        )
        self.epochs += epochs

    def finish(self) -> "_Layers":
        """Trains to the end: weights (inputs, outputs) and biases (1, outputs) of all layers."""
        while not self.is_done:
            self.advance()
        weights = [weight.T for weight, _ in self.views]
        whole = self.layers[0][0]
        whole[self.active] = weights[0]
        return [whole, *weights[1:]], [bias[None] for _, bias in self.views]


_Layers = tuple[list[np.ndarray], list[np.ndarray]]


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


def _layer_views(
    flat: np.ndarray, widths: np.ndarray, true_widths: Sequence[int]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each layer's weight (outputs, inputs) and bias (outputs,) within the kernel's array."""
    starts = layer_starts(widths)
    views = []
    for layer, (inputs, outputs) in enumerate(pairwise(true_widths)):
        rows, stride = widths[layer + 1], widths[layer] + PAD
        middle = starts[layer] + rows * stride
        weight = flat[starts[layer] : middle].reshape(rows, stride)
        views.append((weight[:outputs, :inputs], flat[middle : middle + outputs]))
    last = starts[len(widths) - 1]
    weight = flat[last : last + true_widths[-1]][None]
    return [*views, (weight, flat[last + widths[-1] : last + widths[-1] + 1])]


def _draw(
    draws: NetworkDraws, epochs: int, n: int, widths: np.ndarray, training: MLPTraining
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
    return orders, kept, partners
