"""What a search gains from what was measured on other tasks, and what a misleading past costs.

    python -m benchmarks.transfer nasbench201 FILE.parquet [--encoding A+B] [--seeds S]
    python -m benchmarks.transfer nasbenchgraph [--datasets cora,cs] [--draws D] [--seeds S]
                                                [--vectors FOLDER]

`nasbench201`: searches of all cells for CIFAR-100's best test accuracy; FILE has the columns
`arch_str`, `cifar100_test_accuracy_200`, `cifar10_test_accuracy_200` and
`cifar10_valid_accuracy_12`. Per search: evaluations to within 1 % of the best (mean, median), best
so far after 5, 10, 20, 50, 64, 80 and 100 (mean), share of searches at the best after 50, 64, 80
and 100.

`nasbenchgraph`: each dataset as the new task, 200 random evaluations of each of the seven others.
Kendall tau on 600 held-out networks after n evaluations, mean over draws; with `--seeds` also
evaluations until the first of the best 0.1 %, without and with transfer.

Chosen on CIFAR-10 as the new task, cora and citeseer: the weights' shrinkage, trust and fading, the
first evaluations.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.nasbenchgraph import (
    CODE,
    DATASETS,
    HELD_OUT,
    ONE_HOT,
    Encoded,
    need_tables,
    validation_values,
)
from benchmarks.small_forms import Rounds
from cole_core.encodings.side_by_side import parts
from cole_core.encodings.vectors import LabelledVectors
from cole_core.experiments.searches import RECOMMENDED, WITH_TRANSFER
from cole_core.predictors import make_surrogate
from cole_core.predictors.transfer.old_task import expectations, fit_old_task, new_surrogate
from cole_core.search import SearchProblem, make_algorithm, run_search
from cole_core.spaces import get_space
from cole_core.spaces.base import SearchSpace
from cole_core.statistics.correlation import kendall_tau

SIZES = (5, 14, 55, 220)
AT = (5, 10, 20, 50, 64, 80, 100)
AT_BEST = (50, 64, 80, 100)
OLD = 100  # evaluations of an old task, NAS-Bench-201
OLD_EACH = 200  # NAS-Bench-Graph


@dataclass(frozen=True, eq=False)
class Pool:
    """All architectures of a space with their vectors."""

    space: SearchSpace
    natives: list[str]
    forms: list[str]
    vectors: np.ndarray
    kind: dict[str, Any]

    def expected(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """What an old task expects of all, of which some were measured: shape (N, 1)."""
        names = [self.natives[row] for row in rows]
        old = LabelledVectors(names, names, names, self.vectors[rows], values[rows], "")
        return expectations([fit_old_task(old, self.kind, self.reduction)], self.vectors)

    @cached_property
    def reduction(self) -> Any:
        """Fitted on the space, where the usual surrogate needs that."""
        template = new_surrogate(self.kind)
        return template.fit_reduction(self.vectors) if template.needs_space else None

    def search(
        self, values: np.ndarray, expected: np.ndarray | None, seed: int, budget: int
    ) -> np.ndarray:
        """Values in the order in which the default search evaluates them."""
        parameters: dict[str, Any] = {**RECOMMENDED, **self.kind}
        vectors = self.vectors
        if expected is not None:
            parameters |= {**WITH_TRANSFER, "old_tasks": expected.shape[1]}
            vectors = np.hstack([vectors, expected])
        row = {native: i for i, native in enumerate(self.natives)}
        problem = SearchProblem(
            space=self.space,
            canonical=lambda native: self.forms[row[native]],
            vectors=lambda natives: vectors[[row[native] for native in natives]],
            evaluate=lambda native: float(values[row[native]]),
            candidates=self.natives,
        )
        steps = run_search(make_algorithm("bananas", **parameters), problem, budget, seed)
        return np.array([step.value for step in steps])


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark and prints its tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("space", choices=("nasbench201", "nasbenchgraph"))
    parser.add_argument("table", type=Path, nargs="?", help="of nasbench201: measured values")
    parser.add_argument("--encoding", default=f"{CODE}+graf")
    parser.add_argument("--datasets", default=",".join(DATASETS))
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--vectors", type=Path, help="keeps the texts' vectors in this folder")
    options = parser.parse_args(arguments)
    if options.space == "nasbench201":
        nasbench201(options.table, options.encoding, options.seeds or 30, options.vectors)
    else:
        nasbenchgraph(options.datasets.split(","), options.draws, options.seeds, options.vectors)
    return 0


def make_pool(space: SearchSpace, encoding: str, folder: Path | None) -> Pool:
    """All architectures of a space under an encoding."""
    natives = list(space.enumerate())
    encoded = Encoded(space, folder)
    blocks = [encoded.block(name, natives) for name in parts(encoding)]
    kind: dict[str, Any] = {"structural": blocks[0][1]}
    if len(blocks) > 1:
        kind = {"blocks": tuple((block.shape[1], structural) for block, structural in blocks)}
    vectors = np.hstack([block for block, _ in blocks])
    return Pool(space, natives, [space.canonical_form(n) for n in natives], vectors, kind)


def nasbench201(table: Path, encoding: str, seeds: int, folder: Path | None) -> None:
    """Searches of CIFAR-100 with several pasts."""
    pool = make_pool(get_space("nasbench201"), encoding, folder)
    # The table has an order of its own.
    measured = pl.DataFrame({"arch_str": pool.natives}).join(
        pl.read_parquet(table), on="arch_str", how="left", maintain_order="left"
    )
    new = measured["cifar100_test_accuracy_200"].to_numpy().astype(float)
    full, short = (
        measured[name].to_numpy().astype(float)
        for name in ("cifar10_test_accuracy_200", "cifar10_valid_accuracy_12")
    )
    print("past                 evaluations  median " + "".join(f"{n:>8}" for n in AT), end="")
    print("   at best " + "".join(f"{n:>6}" for n in AT_BEST))
    for name in ("none", "cifar10", "cifar10 12 epochs", "all cifar10", "reversed", "shuffled"):
        found = []
        for seed in range(seeds):
            rng = np.random.default_rng([7, seed])
            rows = np.sort(rng.choice(len(new), OLD, replace=False))
            shuffled = full.copy()
            shuffled[rows] = rng.permutation(full[rows])
            past = {
                "none": None,
                "cifar10": (full, rows),
                "cifar10 12 epochs": (short, rows),
                "all cifar10": (full, np.arange(len(new))),
                "reversed": (-full, rows),
                "shuffled": (shuffled, rows),
            }[name]
            expected = None if past is None else pool.expected(*past)
            found.append(pool.search(new, expected, seed, AT[-1]))
        curves = np.maximum.accumulate(np.stack(found), axis=1)
        needed = reached(curves, 0.99 * new.max())
        print(
            f"{name:<20} {needed.mean():>11.1f} {np.median(needed):>7.1f} "
            + "".join(f"{curves[:, n - 1].mean():>8.2f}" for n in AT)
            + " " * 11
            + "".join(f"{(curves[:, n - 1] == new.max()).mean():>6.2f}" for n in AT_BEST),
            flush=True,
        )


def nasbenchgraph(datasets: Sequence[str], draws: int, seeds: int, folder: Path | None) -> None:
    """Each dataset as the new task, all others as old ones."""
    space = get_space("nasbenchgraph")
    pool = make_pool(space, CODE, folder)
    values = values_of(pool)
    reduced = new_surrogate(pool.kind).reduced(pool.vectors, pool.reduction)
    kind = {"reduction": "none", "fitted_on": "labelled"}
    pool = Pool(space, pool.natives, pool.forms, reduced.astype(np.float32), kind)
    ratios = []
    for name in datasets:
        others = [other for other in DATASETS if other != name]
        taus = np.mean([graph_taus(pool, values, name, others, d) for d in range(draws)], axis=0)
        for label, row in zip(("without", "with"), taus, strict=True):
            print(f"{name:<10} {label:<8}" + "".join(f"{tau:>7.3f}" for tau in row), flush=True)
        if seeds:
            needed = graph_searches(pool, values, name, others, seeds)
            ratios.append(needed[1] / needed[0])
            print(f"{name:<10} best 0.1 % after {needed[0]:.1f} without, {needed[1]:.1f} with")
    if ratios:
        print(f"ratio of evaluations, geometric mean {np.exp(np.mean(np.log(ratios))):.2f}")


def small() -> Rounds:
    """Of NAS-Bench-Graph: a past of seven tasks, taus with and without it, a search with it."""
    need_tables()
    space = get_space("nasbenchgraph")
    pool = make_pool(space, ONE_HOT, None)
    values = values_of(pool)
    name, *others = DATASETS
    while True:
        started = time.process_time()
        past = past_of(pool, values, others, 0)
        fitted = time.process_time()
        graph_taus(pool, values, name, others, 0)
        ranked = time.process_time()
        pool.search(values[name], past, 0, 60)
        searched = time.process_time()
        yield {
            "past of seven tasks": fitted - started,
            "ranking": ranked - fitted,
            "search": searched - ranked,
        }


def values_of(pool: Pool) -> dict[str, np.ndarray]:
    """The validation values of each dataset, in the pool's order."""
    frame, found = validation_values(pool.space), {}
    for name in DATASETS:
        known = dict(frame.filter(pl.col("dataset") == name).select("native", "value").iter_rows())
        found[name] = np.array([known[native] for native in pool.natives])
    return found


def past_of(
    pool: Pool, values: dict[str, np.ndarray], others: Sequence[str], draw: int
) -> np.ndarray:
    """What the other tasks expect, each from random evaluations: shape (N, tasks)."""
    columns = []
    for name in others:
        rng = np.random.default_rng([1, draw, DATASETS.index(name)])
        columns.append(pool.expected(values[name], rng.choice(len(pool.natives), OLD_EACH, False)))
    return np.hstack(columns)


def graph_taus(
    pool: Pool, values: dict[str, np.ndarray], name: str, others: Sequence[str], draw: int
) -> np.ndarray:
    """Kendall tau without and with transfer, by number of evaluations: shape (2, sizes)."""
    both = np.hstack([pool.vectors, past_of(pool, values, others, draw)])
    order = np.random.default_rng([0, draw]).permutation(len(both))
    held_out = order[:HELD_OUT]
    rows = []
    for vectors, tasks in ((pool.vectors, 0), (both, len(others))):
        taus = []
        for n in SIZES:
            labelled = order[HELD_OUT : HELD_OUT + n]
            made = make_surrogate(**pool.kind, old_tasks=tasks)
            made.fit(vectors[labelled], values[name][labelled])
            taus.append(kendall_tau(made.predict(vectors[held_out]), values[name][held_out]))
        rows.append(taus)
    return np.array(rows)


def graph_searches(
    pool: Pool, values: dict[str, np.ndarray], name: str, others: Sequence[str], seeds: int
) -> tuple[float, float]:
    """Evaluations until one of the best 0.1 %, mean over seeds, without and with transfer."""
    new, budget = values[name], 400
    goal = np.sort(new)[-round(len(new) / 1000)]
    found: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for seed in range(seeds):
        for place, expected in enumerate((None, past_of(pool, values, others, seed))):
            found[place].append(pool.search(new, expected, seed, budget))
    without, learned = (
        reached(np.maximum.accumulate(np.stack(each), axis=1), goal) for each in found
    )
    return float(without.mean()), float(learned.mean())


def reached(curves: np.ndarray, goal: float) -> np.ndarray:
    """Evaluations of each search until its best so far is there; one more than all for never."""
    there = curves >= goal
    return np.where(there.any(axis=1), there.argmax(axis=1) + 1, curves.shape[1] + 1)


if __name__ == "__main__":
    sys.exit(main())
