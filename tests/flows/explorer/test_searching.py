"""Searches as the explorer tells them: fronts and what was learned, beside plain loops."""

import json
from collections import defaultdict
from typing import Any

import numpy as np
import polars as pl
import pytest

from flows.explorer.search_charts import chart, front_chart, weights_chart
from flows.explorer.searching import Group, front, groups, learned, steps
from tests.flows.explorer.warehouses import SPACE, TARGET, cells, usual_warehouse
from warehouse import Warehouse

SEEDS, STEPS = 3, 12
WITHOUT = {"parameters": {}, "encoding": "none", "context": "none"}
SOUGHT = [
    {"name": "accuracy", "direction": "higher"},
    {"name": "latency", "direction": "lower"},
]
OLD = [{"dataset": "svhn", "metric": "accuracy", "split": "test", "epochs": 12, "source": "mine"}]
RNG = np.random.default_rng(3)
VALUES = RNG.integers(0, 20, (SEEDS, STEPS, 2)).astype(float)  # with equal ones among them
WEIGHTS = RNG.uniform(0, 1, (SEEDS, STEPS))


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    made = usual_warehouse(tmp_path_factory.mktemp("searched") / "home")
    for seed in range(SEEDS):
        _add(made, seed, "nsga2", {"objectives": SOUGHT}, {})
        weights = [[weight] for weight in WEIGHTS[seed]]
        _add(made, seed, "bananas", {"transfer": OLD}, {"old_task_weights": weights})
    return made


def _add(
    warehouse: Warehouse, seed: int, algorithm: str, about: dict[str, Any], more: dict[str, Any]
) -> None:
    search_id = f"{algorithm}-{seed}"
    configuration = {"algorithm": algorithm, "seed": seed, **WITHOUT, **about}
    with warehouse.writer("test", "11111111-2222-3333-4444-555555555555") as writer:
        writer.add_searches(
            [
                {
                    "search_id": search_id,
                    "space": SPACE.name,
                    "algorithm": algorithm,
                    "encoding": "none",
                    "context": "none",
                    "spec_id": None,
                    "target": TARGET.to_json(),
                    "seed": seed,
                    "configuration": json.dumps(configuration),
                }
            ]
        )
        told = [dict(zip(("accuracy", "latency"), each, strict=True)) for each in VALUES[seed]]
        columns = {"old_task_weights": [None] * STEPS} | more
        if "objectives" in about:
            columns["objectives"] = [json.dumps(each) for each in told]
        writer.add_search_steps(
            pl.DataFrame(
                {
                    "search_id": [search_id] * STEPS,
                    "step": range(1, STEPS + 1),
                    "architecture_id": [
                        SPACE.architecture_id(native)
                        for native in cells()[seed * STEPS : (seed + 1) * STEPS]
                    ],
                    "value": VALUES[seed, :, 0],
                    "predicted_mean": pl.Series([None] * STEPS, dtype=pl.Float64),
                    "predicted_std": pl.Series([None] * STEPS, dtype=pl.Float64),
                    "seconds": [0.1] * STEPS,
                    **columns,
                }
            )
        )


def group(warehouse: Warehouse, algorithm: str) -> Group:
    (found,) = (
        each
        for each in groups(warehouse, SPACE)
        if each.label.startswith(algorithm) and len(each.seeds) == SEEDS
    )
    return found


def test_seeds_stand_together(warehouse: Warehouse) -> None:
    found = group(warehouse, "nsga2")
    assert found.seeds == (0, 1, 2)
    assert found.steps == SEEDS * STEPS
    assert found.best == VALUES[:, :, 0].max()
    assert "accuracy and latency" in found.label
    drawn = chart(steps(warehouse, found))["series"]
    for seed, line in enumerate(drawn):
        assert [value for _, value in line["data"]] == [
            VALUES[seed, : step + 1, 0].max() for step in range(STEPS)
        ]


def test_the_front_is_what_nothing_is_better_than(warehouse: Warehouse) -> None:
    found = front(warehouse, SPACE, group(warehouse, "nsga2"))
    assert found is not None
    points = VALUES.reshape(-1, 2)
    best = {
        (high, low)
        for high, low in points.tolist()
        if not any(
            (up >= high and down <= low) and (up > high or down < low)
            for up, down in points.tolist()
        )
    }
    assert set(found.points.filter("front")["accuracy", "latency"].rows()) == best
    assert found.points.height == SEEDS * STEPS
    others, drawn, line = front_chart(found)["series"]
    assert {(y, x) for x, y in (each["value"] for each in drawn["data"])} == best
    assert len(others["data"]) + len(drawn["data"]) == SEEDS * STEPS
    across = [x for x, _ in line["data"]]
    assert across == sorted(across)


def test_weights_are_means_over_seeds(warehouse: Warehouse) -> None:
    found = learned(warehouse, group(warehouse, "bananas"))
    sums: dict[int, float] = defaultdict(float)
    for seed in range(SEEDS):
        for step in range(STEPS):
            sums[step + 1] += WEIGHTS[seed, step] / SEEDS
    assert dict(found["step", "weight"].rows()) == pytest.approx(dict(sums))
    (line,) = weights_chart(found)["series"]
    assert dict(line["data"]) == pytest.approx(dict(sums))
    assert "svhn" in line["name"]


def test_a_search_of_one_objective_that_learned_nothing_has_neither(explored: Warehouse) -> None:
    (only,) = groups(explored, SPACE)
    assert front(explored, SPACE, only) is None
    assert learned(explored, only).is_empty()
