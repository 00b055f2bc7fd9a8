"""Lassos against angles: around a point within, the corners turn once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.explorer.scatter import read_polygon
from flows.explorer.selecting import within

pytest.importorskip("nicegui")

coordinates = st.integers(-20, 20)


def turns(point: np.ndarray, polygon: np.ndarray) -> int:
    """How often a polygon goes around a point, by its angles one after the other."""
    total = 0.0
    for corner, following in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        (x1, y1), (x2, y2) = corner - point, following - point
        total += np.arctan2(x1 * y2 - y1 * x2, x1 * x2 + y1 * y2)
    return round(total / (2 * np.pi))


@given(
    corners=st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=9, unique=True),
    points=st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=20),
)
def test_within_is_an_odd_number_of_turns(
    corners: list[tuple[int, int]], points: list[tuple[int, int]]
) -> None:
    polygon = np.array(corners, dtype=float)
    # Off the corners' own grid, so that no point is on an edge that is level or upright.
    xy = np.array(points, dtype=np.float32) + np.float32([0.137, 0.271])
    found = within(xy, polygon)
    for point, inside in zip(xy.astype(float), found, strict=True):
        if not on_an_edge(point, polygon):
            assert inside == turns(point, polygon) % 2


def on_an_edge(point: np.ndarray, polygon: np.ndarray) -> bool:
    for corner, following in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        (x1, y1), (x2, y2) = corner - point, following - point
        if abs(x1 * y2 - y1 * x2) < 1e-4:
            return True
    return False


def test_two_corners_hold_nothing() -> None:
    assert not within(np.zeros((3, 2), np.float32), np.array([[-1.0, -1], [1, 1]])).any()


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        {},
        {"polygon": None},
        {"polygon": [[0, 0], [1, 1]]},
        {"polygon": [[0, 0], [1, 1], [2]]},
        {"polygon": [[0, 0], [1, 1], ["2", 3]]},
        {"polygon": [[0, 0], [1, 1], [float("nan"), 3]]},
        {"polygon": [[0, 0], [1, 1], [float("inf"), 3]]},
        {"polygon": [[0, 0], [1, 1], {"x": 1}]},
        {"polygon": [[0, 0]] * 2_001},
        {"polygon": "[[0, 0], [1, 1], [2, 3]]"},
    ],
)
def test_what_is_no_polygon_is_none(sent: object) -> None:
    assert read_polygon(sent) is None


def test_a_polygon_is_read_as_it_is() -> None:
    found = read_polygon({"polygon": [[0, 0.5], [1, 1], [2, 3]]})
    assert found is not None
    assert found.tolist() == [[0, 0.5], [1, 1], [2, 3]]
