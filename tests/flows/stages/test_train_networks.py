"""`cole evaluate`: stored once, resumed after a kill, failures recorded."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from cole_core.errors import InputError
from cole_core.evaluation.settings import Limits, TrainingSettings
from cole_core.spaces import get_space, spaces
from cole_core.spaces.nasbench201 import NASBench201
from flows.resolve.network_training import TrainingTask
from flows.stages import train_networks as evaluating
from flows.stages.train_networks import evaluate, plan
from warehouse import Warehouse

SETTINGS = TrainingSettings(epochs=1, macro={"channels": 2, "cells": 1})
WORK = TrainingTask(settings=SETTINGS, workers=1)


def run(home: Path, space: str = "nasbench201", work: TrainingTask = WORK, **more: Any) -> Any:
    return evaluate(str(home), space, work, **more)


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
    other = run(tmp_path, work=replace(WORK, seed=1), limit=2)
    assert other["trainings"] == 2
    assert other["trainings_source"] == first["trainings_source"]
    longer = replace(WORK, settings=replace(SETTINGS, epochs=2))
    assert run(tmp_path, work=longer, limit=1)["trainings"] == 1
    target = Warehouse(tmp_path).target(
        get_space("nasbench201"), "digits", "accuracy", "valid", 1, first["trainings_source"]
    )
    assert Warehouse(tmp_path).labels(get_space("nasbench201"), target).height == 4
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
    work = replace(WORK, settings=TrainingSettings(epochs=1))
    with pytest.raises(InputError, match="add --samples"):
        plan(str(tmp_path), "einspace", work)
    assert run(tmp_path, "einspace", work, samples=3)["trainings"] == 3
    assert rows(tmp_path, "SELECT DISTINCT space, space_parameters FROM architectures") == [
        ("einspace", '{"classes": 10, "input_shape": [1, 8, 8]}')
    ]
    assert run(tmp_path, "einspace", work)["skipped"] == 3


def test_a_dataset_of_ones_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for part in ("train", "valid", "test"):
        arrays[f"{part}_x"] = rng.random((40, 2, 6, 5))
        arrays[f"{part}_y"] = np.arange(40) % 4
    np.savez(tmp_path / "mine.npz", **arrays)
    work = replace(WORK, dataset=str(tmp_path / "mine.npz"))
    assert run(tmp_path / "home", work=work, samples=1)["trainings"] == 1
    assert rows(tmp_path / "home", "SELECT DISTINCT dataset FROM evaluations") == [("mine",)]


class Fragile(NASBench201):
    """Cells whose networks may kill their process or fail."""

    name = "fragile"

    def build_for(self, native: str, *arguments: Any) -> nn.Module:
        if native.startswith("|none~0|+|none~0|none~1|"):
            os._exit(3)
        if native.startswith("|none~0|"):
            return nn.Linear(3, 10)
        return super().build_for(native, *arguments)


def draw(natives: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes samples of a fragile space be these."""
    monkeypatch.setitem(spaces._factories, "fragile", Fragile)
    monkeypatch.setattr(evaluating, "sample_distinct", lambda *_: list(natives))


CELL = "|{}~0|+|{}~0|none~1|+|skip_connect~0|none~1|none~2|"
FRAGILE = {
    CELL.format("none", "none"): "crashed",
    CELL.format("none", "skip_connect"): "failed",
    CELL.format("skip_connect", "none"): "ok",
}


def test_failures_are_recorded_and_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(list(FRAGILE), monkeypatch)
    summary = run(tmp_path, "fragile", samples=3)
    assert {name: summary[f"trainings_{name}"] for name in ("crashed", "failed")} == {
        "crashed": 1,
        "failed": 1,
    }
    assert summary["trainings"] == 1
    assert dict(rows(tmp_path, "SELECT native, status FROM trainings")) == FRAGILE
    assert rows(tmp_path, "SELECT count(DISTINCT native) FROM evaluations") == [(1,)]
    assert "cole: crashed: |none~0|" in capsys.readouterr().err
    assert run(tmp_path, "fragile", samples=3)["skipped"] == 3
    assert run(tmp_path, "fragile", samples=3, retry_failed=True)["skipped"] == 1
    assert rows(tmp_path, "SELECT count(*) FROM trainings") == [(3,)]


def test_a_higher_limit_is_a_reason_to_try_again(tmp_path: Path) -> None:
    work = replace(WORK, settings=replace(SETTINGS, macro={"channels": 16, "cells": 1}))
    tight = replace(work, limits=Limits(mebibytes=1))
    assert run(tmp_path, work=tight, samples=1)["trainings_too_large"] == 1
    assert run(tmp_path, work=tight)["skipped"] == 1
    assert run(tmp_path, work=work)["trainings"] == 1
    assert rows(tmp_path, "SELECT status, error FROM trainings") == [("ok", None)]
    assert run(tmp_path, work=tight)["skipped"] == 1


@pytest.mark.parametrize(
    ("space", "changes", "more"),
    [
        ("resnets", {}, {"samples": 1}),
        ("nasbench201", {"dataset": "mnist"}, {"samples": 1}),
        ("nasbench201", {}, {"samples": 0}),
        ("nasbench201", {}, {"samples": 1, "limit": 1}),
        ("nasbench201", {}, {"limit": 0}),
        ("nasbench201", {}, {"samples": 1, "train": False}),
        ("nasbench201", {"workers": 0}, {"samples": 1}),
        ("nasbench201", {"device": "tpu"}, {"samples": 1}),
        ("nasbench201", {"bounds": {"max_parameters": 9}}, {"samples": 1}),
        ("nasbench201", {"settings": TrainingSettings(macro={"cells": 0})}, {"samples": 1}),
        ("einspace", {"settings": TrainingSettings(macro={"cells": 1})}, {"samples": 1}),
        ("nasbench201", {"limits": Limits(seconds=0)}, {"samples": 1}),
    ],
)
def test_bad_input_is_refused_before_anything_runs(
    tmp_path: Path, space: str, changes: dict[str, Any], more: dict[str, Any]
) -> None:
    with pytest.raises(InputError) as caught:
        plan(str(tmp_path / "home"), space, replace(WORK, **changes), **more)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "home").exists()


# A diary of every network that is trained, and a word after each commit.
DIARY = """
import sys
from cole_core.spaces import spaces
from flows.stages import train_networks as evaluating
from tests.flows.test_evaluating import Diarist, WORK

home, diary = sys.argv[1:]
spaces._factories["nasbench201"] = lambda: Diarist(diary)
evaluating.COMMIT_SECONDS = 0.0
store = evaluating.store
def told(*arguments):
    store(*arguments)
    print("stored", flush=True)
evaluating.store = told
print(evaluating.evaluate(home, "nasbench201", WORK, samples=12))
"""


class Diarist(NASBench201):
    """Writes down each network that it builds to be trained."""

    def __init__(self, path: str) -> None:
        self.path = path

    def build_for(self, native: str, *arguments: Any) -> nn.Module:
        network = super().build_for(native, *arguments)
        if next(network.parameters()).device.type != "meta":
            with Path(self.path).open("a") as diary:
                diary.write(f"{native}\n")
        return network


def test_killed_during_evaluation_then_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, diary = tmp_path / "home", tmp_path / "diary"
    process = subprocess.Popen(
        [sys.executable, "-c", DIARY, str(home), str(diary)],
        env=os.environ | {"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
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

    monkeypatch.setitem(spaces._factories, "nasbench201", lambda: Diarist(str(diary)))
    assert run(home, samples=12)["skipped"] == len(survived)
    trained = diary.read_text().split("\n")
    assert all(trained.count(native) == 1 for native in survived)
    assert rows(home, "SELECT count(*), count(DISTINCT native) FROM trainings") == [(12, 12)]
    assert rows(home, "SELECT count(*), count(DISTINCT native) FROM evaluations") == [(24, 12)]
