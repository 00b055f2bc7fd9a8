"""A map and what is known of the architectures on it, against the warehouse's own tables."""

import shutil
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cole_core.errors import InputError
from cole_core.spaces import get_space
from flows.explorer.atlas import Atlas, mapped_vectors
from flows.explorer.places import layout_places, principal_places
from flows.explorer.state import Explorer
from flows.report import principal_plane
from flows.tasks.architectures import add_architectures
from tests.flows.explorer.warehouses import (
    ENCODING,
    SIZE,
    SPACE,
    accuracy,
    add_architecture,
    add_search,
    cells,
    evaluations,
)
from warehouse import Warehouse


@pytest.fixture(scope="module")
def atlas(explored: Warehouse) -> Atlas:
    return Atlas(explored, SPACE, mapped_vectors(explored, SPACE)[0])


def test_places_are_the_principal_components_of_the_report(atlas: Atlas) -> None:
    expected, shares = principal_plane(atlas.vectors())
    np.testing.assert_allclose(atlas.places.xy, expected, atol=1e-3)
    assert f"({shares[0]:.0%})" in atlas.places.axes[0]


def test_a_sample_gives_nearly_the_same_components() -> None:
    rng = np.random.default_rng(0)
    scales = np.array([9.0, 5, 1, 1, 1, 1, 1, 1])
    vectors = (rng.standard_normal((60_000, 8)) * scales).astype(np.float32)
    expected, _ = principal_plane(vectors)
    found = principal_places(vectors).xy
    for axis in (0, 1):
        assert abs(np.corrcoef(found[:, axis], expected[:, axis])[0, 1]) > 0.999


def test_values_are_those_that_were_stored(atlas: Atlas) -> None:
    natives = cells()
    expected = [accuracy(natives.index(native)) for native in atlas.architectures["native"]]
    assert atlas.values("cifar10").to_list() == expected
    assert atlas.values("source").to_list() == ["mine"] * SIZE
    assert atlas.values("parameters").to_list() == [
        SPACE.parameter_count(native) for native in atlas.architectures["native"]
    ]


def test_operations_are_counted_in_the_texts(atlas: Atlas, explored: Warehouse) -> None:
    texts = dict(
        explored.sql(
            f"SELECT native, text FROM renderings WHERE encoding = '{ENCODING}'"
        ).iter_rows()
    )
    counts = atlas.values("conv3x3").to_list()
    natives = atlas.architectures["native"].to_list()
    assert counts == [texts[native].count("conv3x3(") for native in natives]
    assert max(counts) > 1


def test_a_condition_is_a_plain_loop(atlas: Atlas) -> None:
    rows = zip(
        atlas.values("cifar10").to_list(),
        atlas.values("conv3x3").to_list(),
        atlas.architectures["native"].to_list(),
        strict=True,
    )
    expected = [value > 60 and count >= 1 and "skip" in native for value, count, native in rows]
    found = atlas.fits("CIFAR10 > 60 AND conv3x3 >= 1 AND native LIKE '%skip%'")
    assert found.tolist() == expected
    assert 0 < found.sum() < SIZE
    assert atlas.fits("  ").all()


@pytest.mark.parametrize(
    "condition",
    ["cifar10", "cifar10 >", "nothing > 1", "max(cifar10) > 1", "1) + (1", "true; SELECT 1", "''"],
)
def test_what_is_no_condition_is_said_in_one_line(atlas: Atlas, condition: str) -> None:
    with pytest.raises(InputError) as refused:
        atlas.fits(condition)
    assert condition in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_expression_is_a_colour(atlas: Atlas) -> None:
    found = atlas.evaluate("cifar10 - avg(cifar10) OVER ()")
    assert abs(float(found.mean())) < 1e-9  # type: ignore[arg-type]
    assert atlas.evaluate("[position, 1]")[3] == "[3,1]"
    assert atlas.evaluate("position, 1")[3].startswith("{")  # a row in SQL


def test_what_is_measured_later_is_there_at_the_next_look(
    explored: Warehouse, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(explored.home, home)
    warehouse = Warehouse(home)
    atlas = Atlas(warehouse, SPACE, mapped_vectors(warehouse, SPACE)[0])
    assert atlas.values("cifar10").null_count() == 0
    assert "speed" not in atlas.columns
    with warehouse.writer("test", "22222222-2222-3333-4444-555555555555") as writer:
        evaluations(writer, cells()[:7], {"dataset": "speed", "metric": "latency"})
        add_search(writer, cells(), range(10, 12))
    assert atlas.values("speed_test_latency_200").count() == 7


def test_a_warehouse_without_vectors_says_what_makes_them(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "home")
    with warehouse.writer("test", "test") as writer:
        writer.start_run("test", {}, {})
    with pytest.raises(InputError, match="cole render nasbench201"):
        mapped_vectors(warehouse, SPACE)


@pytest.mark.parametrize("method", ["tsne"])
def test_a_layout_keeps_neighbours_and_twins_together(method: str) -> None:
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.standard_normal((3, 16)) * 20, 20, axis=0)
    vectors = (centres + rng.standard_normal((60, 16))).astype(np.float32)
    vectors[1] = vectors[0]
    xy = layout_places(vectors, method).xy
    assert xy[0].tolist() == xy[1].tolist()
    means = np.stack([xy[20 * n : 20 * n + 20].mean(axis=0) for n in range(3)])
    nearest = np.linalg.norm(xy[:, None] - means, axis=2).argmin(axis=1)
    assert nearest.tolist() == np.repeat([0, 1, 2], 20).tolist()


def test_too_few_vectors_have_no_layout() -> None:
    with pytest.raises(InputError, match="4 or more"):
        layout_places(np.ones((9, 4), np.float32), "tsne")


def test_columns_are_named_once(atlas: Atlas) -> None:
    frame = pl.DataFrame({"name": list(atlas.columns)})
    assert frame["name"].is_unique().all()
    assert {"native", "cifar10", "conv3x3", "source"} <= set(frame["name"])


def test_the_first_map_is_drawn_before_somebody_asks(explored: Warehouse, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(explored.home, home)
    explorer = Explorer(Warehouse(home))
    explorer.read_ahead()
    shutil.rmtree(home / "vectors")  # whoever reads them now finds none
    [source] = explorer.maps(SPACE)[:1]
    expected = Atlas(explored, SPACE, source)
    drawn = explorer.atlas(SPACE, source)
    assert drawn.architectures.equals(expected.architectures)
    np.testing.assert_array_equal(drawn.places.xy, expected.places.xy)


def test_nothing_to_read_ahead_is_no_failure(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    with warehouse.writer("test", "22222222-2222-3333-4444-555555555555"):
        pass
    Explorer(warehouse).read_ahead()


def test_maps_are_drawn_anew_where_vectors_were_added(explored: Warehouse, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(explored.home, home)
    warehouse = Warehouse(home)
    explorer = Explorer(warehouse)
    [source] = explorer.maps(SPACE)[:1]
    before = explorer.atlas(SPACE, source)
    text, native = "a text of its own", cells(SIZE + 1)[-1]
    with warehouse.writer("test", "22222222-2222-3333-4444-555555555555") as writer:
        add_architecture(writer, native, text)
    after = explorer.atlas(SPACE, source)
    assert len(after) == len(before) + 1


def test_what_was_counted_is_counted_anew_where_somebody_wrote(
    explored: Warehouse, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(explored.home, home)
    warehouse = Warehouse(home)
    explorer = Explorer(warehouse)
    assert explorer.space_names() == explorer.space_names() == ["nasbench201"]
    other = get_space("nasbenchgraph")
    with warehouse.writer("test", "22222222-2222-3333-4444-555555555555") as writer:
        add_architectures(warehouse, writer, other, list(islice(other.enumerate(), 3)))
    assert set(explorer.space_names()) == {"nasbench201", other.name}
