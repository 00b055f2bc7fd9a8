"""A surrogate whose prior mean is what old tasks expect."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cole_core.predictors.reductions import Reduction
from cole_core.predictors.surrogate import Scope, Surrogate
from cole_core.predictors.transfer.carried import carried_states
from cole_core.predictors.transfer.old_task import expectations
from cole_core.predictors.transfer.weights import prior_weights, task_weights


class TransferSurrogate(Surrogate):
    """A surrogate on vectors beside which the expectations of old tasks stand.

    On the head's scale, the score of an architecture is a weighted sum of what the old tasks expect
    of it plus what the head learns of the rest.

    Attributes:
        carried_: The surrogates of its old tasks, once it has taken them in.

    Args:
        head: As `Surrogate`, like all that follow but the last.
        old_tasks: How many old tasks there are: the last columns of what `fit` and `predict` take.
    """

    carried_: Sequence[Surrogate] = ()

    def __init__(
        self,
        head: Any,
        reduction: str = "pca",
        n_components: int = 128,
        whitening: float = 0.35,
        fitted_on: Scope = "labelled",
        target: str = "standard",
        blocks: Sequence[tuple[int, str]] | None = None,
        old_tasks: int = 1,
    ) -> None:
        super().__init__(head, reduction, n_components, whitening, fitted_on, target, blocks)
        self.old_tasks = old_tasks

    @property
    def old_task_weights(self) -> tuple[float, ...]:
        return tuple(map(float, self.weights_))

    def carry(self, surrogates: Sequence[Surrogate]) -> None:
        """Takes the surrogates of its old tasks in, once it is fitted.

        From then on predictions take vectors alone, and `save` keeps them as well: nothing that
        happens to what they were fitted to, or to where they are kept, changes what it predicts.

        Args:
            surrogates: One for each old task, in the order of the columns.
        """
        self.carried_ = tuple(surrogates)

    def fit_reduction(self, unlabelled: np.ndarray) -> Reduction:
        return super().fit_reduction(self._split(unlabelled)[0])

    def reduced(self, vectors: np.ndarray, reduction: Reduction) -> np.ndarray:
        plain, expected = self._split(vectors)
        return np.hstack([reduction.transform(plain), expected])

    def prepare(
        self, X: np.ndarray, y: np.ndarray, *, unlabelled: np.ndarray | Reduction | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        vectors, expected = self._split(X)
        if isinstance(unlabelled, np.ndarray) and self.needs_space:
            unlabelled = self.fit_reduction(unlabelled)
        features, scores = super().prepare(vectors, y, unlabelled=unlabelled)
        self.weights_ = task_weights(expected, scores)
        prior = expected @ self.weights_
        self.level_ = float(scores.mean() - prior.mean())
        return features, scores - self.level_ - prior

    def _read(self, X: np.ndarray) -> np.ndarray:
        if self.carried_:
            X = np.hstack([X, expectations(self.carried_, X)])
        vectors, expected = self._split(X)
        prior = expected @ self.weights_ + self.level_
        return np.hstack([super()._read(vectors), prior[:, None]])

    def _score(self, features: np.ndarray, return_std: bool = False) -> Any:
        prior = features[:, -1]
        if not return_std:
            return prior + super()._score(features[:, :-1])
        mean, std = super()._score(features[:, :-1], return_std=True)
        return prior + mean, std

    def expectation(self, X: np.ndarray) -> np.ndarray:
        """What the old tasks expect before anything is measured on the new one.

        Args:
            X: Vectors with expectations beside them, shape (m, d + old_tasks).

        Returns:
            Scores, shape (m,).
        """
        return self._split(X)[1] @ prior_weights(self.old_tasks)

    def _states(self) -> dict[str, Mapping[str, np.ndarray]]:
        learned = {"weights": self.weights_, "level": np.array(self.level_)}
        return {**super()._states(), "transfer": learned, **carried_states(self.carried_)}

    def about(self) -> dict[str, Any]:
        about = super().about()
        return {**about, "carried": [each.about() for each in self.carried_]}

    def restore_states(self, states: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        super().restore_states(states)
        self.weights_ = np.array(states["transfer"]["weights"])
        self.level_ = float(states["transfer"]["level"])

    def _split(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Vectors, and what the old tasks expect, shape (m, old_tasks)."""
        X = np.asarray(X)
        return X[:, : -self.old_tasks], np.asarray(X[:, -self.old_tasks :], dtype=float)
