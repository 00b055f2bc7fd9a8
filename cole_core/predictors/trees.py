"""Gradient-boosted trees."""

from collections.abc import Mapping

import numpy as np
import xgboost

from cole_core.predictors.base import Head, check_training_set


class XGBoostHead(Head):
    """Small ensembles of boosted trees on row and column subsamples.

    Args:
        members: Boosters; the spread of their predictions is the standard deviation.
        rounds: Trees of each booster.
        learning_rate: Shrinkage of each tree.
        max_depth: Depth of a tree.
        subsample: Share of rows that each tree sees.
        colsample: Share of features that each tree sees.
        seed: Seed of the subsamples.
    """

    name = "xgboost"

    def __init__(
        self,
        members: int = 3,
        rounds: int = 200,
        learning_rate: float = 0.05,
        max_depth: int = 4,
        subsample: float = 0.7,
        colsample: float = 0.5,
        seed: int = 0,
    ) -> None:
        self.members = members
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.subsample = subsample
        self.colsample = colsample
        self.seed = seed

    def fit(self, X: np.ndarray, y: np.ndarray) -> "XGBoostHead":
        X, y = check_training_set(X, y)
        data = xgboost.DMatrix(np.asarray(X, dtype=np.float32), label=y)
        self.boosters_ = [
            xgboost.train(
                {
                    "objective": "reg:squarederror",
                    "eta": self.learning_rate,
                    "max_depth": self.max_depth,
                    "subsample": self.subsample,
                    "colsample_bytree": self.colsample,
                    "tree_method": "hist",
                    "max_bin": 64,
                    "seed": int(np.random.SeedSequence([self.seed, member]).generate_state(1)[0])
                    % 2**31,
                },
                data,
                self.rounds,
            )
            for member in range(self.members)
        ]
        return self

    def predict_distribution(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and spread of the boosters."""
        data = xgboost.DMatrix(np.asarray(X, dtype=np.float32))
        scores = np.stack([b.predict(data) for b in self.boosters_]).astype(float)
        return scores.mean(axis=0), scores.std(axis=0)

    def state(self) -> dict[str, np.ndarray]:
        return {
            f"booster{i}": np.frombuffer(b.save_raw("ubj"), dtype=np.uint8)
            for i, b in enumerate(self.boosters_)
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> "XGBoostHead":
        self.boosters_ = []
        for member in range(len(state)):
            booster = xgboost.Booster()
            booster.load_model(bytearray(state[f"booster{member}"].tobytes()))
            self.boosters_.append(booster)
        return self
