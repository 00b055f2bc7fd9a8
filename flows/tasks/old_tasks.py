"""Surrogates of old tasks: fitted once, kept as artifacts, read again."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cole_core.errors import InputError
from cole_core.predictors.transfer.old_values import OldValues
from flows.running.runs import Run

if TYPE_CHECKING:
    from cole_core.predictors.surrogate import Surrogate


class WithExpectations:
    """Vectors of any architectures, with what old tasks expect of them beside.

    Args:
        vectors: Native strings to vectors, shape (n, d).
        surrogates: Of the old tasks.
    """

    def __init__(
        self,
        vectors: Callable[[Sequence[str]], np.ndarray],
        surrogates: "Sequence[Surrogate]",
    ) -> None:
        self._vectors = vectors
        self._surrogates = surrogates

    def __call__(self, natives: Sequence[str]) -> np.ndarray:
        """Shape (n, d + tasks)."""
        from cole_core.predictors.transfer.old_task import expectations

        vectors = self._vectors(natives)
        return np.hstack([vectors, expectations(self._surrogates, vectors)])


def expected_by_old_tasks(run: Run, old: OldValues, vectors: np.ndarray) -> np.ndarray:
    """What old tasks expect of architectures, shape (m, tasks).

    Args:
        run: Reads and writes.
        old: What was measured on them.
        vectors: Of the architectures, shape (m, d).
    """
    from cole_core.predictors.transfer.old_task import expectations

    return expectations(old_surrogates(run, old), vectors)


def old_surrogates(run: Run, old: OldValues) -> "Sequence[Surrogate]":
    """The surrogate of each old task, fitted where its values are new."""
    from cole_core.predictors.transfer.old_task import fit_old_task, new_surrogate

    reduction = None
    found: list[Surrogate] = []
    for task in old.tasks:
        kept = _read(run.warehouse.artifacts / task.artifact)
        if kept is None:
            template = new_surrogate(task.kind)
            if reduction is None and template.needs_space:
                reduction = template.fit_reduction(old.vectors)
            kept = fit_old_task(task.labelled, task.kind, reduction)
            with run.warehouse.writer("cole search", run.run_id) as writer:
                writer.keep_artifact(task.artifact, kept.save)
        found.append(kept)
    return found


def _read(path: Path) -> "Surrogate | None":
    """A kept surrogate; None where there is none, or it cannot be read and is made again."""
    from cole_core.predictors import load_surrogate

    try:
        return load_surrogate(path)
    except InputError:
        return None
