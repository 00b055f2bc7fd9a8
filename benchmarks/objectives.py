"""How much of a space's hypervolume a search of two objectives has after some evaluations.

    python -m benchmarks.objectives HOME [--latency pixel3_latency] [--seeds 10] [--encoding …]

HOME is a warehouse of NAS-Bench-201 with vectors, CIFAR-10's test accuracies after 200 epochs and
HW-NAS-Bench's latencies. The cells are one of each canonical form, so that no search meets a twin;
the reference point is 80 % accuracy and the slowest cell. Beside the search stand random search and
NSGA-II, with the same number of evaluations.
"""

import argparse
import importlib.util
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.small_forms import Rounds
from benchmarks.stand_ins import fill
from cole_core.encodings.vectors import Vectors, share
from cole_core.search import Step
from cole_core.search.dominance import hypervolume, hypervolume_curve
from cole_core.search.objectives import Objectives
from cole_core.search.tabular import TabularSearch, make_tabular_search
from cole_core.search.together import run_searches
from flows.resolve.objectives import Goals, find_objectives
from flows.resolve.requests import Measured
from flows.resolve.spaces import find_space
from flows.resolve.vectors import find_vectors, load_labelled
from warehouse import Warehouse

AT = (20, 50, 100)
DATASET, ACCURACY_FROM = "cifar10", 80.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--latency", default="pixel3_latency")
    parser.add_argument("--encoding", default="code.bare+graf")
    parser.add_argument("--algorithm", nargs="*", default=["pareto", "nsga2", "random_search"])
    parser.add_argument("--seeds", type=int, default=10)
    asked = parser.parse_args()
    for name in asked.algorithm:
        made, objectives = searches(asked.home, asked.encoding, asked.latency, name)
        started = time.perf_counter()
        curves = run(made, objectives, range(asked.seeds))
        seconds = (time.perf_counter() - started) / asked.seeds
        shares = curves / hypervolume(objectives.values, objectives.reference)
        print(f"{name}, accuracy and {asked.latency}, {len(objectives.values):,} cells:")
        for count in AT:
            at = shares[:, count - 1]
            error = at.std(ddof=1) / np.sqrt(len(at))
            print(f"  {count:3d} evaluations: {at.mean():.4f} ± {error:.4f}, least {at.min():.4f}")
        print(f"  {seconds:.1f} s for each search", flush=True)


def small() -> Rounds:
    """One search of two objectives by each algorithm, over 2,000 cells with made-up values."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        fill(home, 2_000, {"test": ("accuracy", "pixel3_latency")})
        algorithms = ["pareto", "nsga2"] if importlib.util.find_spec("pymoo") else ["pareto"]
        made = {name: searches(home, "graf", "pixel3_latency", name) for name in algorithms}
        while True:
            taken = {}
            for name, search in made.items():
                started = time.process_time()
                run(*search, range(1))
                taken[name] = time.process_time() - started
            yield taken


def searches(
    home: Path, encoding: str, latency: str, algorithm: str
) -> tuple[TabularSearch, Objectives]:
    """The searches of one algorithm over canonical cells."""
    warehouse = Warehouse(home)
    space = find_space(warehouse, "nasbench201")
    measured = Measured(dataset=DATASET, split="test", epochs=200)
    sought = Goals(objective=("accuracy", f"{latency}:min"))
    found = find_objectives(warehouse, space, measured, sought)
    [source] = find_vectors(warehouse, space, [Vectors(encoding=encoding)])
    labelled = load_labelled(warehouse, space, source, found.target)
    [labelled] = share([labelled], canonical=True)
    labelled, objectives = found.of(labelled)
    accuracy, slowness = objectives.of
    slowest = float(-objectives.values[:, 1].min())
    objectives = Objectives(
        (replace(accuracy, reference=ACCURACY_FROM), replace(slowness, reference=slowest)),
        objectives.values,
    )
    made = make_tabular_search(space, source, found.target, labelled, algorithm, {}, objectives)
    return made, objectives


def run(made: TabularSearch, objectives: Objectives, seeds: range) -> np.ndarray:
    """The hypervolume after each evaluation of each seed, shape (seeds, evaluations)."""
    steps: dict[int, list[Step]] = {place: [] for place in range(len(seeds))}
    for batch in run_searches(made.searcher, made.problem, max(AT), list(seeds)):
        for place, new in batch.items():
            steps[place] += new
    values = [np.array([step.values for step in each]) for each in steps.values()]
    return np.array([hypervolume_curve(each, objectives.reference) for each in values])


if __name__ == "__main__":
    main()
