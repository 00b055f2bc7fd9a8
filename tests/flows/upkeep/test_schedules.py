"""Clocks: a real Prefect server on loopback whose deployments fire by themselves.

Run with -s to read what fired and what it embedded.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest

from cole_core.errors import InputError
from cole_core.language_models import load, specify
from flows.resolve.requests import Measured, Vectors
from flows.resolve.spaces import find_space
from flows.stages.enumerate import enumerate_architectures
from flows.stages.fit_heads import train
from flows.stages.ingest import ingest
from flows.stages.render import render
from flows.upkeep.maintenance import retrain_heads
from flows.upkeep.schedules import NEVER, Deployed, make_deployments, parse_schedule
from flows.upkeep.watches import Watch, add_watch, keep_embeddings_current, remove_watch
from tests.cole_core.language_models.zoo import make_model
from tests.flows.conftest import SPACE, Small
from warehouse import Warehouse

OLD = {"name_or_path": "minilm", "pooling": "avg_avg", "precision": "fp32"}
FLOW = "keep-embeddings-current"
SECONDS = 600  # a busy machine


def tiny(folder: Path) -> dict[str, Any]:
    """A language model that nobody has seen: made on the spot, with random weights."""
    path = make_model("bert", folder / "tiny", seed=5)
    return {"name_or_path": str(path), "pooling": "mean", "precision": "fp32"}


def text_hashes(small: Small, encoding: str = "code.expression") -> set[str]:
    return set(small.warehouse.texts(SPACE, encoding, "none")["text_hash"])


def stored(small: Small, arguments: dict[str, Any]) -> set[str]:
    keys = small.warehouse.vectors.keys(specify(**arguments).spec_id)["text_hash"].to_list()
    assert len(keys) == len(set(keys))
    return set(keys)


def firings(home: Path) -> list[dict[str, Any]]:
    """Summaries of the runs that ended, the oldest first."""
    runs = Warehouse(home).recent_runs(200).filter(pl.col("flow") == FLOW)
    ended = runs.drop_nulls("ended_at").sort("started_at")
    return [
        {"at": row["started_at"], **json.loads(row["summary"])}
        for row in ended.iter_rows(named=True)
    ]


def wait_for(what: str, condition: Any) -> Any:
    deadline = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.5)
    return found


def test_watched_specifications_are_brought_up_to_date(small: Small, tmp_path: Path) -> None:
    home, before = str(small.home), text_hashes(small)
    add_watch(home, Watch(OLD))
    first = keep_embeddings_current(home)
    assert (first["rendered"], first["embedded"], first["of"]) == (0, 0, [])

    new = tiny(tmp_path)
    added = add_watch(home, Watch(new))
    assert add_watch(home, Watch(new))["watches"] == 0
    enumerate_architectures(home, "nasbench201", samples=50, seed=9)
    second = keep_embeddings_current(home)
    after = text_hashes(small)
    assert 0 < second["rendered"] <= 50
    assert [entry["embedded"] for entry in second["of"]] == [len(after - before), len(after)]
    assert stored(small, OLD) == stored(small, new) == after
    assert keep_embeddings_current(home)["embedded"] == 0

    # The vectors are the model's.
    texts = small.warehouse.texts(SPACE, "code.expression", "none")
    spec_id = specify(**new).spec_id
    (batch, *_) = load(specify(**new)).embed(texts["text"].to_list()[:3])
    for index, vector in zip(batch.indices, batch.vectors, strict=True):
        found = small.warehouse.vectors.vector(spec_id, texts["text_hash"][int(index)])
        assert found == pytest.approx(vector, abs=1e-4)

    assert remove_watch(home, added["watch_id"][:6])["removed"] == 1
    assert small.warehouse.watches()["spec_id"].to_list() == [specify(**OLD).spec_id]
    assert stored(small, new) == after


def test_a_sample_stays_one_and_a_watch_may_be_of_one_encoding(
    small: Small, tmp_path: Path
) -> None:
    home = str(small.home)
    render(home, "nasbench201", "arch_str", samples=10, seed=1)
    add_watch(home, Watch(tiny(tmp_path), encoding="arch_str"))
    enumerate_architectures(home, "nasbench201", samples=5, seed=2)
    done = keep_embeddings_current(home)
    assert [(entry["encoding"], entry["embedded"]) for entry in done["of"]] == [("arch_str", 10)]


def test_spaces_with_parameters_are_watched_as_well(small: Small, tmp_path: Path) -> None:
    home, space = str(small.home), "einspace:1x8x8:10"
    enumerate_architectures(home, space, samples=6, seed=1)
    render(home, space, "derivation")
    add_watch(home, Watch(tiny(tmp_path), space="einspace"))
    add_watch(home, Watch(OLD, space="einspace:3x8x8:10"))
    first = keep_embeddings_current(home)
    enumerate_architectures(home, space, samples=4, seed=2)
    second = keep_embeddings_current(home)
    texts = small.warehouse.texts(find_space(small.warehouse, space), "derivation", "none")
    assert second["rendered"] > 0
    assert first["embedded"] + second["embedded"] == texts.height
    assert {entry["space"] for entry in first["of"] + second["of"]} == {space}


def test_a_model_that_changed_is_told_and_the_others_are_done(small: Small, tmp_path: Path) -> None:
    home, new = str(small.home), tiny(tmp_path)
    add_watch(home, Watch(new))
    make_model("bert", tmp_path / "tiny", seed=6)
    add_watch(home, Watch(OLD, encoding="arch_str"))
    render(home, "nasbench201", "arch_str")
    with pytest.raises(InputError, match="is not the one that is watched"):
        keep_embeddings_current(home)
    assert stored(small, OLD) >= text_hashes(small, "arch_str")


@pytest.mark.parametrize(
    ("watch", "match"),
    [
        (Watch({"name_or_path": "nobody/nothing"}), "nobody/nothing"),
        (Watch(OLD, space="nowhere"), "unknown search space"),
        (Watch(OLD, space="nasbench201", encoding="path"), "is a vector already"),
    ],
)
def test_what_cannot_be_watched(small: Small, watch: Watch, match: str) -> None:
    with pytest.raises(InputError, match=match):
        add_watch(str(small.home), watch)
    assert small.warehouse.watches().is_empty()
    with pytest.raises(InputError, match="nothing watched"):
        remove_watch(str(small.home), "minilm")


def test_heads_are_trained_again_where_labels_are_new(small: Small, tmp_path: Path) -> None:
    home = str(small.home)
    chosen = {"measured": Measured(dataset="cifar10"), "vectors": Vectors(precision="fp32")}
    train(home, "nasbench201", sizes=[20, 30], draws=2, **chosen)
    assert retrain_heads(home)["trials"] == 0
    table = pl.read_csv(small.table)
    more = [n for n in SPACE.enumerate() if n not in set(table["arch_str"])][:3]
    path = tmp_path / "mine.csv"  # the same source: more of the same measurements
    pl.DataFrame({"arch_str": more, table.columns[1]: [90.0, 91.0, 92.0]}).write_csv(path)
    ingest(home, "nasbench201", str(path))
    add_watch(home, Watch(OLD))
    keep_embeddings_current(home)
    assert retrain_heads(home)["trials"] == 4
    assert retrain_heads(home)["trials"] == 0


@pytest.mark.parametrize("text", ["0 3 * * *", "*/15 * * * *", "every 20s", "every 2 hours"])
def test_schedules(text: str) -> None:
    assert parse_schedule(text).active


@pytest.mark.parametrize("text", ["", "soon", "61 * * * *", "every 0s", "every day", "* * *"])
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(InputError, match="schedule"):
        parse_schedule(text)


def test_a_deployment_holds_to_one_run_at_a_time() -> None:
    entry = Deployed("heads", "maintenance", "retrain_heads", {"home": "x"}, "0 2 * * *", "")
    never = Deployed("backup", "maintenance", "backup", {}, NEVER, "")
    (made,) = make_deployments([entry, never])
    assert (made.name, made.concurrency_limit) == ("heads", 1)
    with pytest.raises(InputError, match="nothing to deploy"):
        make_deployments([never])


@pytest.fixture
def deployed(small: Small, tmp_path: Path) -> Iterator[str]:
    """`cole deploy` as a person starts it; its server's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    log = (tmp_path / "deploy.log").open("w")
    never = [f"--{name}=never" for name in ("heads", "comparison", "optimize")]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "flows.cli", "deploy", "--home", str(small.home)),
            *("--embeddings", "every 15 seconds", "--port", str(port), *never),
            *("--backup", "0 5 * * *", "--backups", str(tmp_path / "backups")),
        ],
        env=environment | {"PREFECT_HOME": str(tmp_path / "prefect"), "OMP_NUM_THREADS": "1"},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield f"http://127.0.0.1:{port}/api"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


@pytest.mark.slow
def test_a_clock_fires_and_embeds_exactly_what_is_new(
    small: Small, deployed: str, tmp_path: Path
) -> None:
    home, before = str(small.home), text_hashes(small)
    add_watch(home, Watch(OLD))
    wait_for("the first firing", lambda: firings(small.home))

    # Between two firings, and not within one: the writer lock is held while both are added.
    new = tiny(tmp_path)
    known = set(small.warehouse.architectures(SPACE)["native"])
    others = [native for native in SPACE.enumerate() if native not in known]
    chosen = np.random.default_rng(3).choice(len(others), 50, replace=False)
    table = tmp_path / "fifty.csv"
    pl.DataFrame(
        {"arch_str": [others[i] for i in np.sort(chosen)], "mine_valid_accuracy_1": 50.0}
    ).write_csv(table)
    ingest(home, "nasbench201", str(table))
    assert small.warehouse.architectures(SPACE).height == len(known) + 50
    add_watch(home, Watch(new))

    def done() -> list[dict[str, Any]]:
        fired = firings(small.home)
        return fired if sum(len(entry["of"]) for entry in fired) >= 2 else []

    fired = wait_for("a firing that embeds", done)
    after = text_hashes(small)
    spent = [entry for summary in fired for entry in summary["of"]]
    embedded = {entry["language_model"]: 0 for entry in spent}
    for entry in spent:
        embedded[entry["language_model"]] += entry["embedded"]
    assert embedded == {"minilm": len(after - before), new["name_or_path"]: len(after)}
    assert sum(summary["rendered"] for summary in fired) == 50
    assert stored(small, OLD) == stored(small, new) == after

    again = len(fired)
    later = wait_for("one more firing", lambda: firings(small.home)[again:])
    assert later[0]["embedded"] == 0

    listed = httpx.post(f"{deployed}/deployments/filter", json={}).json()
    assert {entry["name"] for entry in listed} == {"embeddings", "backup"}
    schedules = {entry["name"]: entry["schedules"][0]["schedule"] for entry in listed}
    assert schedules["backup"]["cron"] == "0 5 * * *"
    assert schedules["embeddings"]["interval"] == 15

    # Paused as its page does it: it fires no more.
    (id_,) = [entry["id"] for entry in listed if entry["name"] == "embeddings"]
    httpx.post(f"{deployed}/deployments/{id_}/pause_deployment").raise_for_status()
    assert httpx.get(f"{deployed}/deployments/{id_}").json()["paused"]

    print("\nwhat fired, and what it embedded:")
    for summary in firings(small.home):
        of = [f"{Path(e['language_model']).name}: {e['embedded']}" for e in summary["of"]]
        print(f"  {summary['at']:%H:%M:%S} rendered {summary['rendered']}, embedded {of or 0}")
