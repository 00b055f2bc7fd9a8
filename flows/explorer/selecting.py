"""Which places lie within a line that somebody drew around them."""

import numpy as np
from numpy.typing import NDArray

CORNERS = 2_000
"""Of a lasso at most."""


def within(xy: NDArray[np.float32], polygon: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points are inside a polygon, by the even-odd rule.

    Args:
        xy: (n, 2) points.
        polygon: (m, 2) corners in their order; the last is joined to the first.

    Returns:
        (n,) of whether.
    """
    inside = np.zeros(len(xy), dtype=bool)
    if len(polygon) < 3:
        return inside
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    near = np.flatnonzero(((xy >= low) & (xy <= high)).all(axis=1))
    x, y = xy[near].T.astype(np.float64)
    crossed = np.zeros(len(near), dtype=bool)
    for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y1 != y2:
            between = (y1 > y) != (y2 > y)
            crossed ^= between & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    inside[near] = crossed
    return inside
