"""`cole evaluate`: stored once, resumed after a kill, failures recorded."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prefect.settings import PREFECT_API_URL

from cole_core.errors import InputError
from cole_core.spaces import get_space, spaces
from flows.resolve.network_training import NetworkOptions, TrainingOptions
from flows.resolve.requests import Measured
from flows.resolve.values import one_target
from flows.stages.train_networks import TrainNetworksRequest, plan, train_networks
from tests.flows.stages.networks import FRAGILE, Diarist, Fragile
from warehouse import Warehouse

pytestmark = pytest.mark.usefixtures("prefect_server")

WORK = TrainNetworksRequest(
    space="nasbench201",
    dataset="digits",
    options=TrainingOptions(epochs=1),
    networks=NetworkOptions(channels=2, cells=1, workers=1),
)
OPEN = replace(WORK, space="einspace", networks=NetworkOptions(workers=1))


def run(home: Path, work: TrainNetworksRequest = WORK, **changes: Any) -> Any:
    return train_networks(replace(work, home=home, **changes))


def rows(home: Path, statement: str) -> list[tuple[Any, ...]]:
    return Warehouse(home).sql(statement).rows()


def test_accuracies_are_stored_once_by_settings_and_seed(tmp_path: Path) -> None:
    first = run(tmp_path, samples=3)
    assert (first["trainings"], first["skipped"]) == (3, 0)
    stored = rows(
        tmp_path,
        "SELECT native, dataset, metric, split, epochs, seed, source, value FROM evaluations",
    )
    assert len(stored) == 6
    assert {row[1:5] for row in stored} == {("digits", "accuracy", s, 1) for s in ("valid", "test")}
    assert {row[6] for row in stored} == {first["trainings_source"]}
    assert all(0 <= row[7] <= 100 for row in stored)

    again = run(tmp_path, samples=4)  # the draw begins with the same three
    assert (again["trainings"], again["skipped"]) == (1, 3)
    assert run(tmp_path)["trainings"] == 0  # what the warehouse holds: these four
    other = run(tmp_path, seed=1, limit=2)
    assert other["trainings"] == 2
    assert other["trainings_source"] == first["trainings_source"]
    longer = TrainingOptions(epochs=2)
    assert run(tmp_path, options=longer, limit=1)["trainings"] == 1
    space, warehouse = get_space("nasbench201"), Warehouse(tmp_path)
    measured = Measured(
        dataset="digits",
        metric="accuracy",
        split="valid",
        epochs=1,
        source=first["trainings_source"],
    )
    assert warehouse.labels(space, one_target(warehouse, space, measured)).height == 4
    costs = rows(tmp_path, "SELECT seconds, parameters, flops, memory FROM trainings")
    assert all(min(row) > 0 for row in costs)


def test_proxies_are_evaluations_and_need_no_training(tmp_path: Path) -> None:
    summary = run(tmp_path, samples=2, train=False, proxies=True)
    assert summary["proxies"] == 2
    assert "trainings" not in summary
    stored = rows(tmp_path, "SELECT metric, split, epochs, value FROM evaluations")
    assert len(stored) == 8
    assert {row[0] for row in stored} == {"parameters", "flops", "synflow", "naswot"}
    assert run(tmp_path, train=False, proxies=True)["proxies_skipped"] == 2


def test_an_open_ended_space_is_sampled_for_the_dataset(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="add --samples"):
        plan(replace(OPEN, home=tmp_path))
    assert run(tmp_path, OPEN, samples=3)["trainings"] == 3
    assert rows(tmp_path, "SELECT DISTINCT space, space_parameters FROM architectures") == [
        ("einspace", '{"classes": 10, "input_shape": [1, 8, 8]}')
    ]
    assert run(tmp_path, OPEN)["skipped"] == 3


def test_a_dataset_of_ones_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for part in ("train", "valid", "test"):
        arrays[f"{part}_x"] = rng.random((40, 2, 6, 5))
        arrays[f"{part}_y"] = np.arange(40) % 4
    np.savez(tmp_path / "mine.npz", **arrays)
    mine = str(tmp_path / "mine.npz")
    assert run(tmp_path / "home", dataset=mine, samples=1)["trainings"] == 1
    assert rows(tmp_path / "home", "SELECT DISTINCT dataset FROM evaluations") == [("mine",)]


def test_failures_are_recorded_and_not_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = replace(WORK, space="fragile", samples=3)
    with spaces.registered("fragile", Fragile):
        summary = run(tmp_path, work)
        assert {name: summary[f"trainings_{name}"] for name in ("crashed", "failed")} == {
            "crashed": 1,
            "failed": 1,
        }
        assert summary["trainings"] == 1
        assert dict(rows(tmp_path, "SELECT native, status FROM trainings")) == FRAGILE
        assert rows(tmp_path, "SELECT count(DISTINCT native) FROM evaluations") == [(1,)]
        assert "cole: crashed: |none~0|" in capsys.readouterr().err
        assert run(tmp_path, work)["skipped"] == 3
        assert run(tmp_path, work, retry_failed=True)["skipped"] == 1
        assert rows(tmp_path, "SELECT count(*) FROM trainings") == [(3,)]


def test_a_higher_limit_is_a_reason_to_try_again(tmp_path: Path) -> None:
    wide = NetworkOptions(channels=16, cells=1, workers=1)
    tight = replace(wide, memory_limit=1)
    assert run(tmp_path, networks=tight, samples=1)["trainings_too_large"] == 1
    assert run(tmp_path, networks=tight)["skipped"] == 1
    assert run(tmp_path, networks=wide)["trainings"] == 1
    assert rows(tmp_path, "SELECT status, error FROM trainings") == [("ok", None)]
    assert run(tmp_path, networks=tight)["skipped"] == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"space": "resnets"}, "unknown search space 'resnets'"),
        ({"dataset": "mnist"}, "mnist"),
        ({"samples": 0}, "--samples 0"),
        ({"limit": 1}, "give one"),
        ({"samples": None, "limit": 0}, "--limit 0: give at least 1"),
        ({"train": False}, "nothing to do"),
        ({"networks": NetworkOptions(workers=0)}, "--workers 0: give at least 1"),
        ({"device": "tpu"}, "tpu: choose auto, cpu or cuda"),
        ({"networks": NetworkOptions(max_parameters=9)}, "leave out max_parameters"),
        ({"networks": NetworkOptions(cells=0)}, "channels and cells, 1 or more"),
        ({"space": "einspace", "networks": NetworkOptions(cells=1)}, "cells"),
        ({"space": "einspace:3x32x32:10"}, "which is 'einspace:1x8x8:10'"),
        ({"networks": NetworkOptions(time_limit=0)}, "limits of 0.0 s and 2048 MiB"),
    ],
)
def test_bad_input_is_refused_before_anything_runs(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError) as caught:
        plan(replace(WORK, home=tmp_path / "home", **({"samples": 1} | changes)))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "home").exists()


# A diary of every network that is trained, and a word after each commit.
DIARY = """
import sys
from pathlib import Path
from flows.tasks import evaluations
from tests.flows.stages.test_train_networks import keeping, run

home, diary = map(Path, sys.argv[1:])
evaluations.COMMIT_SECONDS = 0.0
store = evaluations.store
def told(*arguments):
    store(*arguments)
    print("stored", flush=True)
evaluations.store = told
with keeping(diary):
    print(run(home, samples=12))
"""


@contextlib.contextmanager
def keeping(diary: Path) -> Iterator[None]:
    """Keeps a diary of the networks that are trained in the block."""
    Diarist.diary = diary
    with spaces.registered("nasbench201", Diarist):
        yield


def start(script: str, *arguments: object) -> "subprocess.Popen[str]":
    """A process that can be killed with all that it started; its flows are on this session's
    server."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=os.environ | {"PREFECT_API_URL": str(PREFECT_API_URL.value())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_killed_during_evaluation_then_run_again(tmp_path: Path) -> None:
    home, diary = tmp_path / "home", tmp_path / "diary"
    process = start(DIARY, home, diary)
    assert process.stdout is not None
    stored = 0
    while stored < 3:
        line = process.stdout.readline()
        assert line, "ended before it was killed"
        stored += line.startswith("stored")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    survived = {row[0] for row in rows(home, "SELECT native FROM trainings")}
    assert 3 <= len(survived) < 12

    with keeping(diary):
        assert run(home, samples=12)["skipped"] == len(survived)
    trained = diary.read_text().split("\n")
    assert all(trained.count(native) == 1 for native in survived)
    assert rows(home, "SELECT count(*), count(DISTINCT native) FROM trainings") == [(12, 12)]
    assert rows(home, "SELECT count(*), count(DISTINCT native) FROM evaluations") == [(24, 12)]
