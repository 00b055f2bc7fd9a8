"""Any scikit-learn regressor as a head, so that a plug-in needs to know nothing of this package."""

import contextlib
import inspect
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.base import clone

from cole_core.errors import InputError
from cole_core.predictors.base import Head, check_training_set

_RANDOM = ("random_state", "seed")  # parameters that the head's own seed takes the place of


class SklearnHead(Head):
    """A regressor as scikit-learn has them, with a deviation and with arrays to save.

    The mean is the regressor's. So is the deviation, where `predict` takes `return_std`; for the
    others it is the spread of copies that are fitted on bootstrap samples of the rows (Efron 1979).
    That is right for neighbours, trees and networks alike and asks nothing of them, where the trees
    of a forest or the quantiles of a boosting would need code for each; it costs `resamples` fits.

    What is saved is the training set, and a saved head is fitted again: with the seed fixed the
    regressor comes out the same, and no pickle is read.

    The parameters are the regressor's own that are plain values, nested ones named as scikit-learn
    does (`step__parameter`); and `seed` and `resamples` where they decide something.

    Args:
        name: What the regressor is registered as.
        regressor: A class, or a regressor, which is copied.
        seed: Of the regressor and of the bootstrap.
        resamples: Bootstrap samples.
        **parameters: The regressor's own.

    Raises:
        InputError: It is no regressor, or a parameter is unknown or no plain value.
    """

    def __init__(
        self, name: str, regressor: Any, /, *, seed: int = 0, resamples: int = 8, **parameters: Any
    ) -> None:
        for needed in ("fit", "predict", "get_params", "set_params"):
            if not hasattr(regressor, needed):
                raise InputError(
                    f"head '{name}' is a {type(regressor).__name__}, neither a Head nor a regressor"
                    f" as scikit-learn has them: it has no {needed}"
                )
        self.name = name
        self.seed = seed
        self.resamples = resamples
        self.regressor = regressor() if isinstance(regressor, type) else clone(regressor)
        self._set(parameters)

    def _set(self, parameters: Mapping[str, Any]) -> None:
        known = self._plain()
        for key, value in parameters.items():
            if key not in known or not _is_plain(value):
                why = "takes a plain value" if key in known else f"is none of {', '.join(known)}"
                raise InputError(f"parameter '{key}' of head '{self.name}' {why}")
            # Lists are what JSON leaves of tuples.
            plain = tuple(value) if isinstance(known[key], tuple) else value
            with self._told():
                self.regressor.set_params(**{key: plain})

    def _plain(self) -> dict[str, Any]:
        """The regressor's parameters that can be written down, without its seeds."""
        parameters = self.regressor.get_params()
        return {
            key: value
            for key, value in parameters.items()
            if key not in self._seeds and _is_plain(value)
        }

    @property
    def _seeds(self) -> list[str]:
        """The regressor's parameters, or its parts', that are seeds."""
        return [key for key in self.regressor.get_params() if key.rpartition("__")[2] in _RANDOM]

    @property
    def _knows_deviation(self) -> bool:
        return "return_std" in inspect.signature(self.regressor.predict).parameters

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The regressor's parameters, and the head's own where they decide something."""
        own: dict[str, Any] = {} if self._knows_deviation else {"resamples": self.resamples}
        if own or self._seeds:
            own["seed"] = self.seed
        return self._plain() | own

    def set_params(self, **parameters: Any) -> "SklearnHead":
        self.seed = parameters.pop("seed", self.seed)
        self.resamples = parameters.pop("resamples", self.resamples)
        self._set(parameters)
        return self

    def __sklearn_clone__(self) -> "SklearnHead":
        own = {"seed": self.seed, "resamples": self.resamples}
        return type(self)(self.name, self.regressor, **own)

    def fit(self, X: np.ndarray, y: np.ndarray) -> "SklearnHead":
        X, y = check_training_set(X, y)
        # Sums round by memory layout, and a loaded head is fitted on contiguous rows.
        self.X_, self.y_ = np.ascontiguousarray(X), np.ascontiguousarray(y)
        self.regressor_ = self._fitted(0, self.X_, self.y_)
        self.resampled_: list[Any] = []
        if not self._knows_deviation:
            rng = np.random.default_rng(self.seed)
            for sample in rng.integers(len(y), size=(self.resamples, len(y))):
                copy = self._fitted(len(self.resampled_) + 1, self.X_[sample], self.y_[sample])
                self.resampled_.append(copy)
        return self

    def _fitted(self, copy: int, X: np.ndarray, y: np.ndarray) -> Any:
        regressor = clone(self.regressor)
        seed = int(np.random.SeedSequence([self.seed, copy]).generate_state(1)[0]) % 2**31
        with self._told():
            regressor.set_params(**dict.fromkeys(self._seeds, seed))
            regressor.fit(X, y)
        return regressor

    def predict_mean(self, X: np.ndarray) -> np.ndarray:
        return self._predicted(self.regressor_, X)

    def predict_distribution(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The regressor's mean, with its own deviation or the spread of the bootstrap."""
        if self._knows_deviation:
            with self._told():
                mean, std = self.regressor_.predict(X, return_std=True)
            return np.asarray(mean, dtype=float), np.asarray(std, dtype=float)
        spread = np.std([self._predicted(copy, X) for copy in self.resampled_], axis=0)
        return self.predict_mean(X), spread

    def _predicted(self, regressor: Any, X: np.ndarray) -> np.ndarray:
        with self._told():
            return np.asarray(regressor.predict(X), dtype=float).reshape(len(X))

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """What the regressor finds wrong is told in one line, with the head's name."""
        try:
            yield
        except ValueError as error:
            raise InputError(f"head '{self.name}': {' '.join(str(error).split())}") from error

    def state(self) -> dict[str, np.ndarray]:
        return {"X": self.X_, "y": self.y_, "fitted": self.predict_mean(self.X_)}

    def restore(self, state: Mapping[str, np.ndarray]) -> "SklearnHead":
        """Fits again on what `state` gave.

        Raises:
            InputError: The regressor comes out otherwise, which another version of it may.
        """
        self.fit(np.array(state["X"]), np.array(state["y"]))
        if not np.allclose(self.predict_mean(self.X_), state["fitted"], rtol=1e-5, atol=1e-5):
            raise InputError(
                f"head '{self.name}' predicts otherwise than when it was saved: its package may be"
                " of another version, or it draws at random without a seed; train it again"
            )
        return self


def _is_plain(value: Any) -> bool:
    """Whether a value is the same after a way through JSON, but for tuples, which become lists."""
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int | str)
