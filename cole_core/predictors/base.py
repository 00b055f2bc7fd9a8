"""The contract of a head: a scikit-learn regressor that also gives a deviation and its state."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from cole_core.errors import InputError

Prediction = np.ndarray | tuple[np.ndarray, np.ndarray]

# What `make_surrogate` puts around a head unless it is told: the COLE paper's choice, and the one
# that was tuned on NAS-Bench-201's CIFAR-10.
PAPER = {"reduction": "pca", "n_components": 128, "fitted_on": "labelled", "target": "standard"}
TUNED = {"reduction": "whiten", "n_components": 384, "fitted_on": "space", "target": "rank"}


class Head(RegressorMixin, BaseEstimator, ABC):
    """Vector to predicted score.

    Constructor arguments are parameters as scikit-learn has them (`get_params`, `clone`); what
    `fit` learns has a trailing underscore and travels as arrays through `state` and `restore`.
    A head that draws at random takes a parameter `seed`.

    Attributes:
        name: What it is registered as.
        defaults: The surrogate around it: reduction, n_components, fitted_on and target.
        losses: What its parameter `loss` may be; none where it has no choice.
        weighs_blocks: Whether `fit` takes the widths of encodings side by side.
        reads_blocks: Whether it reads such encodings apart, so that a search tells it the widths of
            those that it has reduced already.
    """

    name: str
    defaults: ClassVar[Mapping[str, Any]] = PAPER
    losses: ClassVar[tuple[str, ...]] = ()
    weighs_blocks: ClassVar[bool] = False
    reads_blocks: ClassVar[bool] = False

    def check(self) -> None:
        """Refuses parameters that `fit` would refuse, before anything is read.

        Raises:
            InputError: One means nothing.
        """

    @abstractmethod
    def fit(self, X: np.ndarray, y: np.ndarray) -> "Head":
        """Fits the head.

        Args:
            X: Features, shape (n, d).
            y: Scores, shape (n,), about zero mean and unit variance.

        Returns:
            The head itself.
        """

    @classmethod
    def fit_many(
        cls, heads: Sequence[Any], X: Sequence[np.ndarray], y: Sequence[np.ndarray]
    ) -> None:
        """Fits many heads of this class, in place; together where that is faster.

        Args:
            heads: Heads to fit.
            X: Features of each head's training set, shape (n, d).
            y: Scores of each head's training set, shape (n,).

        Raises:
            InputError: A training set is not fit to learn from.
        """
        for head, features, scores in zip(heads, X, y, strict=True):
            head.fit(features, scores)

    @classmethod
    def fit_many_weighed(
        cls,
        heads: Sequence[Any],
        X: Sequence[np.ndarray],
        y: Sequence[np.ndarray],
        blocks: Sequence[Sequence[int]],
    ) -> None:
        """As `fit_many`, where the heads weigh encodings side by side.

        Args:
            heads: Heads to fit, in place.
            X: Features of each head's training set, shape (n, d).
            y: Scores of each head's training set, shape (n,).
            blocks: Columns of each encoding in each head's features; none where there is but one.

        Raises:
            InputError: A training set is not fit to learn from.
        """
        for head, features, scores, widths in zip(heads, X, y, blocks, strict=True):
            head.fit(features, scores, blocks=widths)

    @abstractmethod
    def predict_distribution(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of the score, each of shape (m,)."""

    def predict_mean(self, X: np.ndarray) -> np.ndarray:
        """The mean alone, where a head has it for less."""
        return self.predict_distribution(X)[0]

    @abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """What was learned, as arrays."""

    @abstractmethod
    def restore(self, state: Mapping[str, np.ndarray]) -> "Head":
        """Takes back what `state` gave."""

    def predict(self, X: np.ndarray, return_std: bool = False) -> Any:
        """Predicted scores, shape (m,), with their standard deviations when asked for."""
        return self.predict_distribution(X) if return_std else self.predict_mean(X)


def check_training_set(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features and targets as arrays that a head can take.

    Raises:
        InputError: Shapes that do not match, too few rows, or values that are not finite.
    """
    features, target = np.asarray(X), np.asarray(y, dtype=float)
    if features.ndim != 2 or target.shape != (len(features),):
        raise InputError(
            f"features {features.shape} and targets {target.shape}: give one row and one value"
            " per architecture"
        )
    if len(target) < 2:
        raise InputError(f"n = {len(target)}: a head needs 2 or more labelled architectures")
    if not np.isfinite(target).all():
        raise InputError("a target is NaN or infinite: drop the evaluation")
    if not np.isfinite(features).all():
        raise InputError("a vector holds NaN or infinity: embed that architecture again")
    return features, target
