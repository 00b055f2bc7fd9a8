"""Stage: searches compared over the same seeds, by the protocol of the COLE paper.

Every search of a comparison may evaluate the same architectures, begins with the same ones at the
same seed, and is stored as `cole search` stores it: what one of them ran the other does not repeat.
"""

import json
import os
from dataclasses import field, replace
from functools import partial
from typing import Annotated, Any

import polars as pl
from prefect import flow
from pydantic import Field

from cole_core.errors import InputError
from cole_core.experiments.search_comparison import (
    NOTHING,
    SearchComparison,
    make_search_comparison,
    missing_searches,
    reading,
)
from cole_core.experiments.search_table import (
    SearchResult,
    finding,
    regret_table,
    threshold_table,
)
from cole_core.experiments.searches import (
    EXPERIMENTS,
    MARGIN,
    PERCENT,
    SearchConfiguration,
    SearchProtocol,
    make_experiment,
    parse_search_configuration,
    with_transfer,
)
from cole_core.predictors.transfer.old_values import NONE, OldValues
from cole_core.search import make_algorithm
from cole_core.search.processes import run_stacks
from cole_core.search.random_search import RandomSearch
from cole_core.spaces.base import SearchSpace
from flows.resolve.objectives import Goals, choose
from flows.resolve.requests import (
    Compared,
    Flag,
    one_of,
    repeatable,
    request,
)
from flows.resolve.spaces import find_space
from flows.resolve.transfer import (
    TransferOption,
    find_compared,
    may_transfer,
    transferred_in,
)
from flows.resolve.values import answering
from flows.resolve.vectors import find_labelled
from flows.running.names import run_name
from flows.running.progress import track
from flows.running.runs import recorded_run
from flows.running.stage import planned
from flows.tasks.old_tasks import expected_by_old_tasks
from flows.tasks.searches import register, store_steps, stored_steps
from warehouse import Warehouse


@request
class CompareSearchesRequest(Compared):
    """A named experiment, or configurations of one's own, the reference first.

    Attributes:
        configuration: One more to compare, as encoding=path,preset=paper,batch=5: algorithm, preset
            (recommended or paper), encoding, lm, context, pooling, precision, random_init, and
            parameters of the algorithm or of its surrogate. May be repeated.
        encoding: Of those that name none; by default the space's reference.
        seeds: Searches of each configuration.
        first_seed: Their first seed.
        budget: Evaluations of each search.
        percent: Threshold in percent of the best; may be repeated.
        margin: Threshold in points from the best; may be repeated.
        regret_at: Evaluations at which the regret is told; may be repeated.
        until_reached: A seed that is at every threshold ends once the mean curve is there too,
            after which neither moves; regrets beyond are upper bounds.
        processes: Processes side by side; by default one for each core.
        sought: Several objectives, which are compared by hypervolume in percent of that of all
            architectures; and what architectures must fit.
        transfer: Each that has a surrogate is compared with the same that learns from other tasks
            too, and without an experiment both with random search.
    """

    experiment: Annotated[
        str | None, one_of(EXPERIMENTS, "A named experiment, or two or more --configuration")
    ] = field(default=None, kw_only=False)
    encoding: str | None = None
    seeds: int = SearchProtocol.seeds
    first_seed: int = SearchProtocol.first_seed
    budget: int = SearchProtocol.budget
    percent: Annotated[tuple[float, ...], repeatable("--percent")] = PERCENT
    margin: Annotated[tuple[float, ...], repeatable("--margin")] = MARGIN
    regret_at: Annotated[tuple[int, ...] | None, repeatable("--regret-at")] = None
    until_reached: Flag = False
    processes: Annotated[int | None, Field(ge=1)] = None
    sought: Goals = Goals()
    transfer: TransferOption = NONE

    def configurations(self, space: SearchSpace) -> list[SearchConfiguration]:
        """What is compared, those of a named experiment first.

        Raises:
            InputError: A name is unknown, or there is nothing to compare.
        """
        base = SearchConfiguration(
            encoding=space.reference(self.context) if self.encoding is None else self.encoding,
            **self.vectors,
        )
        named = []
        if self.experiment is not None:
            named = make_experiment(self.experiment, space.roles, base)
        given = [parse_search_configuration(text, base) for text in self.configuration]
        if self.transfer == NONE:
            if not named + given:
                raise InputError(NOTHING)
            return named + given
        beside = [] if named else [replace(base, algorithm=RandomSearch.name)]
        return with_transfer([*(named + given or [base]), *beside], self.transfer)

    @property
    def protocol(self) -> SearchProtocol:
        """How to compare."""
        return SearchProtocol(
            seeds=self.seeds,
            budget=self.budget,
            percent=self.percent,
            margin=self.margin,
            regret_at=self.regret_at,
            until_reached=self.until_reached,
            first_seed=self.first_seed,
        )


def plan(request: CompareSearchesRequest) -> SearchComparison:
    """Resolves and checks a request.

    Raises:
        InputError: A name is unknown, something was not made yet, or a number makes no sense.
    """
    request.protocol.check()
    warehouse = Warehouse(request.home)
    space = find_space(warehouse, request.space)
    configurations = request.configurations(space)
    sought = request.sought
    if request.until_reached and len(sought.objective) > 1:
        raise InputError("--until-reached is for one objective: leave it out")
    learning = [each.transfer for each in configurations if each.transfer != NONE]
    if learning and len(sought.objective) > 1:
        raise InputError(
            f"--transfer {learning[0]}: a search of several objectives learns from no other task, "
            "leave it out"
        )
    chosen = choose(warehouse, space, request.measured, sought)
    whole = find_labelled(warehouse, space, reading(configurations), chosen.target)
    cut = {key: (source, *chosen.cut(labelled)) for key, (source, labelled) in whole.items()}
    [(_, _, objectives), *_] = cut.values()
    rows = warehouse.specifications().iter_rows(named=True)
    old: dict[SearchConfiguration, OldValues] = {}
    for each in configurations:
        algorithm = make_algorithm(each.algorithm, **each.parameters())
        if each.transfer != NONE and may_transfer(algorithm, each.transfer):
            source, _ = whole[each.vectors]
            old[each] = find_compared(warehouse, space, source, chosen.target, each.transfer)
    return make_search_comparison(
        space,
        request.experiment,
        configurations,
        {key: (source, labelled) for key, (source, labelled, _) in cut.items()},
        chosen.target,
        request.protocol,
        {row["spec_id"]: row for row in rows},
        objectives,
        sought.where,
        old,
    )


@flow(name="compare search", flow_run_name=run_name("space", "experiment", "measured.dataset"))
def compare_searches(request: CompareSearchesRequest) -> dict[str, Any]:
    """Runs the searches of a comparison as far as they are not stored, and stores its tables.

    Raises:
        InputError: As `plan`.
    """
    made = planned(plan, request)
    budget, processes = made.protocol.budget, request.processes or os.cpu_count() or 1
    with recorded_run(request.home, "compare search", request) as run:
        ids = [id_ for each in made.searches for id_ in made.search_ids(each)]
        known = stored_steps(run.warehouse, ids, made.target.sign, made.objectives)
        stored = sum(len(steps[:budget]) for steps in known.values())
        missing = any(len(steps) < budget for steps in known.values())
        ready = made.with_expectations(partial(expected_by_old_tasks, run)) if missing else made
        stacks = missing_searches(ready, known, processes)
        spent = sum(len(history) for stack in stacks for history in stack.histories)
        left = sum(len(stack.seeds) for stack in stacks) * budget - spent
        with track("compare · evaluations", left) as advance:
            register(run, [stack.made.row(seed) for stack in stacks for seed in stack.seeds])
            store_steps(run, run_stacks(stacks, processes), advance)
        thresholds, regrets, evaluations = tabulate(run.warehouse, made)
        with run.warehouse.writer("cole compare", run.run_id) as writer:
            writer.add_search_comparison(thresholds, regrets)
        run.summary = {
            "evaluations": evaluations - stored,
            "skipped": stored,
            "values": answering(run.warehouse, request.space, made.target.to_json()),
            "architectures": len(made.searches[0].labelled.values),
            "comparison_id": made.comparison_id,
            **transferred_in(made.old.values()),
            "finding": finding(thresholds),
        }
    return run.summary | {
        "experiment": made.experiment,
        "seeds": made.protocol.seeds,
        "budget": budget,
        "best": made.sign * made.best,
        "rows": thresholds.to_dicts(),
        "regrets": regrets.to_dicts(),
    }


def tabulate(
    warehouse: Warehouse, made: SearchComparison
) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """The comparison's two tables and its number of evaluations, from stored steps alone."""
    protocol, sign = made.protocol, made.sign
    results, evaluations = [], 0
    for label, each in zip(made.labels, made.searches, strict=True):
        ids = made.search_ids(each)
        steps = warehouse.search_steps(ids).filter(pl.col("step") <= protocol.budget)
        taken = stored_steps(warehouse, ids, made.target.sign, made.objectives)
        values = {id_: made.values(each[: protocol.budget]) for id_, each in taken.items()}
        known = not steps["seconds"].has_nulls()
        seconds = float(steps["seconds"].sum()) if known else None
        results.append(SearchResult(label, [values[id_] for id_ in ids], seconds))
        evaluations += steps.height
    keys = pl.DataFrame(
        {
            "position": range(len(made.searches)),
            "configuration_id": [each.configuration_id for each in made.searches],
            "search_ids": [made.search_ids(each) for each in made.searches],
            "comparison_id": made.comparison_id,
        }
    )
    about = {
        "experiment": made.experiment,
        "space": made.searches[0].space.name,
        "target": json.dumps(made.compared, sort_keys=True),
        "architectures": len(made.searches[0].labelled.values),
        "best": sign * made.best,
        "seeds": protocol.seeds,
        "budget": protocol.budget,
    }
    thresholds = threshold_table(results, protocol.thresholds(made.best), protocol.budget)
    regrets = regret_table(results, made.best, protocol.all_regret_at, protocol.budget)
    return (
        thresholds.join(keys, on="position", maintain_order="left").with_columns(
            pl.col("threshold_value") * sign,
            **{name: pl.lit(value) for name, value in about.items()},
        ),
        regrets.join(keys.drop("search_ids"), on="position", maintain_order="left"),
        evaluations,
    )
