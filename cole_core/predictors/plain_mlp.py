"""The plain way to train a network: a PyTorch module, autograd, `torch.optim.Adam`.

It serves where the compiled kernel cannot be had, is what the kernel must agree with, and what it
is timed against. Both take the same draws in the same order; they differ by rounding.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from cole_core.predictors.networks import SLOPE, Layers, Lesson, MLPTraining, NetworkDraws


class PlainMLP(nn.Module):
    """Linear, LeakyReLU, dropout by given factors; a linear output.

    Args:
        inputs: Features.
        training: Widths of the hidden layers.
        draws: Where the initial weights come from.
    """

    def __init__(self, inputs: int, training: MLPTraining, draws: NetworkDraws) -> None:
        super().__init__()
        widths = [inputs, *training.hidden, 1]
        self.layers = nn.ModuleList(
            nn.Linear(widths[i], widths[i + 1]) for i in range(len(widths) - 1)
        )
        for layer in self.layers:
            assert isinstance(layer, nn.Linear)
            weight, bias = draws.layer(layer.in_features, layer.out_features)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(weight.T))
                layer.bias.copy_(torch.from_numpy(bias[0]))

    def forward(self, x: Tensor, masks: Sequence[Tensor] | None = None) -> Tensor:
        """Scores, shape (b,), of rows, shape (b, d), under a mask (b, units) for each layer."""
        for i, layer in enumerate(self.layers[:-1]):
            x = nn.functional.leaky_relu(layer(x), SLOPE)
            if masks is not None:
                x = x * masks[i]
        return self.layers[-1](x).squeeze(1)


def train_networks(lessons: Sequence[Lesson], training: MLPTraining) -> list[Layers]:
    """Trains one network for each lesson, one after the other."""
    trained: list[Layers] = []
    for lesson in lessons:
        model = train_plain_mlp(lesson.X, lesson.y, lesson.seed, training)
        values = [value.detach().numpy() for value in model.parameters()]
        trained.append(([w.T.copy() for w in values[::2]], [b[None] for b in values[1::2]]))
    return trained


def train_plain_mlp(X: np.ndarray, y: np.ndarray, seed: int, training: MLPTraining) -> PlainMLP:
    """Trains one network, one step after the other.

    Args:
        X: Features, shape (n, d).
        y: Targets, shape (n,).
        seed: Of its draws.
        training: How to train.
    """
    draws = NetworkDraws(seed)
    features = torch.as_tensor(X, dtype=torch.float32)
    targets = torch.as_tensor(y, dtype=torch.float32)
    model = PlainMLP(features.shape[1], training, draws)
    optimizer = torch.optim.Adam(model.parameters(), lr=training.learning_rate)
    for _ in range(training.epochs):
        order = torch.from_numpy(draws.order(len(features)))
        factors = None
        if training.dropout > 0:
            kept = draws.kept(sum(training.hidden), len(features), training.dropout)
            factors = torch.from_numpy(np.float32(1 / (1 - training.dropout)) * kept.T)
        for start in range(0, len(features), training.batch_size):
            rows = slice(start, start + training.batch_size)
            masks = None
            if factors is not None:
                masks = factors[rows].split(list(training.hidden), dim=1)
            scores, truth = model(features[order[rows]], masks), targets[order[rows]]
            if training.loss == "mse":
                loss = nn.functional.mse_loss(scores, truth)
            else:
                loss = _hinge(scores, truth, draws, training)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), training.clip_norm)
            optimizer.step()
    return model


def _hinge(scores: Tensor, truth: Tensor, draws: NetworkDraws, training: MLPTraining) -> Tensor:
    """Mean over pairs of max(0, margin - difference), pairs of equal targets left out."""
    if len(scores) < 2:
        return 0 * scores.sum()
    partners = torch.from_numpy(draws.partners(len(scores), training.pairs))
    signs = (truth - truth[partners]).sign()
    losses = (training.margin - signs * (scores - scores[partners])).relu()
    told_apart = signs != 0
    return losses[told_apart].mean() if told_apart.any() else 0 * scores.sum()
