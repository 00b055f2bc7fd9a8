"""Many small multilayer perceptrons trained together.

A network of 3×128 is so small that a training step is mostly overhead. Members of an ensemble,
seeds of a search and trials of a comparison therefore share each step: their weights are stacked
and one `bmm` serves them all. Forward and backward are written out, because autograd's bookkeeping
costs more than the arithmetic at this size, and Adam is one fused pass over one buffer.

Each network draws from a generator of its own seed, so it comes out the same within rounding
whatever it is trained beside.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from torch import Tensor

Loss = Literal["mse", "hinge"]

_SLOPE = 0.01  # LeakyReLU
_TOGETHER = 16  # networks in one stack: more of them overflow the cache and gain nothing


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
            h = torch.nn.functional.leaky_relu_(torch.baddbmm(bias, h, weight), _SLOPE)
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

    def dropout(self, rows: int, units: int, rate: float) -> np.ndarray:
        """Factors 0 or 1/(1-rate) on `units` hidden units of the epoch's rows."""
        # 16 bits place the rate within 1e-5 and cost a quarter of a uniform float.
        kept = self._rng.integers(0, 65536, (rows, units), dtype=np.uint16) >= round(rate * 65536)
        return np.multiply(kept, np.float32(1 / (1 - rate)), dtype=np.float32)

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
    """Trains one network for each seed.

    Args:
        X: Features of each training set, shape (sets, n, d).
        y: Targets of each training set, shape (sets, n), standardised.
        seeds: One seed for each network.
        training: How to train.
        group: Training set of each network; network i reads set i by default.

    Returns:
        The networks in the order of the seeds.
    """
    features = torch.as_tensor(np.ascontiguousarray(X, dtype=np.float32))
    targets = torch.as_tensor(np.ascontiguousarray(y, dtype=np.float32))
    sets = list(range(len(seeds))) if group is None else list(group)
    parts = [
        _Trainer(
            features,
            targets,
            sets[start : start + _TOGETHER],
            seeds[start : start + _TOGETHER],
            training,
        ).run()
        for start in range(0, len(seeds), _TOGETHER)
    ]
    return MLPStack(
        tuple(torch.cat(layer) for layer in zip(*(p.weights for p in parts), strict=True)),
        tuple(torch.cat(layer) for layer in zip(*(p.biases for p in parts), strict=True)),
    )


class _Trainer:
    """One stack of networks in training."""

    def __init__(
        self,
        X: Tensor,
        y: Tensor,
        group: Sequence[int],
        seeds: Sequence[int],
        training: MLPTraining,
    ) -> None:
        self.X, self.y, self.training = X, y, training
        self.group = torch.as_tensor(group)[:, None]
        self.draws = [NetworkDraws(seed) for seed in seeds]
        widths = (X.shape[2], *training.hidden, 1)
        shapes = list(pairwise(widths))
        # All parameters lie in one buffer, so that Adam passes over it once.
        sizes = [size for i, o in shapes for size in (i * o, o)]
        self.flat = torch.empty(len(seeds) * sum(sizes))
        self.flat.grad = torch.zeros_like(self.flat)
        self.adam = torch.optim.Adam([self.flat], lr=training.learning_rate, fused=True)
        self.weights, self.biases = _layers(self.flat, len(seeds), shapes)
        self.weight_gradients, self.bias_gradients = _layers(self.flat.grad, len(seeds), shapes)
        for network, draws in enumerate(self.draws):
            for layer, (inputs, outputs) in enumerate(shapes):
                weight, bias = draws.layer(inputs, outputs)
                self.weights[layer][network] = torch.from_numpy(weight)
                self.biases[layer][network] = torch.from_numpy(bias)

    @torch.no_grad()
    def run(self) -> MLPStack:
        for _ in range(self.training.epochs):
            for x, y, masks in self._batches():
                hidden, scores = self._forward(x, masks)
                self._backward(x, hidden, masks, self._loss_gradient(scores, y))
                self._clip()
                self.adam.step()
        return MLPStack(tuple(self.weights), tuple(self.biases))

    def _batches(self) -> Iterator[tuple[Tensor, Tensor, list[Tensor]]]:
        n = self.X.shape[1]
        order = torch.from_numpy(np.stack([d.order(n) for d in self.draws]))
        x, y = self.X[self.group, order], self.y[self.group, order]
        rate, hidden = self.training.dropout, self.training.hidden
        masks: list[Tensor] = []
        if rate > 0:
            drawn = np.stack([d.dropout(n, sum(hidden), rate) for d in self.draws])
            masks = list(torch.from_numpy(drawn).split(list(hidden), dim=2))
        for start in range(0, n, self.training.batch_size):
            rows = slice(start, start + self.training.batch_size)
            yield x[:, rows], y[:, rows], [m[:, rows] for m in masks]

    def _forward(self, x: Tensor, masks: list[Tensor]) -> tuple[list[Tensor], Tensor]:
        hidden = []
        h = x
        for layer in range(len(self.weights) - 1):
            h = torch.baddbmm(self.biases[layer], h, self.weights[layer])
            torch.nn.functional.leaky_relu_(h, _SLOPE)
            if masks:
                h.mul_(masks[layer])
            hidden.append(h)
        return hidden, torch.baddbmm(self.biases[-1], h, self.weights[-1]).squeeze(2)

    def _loss_gradient(self, scores: Tensor, y: Tensor) -> Tensor:
        size = scores.shape[1]
        if self.training.loss == "mse":
            return (scores - y).mul_(2 / size)
        if size < 2:
            return torch.zeros_like(scores)
        partners = torch.from_numpy(
            np.stack([d.partners(size, self.training.pairs) for d in self.draws])
        )
        flat = partners.flatten(1)
        sign = torch.sign(y[:, None] - y.gather(1, flat).view(partners.shape))
        difference = scores[:, None] - scores.gather(1, flat).view(partners.shape)
        wrong = (self.training.margin - sign * difference > 0) & (sign != 0)
        share = (sign != 0).sum(dim=(1, 2)).clamp_(min=1)[:, None, None]
        pull = -sign * wrong / share
        return pull.sum(1).scatter_add_(1, flat, -pull.flatten(1))

    def _backward(
        self, x: Tensor, hidden: list[Tensor], masks: list[Tensor], gradient: Tensor
    ) -> None:
        g = gradient[:, :, None]
        for layer in range(len(self.weights) - 1, -1, -1):
            source = hidden[layer - 1] if layer else x
            torch.bmm(source.mT, g, out=self.weight_gradients[layer])
            torch.sum(g, dim=1, keepdim=True, out=self.bias_gradients[layer])
            if layer:
                g = torch.bmm(g, self.weights[layer].mT)
                # A dropped unit is zero and passes nothing; the others keep their sign.
                g = torch.ops.aten.leaky_relu_backward(g, source, _SLOPE, True)
                if masks:
                    g.mul_(masks[layer - 1])

    def _clip(self) -> None:
        blocks = [*self.weight_gradients, *self.bias_gradients]
        norms = torch.stack([torch.linalg.vector_norm(b.flatten(1), dim=1) for b in blocks])
        scale = self.training.clip_norm / (torch.linalg.vector_norm(norms, dim=0) + 1e-6)
        if bool((scale < 1).any()):
            scale.clamp_(max=1)
            for block in blocks:
                block.mul_(scale[:, None, None])


def _layers(
    flat: Tensor, networks: int, shapes: list[tuple[int, int]]
) -> tuple[list[Tensor], list[Tensor]]:
    """Views of the buffer: weights (networks, inputs, outputs) and biases (networks, 1, outputs).

    Each block is contiguous, which is what `bmm` writes into without a copy.
    """
    weights: list[Tensor] = []
    biases: list[Tensor] = []
    start = 0
    for inputs, outputs in shapes:
        for views, rows in ((weights, inputs), (biases, 1)):
            size = networks * rows * outputs
            views.append(flat[start : start + size].view(networks, rows, outputs))
            start += size
    return weights, biases
