"""A surrogate: reduction, target transform and head as one estimator that can be saved."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from cole_core.errors import InputError
from cole_core.predictors.base import Head, check_training_set
from cole_core.predictors.reductions import Reduction, make_reduction
from cole_core.predictors.reductions.side_by_side import SideBySide
from cole_core.predictors.targets import make_target

Scope = Literal["labelled", "space"]
_FORMAT = 2


class Surrogate(RegressorMixin, BaseEstimator):
    """Ranks architectures after a few have been measured.

    Args:
        head: The regressor on reduced vectors; any scikit-learn regressor whose `predict` takes
            `return_std` will do, but only a `Head` can be saved. `SklearnHead` makes one of any.
        reduction: `none`, `zscore`, `pca` or `whiten`.
        n_components: Largest number of components of `pca` and `whiten`.
        whitening: Power of `whiten`.
        fitted_on: What the reduction is fitted on: the `labelled` vectors, or those of the whole
            `space`, which then go to `fit` as `unlabelled`.
        target: `standard` or `rank`.
        blocks: Width and name of the reduction of each part, for vectors that hold several
            encodings side by side; `reduction` then says nothing.
    """

    def __init__(
        self,
        head: Any,
        reduction: str = "pca",
        n_components: int = 128,
        whitening: float = 0.35,
        fitted_on: Scope = "labelled",
        target: str = "standard",
        blocks: Sequence[tuple[int, str]] | None = None,
    ) -> None:
        self.head = head
        self.reduction = reduction
        self.n_components = n_components
        self.whitening = whitening
        self.fitted_on = fitted_on
        self.target = target
        self.blocks = blocks

    @property
    def old_task_weights(self) -> tuple[float, ...]:
        """How much each old task counts, where it reads any."""
        return ()

    @property
    def needs_space(self) -> bool:
        """Whether `fit` needs the vectors of the whole space."""
        return self.fitted_on == "space"

    def fit_reduction(self, unlabelled: np.ndarray) -> Reduction:
        """The reduction fitted on the vectors of the space, to share among many surrogates.

        Args:
            unlabelled: Shape (N, d).
        """
        return self._new_reduction().fit(unlabelled)

    def reduced(self, vectors: np.ndarray, reduction: Reduction) -> np.ndarray:
        """Vectors of the whole space as a surrogate without a reduction reads them.

        Args:
            vectors: Shape (N, d).
            reduction: What `fit_reduction` made of them.
        """
        return reduction.transform(vectors)

    def fit(
        self, X: np.ndarray, y: np.ndarray, *, unlabelled: np.ndarray | Reduction | None = None
    ) -> "Surrogate":
        """Fits reduction, target transform and head.

        Args:
            X: Vectors of the measured architectures, shape (n, d).
            y: Measured values, shape (n,).
            unlabelled: Vectors of the whole space, shape (N, d), or what `fit_reduction` made of
                them; needed when the reduction is fitted on the space, ignored otherwise.

        Returns:
            The surrogate itself.

        Raises:
            InputError: The training set cannot be learned from, or `unlabelled` is missing.
        """
        self.fit_head(*self.prepare(X, y, unlabelled=unlabelled))
        return self

    @property
    def widths(self) -> tuple[int, ...]:
        """Columns of each encoding after the reduction, where several stand side by side."""
        return tuple(self.reduction_.widths_) if isinstance(self.reduction_, SideBySide) else ()

    def fit_head(self, features: np.ndarray, scores: np.ndarray) -> None:
        """The rest of `fit` after `prepare`."""
        if getattr(self.head, "weighs_blocks", False):
            self.head.fit(features, scores, blocks=self.widths)
        else:
            self.head.fit(features, scores)

    def prepare(
        self, X: np.ndarray, y: np.ndarray, *, unlabelled: np.ndarray | Reduction | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """All of `fit` but the head: learns the transforms and gives the head's training set."""
        X, y = check_training_set(X, y)
        if np.ptp(y) == 0:
            raise InputError(f"all {len(y)} targets are {y[0]:g}: nothing can be ranked by them")
        if self.fitted_on not in ("labelled", "space"):
            raise InputError(f"fitted_on '{self.fitted_on}': choose labelled or space")
        if self.fitted_on == "labelled":
            self.reduction_ = self._new_reduction().fit(X)
        elif isinstance(unlabelled, Reduction):
            self.reduction_ = unlabelled
        elif unlabelled is not None:
            self.reduction_ = self.fit_reduction(unlabelled)
        else:
            raise InputError("the reduction is fitted on the space: give its vectors as unlabelled")
        self.target_ = make_target(self.target).fit(y)
        return self.reduction_.transform(X), self.target_.transform(y)

    def _new_reduction(self) -> Reduction:
        def make(name: str) -> Reduction:
            return make_reduction(name, n_components=self.n_components, whitening=self.whitening)

        if not self.blocks:
            return make(self.reduction)
        return SideBySide([(width, make(name)) for width, name in self.blocks])

    def predict_scores(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation on the head's scale, which acquisition functions use."""
        mean, std = self._score(self._read(X), return_std=True)
        return np.asarray(mean), np.asarray(std)

    def _read(self, X: np.ndarray) -> np.ndarray:
        """All that scores depend on, shape (m, k)."""
        return self.reduction_.transform(X)

    def _score(self, features: np.ndarray, return_std: bool = False) -> Any:
        """Scores of what `_read` gave."""
        return self.head.predict(features, return_std=return_std)

    def predict(self, X: np.ndarray, return_std: bool = False) -> Any:
        """Predicted values in the unit of the targets, with standard deviations when asked for.

        Under the hinge loss only the order of the values means something. Equal vectors, which
        canonical twins have, and vectors that the reduction makes equal are predicted once, so that
        they tie exactly: the rounding of matrix products depends on a row's place.
        """
        rows, places = _distinct(np.asarray(X))
        features = self._read(rows)
        different, among = _distinct(features)
        if len(different) < len(features):
            features, places = different, among[places]
        if not return_std:
            return self.target_.inverse(np.asarray(self._score(features))[places])
        mean, std = (
            np.asarray(scores)[places] for scores in self._score(features, return_std=True)
        )
        return self.target_.inverse(mean), self.target_.inverse_std(mean, std)

    def save(self, path: str | Path) -> None:
        """Writes an npz of plain arrays and one JSON text: no pickle, nothing executable.

        Raises:
            InputError: The head is not one of this package's.
        """
        if not isinstance(self.head, Head):
            raise InputError(f"a {type(self.head).__name__} cannot be saved: use a head of cole")
        about = {"format": _FORMAT, **self.about()}
        arrays: dict[str, Any] = self.arrays()
        with Path(path).open("wb") as file:
            np.savez_compressed(file, about=np.array(json.dumps(about)), **arrays)

    def about(self) -> dict[str, Any]:
        """What it is made with, as plain values."""
        return {
            "head": self.head.name,
            "head_parameters": self.head.get_params(),
            "surrogate": {k: v for k, v in self.get_params(deep=False).items() if k != "head"},
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """What it learned, as `states_by_part` takes it apart."""
        return {
            f"{part}.{key}": value
            for part, state in self._states().items()
            for key, value in state.items()
        }

    def _states(self) -> dict[str, Mapping[str, np.ndarray]]:
        """What each part learned."""
        return {
            "head": self.head.state(),
            "reduction": self.reduction_.state(),
            "target": self.target_.state(),
        }

    def restore_states(self, states: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        """Takes back what each part learned.

        Args:
            states: By part, as a saved surrogate has them.
        """
        self.head.restore(states.get("head", {}))
        self.reduction_ = self._new_reduction().restore(states.get("reduction", {}))
        self.target_ = make_target(self.target).restore(states.get("target", {}))


def _distinct(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different rows, and where each row is among them."""
    whole = np.dtype((np.void, X.dtype.itemsize * X.shape[1]))  # a row compared as bytes
    keys = np.ascontiguousarray(X + X.dtype.type(0)).view(whole).ravel()  # -0.0 is 0.0
    _, first, places = np.unique(keys, return_index=True, return_inverse=True)
    return X[first], places


def states_by_part(arrays: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of a saved surrogate, by the part that learned them."""
    states: dict[str, dict[str, np.ndarray]] = {}
    for name, values in arrays.items():
        part, key = name.split(".", 1)
        states.setdefault(part, {})[key] = values
    return states


def read_saved(path: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a surrogate's file holds.

    Raises:
        InputError: The file is missing or is not a surrogate of this format.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(str(arrays.pop("about")))
    except FileNotFoundError:
        raise InputError(f"no surrogate at {path}: train one first") from None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise InputError(f"{path} is not a saved surrogate: {error}") from None
    if about.get("format") != _FORMAT:
        raise InputError(f"{path} has format {about.get('format')}, not {_FORMAT}: train it again")
    return about, arrays


def fit_together(
    surrogates: Sequence[Surrogate],
    X: Sequence[np.ndarray],
    y: Sequence[np.ndarray],
    *,
    unlabelled: Sequence[np.ndarray | Reduction | None] | None = None,
) -> None:
    """Fits many surrogates, heads of a kind together (`Head.fit_many`).

    Args:
        surrogates: Surrogates to fit, in place.
        X: Vectors of each one's labelled architectures.
        y: Values of each one's labelled architectures.
        unlabelled: Vectors of the space for each one.

    Raises:
        InputError: As `Surrogate.fit`.
    """
    spaces = unlabelled if unlabelled is not None else [None] * len(surrogates)
    prepared = [
        s.prepare(a, b, unlabelled=u) for s, a, b, u in zip(surrogates, X, y, spaces, strict=True)
    ]
    together: dict[type[Head], list[int]] = {}
    for i, surrogate in enumerate(surrogates):
        head = surrogate.head
        if isinstance(head, Head) and (head.reads_blocks or not head.weighs_blocks):
            together.setdefault(type(surrogate.head), []).append(i)
        else:
            surrogate.fit_head(*prepared[i])
    for kind, members in together.items():
        features, scores = zip(*(prepared[i] for i in members), strict=True)
        made = [surrogates[i].head for i in members]
        if kind.weighs_blocks:
            kind.fit_many_weighed(made, features, scores, [surrogates[i].widths for i in members])
        else:
            kind.fit_many(made, features, scores)
