"""The plain way to train one head: a PyTorch module, autograd, `torch.optim.Adam`.

What `cole_core.predictors.batched_mlp` must agree with, and what it is timed against.
"""

import numpy as np
import torch
from torch import Tensor, nn

from cole_core.predictors.batched_mlp import MLPTraining, NetworkDraws


class PlainMLP(nn.Module):
    """Linear, LeakyReLU, dropout by given factors; a linear output."""

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

    def forward(self, x: Tensor, masks: list[Tensor] | None = None) -> Tensor:
        for i, layer in enumerate(self.layers[:-1]):
            x = nn.functional.leaky_relu(layer(x))
            if masks is not None:
                x = x * masks[i]
        return self.layers[-1](x).squeeze(1)


def train_plain_mlp(X: np.ndarray, y: np.ndarray, seed: int, training: MLPTraining) -> PlainMLP:
    """Trains one network on (n, d) features and (n,) targets, one step after the other."""
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
                masks = list(factors[rows].split(list(training.hidden), dim=1))
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
    if len(scores) < 2:
        return 0 * scores.sum()
    losses = []
    for partners in draws.partners(len(scores), training.pairs):
        for i, j in enumerate(partners):
            if truth[i] != truth[j]:
                better, worse = (i, j) if truth[i] > truth[j] else (j, i)
                losses.append((training.margin - (scores[better] - scores[worse])).clamp(min=0))
    return torch.stack(losses).mean() if losses else 0 * scores.sum()
