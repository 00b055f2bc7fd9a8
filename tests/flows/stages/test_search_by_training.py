"""`cole search --train`: nothing is trained or embedded twice, and a killed search goes on."""

import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cole_core.errors import InputError
from cole_core.evaluation.settings import TrainingSettings
from cole_core.spaces import spaces
from flows.resolve.network_training import TrainingTask
from flows.resolve.requests import Vectors
from flows.stages.search_by_training import plan, search_by_training
from flows.stages.train_networks import evaluate
from flows.tasks import new_architectures as candidates
from tests.flows.test_evaluating import WORK, Diarist, rows
from warehouse import Warehouse

STRUCTURAL = Vectors(encoding="path")
SMALL = {"initial": 4, "batch": 3, "n_candidates": 10}
OPEN = replace(WORK, settings=TrainingSettings(epochs=1))


def search(
    home: Path, budget: int, space: str = "nasbench201", work: TrainingTask = WORK, **more: Any
) -> Any:
    more.setdefault("vectors", STRUCTURAL)
    more.setdefault("algorithm_parameters", SMALL)
    return search_by_training(str(home), space, work, budget=budget, **more)


def steps(home: Path) -> list[tuple[Any, ...]]:
    return rows(home, "SELECT seed, step, native, value FROM searches ORDER BY seed, step")


def test_a_search_is_continued_and_shares_trainings(tmp_path: Path) -> None:
    first = search(tmp_path, 6, seeds=[0, 1])
    assert (first["evaluations"], first["trained"]) == (12, 12)
    assert rows(tmp_path, "SELECT count(*) FROM trainings") == [(12,)]
    before = steps(tmp_path)

    # Each step has the accuracy that its network has in the warehouse.
    accuracy = dict(
        rows(tmp_path, "SELECT native, value FROM evaluations WHERE split = 'valid' AND seed = 0")
    )
    assert all(value == accuracy[native] for _, _, native, value in before)
    predicted = rows(tmp_path, "SELECT step, predicted_mean FROM searches WHERE seed = 0")
    assert [mean is not None for _, mean in sorted(predicted)] == [False] * 4 + [True] * 2

    again = search(tmp_path, 6, seeds=[0, 1])
    assert (again["evaluations"], again["skipped"], again["trained"]) == (0, 12, 0)
    more = search(tmp_path, 9, seeds=[0, 1])
    assert (more["evaluations"], more["skipped"]) == (6, 12)
    after = steps(tmp_path)
    assert [row for row in after if row[1] <= 6] == before
    for seed in (0, 1):
        natives = [row[2] for row in after if row[0] == seed]
        assert len(natives) == len(set(natives)) == 9
    best = max(row[3] for row in after if row[0] == 0)
    assert more["searches"][0]["best_value"] == best
    assert 0 <= more["searches"][0]["best_test"] <= 100

    # One search from scratch takes the same way as one that was continued twice.
    whole = tmp_path / "whole"
    search(whole, 9, seeds=[1])
    assert [row[1:] for row in steps(whole)] == [row[1:] for row in after if row[0] == 1]


@pytest.mark.parametrize("algorithm", ["random_search", "regularized_evolution"])
def test_what_was_evaluated_before_is_not_trained(tmp_path: Path, algorithm: str) -> None:
    evaluate(str(tmp_path), "nasbench201", WORK, samples=4)
    trained = {row[0] for row in rows(tmp_path, "SELECT native FROM trainings")}
    summary = search(tmp_path, 5, algorithm=algorithm, algorithm_parameters={})
    found = {row[2] for row in steps(tmp_path)}
    assert len(found) == 5
    assert summary["trained"] == len(found - trained)


def test_candidates_of_an_open_ended_space_are_embedded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: Counter[str] = Counter()
    embed_shard = candidates.embed_shard

    def counted(specification: Any, device: Any, threads: Any, texts: Any) -> Any:
        embedded.update(texts.to_pylist())
        return embed_shard(specification, device, threads, texts)

    monkeypatch.setattr(candidates, "embed_shard", counted)
    vectors = Vectors(pooling="mean", precision="fp32")
    arguments: dict[str, Any] = {
        "space": "einspace",
        "work": OPEN,
        "vectors": vectors,
        "algorithm_parameters": SMALL | {"n_candidates": 6},
    }
    search(tmp_path, 6, **arguments)
    search(tmp_path, 9, **arguments)  # in a process that has forgotten the vectors
    assert set(embedded.values()) == {1}
    stored = rows(
        tmp_path,
        "SELECT count(DISTINCT text), count(*) FILTER (WHERE vector IS NULL) FROM renderings "
        "LEFT JOIN embeddings_minilm_mean_fp32 USING (text_hash)",
    )
    assert stored == [(len(embedded), 0)]
    specification = Warehouse(tmp_path).specifications()["spec_id"][0]
    assert Warehouse(tmp_path).vectors.count(specification) == len(embedded)


def test_a_network_that_fails_has_the_accuracy_of_chance(tmp_path: Path) -> None:
    settings = TrainingSettings(epochs=1, optimizer="sgd", learning_rate=1e30)
    summary = search(
        tmp_path,
        3,
        "einspace",
        replace(OPEN, settings=settings),
        algorithm="random_search",
        algorithm_parameters={},
    )
    failed = {row[0] for row in rows(tmp_path, "SELECT native FROM trainings WHERE error <> ''")}
    assert failed
    assert {value for _, _, native, value in steps(tmp_path) if native in failed} == {10.0}
    assert summary["evaluations"] == 3


@pytest.mark.parametrize(
    ("space", "more"),
    [
        ("nasbench201", {"algorithm": "annealing"}),
        ("nasbench201", {"algorithm_parameters": {"candidates": "space"}}),
        ("nasbench201", {"budget": 0}),
        ("nasbench201", {"budget": 20_000}),
        ("nasbench201", {"vectors": Vectors(encoding="haiku")}),
        ("einspace", {"vectors": Vectors(encoding="path")}),
        ("nasbench201", {"vectors": Vectors(context="poem")}),
        ("nasbench201", {"work": replace(WORK, dataset="mnist")}),
    ],
)
def test_bad_input_is_refused_before_anything_runs(
    tmp_path: Path, space: str, more: dict[str, Any]
) -> None:
    with pytest.raises(InputError) as caught:
        plan(str(tmp_path / "home"), space, **more)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "home").exists()


# Stops after a commit of trainings of the second batch, before the steps that rest on it.
STOPPED = """
import sys, time
from cole_core.spaces import spaces
from tests.flows import test_training_search as tested
from warehouse.writer import Writer

home, diary = sys.argv[1:]
spaces._factories["nasbench201"] = lambda: tested.Diarist(diary)
add_trainings, add_steps, stored = Writer.add_trainings, Writer.add_search_steps, []
def stopping(*arguments):
    add_trainings(*arguments)
    if stored:
        print("stopped", flush=True)
        time.sleep(600)
Writer.add_trainings = stopping
Writer.add_search_steps = lambda *arguments: stored.append(add_steps(*arguments))
tested.search(home, 10, seeds=[0, 1])
"""


def test_killed_between_a_training_and_its_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, diary = tmp_path / "home", tmp_path / "diary"
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(home), str(diary)],
        env=os.environ | {"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    while "stopped" not in (line := process.stdout.readline()):
        assert line, "ended before it was killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    survived = {row[0] for row in rows(home, "SELECT native FROM trainings")}
    before = steps(home)
    assert len(before) == 8  # the first batch of both
    assert len(survived) > len({row[2] for row in before})

    monkeypatch.setitem(spaces._factories, "nasbench201", lambda: Diarist(str(diary)))
    summary = search(home, 10, seeds=[0, 1])
    assert summary["skipped"] == len(before)
    trained = Counter(diary.read_text().split())
    assert all(trained[native] == 1 for native in survived)
    after = steps(home)
    assert len(after) == 20
    assert [row for row in after if row in before] == before
    assert np.unique([row[1] for row in after]).tolist() == list(range(1, 11))
