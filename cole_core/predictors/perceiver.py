"""A perceiver over the layers of a language model."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from cole_core.errors import InputError
from cole_core.predictors.base import PAPER, Head, check_training_set


class _Perceiver(nn.Module):
    """Latent queries attend to the layers; their states are read out together.

    Perceiver (Jaegle et al., arXiv 2103.03206) with one cross-attention: there are a handful of
    layers and a few dozen labels, so more would only be fitted to noise.
    """

    def __init__(self, layers: int, hidden: int, latents: int, width: int, attention: int) -> None:
        super().__init__()
        self.read = nn.Linear(hidden, width)
        self.places = nn.Parameter(torch.randn(layers, width) * 0.1)
        self.latents = nn.Parameter(torch.randn(latents, width) * 0.1)
        self.attend = nn.MultiheadAttention(width, attention, batch_first=True)
        self.score = nn.Sequential(
            nn.LayerNorm(latents * width),
            nn.Linear(latents * width, width),
            nn.GELU(),
            nn.Linear(width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Scores, shape (b,), of layers, shape (b, layers, hidden)."""
        states = self.read(x) + self.places
        queries = self.latents.expand(len(x), -1, -1)
        found, _ = self.attend(queries, states, states, need_weights=False)
        return self.score((queries + found).flatten(1)).squeeze(1)


class PerceiverHead(Head):
    """Reads vectors of the pooling `multi_layer`, which hold one state for each layer.

    Args:
        layers: Layers side by side in a vector.
        latents: Latent queries.
        width: Of the queries and of the states that they attend to.
        attention: Heads of the attention.
        members: Networks; the spread of their predictions is the standard deviation.
        epochs: Passes over the labelled rows.
        batch_size: Rows of a step.
        learning_rate: AdamW's.
        seed: Seed of weights and batches.
    """

    name = "perceiver"
    defaults: ClassVar = PAPER | {"reduction": "zscore"}  # components would mix the layers

    def __init__(
        self,
        layers: int = 2,
        latents: int = 4,
        width: int = 64,
        attention: int = 4,
        members: int = 3,
        epochs: int = 100,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        seed: int = 0,
    ) -> None:
        self.layers = layers
        self.latents = latents
        self.width = width
        self.attention = attention
        self.members = members
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.seed = seed

    def fit(self, X: np.ndarray, y: np.ndarray) -> "PerceiverHead":
        X, y = check_training_set(X, y)
        rows, scores = self._layers(X), torch.as_tensor(y, dtype=torch.float32)
        self.hidden_ = rows.shape[2]
        self.networks_ = [self._train(rows, scores, member) for member in range(self.members)]
        return self

    def _train(self, rows: Tensor, scores: Tensor, member: int) -> _Perceiver:
        seed = int(np.random.SeedSequence([self.seed, member]).generate_state(1)[0])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = self._new()
            adam = torch.optim.AdamW(network.parameters(), lr=self.learning_rate)
            for _ in range(self.epochs):
                for batch in torch.randperm(len(rows)).split(self.batch_size):
                    adam.zero_grad()
                    nn.functional.mse_loss(network(rows[batch]), scores[batch]).backward()
                    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                    adam.step()
        return network.eval()

    @torch.no_grad()
    def predict_distribution(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and spread over the networks."""
        rows = self._layers(np.asarray(X))
        scores = torch.stack([network(rows) for network in self.networks_]).numpy().astype(float)
        return scores.mean(axis=0), scores.std(axis=0)

    def _new(self) -> _Perceiver:
        return _Perceiver(self.layers, self.hidden_, self.latents, self.width, self.attention)

    def _layers(self, X: np.ndarray) -> Tensor:
        if X.shape[1] % self.layers:
            raise InputError(
                f"vectors of {X.shape[1]} numbers are not {self.layers} layers side by side: embed "
                "with --pooling multi_layer, and set the head's layers to how many it keeps"
            )
        rows = torch.as_tensor(np.ascontiguousarray(X, dtype=np.float32))
        return rows.view(len(rows), self.layers, -1)

    def state(self) -> dict[str, np.ndarray]:
        arrays = {
            f"{member}.{key}": tensor.numpy()
            for member, network in enumerate(self.networks_)
            for key, tensor in network.state_dict().items()
        }
        return {"hidden": np.array(self.hidden_), **arrays}

    def restore(self, state: Mapping[str, np.ndarray]) -> "PerceiverHead":
        self.hidden_ = int(state["hidden"])
        self.networks_ = []
        for member in range(self.members):
            network = self._new()
            prefix = f"{member}."
            network.load_state_dict(
                {
                    key[len(prefix) :]: torch.from_numpy(np.array(value))
                    for key, value in state.items()
                    if key.startswith(prefix)
                }
            )
            self.networks_.append(network.eval())
        return self
