"""Stage: a search that reads cached vectors and measured values."""

from dataclasses import dataclass
from typing import Any

from prefect import flow

from cole_core.encodings.vectors import Vectors
from cole_core.experiments.searches import RECOMMENDED, WITH_TRANSFER
from cole_core.predictors.transfer.old_values import NONE, OldValues
from cole_core.search import make_algorithm
from cole_core.search.tabular import (
    TabularSearch,
    check_budget,
    make_tabular_search,
    search_rounds,
)
from flows.resolve.algorithms import AlgorithmOptions
from flows.resolve.objectives import Goals, choose
from flows.resolve.requests import AskedVectors, InWarehouse, Measured, Seeds, request
from flows.resolve.spaces import find_space
from flows.resolve.transfer import (
    TransferOption,
    find_old_values,
    may_transfer,
    transferred,
)
from flows.resolve.values import answering
from flows.resolve.vectors import find_vectors, load_labelled
from flows.running.names import run_name
from flows.running.progress import track
from flows.running.runs import Run, recorded_run
from flows.running.stage import planned
from flows.tasks.old_tasks import expected_by_old_tasks
from flows.tasks.searches import register, store_steps, stored_steps, summarise
from warehouse import Warehouse


@request
class SearchRequest(InWarehouse):
    """A space whose values were measured; a stored search is continued, not repeated.

    Attributes:
        measured: Which measured values to look for the best of.
        vectors: Which stored vectors the algorithm reads, if it reads any.
        algorithm: The search algorithm.
        budget: Number of evaluations of each search.
        seeds: Seed of a search; may be repeated.
        sought: Several objectives, and what architectures must fit.
        transfer: Other tasks of the space that are learned from.
    """

    measured: Measured = Measured()
    sought: Goals = Goals()
    vectors: AskedVectors = Vectors()
    algorithm: AlgorithmOptions = AlgorithmOptions()
    budget: int = 100
    seeds: Seeds = (0,)
    transfer: TransferOption = NONE


@dataclass(frozen=True)
class SearchPlan:
    """A search whose names are resolved.

    Attributes:
        searches: What to run.
        old: What it learns from beside its own evaluations, if anything.
    """

    searches: TabularSearch
    old: OldValues | None

    def ready(self, run: Run) -> TabularSearch:
        """The searches, with what old tasks expect beside the vectors."""
        if self.old is None:
            return self.searches
        expected = expected_by_old_tasks(run, self.old, self.searches.labelled.vectors)
        return self.searches.with_expectations(expected)


def plan(request: SearchRequest) -> SearchPlan:
    """Resolves and checks a request.

    Raises:
        InputError: No dataset is named, a name is unknown, something was not made yet, nothing
            fits the condition, or the budget is above what there is.
    """
    _ = request.measured.named_dataset
    warehouse = Warehouse(request.home)
    space = find_space(warehouse, request.space)
    sought = request.sought
    several = len(sought.objective) > 1
    name, parameters = request.algorithm.chosen(RECOMMENDED, several)
    # A name that is wrong is said before anything is looked up.
    reads = may_transfer(make_algorithm(name, **parameters), request.transfer, several=several)
    [source] = find_vectors(warehouse, space, [request.vectors])
    chosen = choose(warehouse, space, request.measured, sought)
    target = chosen.target
    labelled, objectives = chosen.cut(load_labelled(warehouse, space, source, target))
    old = find_old_values(warehouse, space, source, target, request.transfer) if reads else None
    if old is not None:
        name, parameters = request.algorithm.chosen({**RECOMMENDED, **WITH_TRANSFER}, several)
    tasks = old.configuration if old is not None else ()
    made = make_tabular_search(
        space, source, target, labelled, name, parameters, objectives, sought.where, tasks
    )
    check_budget(labelled, request.budget)
    return SearchPlan(made, old)


@flow(name="search", flow_run_name=run_name("space", "measured.dataset", "algorithm.name"))
def search(request: SearchRequest) -> dict[str, Any]:
    """Searches for the best architecture, one search for each seed.

    Raises:
        InputError: As `plan`.
    """
    resolved = planned(plan, request)
    seeds, budget = list(dict.fromkeys(request.seeds)), request.budget
    with recorded_run(request.home, "search", request) as run:
        made = resolved.ready(run)
        ids = [made.search_id(seed) for seed in seeds]
        known = stored_steps(run.warehouse, ids, made.sign, made.objectives)
        left = sum(max(budget - len(steps), 0) for steps in known.values())
        with track(f"search · {request.algorithm.name}", left) as advance:
            register(run, [made.row(seed) for seed in seeds])
            store_steps(run, search_rounds(made, budget, seeds, list(known.values())), advance)
        found = summarise(run.warehouse, known, seeds, budget, made.sign, made.objectives)
        run.summary = {
            "evaluations": sum(each["evaluations"] for each in found),
            "skipped": sum(each["skipped"] for each in found),
            "values": answering(run.warehouse, request.space, made.columns["target"]),
            "direction": "lower" if made.sign < 0 else "higher",
            **transferred(resolved.old),
            "searches": found,
            **({} if made.objectives is None else {"objectives": made.objectives.names}),
        }
    return run.summary
