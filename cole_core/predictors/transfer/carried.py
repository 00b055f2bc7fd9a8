"""The surrogates of old tasks inside the file of a head that learned from them."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cole_core.predictors.surrogate import Surrogate, states_by_part

_PART = "old{}"
_DEVIATIONS = "head.cholesky"  # most of a file, and of an old task only the mean is read

States = Mapping[str, Mapping[str, np.ndarray]]


def carried_states(surrogates: Sequence[Surrogate]) -> dict[str, dict[str, np.ndarray]]:
    """What old tasks' surrogates learned, by part.

    Those that are fitted on one space reduce vectors alike: what the first one says of that is not
    repeated.

    Args:
        surrogates: One for each old task; they expect what they expected, without deviations.
    """
    made: dict[str, dict[str, np.ndarray]] = {}
    for place, surrogate in enumerate(surrogates):
        flat = surrogate.arrays()
        flat.pop(_DEVIATIONS, None)
        first = made.get(_PART.format(0), {})
        made[_PART.format(place)] = {
            key: value for key, value in flat.items() if not _is_shared(key, value, first)
        }
    return made


def carried_parts(states: States, count: int) -> Iterator[dict[str, dict[str, np.ndarray]]]:
    """The states of each old task's surrogate, as `restore_states` takes them.

    Args:
        states: Of the head's file, by part.
        count: How many old tasks there are.
    """
    for place in range(count):
        own = states[_PART.format(place)]
        reduced = {k: v for k, v in states[_PART.format(0)].items() if _is_of_reduction(k)}
        yield states_by_part({**reduced, **own})


def _is_of_reduction(key: str) -> bool:
    return key.startswith("reduction.")


def _is_shared(key: str, value: np.ndarray, first: Mapping[str, np.ndarray]) -> bool:
    return _is_of_reduction(key) and key in first and np.array_equal(value, first[key])
