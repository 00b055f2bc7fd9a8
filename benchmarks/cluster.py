"""Networks on clusters of two nodes, while a worker and then a node is killed; searches that wait
for their batches and searches that do not.

    python -m benchmarks.cluster [--networks N] [--epochs N] [--runner ray|dask|both] [--search N]

Nodes are processes of this machine with room for one network each, so two cores are needed, and
nobody else on them. A table says how long one worker takes, two nodes, and two nodes of which a
worker and then a node is killed; what is in the warehouse then is counted. Searches of the same
budget follow, batch by batch and asynchronous: how much of the time their workers had nothing to
do. What a worker does is what networks say of themselves: seconds from first line to last.
"""

import argparse
import contextlib
import importlib.util
import itertools
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.small_forms import MissingError, Rounds
from cole_core.encodings.vectors import Vectors
from cole_core.evaluation.attempts import AnyEvaluator
from cole_core.evaluation.outcomes import Attempt
from cole_core.evaluation.pool import NetworkPool
from flows.resolve.algorithms import AlgorithmOptions
from flows.resolve.network_training import NetworkOptions, TrainingOptions
from flows.running.cluster_networks import Pools
from flows.running.networks import pools
from flows.running.server import LocalServer
from flows.stages import search_by_training as searching
from flows.stages.search_by_training import SearchByTrainingRequest
from flows.stages.train_networks import TrainNetworksRequest, train_networks
from tests.flows.running.two_nodes import TwoNodes, two_nodes
from warehouse import Warehouse

SPACE, DATASET = "einspace", "digits"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what is asked for and prints it; 1 if a network is missing or is there twice."""
    options = _parser().parse_args(arguments)
    runners = ["ray", "dask"] if options.runner == "both" else [options.runner]
    right = True
    with tempfile.TemporaryDirectory() as folder, LocalServer() as server, server.ready():
        if options.networks:
            asked = TrainNetworksRequest(
                space=SPACE,
                dataset=DATASET,
                samples=options.networks,
                options=TrainingOptions(epochs=options.epochs),
            )
            right = _trainings(Path(folder), asked, runners)
        if options.search:
            _searches(Path(folder), options.search, options.epochs)
    return 0 if right else 1


def small() -> Rounds:
    """Four networks on one worker and on the two nodes of each kind that is installed."""
    asked = TrainNetworksRequest(
        space=SPACE, dataset=DATASET, samples=4, options=TrainingOptions(epochs=1)
    )
    runners = [each for each in ("ray", "distributed") if importlib.util.find_spec(each)]
    if not runners:
        raise MissingError("Ray or Dask: pip install 'cole-warehouse[ray,dask]'")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(LocalServer())
        stack.enter_context(server.ready())
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        clusters = {"one worker": NetworkOptions(workers=1)}
        for each in runners:
            runner = each.replace("distributed", "dask")
            nodes = stack.enter_context(two_nodes(runner))
            stack.enter_context(_environment(nodes.environment))
            clusters[runner] = NetworkOptions(runner=runner, address=nodes.address)
        for number in itertools.count():
            taken = {}
            for name, networks in clusters.items():
                request = replace(asked, networks=networks, home=folder / f"{name}{number}")
                taken[name] = _line(name, request, None, lambda: "").seconds
            yield taken


def _trainings(folder: Path, asked: TrainNetworksRequest, runners: list[str]) -> bool:
    alone = replace(asked, networks=NetworkOptions(workers=1), home=folder / "alone")
    print(f"{'':24}{'seconds':>9}{'ratio':>7}{'done':>6}{'stored':>8}{'distinct':>10}  killed")
    first = _line("one worker, no cluster", alone, None, lambda: "")
    right = first.is_whole
    for runner in runners:
        for kills in (False, True):
            with two_nodes(runner) as nodes, _environment(nodes.environment):
                networks = NetworkOptions(runner=runner, address=nodes.address)
                home = folder / f"{runner}-{kills}"
                request = replace(asked, networks=networks, home=home)
                killer = Killer(nodes, home, asked.samples or 0)
                if kills:
                    killer.start()
                label = f"{runner}, two nodes{', killed' if kills else ''}"
                found = _line(label, request, first.seconds, killer.end)
            right &= found.is_whole
    return right


@dataclass(frozen=True)
class Found:
    """What a run took, and whether each network is there once."""

    seconds: float
    is_whole: bool


def _line(
    label: str, request: TrainNetworksRequest, alone: float | None, ended: Callable[[], str]
) -> Found:
    started = time.perf_counter()
    summary = train_networks(request)
    seconds = time.perf_counter() - started
    killed = ended()
    done = sum(
        count
        for name, count in summary.items()
        if name == "trainings" or (name.startswith("trainings_") and name != "trainings_source")
    )
    stored, distinct = (
        Warehouse(request.home)
        .sql("SELECT count(*), count(DISTINCT architecture_id) FROM trainings")
        .row(0)
    )
    ratio = "" if alone is None else f"{alone / seconds:.2f}"
    print(f"{label:24}{seconds:9.1f}{ratio:>7}{done:6}{stored:8}{distinct:10}  {killed}")
    return Found(seconds, done == stored == distinct == request.samples)


class Killer(threading.Thread):
    """Ends one worker's process when a quarter is stored, and one node at a half."""

    def __init__(self, nodes: TwoNodes, home: Path, networks: int) -> None:
        super().__init__(daemon=True)
        self._nodes, self._home, self._networks = nodes, home, networks
        self._ended = threading.Event()
        self._killed: list[str] = []

    def run(self) -> None:
        while not self._killed and not self._ended.wait(0.2):
            if self._stored() >= self._networks // 4 and self._nodes.kill_worker():
                self._killed.append(f"a worker at {self._stored()}")
        while not self._ended.wait(0.2):
            if self._stored() >= self._networks // 2:
                self._killed.append(f"a node at {self._stored()}")
                self._nodes.kill_second()
                return

    def end(self) -> str:
        """Stops looking; says what was killed, and how many networks were stored then."""
        self._ended.set()
        if self.ident is not None:
            self.join()
        return ", ".join(self._killed)

    def _stored(self) -> int:
        if not (self._home / "catalog.duckdb").exists():
            return 0
        return int(Warehouse(self._home).status()["trainings"])


def _searches(folder: Path, budget: int, epochs: int) -> None:
    print(f"\n{'search of ' + str(budget):24}{'seconds':>9}{'busy':>9}{'idle':>7}{'best':>8}")
    for label, asynchronous in (("batches of 5", False), ("asynchronous", True)):
        asked = SearchByTrainingRequest(
            space=SPACE,
            dataset=DATASET,
            epochs=epochs,
            budget=budget,
            home=folder / label,
            vectors=Vectors(encoding="graf"),
            algorithm=AlgorithmOptions(),
            networks=NetworkOptions(workers=2),
            asynchronous=asynchronous,
        )
        watching = Watching()
        with watching.patched():
            summary = searching.search_by_training(asked)
        busy = watching.busy / (2 * watching.seconds)
        best = summary["searches"][0]["best_value"]
        print(f"{label:24}{watching.seconds:9.1f}{busy:9.1%}{1 - busy:7.1%}{best:8.2f}")


class Watching:
    """From the first network's start to the last one's end: how long workers were at work."""

    def __init__(self) -> None:
        self.busy = 0.0
        self._first = self._last = 0.0

    @property
    def seconds(self) -> float:
        return self._last - self._first

    @contextlib.contextmanager
    def patched(self) -> Iterator[None]:
        """Watches the searches of the block."""
        usual = searching.pools
        searching.pools = self._pools
        try:
            yield
        finally:
            searching.pools = usual

    @contextlib.contextmanager
    def _pools(self, networks: NetworkOptions, device: str = "auto") -> Iterator[Pools]:
        with pools(networks, device) as start:
            yield lambda evaluator: self._watched(start, evaluator)

    @contextlib.contextmanager
    def _watched(self, start: Pools, evaluator: AnyEvaluator) -> Iterator[NetworkPool]:
        with start(evaluator) as pool:
            usual = pool.done

            def done(timeout: float | None = None) -> list[Attempt]:
                found = usual(timeout)
                self._last = time.perf_counter()
                self.busy += sum(attempt.seconds for attempt in found)
                if found and not self._first:  # the first one's start, not that of its process
                    self._first = self._last - max(attempt.seconds for attempt in found)
                return found

            pool.done = done  # type: ignore[method-assign]
            yield pool


@contextlib.contextmanager
def _environment(given: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--networks", type=int, default=60, help="0: no trainings")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--runner", choices=("ray", "dask", "both"), default="both")
    parser.add_argument("--search", type=int, default=60, help="budget; 0: no searches")
    return parser


if __name__ == "__main__":
    sys.exit(main())
