"""Several encodings of an architecture beside each other, each reduced on its own."""

from collections.abc import Mapping, Sequence

import numpy as np

from cole_core.errors import InputError
from cole_core.predictors.reductions.base import Reduction
from cole_core.predictors.reductions.scaling import Identity


class SideBySide(Reduction):
    """Each part of a vector under a reduction of its own, scaled to the same total variance.

    Without the scaling the part with the most columns would decide every distance. A reduction
    whose `weight` is not one counts so much more.

    Args:
        parts: Width and reduction of each part, in the order of the columns.
    """

    name = "side_by_side"

    def __init__(self, parts: Sequence[tuple[int, Reduction]]) -> None:
        self.parts = list(parts)
        self.starts = np.cumsum([0, *(width for width, _ in self.parts)])

    def fit(self, X: np.ndarray) -> "SideBySide":
        columns = self._split(X)
        fitted = [
            part.fit(x).transform(x) for (_, part), x in zip(self.parts, columns, strict=True)
        ]
        variances = [float(np.var(Z, axis=0).sum()) for Z in fitted]
        share = sum(Z.shape[1] for Z in fitted) / len(fitted)
        weights = np.array([part.weight for _, part in self.parts])
        self.scales_ = weights * [np.sqrt(share / v) if v > 0 else 1.0 for v in variances]
        self.widths_ = [Z.shape[1] for Z in fitted]
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [
                scale * part.transform(x)
                for scale, (_, part), x in zip(
                    self.scales_, self.parts, self._split(X), strict=True
                )
            ],
            axis=1,
        )

    def _split(self, X: np.ndarray) -> list[np.ndarray]:
        X = np.asarray(X)
        if X.shape[1] != self.starts[-1]:
            raise InputError(f"vectors have {X.shape[1]} columns, their parts {self.starts[-1]}")
        return np.split(X, self.starts[1:-1], axis=1)

    def state(self) -> dict[str, np.ndarray]:
        states = {
            f"{i}.{key}": value
            for i, (_, part) in enumerate(self.parts)
            for key, value in part.state().items()
        }
        return {"scales": self.scales_, "widths": np.array(self.widths_), **states}

    def restore(self, state: Mapping[str, np.ndarray]) -> "SideBySide":
        self.scales_ = np.array(state["scales"])
        self.widths_ = [int(width) for width in state["widths"]]
        for i, (_, part) in enumerate(self.parts):
            prefix = f"{i}."
            part.restore({k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)})
        return self


class AlreadySideBySide(SideBySide):
    """Leaves vectors as they are whose encodings were reduced before.

    Args:
        widths: Columns of each encoding.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__([(width, Identity()) for width in widths])
        self.scales_ = np.ones(len(widths))
        self.widths_ = list(widths)

    def fit(self, X: np.ndarray) -> "AlreadySideBySide":
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(X)
