"""Clocks: a real Prefect server on loopback whose deployments fire by themselves.

Run with -s to read what fired and what it embedded.
"""

import json
import os
import re
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

from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.language_models import load
from flows.cli.upkeep import Schedules
from flows.resolve.requests import AskedEmbeddings, Measured
from flows.resolve.spaces import find_space
from flows.stages.enumerate import EnumerateRequest, enumerate_architectures
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from flows.stages.ingest import IngestRequest, ingest
from flows.stages.render import RenderRequest, render
from flows.upkeep import schedules
from flows.upkeep.maintenance import (
    BackupRequest,
    OptimizeRequest,
    RetrainHeadsRequest,
    optimize,
    retrain_heads,
)
from flows.upkeep.schedules import NEVER, Deployed, make_deployments, parse_schedule
from flows.upkeep.watches import (
    KeepCurrentRequest,
    Watch,
    add_watch,
    keep_embeddings_current,
    remove_watch,
)
from tests.cole_core.language_models.zoo import make_model
from tests.flows.conftest import SPACE, Small
from warehouse import Warehouse

NB = "nasbench201"
OLD = AskedEmbeddings(lm="minilm", precision="fp32")
FLOW = "keep-embeddings-current"
SECONDS = 600  # a busy machine


def tiny(folder: Path) -> AskedEmbeddings:
    """A language model that nobody has seen: made on the spot, with random weights."""
    path = make_model("bert", folder / "tiny", seed=5)
    return AskedEmbeddings(lm=str(path), pooling="mean", precision="fp32")


def enumerate_some(home: Path, samples: int, seed: int, space: str = NB) -> None:
    enumerate_architectures(EnumerateRequest(space=space, home=home, samples=samples, seed=seed))


def keep_current(home: Path) -> dict[str, Any]:
    return keep_embeddings_current(KeepCurrentRequest(home=home))


def retrained(home: Path) -> int:
    """How many trials were not stored."""
    return retrain_heads(RetrainHeadsRequest(home=home))["trials"]


def text_hashes(small: Small, encoding: str = "code.bare") -> set[str]:
    return set(small.warehouse.texts(SPACE, encoding, "none")["text_hash"])


def stored(small: Small, options: AskedEmbeddings) -> set[str]:
    spec_id = options.specification().spec_id
    keys = small.warehouse.vectors.keys(spec_id)["text_hash"].to_list()
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
    home, before = small.home, text_hashes(small)
    add_watch(home, Watch(options=OLD))
    first = keep_current(home)
    assert (first["rendered"], first["embedded"], first["of"]) == (0, 0, [])

    new = tiny(tmp_path)
    added = add_watch(home, Watch(options=new))
    assert add_watch(home, Watch(options=new))["watches"] == 0
    enumerate_some(home, samples=50, seed=9)
    second = keep_current(home)
    after = text_hashes(small)
    assert 0 < second["rendered"] <= 50
    assert [entry["embedded"] for entry in second["of"]] == [len(after - before), len(after)]
    assert stored(small, OLD) == stored(small, new) == after
    assert keep_current(home)["embedded"] == 0

    # The vectors are the model's.
    texts = small.warehouse.texts(SPACE, "code.bare", "none")
    specification = new.specification()
    (batch, *_) = load(specification).embed(texts["text"].to_list()[:3])
    for index, vector in zip(batch.indices, batch.vectors, strict=True):
        found = small.warehouse.vectors.vector(
            specification.spec_id, texts["text_hash"][int(index)]
        )
        assert found == pytest.approx(vector, abs=1e-4)

    assert remove_watch(home, added["watch_id"][:6])["removed"] == 1
    assert small.warehouse.watches()["spec_id"].to_list() == [OLD.specification().spec_id]
    assert stored(small, new) == after


def test_a_sample_stays_one_and_a_watch_may_be_of_one_encoding(
    small: Small, tmp_path: Path
) -> None:
    home = small.home
    render(RenderRequest(space=NB, home=home, encoding="arch_str", samples=10, seed=1))
    add_watch(home, Watch(options=tiny(tmp_path), encoding="arch_str"))
    enumerate_some(home, samples=5, seed=2)
    done = keep_current(home)
    assert [(entry["encoding"], entry["embedded"]) for entry in done["of"]] == [("arch_str", 10)]


def test_spaces_with_parameters_are_watched_as_well(small: Small, tmp_path: Path) -> None:
    home, space = small.home, "einspace:1x8x8:10"
    enumerate_some(home, samples=6, seed=1, space=space)
    render(RenderRequest(space=space, home=home, encoding="derivation"))
    add_watch(home, Watch(options=tiny(tmp_path), space="einspace"))
    add_watch(home, Watch(options=OLD, space="einspace:3x8x8:10"))
    first = keep_current(home)
    enumerate_some(home, samples=4, seed=2, space=space)
    second = keep_current(home)
    texts = small.warehouse.texts(find_space(small.warehouse, space), "derivation", "none")
    assert second["rendered"] > 0
    assert first["embedded"] + second["embedded"] == texts.height
    assert {entry["space"] for entry in first["of"] + second["of"]} == {space}


def test_a_model_that_changed_is_told_and_the_others_are_done(small: Small, tmp_path: Path) -> None:
    home, new = small.home, tiny(tmp_path)
    add_watch(home, Watch(options=new))
    make_model("bert", tmp_path / "tiny", seed=6)
    add_watch(home, Watch(options=OLD, encoding="arch_str"))
    render(RenderRequest(space=NB, home=home, encoding="arch_str"))
    with pytest.raises(InputError, match="is not the one that is watched"):
        keep_current(home)
    assert stored(small, OLD) >= text_hashes(small, "arch_str")


@pytest.mark.parametrize(
    ("watch", "match"),
    [
        (Watch(options=AskedEmbeddings(lm="nobody/nothing")), "nobody/nothing"),
        (Watch(options=OLD, space="nowhere"), "unknown search space"),
        (Watch(options=OLD, space=NB, encoding="path"), "is a vector already"),
    ],
)
def test_what_cannot_be_watched(small: Small, watch: Watch, match: str) -> None:
    with pytest.raises(InputError, match=match):
        add_watch(small.home, watch)
    assert small.warehouse.watches().is_empty()
    with pytest.raises(InputError, match=r"named 'minilm': add a watch"):
        remove_watch(small.home, "minilm")


def test_a_watch_that_is_not_there_is_told_with_those_that_are(small: Small) -> None:
    added = add_watch(small.home, Watch(options=OLD))
    with pytest.raises(InputError, match=f"nothing watched named 'mpnet': .*{added['watch_id']}"):
        remove_watch(small.home, "mpnet")
    assert small.warehouse.watches().height == 1


def test_heads_are_trained_again_where_labels_are_new(small: Small, tmp_path: Path) -> None:
    home = small.home
    fit_heads(
        FitHeadsRequest(
            space=NB,
            home=home,
            measured=Measured(dataset="cifar10"),
            vectors=Vectors(precision="fp32"),
            head_parameter=("max_iterations=7",),
            sizes=(20, 30),
            draws=2,
        )
    )
    assert retrained(home) == 0
    table = pl.read_csv(small.table)
    more = [n for n in SPACE.enumerate() if n not in set(table["arch_str"])][:3]
    path = tmp_path / "mine.csv"  # the same source: more of the same measurements
    pl.DataFrame({"arch_str": more, table.columns[1]: [90.0, 91.0, 92.0]}).write_csv(path)
    ingest(IngestRequest(space=NB, home=home, origin=str(path)))
    add_watch(home, Watch(options=OLD))
    keep_current(home)
    assert retrained(home) == 4
    assert retrained(home) == 0
    stored = small.warehouse.sql("SELECT configuration FROM trials")["configuration"]
    surrogates = [json.loads(each)["surrogate"] for each in stored]
    assert [each["head__max_iterations"] for each in surrogates] == [7] * 8


@pytest.mark.parametrize("text", ["0 3 * * *", "*/15 * * * *", "every 20s", "every 2 hours"])
def test_schedules(text: str) -> None:
    assert parse_schedule(text).active


@pytest.mark.parametrize("text", ["", "soon", "61 * * * *", "every 0s", "every day", "* * *"])
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(InputError, match=f"schedule '{re.escape(text)}'.* give "):
        parse_schedule(text)


def test_a_deployment_holds_to_one_run_at_a_time() -> None:
    heads, copies = RetrainHeadsRequest(home=Path("x")), BackupRequest(folder=Path("y"))
    flows = "flows.upkeep.maintenance"
    entry = Deployed("heads", f"{flows}:retrain_heads", heads, "0 2 * * *", "")
    never = Deployed("backup", f"{flows}:backup", copies, NEVER, "")
    (made,) = make_deployments([entry, never])
    assert (made.name, made.concurrency_limit) == ("heads", 1)
    with pytest.raises(InputError, match="nothing to deploy"):
        make_deployments([never])


def test_a_deployment_carries_its_request(small: Small, tmp_path: Path) -> None:
    """As a server keeps it and a runner reads it again: plain values, and then the same request."""
    asked = Schedules(
        home=small.home,
        backups=tmp_path / "backups",
        experiment="loss",
        dataset="cifar10",
        source="mine.csv",
        keep=3,
    ).deployed()
    made = make_deployments(asked)
    assert [each.name for each in made] == [
        "embeddings",
        "heads",
        "comparison",
        "optimize",
        "backup",
    ]
    for entry, deployment in zip(asked, made, strict=True):
        assert deployment.entrypoint == entry.flow.replace(":", ".")
        kept = json.loads(json.dumps(deployment.parameters))
        flow = schedules.load_flow(entry.flow)
        assert flow.validate_parameters(kept) == {"request": entry.request}
        assert entry.request.home == small.home
    assert asked[2].request.measured == Measured(dataset="cifar10", source="mine.csv")
    assert (asked[4].request.folder, asked[4].request.keep) == (tmp_path / "backups", 3)


def test_a_flow_runs_from_what_a_deployment_carries(small: Small) -> None:
    (*_, entry) = [
        each for each in Schedules(home=small.home).deployed() if each.name == "optimize"
    ]
    (deployment,) = make_deployments([entry])
    asked = optimize.validate_parameters(json.loads(json.dumps(deployment.parameters)))
    assert asked == {"request": OptimizeRequest(home=small.home)}
    assert optimize(**asked)["tables"] == 1


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
    home, before = small.home, text_hashes(small)
    add_watch(home, Watch(options=OLD))
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
    ingest(IngestRequest(space=NB, home=home, origin=str(table)))
    assert small.warehouse.architectures(SPACE).height == len(known) + 50
    add_watch(home, Watch(options=new))

    def done() -> list[dict[str, Any]]:
        fired = firings(small.home)
        return fired if sum(len(entry["of"]) for entry in fired) >= 2 else []

    fired = wait_for("a firing that embeds", done)
    after = text_hashes(small)
    spent = [entry for summary in fired for entry in summary["of"]]
    embedded = {entry["language_model"]: 0 for entry in spent}
    for entry in spent:
        embedded[entry["language_model"]] += entry["embedded"]
    assert embedded == {"minilm": len(after - before), new.lm: len(after)}
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
