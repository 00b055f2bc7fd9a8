"""What the report draws of searches of several objectives."""

import polars as pl
import pytest

from flows.report.data import Front
from flows.report.fronts import hypervolumes, shown_front


def front_of(rows: list[tuple[str, int, int, float, float]]) -> Front:
    """A front of an accuracy and of a latency that is better when lower, from 50 and 10."""
    points = pl.DataFrame(
        [(f"a{place}", *row, False) for place, row in enumerate(rows)],
        schema=["native", "label", "seed", "step", "accuracy", "latency", "front"],
        orient="row",
    )
    return Front({"accuracy": "higher", "latency": "lower"}, points, (50.0, 10.0))


def test_hypervolume_grows_as_areas_of_rectangles_do() -> None:
    front = front_of(
        [
            ("ours", 0, 1, 70.0, 6.0),  # out of order: steps say when
            ("ours", 0, 0, 60.0, 8.0),
            ("random", 0, 0, 40.0, 1.0),  # below the reference: counts nothing
            ("random", 0, 1, 60.0, 5.0),
        ]
    )

    found = {
        (row["search"], row["evaluation"]): row["mean"]
        for row in hypervolumes(front).iter_rows(named=True)
    }

    # 70 to 6: 20 x 4 = 80; 60 to 5 adds a strip of 10 x 1; all together 90.
    assert found["ours", 1] == pytest.approx(100 * 10 * 2 / 90)
    assert found["ours", 2] == pytest.approx(100 * 80 / 90)
    assert found["random", 1] == 0
    assert found["random", 2] == pytest.approx(100 * 10 * 5 / 90)


def test_hypervolume_of_seeds_is_their_mean_as_far_as_all_are() -> None:
    front = front_of(
        [
            ("ours", 0, 0, 60.0, 5.0),
            ("ours", 0, 1, 70.0, 5.0),
            ("ours", 1, 0, 70.0, 5.0),
        ]
    )

    rows = hypervolumes(front).to_dicts()

    assert len(rows) == 1
    assert rows[0]["seeds"] == 2
    assert (rows[0]["low"], rows[0]["mean"], rows[0]["high"]) == pytest.approx((50, 75, 100))


def test_front_whose_points_are_all_below_the_reference_is_drawn() -> None:
    shown = shown_front(front_of([("ours", 0, 0, 40.0, 11.0)]))

    assert len(shown["charts"]) == 2
    assert hypervolumes(front_of([("ours", 0, 0, 40.0, 11.0)]))["mean"].to_list() == [0.0]
