"""Networks on real clusters: the same values, each once, whatever dies meanwhile."""

import os
import re
import socket
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cole_core.errors import InputError
from cole_core.evaluation.outcomes import CRASHED, OK, TIMED_OUT
from cole_core.evaluation.own_training import OwnEvaluator, own_training
from cole_core.evaluation.settings import Limits
from cole_core.spaces import parse_space
from flows.resolve.network_training import NetworkOptions, TrainingOptions
from flows.running import cluster
from flows.running.networks import check_place, pools
from flows.stages.train_networks import TrainNetworksRequest, train_networks
from tests.flows.running.two_nodes import free_port, two_nodes
from warehouse import Warehouse

pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray,dask]'")
pytest.importorskip("distributed", reason="Dask is not installed: pip install '.[ray,dask]'")


FILE = """
import os, time
from pathlib import Path
from typing import Literal
import torch
import helper

class Net(torch.nn.Linear):
    def __init__(self, number: Literal[{numbers}]):
        super().__init__(4, 2)
        self.number = number

def evaluate(network, seed):
    with Path({diary!r}).open("a") as diary:
        diary.write(f"{{network.number}}\\n")
    if network.number == -1:
        os._exit(3)
    while network.number == -2:
        time.sleep(0.1)
    time.sleep({seconds})
    return helper.twice(network.number) + seed
"""


class Own:
    """Somebody's own space and training, which keeps a diary."""

    def __init__(self, folder: Path, numbers: list[int], seconds: float = 0.0) -> None:
        self.diary = folder / "diary"
        self.diary.write_text("")
        self.files = [folder / "mine.py", folder / "helper.py"]
        about = {"numbers": ", ".join(map(str, numbers)), "diary": str(self.diary)}
        self.files[0].write_text(FILE.format(**about, seconds=seconds))
        self.files[1].write_text("def twice(n):\n    return 2 * n\n")
        self.natives = [f"Net(number={number})" for number in numbers]

    def evaluator(self, limits: Limits) -> OwnEvaluator:
        path = self.files[0]
        about: dict[str, Any] = {"metric": None, "dataset": None, "epochs": 1}
        training = own_training(path, "evaluate", limits=limits, seed=3, workers=1, **about)
        return training.evaluator(parse_space(f"{path}:Net"))

    def trained(self) -> Counter[str]:
        return Counter(self.diary.read_text().split())


@pytest.mark.parametrize("runner", ["ray", "dask"])
def test_workers_that_lack_the_file_keep_its_limits_too(runner: str, tmp_path: Path) -> None:
    own = Own(tmp_path, [-2, -1, 1, 2, 3, 4])
    evaluator = own.evaluator(Limits(2.0, 2_000))
    with (
        pools(NetworkOptions(runner=runner, workers=2)) as start,
        start(evaluator) as pool,
    ):
        assert pool.slots == 2
        for file in own.files:  # as on another machine
            file.unlink()
        found = {each.native: each for each in pool.run((n, 3) for n in own.natives)}
        assert (pool.pending, pool.done()) == (0, [])
    statuses = {native: each.status for native, each in found.items()}
    assert statuses == dict(zip(own.natives, [TIMED_OUT, CRASHED, OK, OK, OK, OK], strict=True))
    values = {n: e.scores[0].value for n, e in found.items() if e.status == OK}
    assert values == {f"Net(number={n})": 2 * n + 3 for n in (1, 2, 3, 4)}
    # One that kills its process is tried again once; nobody else is trained twice.
    assert own.trained() == Counter({"-2": 1, "-1": 2, "1": 1, "2": 1, "3": 1, "4": 1})


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("runner", ["ray", "dask"])
def test_evaluate_stores_what_it_stores_without_a_cluster(runner: str, tmp_path: Path) -> None:
    asked = TrainNetworksRequest(
        space="nasbench201",
        dataset="digits",
        samples=4,
        options=TrainingOptions(epochs=1),
        networks=NetworkOptions(channels=2, cells=1, workers=1),
        home=tmp_path / "here",
    )
    on_cluster = replace(asked.networks, runner=runner)
    there = replace(asked, networks=on_cluster, home=tmp_path / "there")
    assert train_networks(there) == train_networks(asked)
    statement = "SELECT native, metric, split, value, source FROM evaluations ORDER BY ALL"
    found = Warehouse(there.home).sql(statement).rows()
    assert found == Warehouse(asked.home).sql(statement).rows()
    assert len(found) == 8
    assert train_networks(there)["skipped"] == 4


# The process that has networks run, with a line for each that is done.
COORDINATOR = """
import sys
from pathlib import Path
from cole_core.evaluation.settings import Limits
from flows.resolve.network_training import NetworkOptions
from flows.running.networks import pools
from tests.flows.running.test_networks import COUNT, Own

folder, runner, address = sys.argv[1:]
own = Own(Path(folder), list(range(COUNT)), seconds=1.5)
place = NetworkOptions(runner=runner, address=address)
with pools(place) as start, start(own.evaluator(Limits(60.0, 2_000))) as pool:
    for each in pool.run((native, 0) for native in own.natives):
        print("done", each.native, each.status, flush=True)
"""
COUNT = 24


@pytest.mark.slow  # clusters of two nodes, of which a worker's process and then a node dies
@pytest.mark.parametrize("runner", ["ray", "dask"])
def test_what_a_dead_worker_or_node_held_is_done_again(runner: str, tmp_path: Path) -> None:
    found = []
    with two_nodes(runner) as nodes:
        process = subprocess.Popen(
            [sys.executable, "-c", COORDINATOR, str(tmp_path), runner, nodes.address],
            env=os.environ | nodes.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("done "):
                found.append(line.split()[1:])
                if len(found) == 4:
                    assert nodes.kill_worker()
                if len(found) == 10:
                    nodes.kill_second()
        assert process.wait() == 0
    assert Counter(name for name, _ in found) == Counter(f"Net(number={i})" for i in range(COUNT))
    assert {status for _, status in found} == {OK}
    trained = Counter((tmp_path / "diary").read_text().split())
    assert trained.keys() == set(map(str, range(COUNT)))
    # What they held was begun again: one network by the worker, one by the node; each that was
    # done is done once, and a network is begun once more at most by each that died.
    assert COUNT < trained.total() <= COUNT + 4


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        (NetworkOptions(runner="slurm"), "--runner slurm: choose one of local, ray, dask"),
        (NetworkOptions(address="ray://h:1"), "--address is of a cluster"),
        (NetworkOptions(runner="ray", workers=0), "--workers 0: give at least 1"),
        (NetworkOptions(runner="ray", workers=2, address="auto"), "give one of them"),
        (NetworkOptions(runner="dask", address="tcp://127.0.0.1:x"), "give host and port"),
        (NetworkOptions(gpus_per_network=0.25), "is for a Ray cluster: add --runner ray"),
        (NetworkOptions(runner="dask", gpus_per_network=0.25), "is for a Ray cluster"),
        (NetworkOptions(runner="ray", gpus_per_network=0.0), "give a share of one"),
        (NetworkOptions(runner="ray", gpus_per_network=2.5), "give a share of one"),
    ],
)
def test_places_that_cannot_be(networks: NetworkOptions, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        check_place(networks)


@pytest.mark.parametrize("runner", ["ray", "dask"])
def test_an_address_where_nobody_is(runner: str) -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(InputError, match=f"--address {address}: nobody answers there"):
        check_place(NetworkOptions(runner=runner, address=address))


@pytest.mark.parametrize("runner", ["ray", "dask"])
def test_an_address_where_somebody_else_is(runner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes the connection and waits, as servers of the web do."""
    monkeypatch.setattr(cluster, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        taking = threading.Thread(target=server.accept, daemon=True)
        taking.start()
        place = NetworkOptions(runner=runner, address=f"127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(InputError, match=f"is no {runner} cluster"):
            check_place(place)


def test_more_gpus_than_there_are() -> None:
    asked = NetworkOptions(runner="ray", workers=1, gpus_per_network=64)
    check_place(asked)
    with (
        pytest.raises(InputError, match="--gpus-per-network 64: no node of the Ray cluster here"),
        pools(asked),
    ):
        pass
