"""Colours of values: in the order of the numbers, and one for each name."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from flows.explorer.colouring import UNKNOWN, colour, ramp
from flows.report.charts import RAMP


@given(st.lists(st.floats(-1e6, 1e6) | st.none() | st.just(float("nan")), min_size=1))
def test_numbers_are_in_order(values: list[float | None]) -> None:
    found = colour(pl.Series(values, dtype=pl.Float64))
    if found.ends is None:  # two or fewer different numbers are names
        return
    pairs = zip(values, found.codes.tolist(), strict=True)
    known = [(value, code) for value, code in pairs if value is not None and value == value]
    ordered = [code for _, code in sorted(known)]
    assert ordered == sorted(ordered)
    assert max(ordered) < len(found.palette) <= UNKNOWN
    unknown = [v is None or v != v for v in values]
    assert (found.codes == UNKNOWN).tolist() == unknown


def test_a_few_dead_cells_do_not_take_the_ramp() -> None:
    values = np.concatenate([np.full(5, 10.0), np.linspace(90, 94, 995)])
    found = colour(pl.Series(values))
    assert found.ends is not None
    assert 88 < found.ends[0] < 90
    assert found.ends[1] == 94
    assert set(found.codes[:5]) == {0}


def test_names_that_are_many_share_a_colour() -> None:
    names = [f"name {n % 15:02d}" for n in range(150)] + ["most"] * 20 + [None]
    found = colour(pl.Series(names))
    assert found.names[0][0] == "most"
    assert found.names[0][2] == 20
    assert found.names[-1] == ("5 others", found.palette[-1], 50)
    assert sum(count for *_, count in found.names) == 170
    assert found.codes[-1] == UNKNOWN
    assert found.codes[150] == 0


def test_truth_has_two_colours() -> None:
    found = colour(pl.Series([True, False, True, None]))
    assert [(name, count) for name, _, count in found.names] == [("true", 2), ("false", 1)]
    assert found.codes.tolist() == [0, 1, 0, UNKNOWN]


def test_nested_and_null_values_are_no_fault() -> None:
    assert colour(pl.Series([[1, 2], [3], None])).codes.tolist()[2] == UNKNOWN
    assert colour(pl.Series([None, None])).codes.tolist() == [UNKNOWN, UNKNOWN]


def test_a_ramp_goes_through_its_colours() -> None:
    assert ramp(len(RAMP)) == RAMP
    assert ramp(2 * len(RAMP) - 1)[::2] == RAMP
