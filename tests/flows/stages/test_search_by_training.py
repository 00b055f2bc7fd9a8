"""`cole search --train`: nothing is trained or embedded twice, and a killed search goes on."""

import json
import os
import shutil
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.evaluation.network_training import NetworkTraining
from cole_core.spaces import spaces
from flows.resolve.algorithms import AlgorithmOptions
from flows.resolve.network_training import NetworkOptions
from flows.running.server import LocalServer
from flows.stages.search_by_training import SearchByTrainingRequest, plan, search_by_training
from flows.stages.train_networks import train_networks
from flows.tasks import new_architectures
from tests.flows.stages.networks import Choosy
from tests.flows.stages.test_train_networks import WORK as TRAINING
from tests.flows.stages.test_train_networks import keeping, rows, start
from warehouse import Warehouse

pytestmark = pytest.mark.usefixtures("prefect_server")

SMALL = AlgorithmOptions(initial=4, batch=3, parameter=("n_candidates=10",))
WORK = SearchByTrainingRequest(
    space="nasbench201",
    dataset="digits",
    epochs=1,
    vectors=Vectors(encoding="path"),
    algorithm=SMALL,
    networks=NetworkOptions(channels=2, cells=1, workers=1),
)
OPEN = replace(WORK, space="einspace", networks=NetworkOptions(workers=1))


def search(home: Path, budget: int, work: SearchByTrainingRequest = WORK, **changes: Any) -> Any:
    return search_by_training(replace(work, home=home, budget=budget, **changes))


def steps(home: Path) -> list[tuple[Any, ...]]:
    return rows(home, "SELECT seed, step, native, value FROM searches ORDER BY seed, step")


def test_a_search_is_continued_and_shares_trainings(tmp_path: Path) -> None:
    first = search(tmp_path, 6, seeds=(0, 1))
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

    again = search(tmp_path, 6, seeds=(0, 1))
    assert (again["evaluations"], again["skipped"], again["trained"]) == (0, 12, 0)
    more = search(tmp_path, 9, seeds=(0, 1))
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
    search(whole, 9, seeds=(1,))
    assert [row[1:] for row in steps(whole)] == [row[1:] for row in after if row[0] == 1]


@pytest.fixture(scope="module")
def trained(prefect_server: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse in which a few networks are trained."""
    home = tmp_path_factory.mktemp("trained") / "home"
    train_networks(replace(TRAINING, home=home, samples=4))
    return home


@pytest.mark.parametrize("algorithm", ["random_search", "regularized_evolution"])
def test_what_was_evaluated_before_is_not_trained(
    trained: Path, tmp_path: Path, algorithm: str
) -> None:
    home = tmp_path / "home"
    shutil.copytree(trained, home)
    before = {row[0] for row in rows(home, "SELECT native FROM trainings")}
    summary = search(home, 5, algorithm=AlgorithmOptions(name=algorithm))
    found = {row[2] for row in steps(home)}
    assert len(found) == 5
    assert found & before
    assert summary["trained"] == len(found - before)


def test_candidates_of_an_open_ended_space_are_embedded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: Counter[str] = Counter()
    embed_shard = new_architectures.embed_shard

    def counted(specification: Any, device: Any, threads: Any, texts: Any) -> Any:
        embedded.update(texts.to_pylist())
        return embed_shard(specification, device, threads, texts)

    monkeypatch.setattr(new_architectures, "embed_shard", counted)
    vectors = Vectors(pooling="mean", precision="fp32")
    few = replace(SMALL, parameter=("n_candidates=6",))
    work = replace(OPEN, vectors=vectors, algorithm=few)
    search(tmp_path, 6, work)
    search(tmp_path, 9, work)  # which has forgotten the vectors
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
    work = replace(WORK, space="choosy", algorithm=AlgorithmOptions(name="random_search"))
    with spaces.registered("choosy", Choosy):
        summary = search(tmp_path, 5, work)
    failed = {row[0] for row in rows(tmp_path, "SELECT native FROM trainings WHERE error <> ''")}
    found = {native: value for _, _, native, value in steps(tmp_path)}
    assert failed == {native for native in found if "avg_pool_3x3~0" in native}
    assert 0 < len(failed) < 5
    assert {found[native] for native in failed} == {10.0}
    assert summary["evaluations"] == 5


def test_a_network_that_diverges_has_the_accuracy_of_chance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = SearchByTrainingRequest.training

    def diverging(request: SearchByTrainingRequest) -> NetworkTraining:
        made = usual(request)
        settings = replace(made.settings, optimizer="sgd", learning_rate=1e30)
        return replace(made, settings=settings)

    monkeypatch.setattr(SearchByTrainingRequest, "training", diverging)
    summary = search(tmp_path, 3, OPEN, algorithm=AlgorithmOptions(name="random_search"))
    failed = {row[0] for row in rows(tmp_path, "SELECT native FROM trainings WHERE error <> ''")}
    assert failed
    assert {value for _, _, native, value in steps(tmp_path) if native in failed} == {10.0}
    assert summary["evaluations"] == 3


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"algorithm": AlgorithmOptions(name="annealing")}, "annealing"),
        ({"algorithm": AlgorithmOptions(candidates="space")}, "search by mutation"),
        ({"budget": 0}, "--budget 0"),
        ({"budget": 20_000}, "--budget 20000"),
        ({"vectors": Vectors(encoding="haiku")}, "haiku"),
        ({"space": "einspace"}, "unknown encoding of einspace 'path'"),
        ({"vectors": Vectors(context="poem")}, "no context 'poem'"),
        ({"dataset": "mnist"}, "mnist"),
    ],
)
def test_bad_input_is_refused_before_anything_runs(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    networks = NetworkOptions(workers=1)
    with pytest.raises(InputError) as caught:
        plan(replace(WORK, home=tmp_path / "home", **({"networks": networks} | changes)))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "home").exists()


# Stops after a commit of trainings of the second batch, before the steps that rest on it.
STOPPED = """
import sys, time
from pathlib import Path
from tests.flows.stages.test_search_by_training import search
from tests.flows.stages.test_train_networks import keeping
from warehouse.writer import Writer

home, diary = map(Path, sys.argv[1:])
add_trainings, add_steps, stored = Writer.add_trainings, Writer.add_search_steps, []
def stopping(*arguments):
    add_trainings(*arguments)
    if stored:
        print("stopped", flush=True)
        time.sleep(600)
Writer.add_trainings = stopping
Writer.add_search_steps = lambda *arguments: stored.append(add_steps(*arguments))
with keeping(diary):
    search(home, 10, seeds=(0, 1))
"""


def test_killed_between_a_training_and_its_step(tmp_path: Path) -> None:
    home, diary = tmp_path / "home", tmp_path / "diary"
    process = start(STOPPED, home, diary)
    assert process.stdout is not None
    while "stopped" not in (line := process.stdout.readline()):
        assert line, "ended before it was killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    survived = {row[0] for row in rows(home, "SELECT native FROM trainings")}
    before = steps(home)
    assert len(before) == 8  # the first batch of both
    assert len(survived) > len({row[2] for row in before})

    with keeping(diary):
        summary = search(home, 10, seeds=(0, 1))
    assert summary["skipped"] == len(before)
    trained = Counter(diary.read_text().split())
    assert all(trained[native] == 1 for native in survived)
    after = steps(home)
    assert len(after) == 20
    assert [row for row in after if row in before] == before
    assert np.unique([row[1] for row in after]).tolist() == list(range(1, 11))


def test_what_was_trained_on_another_dataset_is_learned_from(tmp_path: Path) -> None:
    random = AlgorithmOptions(name="random_search")
    search(tmp_path, 20, algorithm=random)
    assert "transfer" not in search(tmp_path, 4, transfer="auto")  # one task alone
    did = search(tmp_path, 7, replace(WORK, dataset="add-digits", transfer="auto"))
    [old] = did["transfer"]
    assert old["task"] == "digits valid accuracy, 1 epochs"
    told = "SELECT old_task_weights FROM searches WHERE dataset = 'add-digits' ORDER BY step"
    weights = [each for (each,) in rows(tmp_path, told)]
    assert weights[:4] == [[0.25]] * 3 + [None]
    assert all(len(each) == 1 and each[0] >= 0 for each in weights[4:])
    again = search(tmp_path, 7, replace(WORK, dataset="add-digits", transfer="digits"))
    assert (again["evaluations"], again["skipped"], again["trained"]) == (0, 7, 0)


def arrivals(home: Path) -> list[tuple[Any, ...]]:
    return rows(home, "SELECT step, proposed, native, value FROM searches ORDER BY step")


def test_an_asynchronous_search_keeps_its_order_and_goes_on(tmp_path: Path) -> None:
    whole = search(tmp_path / "whole", 9, asynchronous=True)
    assert (whole["evaluations"], whole["trained"]) == (9, 9)
    steps = arrivals(tmp_path / "whole")
    # One worker: values arrive in the order of proposals.
    assert [row[:2] for row in steps] == [(i + 1, i) for i in range(9)]
    ran = rows(tmp_path / "whole", "SELECT running FROM store.search_steps ORDER BY step")
    assert [len(json.loads(row[0])) for row in ran] == [2] * 7 + [1, 0]

    # One that ends early has what ran run again, and takes the same way.
    home = tmp_path / "part"
    kept = new_architectures.NewValues.arrived
    left = iter([kept] * 5)

    def until(values: Any) -> list[str]:
        return next(left, stop)(values)

    def stop(values: Any) -> list[str]:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(new_architectures.NewValues, "arrived", until)
        with pytest.raises(KeyboardInterrupt):
            search(home, 9, asynchronous=True)
    assert len(arrivals(home)) == 5
    rest = search(home, 9, asynchronous=True)
    assert (rest["evaluations"], rest["skipped"]) == (4, 5)
    assert arrivals(home) == steps
    assert rows(home, "SELECT count(*), count(DISTINCT architecture_id) FROM trainings") == [(9, 9)]
    assert search(home, 9, asynchronous=True)["evaluations"] == 0


def test_only_an_asynchronous_search_is_another_search(tmp_path: Path) -> None:
    usual = plan(replace(WORK, home=tmp_path))
    other = plan(replace(WORK, home=tmp_path, asynchronous=True))
    assert usual.search_id(0) != other.search_id(0)
    assert "asynchronous" not in usual.configuration
    assert other.configuration == {**usual.configuration, "asynchronous": True}
    on_dask = replace(WORK.networks, runner="dask", workers=2)
    assert plan(replace(WORK, home=tmp_path, networks=on_dask)).search_id(0) == usual.search_id(0)
