"""Small multilayer perceptrons: how they are trained, what they draw, what comes out.

What the compiled training and the plain one share, so that both make the same networks.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

Loss = Literal["mse", "hinge"]
# Weights (inputs, outputs) and biases (1, outputs) of all layers of one network.
Layers = tuple[list[np.ndarray], list[np.ndarray]]

SLOPE = 0.01  # LeakyReLU


@dataclass(frozen=True)
class Lesson:
    """What one network is trained on.

    Attributes:
        X: Features, shape (n, d).
        y: Targets, shape (n,), standardised.
        seed: Of everything that is random in its training.
    """

    X: np.ndarray
    y: np.ndarray
    seed: int


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
