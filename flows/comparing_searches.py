"""Flow: searches compared over the same seeds, by the protocol of the COLE paper.

Every search of a comparison may evaluate the same architectures, begins with the same ones at the
same seed, and is stored as `cole search` stores it: what one of them ran the other does not repeat.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from prefect import flow

from cole_core.errors import InputError
from cole_core.hashing import hash_json
from cole_core.search import make_algorithm
from cole_core.spaces.base import SearchSpace
from cole_core.statistics import reached
from flows.choices import Measured
from flows.comparing import find_all_features, share
from flows.experiments import CUSTOM, Configuration
from flows.pools import Features, LabelledPool, label_pool, load_pool
from flows.progress import track
from flows.runs import recorded_run
from flows.search_experiments import SearchConfiguration, SearchProtocol, make_experiment
from flows.search_labels import describe_search, search_labels
from flows.search_plan import Plan, check_budget, make_plan
from flows.search_table import SearchResult, finding, regret_table, threshold_table
from flows.search_workers import Stack, run_stacks
from flows.searching import register, store, stored_steps
from flows.spaces import find_space
from warehouse import Pool, Target, Warehouse

_NOTHING = "nothing to compare: name an experiment, or give two or more --configuration that differ"


@dataclass(frozen=True)
class SearchComparison:
    """What the flow will do.

    Attributes:
        experiment: Its name.
        protocol: How it compares.
        target: What is maximised.
        labels: What sets each configuration apart, the reference first.
        plans: The configurations, resolved.
    """

    experiment: str
    protocol: SearchProtocol
    target: Target
    labels: list[str]
    plans: list[Plan]

    @property
    def comparison_id(self) -> str:
        """Content hash of the configurations, the seeds and the budget."""
        ids = [made.configuration_id for made in self.plans]
        seeds, budget = self.protocol.all_seeds, self.protocol.budget
        return hash_json({"configurations": ids, "seeds": seeds, "budget": budget})

    @property
    def best(self) -> float:
        """The best value that a search can find."""
        return float(self.plans[0].pool.values.max())

    def search_ids(self, made: Plan) -> list[str]:
        """The searches of a configuration, in the order of the seeds."""
        return [made.search_id(seed) for seed in self.protocol.all_seeds]


@flow(name="compare search")
def compare_searches(
    home: str,
    space: str,
    measured: Measured,
    experiment: str | None = None,
    base: SearchConfiguration = SearchConfiguration(),
    configurations: Sequence[SearchConfiguration] = (),
    protocol: SearchProtocol = SearchProtocol(),
    processes: int | None = None,
) -> dict[str, Any]:
    """Runs the searches of a comparison as far as they are not stored, and stores its tables.

    Args:
        home: The warehouse.
        space: The search space.
        measured: Which measured values to maximise.
        experiment: A named experiment; None compares `configurations` alone.
        base: What a named experiment varies.
        configurations: What to compare, after those of the experiment; the first is the reference.
        protocol: How to compare.
        processes: How many run side by side; None for one on each core.

    Raises:
        InputError: A name is unknown, something was not made yet, or a number makes no sense.
    """
    made = plan(home, space, measured, experiment, base, configurations, protocol, processes)
    parameters = {
        "experiment": made.experiment,
        "comparison_id": made.comparison_id,
        "space": space,
        "target": made.target.to_json(),
        "seeds": protocol.seeds,
        "first_seed": protocol.first_seed,
        "budget": protocol.budget,
        "until_reached": protocol.until_reached,
    }
    with recorded_run(home, "compare search", parameters) as run:
        processes = processes or os.cpu_count() or 1
        stacks, stored, left = missing(run.warehouse, made, processes)
        with track("compare · evaluations", left) as advance:
            register(run, [stack.made.row(seed) for stack in stacks for seed in stack.seeds])
            store(run, run_stacks(stacks, processes), advance)
        thresholds, regrets, evaluations = tabulate(run.warehouse, made)
        with run.warehouse.writer("cole compare", run.run_id) as writer:
            writer.add_search_comparison(thresholds, regrets)
        run.summary = {
            "evaluations": evaluations - stored,
            "skipped": stored,
            "architectures": len(made.plans[0].pool.values),
            "comparison_id": made.comparison_id,
            "finding": finding(thresholds),
        }
    return run.summary | {
        "experiment": made.experiment,
        "seeds": protocol.seeds,
        "budget": protocol.budget,
        "best": made.best,
        "rows": thresholds.to_dicts(),
        "regrets": regrets.to_dicts(),
    }


def plan(
    home: str,
    space: str,
    measured: Measured,
    experiment: str | None = None,
    base: SearchConfiguration = SearchConfiguration(),
    configurations: Sequence[SearchConfiguration] = (),
    protocol: SearchProtocol = SearchProtocol(),
    processes: int | None = None,
) -> SearchComparison:
    """Resolves and checks what the flow is given; its arguments and errors are the flow's."""
    check(protocol, processes)
    warehouse = Warehouse(home)
    search_space = find_space(warehouse, space)
    target = warehouse.target(search_space, **vars(measured))
    named = [] if experiment is None else make_experiment(experiment, base)
    configurations = [*named, *configurations]
    if not configurations:
        raise InputError(_NOTHING)
    algorithms = [make_algorithm(each.algorithm, **each.parameters()) for each in configurations]
    reading = [algorithm.reads_vectors for algorithm in algorithms]
    asked = [each.vectors() for each, reads in zip(configurations, reading, strict=True) if reads]
    found = find_pools(warehouse, search_space, list(dict.fromkeys(asked)), target)
    features, pool = next(iter(found.values()))
    plans = []
    for each, reads in zip(configurations, reading, strict=True):
        if reads:
            features, pool = found[each.vectors()]
        plans.append(
            make_plan(search_space, features, target, pool, each.algorithm, each.parameters())
        )
    # The same search under two names would be tested against itself.
    plans = list({made.configuration_id: made for made in plans}.values())
    if len(plans) < 2:
        raise InputError(_NOTHING)
    check_values(pool)
    check_budget(pool, protocol.budget)
    return SearchComparison(
        experiment or CUSTOM, protocol, target, name_plans(warehouse, plans), plans
    )


def find_pools(
    warehouse: Warehouse,
    space: SearchSpace,
    asked: Sequence[Configuration],
    target: Target,
) -> dict[Configuration | None, tuple[Features, LabelledPool]]:
    """The architectures that all configurations may evaluate, with the vectors of each.

    Args:
        warehouse: Where they are.
        space: The search space.
        asked: Where the vectors of each configuration are; the pool of None is there without any.
        target: What is maximised.

    Raises:
        InputError: Vectors are missing (says which command makes them), or none are in common.
    """
    features = find_all_features(warehouse, space, asked)
    pools = [load_pool(warehouse, space, each) for each in features]
    if not pools:
        features, pools = (
            [Features("none", "none", None, None)],
            [_without_vectors(warehouse, space)],
        )
    labelled = share([label_pool(warehouse, space, pool, target) for pool in pools], False)
    keys: list[Configuration | None] = [*asked] or [None]
    return dict(zip(keys, zip(features, labelled, strict=True), strict=True))


def _without_vectors(warehouse: Warehouse, space: SearchSpace) -> Pool:
    rows = warehouse.architectures(space)
    return Pool(
        architecture_ids=rows["architecture_id"].to_list(),
        natives=rows["native"].to_list(),
        canonical_ids=rows["canonical_id"].to_list(),
        vectors=np.empty((rows.height, 0), dtype=np.float32),
    )


def name_plans(warehouse: Warehouse, plans: Sequence[Plan]) -> list[str]:
    """What sets each plan apart."""
    specifications = {
        row["spec_id"]: row for row in warehouse.specifications().iter_rows(named=True)
    }
    described = [
        describe_search(made.configuration, specifications.get(made.configuration["spec_id"]))
        for made in plans
    ]
    return search_labels(described, [made.configuration_id for made in plans])


def check(protocol: SearchProtocol, processes: int | None) -> None:
    """Checks the numbers before anything is looked up.

    Raises:
        InputError: One makes no sense.
    """
    if protocol.seeds < 2:
        raise InputError(f"--seeds {protocol.seeds}: at least 2 are needed to compare")
    if protocol.first_seed < 0:
        raise InputError(f"--first-seed {protocol.first_seed}: give 0 or more")
    for percent in protocol.percent:
        if not 0 < percent <= 100:
            raise InputError(f"--percent {percent:g}: give more than 0 and at most 100")
    for margin in protocol.margin:
        if not 0 <= margin < math.inf:
            raise InputError(f"--margin {margin:g}: give 0 or more points below the best")
    if not protocol.percent and not protocol.margin:
        raise InputError("no threshold to reach: give --percent or --margin")
    for count in protocol.regret_at or ():
        if not 1 <= count <= protocol.budget:
            raise InputError(f"--regret-at {count}: give 1 to the budget of {protocol.budget}")
    if processes is not None and processes < 1:
        raise InputError(f"--processes {processes}: give 1 or more")


def check_values(pool: LabelledPool) -> None:
    """Checks that there is something to search for.

    Raises:
        InputError: A value is not finite, or all are equal.
    """
    finite = np.isfinite(pool.values)
    if not finite.all():
        bad = pool.natives[int(np.argmin(finite))]
        raise InputError(f"the measured value of {bad} is NaN or infinite: ingest it anew")
    if np.ptp(pool.values) == 0:
        raise InputError(
            f"all {len(pool.values)} measured values are {pool.values[0]:g}: there is no best one"
        )


def missing(
    warehouse: Warehouse, made: SearchComparison, processes: int
) -> tuple[list[Stack], int, int]:
    """What is to be run.

    Returns:
        The stacks, how many evaluations are stored, and how many the stacks have left at most.
    """
    protocol = made.protocol
    budget, seeds = protocol.budget, protocol.all_seeds
    until = max(protocol.thresholds(made.best).values()) if protocol.until_reached else None
    stacks: list[Stack] = []
    stored = 0
    for each in made.plans:
        steps = stored_steps(warehouse, made.search_ids(each))
        histories = [history[:budget] for history in steps.values()]
        stored += sum(map(len, histories))
        short = [len(history) < budget for history in histories]
        if until is not None:
            ended = reached([[s.value for s in history] for history in histories], until)
            if any(less and not end for less, end in zip(short, ended, strict=True)):
                # All together, because the mean curve is that of all.
                stacks.append(Stack(each, budget, seeds, histories, until))
            continue
        left = [place for place, less in enumerate(short) if less]
        for start in range(processes):
            places = left[start::processes]
            if places:
                stacks.append(
                    Stack(
                        each,
                        budget,
                        [seeds[place] for place in places],
                        [histories[place] for place in places],
                        None,
                    )
                )
    spent = sum(len(history) for stack in stacks for history in stack.histories)
    return stacks, stored, sum(len(stack.seeds) for stack in stacks) * budget - spent


def tabulate(
    warehouse: Warehouse, made: SearchComparison
) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """The comparison's two tables and its number of evaluations, from stored steps alone."""
    protocol = made.protocol
    results, evaluations = [], 0
    for label, each in zip(made.labels, made.plans, strict=True):
        ids = made.search_ids(each)
        steps = warehouse.search_steps(ids).filter(pl.col("step") <= protocol.budget)
        values = dict(steps.group_by("search_id", maintain_order=True).agg("value").iter_rows())
        known = not steps["seconds"].has_nulls()
        seconds = float(steps["seconds"].sum()) if known else None
        results.append(SearchResult(label, [values[id_] for id_ in ids], seconds))
        evaluations += steps.height
    keys = pl.DataFrame(
        {
            "position": range(len(made.plans)),
            "configuration_id": [each.configuration_id for each in made.plans],
            "search_ids": [made.search_ids(each) for each in made.plans],
            "comparison_id": made.comparison_id,
        }
    )
    about = {
        "experiment": made.experiment,
        "space": made.plans[0].space.name,
        "target": made.target.to_json(),
        "architectures": len(made.plans[0].pool.values),
        "best": made.best,
        "seeds": protocol.seeds,
        "budget": protocol.budget,
    }
    thresholds = threshold_table(results, protocol.thresholds(made.best), protocol.budget)
    regrets = regret_table(results, made.best, protocol.all_regret_at, protocol.budget)
    return (
        thresholds.join(keys, on="position", maintain_order="left").with_columns(
            **{name: pl.lit(value) for name, value in about.items()}
        ),
        regrets.join(keys.drop("search_ids"), on="position", maintain_order="left"),
        evaluations,
    )
