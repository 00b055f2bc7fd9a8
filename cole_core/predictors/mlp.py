"""The multilayer perceptron head and its ensembles."""

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
import torch

from cole_core.errors import InputError
from cole_core.predictors.base import Head, check_training_set
from cole_core.predictors.batched_mlp import train_mlps
from cole_core.predictors.networks import Loss, MLPStack, MLPTraining, NetworkDraws

_CHUNK = 4096  # rows predicted at once: hidden layers of a chunk stay in the cache
_MASKS = 20  # dropout masks that a single network's deviation averages over


class MLPHead(Head):
    """Ensemble of multilayer perceptrons, trained together.

    Args:
        members: Networks. The spread of their predictions is the standard deviation; a single
            network gives the spread under dropout masks instead (Gal and Ghahramani,
            arXiv 1506.02142).
        hidden: Widths of the hidden layers.
        epochs: Passes over the labelled rows.
        batch_size: Rows of a step.
        learning_rate: Adam's.
        dropout: Share of hidden units dropped.
        clip_norm: Largest gradient norm.
        loss: `mse` or pairwise `hinge`.
        margin: Of the hinge.
        pairs: Pairs that each row leads in a batch under the hinge.
        seed: Seed of weights, batches, masks and pairs.
    """

    name = "mlp"
    losses = get_args(Loss)

    def __init__(
        self,
        members: int = 1,
        hidden: tuple[int, ...] = (128, 128, 128),
        epochs: int = 100,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        dropout: float = 0.1,
        clip_norm: float = 1.0,
        loss: Loss = "mse",
        margin: float = 0.1,
        pairs: int = 4,
        seed: int = 0,
    ) -> None:
        self.members = members
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.dropout = dropout
        self.clip_norm = clip_norm
        self.loss = loss
        self.margin = margin
        self.pairs = pairs
        self.seed = seed

    @property
    def training(self) -> MLPTraining:
        """How the networks are trained.

        Raises:
            InputError: The loss is unknown.
        """
        if self.loss not in self.losses:
            choices = ", ".join(sorted(self.losses))
            raise InputError(f"unknown loss '{self.loss}': choose one of {choices}")
        return MLPTraining(
            hidden=tuple(self.hidden),
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            dropout=self.dropout,
            clip_norm=self.clip_norm,
            loss=self.loss,
            margin=self.margin,
            pairs=self.pairs,
        )

    @property
    def member_seeds(self) -> list[int]:
        """A seed for each network."""
        return [
            int(np.random.SeedSequence([self.seed, member]).generate_state(1)[0])
            for member in range(self.members)
        ]

    def fit(self, X: np.ndarray, y: np.ndarray) -> "MLPHead":
        self.fit_many([self], [X], [y])
        return self

    @classmethod
    def fit_many(
        cls, heads: Sequence["MLPHead"], X: Sequence[np.ndarray], y: Sequence[np.ndarray]
    ) -> None:
        """Fits many heads in place, the networks of those of like shape and settings together."""
        batches: dict[tuple[MLPTraining, tuple[int, ...]], list[int]] = {}
        sets = [check_training_set(features, target) for features, target in zip(X, y, strict=True)]
        for i, head in enumerate(heads):
            batches.setdefault((head.training, sets[i][0].shape), []).append(i)
        for (training, _), members in batches.items():
            stack = train_mlps(
                np.stack([sets[i][0] for i in members]),
                np.stack([sets[i][1] for i in members]),
                [seed for i in members for seed in heads[i].member_seeds],
                training,
                group=[g for g, i in enumerate(members) for _ in range(heads[i].members)],
            )
            start = 0
            for i in members:
                heads[i].networks_ = stack[start : start + heads[i].members]
                start += heads[i].members

    def predict_mean(self, X: np.ndarray) -> np.ndarray:
        """Mean over the networks, without the masks that a single one's deviation needs."""
        return self._scores(_rows(X)).mean(axis=0)

    def predict_distribution(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and spread over the networks, or over dropout masks of a single one."""
        rows = _rows(X)
        scores = self._scores(rows)
        spread = scores.std(axis=0) if self.members > 1 else self._dropout_spread(rows)
        return scores.mean(axis=0), spread

    def _scores(self, rows: torch.Tensor) -> np.ndarray:
        """Scores of each network, shape (members, m)."""
        chunks = [self.networks_.predict(part) for part in rows.split(_CHUNK)]
        return torch.cat(chunks, dim=1).numpy().astype(float)

    def _dropout_spread(self, rows: torch.Tensor) -> np.ndarray:
        # Masks are shared by the rows: a masked network is a smaller network.
        draws = NetworkDraws(self.member_seeds[0])
        kept = draws.kept(_MASKS, sum(self.hidden), self.dropout)
        factors = torch.from_numpy(np.float32(1 / (1 - self.dropout)) * kept)
        masks = factors.split(list(self.hidden), dim=1)
        weights = [self.networks_.weights[0].expand(_MASKS, -1, -1)]
        weights += [
            mask[:, :, None] * weight
            for mask, weight in zip(masks, self.networks_.weights[1:], strict=True)
        ]
        biases = [b.expand(_MASKS, -1, -1) for b in self.networks_.biases]
        masked = MLPStack(tuple(weights), tuple(biases))
        return np.concatenate(
            [masked.predict(part).std(dim=0, correction=0).numpy() for part in rows.split(_CHUNK)]
        ).astype(float)

    def state(self) -> dict[str, np.ndarray]:
        layers = enumerate(zip(self.networks_.weights, self.networks_.biases, strict=True))
        return {
            f"{kind}{i}": tensor.numpy()
            for i, pair in layers
            for kind, tensor in zip(("weight", "bias"), pair, strict=True)
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> "MLPHead":
        def layers(kind: str) -> tuple[torch.Tensor, ...]:
            return tuple(torch.from_numpy(state[f"{kind}{i}"]) for i in range(len(state) // 2))

        self.networks_ = MLPStack(layers("weight"), layers("bias"))
        return self


def _rows(X: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(np.ascontiguousarray(X, dtype=np.float32))
