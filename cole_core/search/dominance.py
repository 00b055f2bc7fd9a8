"""Several objectives at once: what dominates what, and how much a front encloses.

Values are rows, shape (n, m), one column for each objective, a higher value better in each.
"""

import numpy as np


def nondominated(values: np.ndarray) -> np.ndarray:
    """Which rows no other dominates; equal rows stand or fall together.

    Args:
        values: Shape (n, m).

    Returns:
        Shape (n,), bool.
    """
    import moocore

    mask: np.ndarray = moocore.is_nondominated(values, maximise=True, keep_weakly=True)
    return mask


def front_numbers(values: np.ndarray) -> np.ndarray:
    """The front of each row: 0 where nothing dominates it, 1 where only those of front 0 do, ….

    Args:
        values: Shape (n, m).
    """
    import moocore

    ranks: np.ndarray = moocore.pareto_rank(values, maximise=True)
    return ranks


def hypervolume(values: np.ndarray, reference: np.ndarray) -> float:
    """The volume of what some row dominates and what is better than the reference throughout.

    Args:
        values: Shape (n, m).
        reference: Shape (m,).
    """
    import moocore

    inside = values[(values > reference).all(axis=1)]
    if not len(inside):
        return 0.0
    return float(moocore.hypervolume(inside, ref=reference, maximise=True))


def hypervolume_curve(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The hypervolume of the first row, of the first two, …: shape (n,)."""
    curve = np.zeros(len(values))
    front, reached = np.empty((0, values.shape[1])), 0.0
    for place, row in enumerate(values):
        if not (front >= row).all(axis=1).any():
            front = np.vstack([front, row])
            front = front[nondominated(front)]
            reached = hypervolume(front, reference)
        curve[place] = reached
    return curve


def nadir(values: np.ndarray, beyond: float = 0.1) -> np.ndarray:
    """A reference from the values alone: the worst on their front, and a tenth of its range more.

    Args:
        values: Shape (n, m).
        beyond: How far beyond the worst, as a share of the front's range.

    Returns:
        Shape (m,). Where the front has no range in an objective, that of all values counts.
    """
    front = values[nondominated(values)]
    span = np.ptp(front, axis=0)
    span = np.where(span > 0, span, np.ptp(values, axis=0))
    worst: np.ndarray = front.min(axis=0) - beyond * np.where(span > 0, span, 1.0)
    return worst


def directions(count: int, objectives: int, rng: np.random.Generator) -> np.ndarray:
    """Directions at random, uniform on the positive part of the unit sphere: shape (count, m)."""
    drawn = np.abs(rng.standard_normal((count, objectives)))
    unit: np.ndarray = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


def reach(above: np.ndarray, along: np.ndarray) -> np.ndarray:
    """How much of the hypervolume lies along each direction of what each row dominates.

    The mean over directions of the largest of several rows is their hypervolume but for a constant
    (Zhang and Golovin, arXiv 2006.04655, lemma 5): so what a row adds to a front is the mean of
    what it reaches beyond the front's own reach, for any number of objectives.

    Args:
        above: How far above the reference each row is, shape (n, m).
        along: Directions, shape (d, m).

    Returns:
        Shape (n, d).
    """
    shortest = np.full((len(above), len(along)), np.inf)
    for column, share in zip(np.maximum(above, 0).T, along.T, strict=True):
        np.minimum(shortest, column[:, None] / share, out=shortest)
    reached: np.ndarray = shortest ** above.shape[1]
    return reached
