"""Stage: our figures beside those that other people published, each by its own protocol."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import polars as pl
from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from cole_core.encodings.side_by_side import is_structural
from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.experiments.cross_validation import one_core_each
from cole_core.experiments.published.figures import Row, finding, ranking_rows, search_rows
from cole_core.experiments.published.protocols import (
    PublishedProtocol,
    choose_protocols,
)
from cole_core.experiments.published.rankings import Ours, Ranking
from cole_core.experiments.search_comparison import SearchComparison, missing_searches
from cole_core.experiments.searches import SearchConfiguration, parse_search_configuration
from cole_core.hashing import hash_json
from cole_core.parameters import parse_assignments
from cole_core.predictors import heads, make_surrogate, surrogate_parameters
from cole_core.predictors.transfer.old_values import NONE
from cole_core.registry import check_parameters
from cole_core.search import make_algorithm
from cole_core.search.processes import run_stacks
from cole_core.search.random_search import RandomSearch
from cole_core.spaces.base import SearchSpace
from flows.resolve.published import find_rankings, find_search_comparison, split_by_values
from flows.resolve.requests import (
    DEFAULT_SPACE,
    HOME,
    AskedVectors,
    Home,
    Seed,
    one_of,
    repeatable,
    request,
)
from flows.resolve.spaces import find_space
from flows.running.names import run_name
from flows.running.progress import track
from flows.running.runs import Run, recorded_run
from flows.running.stage import planned
from flows.tasks.searches import register, store_steps, stored_steps
from warehouse import Warehouse


@request
class ComparePublishedRequest:
    """One protocol of published figures, or all that the space lists.

    Attributes:
        protocol: Its name.
        space: The search space.
        home: The warehouse's directory.
        table: Measured values: a table, or what a benchmark publishes; they are taken in as 'cole
            ingest' does. Where the first architectures of a file are meant, the first table is that
            file. May be repeated.
        vectors: Which stored vectors heads and searches read; by default the space's reference and
            its strongest structural encoding side by side.
        head_parameter: A parameter of the head or of its surrogate, as members=5; may be repeated.
        configuration: A search to stand beside theirs, as encoding=path,batch=5, see 'cole compare
            search'; by default the recommended one. May be repeated; random search is always there.
        draws: Of labelled architectures, of each size.
        seeds: Searches of each configuration.
        seed: Seed of the draws and of the heads; the searches have those from 0 on.
        processes: Searches side by side; by default one for each core.
    """

    protocol: str | None = field(default=None, kw_only=False)
    space: str = DEFAULT_SPACE
    home: Home = HOME
    table: Annotated[tuple[str, ...], repeatable("--table")] = ()
    vectors: AskedVectors = Vectors()
    head: Annotated[str, one_of(heads, "The head that ranks")] = "gaussian_process"
    head_parameter: Annotated[tuple[str, ...], repeatable("--head-parameter")] = ()
    configuration: Annotated[tuple[str, ...], repeatable("--configuration", "-c")] = ()
    draws: Annotated[int, Field(ge=1)] = 10
    seeds: Annotated[int, Field(ge=2)] = 30
    seed: Seed = 0
    processes: Annotated[int | None, Field(ge=1)] = None

    def read_vectors(self, space: SearchSpace) -> Vectors:
        """Which vectors, the encoding named."""
        if self.vectors.encoding is not None:
            return self.vectors
        sides = (space.reference(self.vectors.context), space.roles.rival)
        return replace(self.vectors, encoding="+".join(filter(None, sides)))

    def protocols(self, space: SearchSpace) -> list[PublishedProtocol]:
        """Those that are asked for.

        Raises:
            InputError: There is none of that name.
        """
        return choose_protocols(space, [] if self.protocol is None else [self.protocol])

    @property
    def ours(self) -> Ours:
        """The head that ranks.

        Raises:
            InputError: It, or a parameter, is unknown.
        """
        given = parse_assignments("--head-parameter", self.head_parameter)
        check_parameters(f"head '{self.head}'", given, surrogate_parameters(self.head))
        make_surrogate(self.head, **given)
        return Ours(self.head, given, self.draws, self.seed)

    def searches(self, space: SearchSpace) -> list[SearchConfiguration]:
        """The searches, random search last.

        Raises:
            InputError: A configuration cannot be read, or names what is unknown.
        """
        asked = {k: v for k, v in vars(self.read_vectors(space)).items() if v is not None}
        base = SearchConfiguration(**asked)
        given = [parse_search_configuration(text, base) for text in self.configuration]
        # What is wrong with a name is said before any table is read.
        for each in given or [base]:
            if each.transfer != NONE:
                raise InputError(
                    f"transfer={each.transfer}: protocols of published figures read one task, "
                    "leave it out"
                )
            is_structural(space, each.encoding)
            make_algorithm(each.algorithm, **each.parameters())
        return [*(given or [base]), replace(base, algorithm=RandomSearch.name)]


@dataclass(frozen=True)
class PublishedPlan:
    """What the flow will do.

    Attributes:
        rankings: Trials of our head, for each protocol of rankings with what it is called.
        searches: Our searches, for each protocol of searches.
        missing: Why a protocol is not run, by its name.
    """

    rankings: list[tuple[str, Ranking]]
    searches: list[tuple[PublishedProtocol, SearchComparison]]
    missing: dict[str, str]


def plan(request: ComparePublishedRequest) -> PublishedPlan:
    """Resolves and checks a request.

    Raises:
        InputError: A name is unknown, something was not made yet, or no protocol has its values.
    """
    warehouse = Warehouse(request.home)
    space = find_space(warehouse, request.space)
    ours, searches = request.ours, request.searches(space)
    vectors = request.read_vectors(space)
    tables = request.table
    ready, missing = split_by_values(warehouse, space, request.protocols(space), tables)
    rankings = [each for each in ready if not each.is_search]
    compared = [
        (each, find_search_comparison(warehouse, space, each, searches, request.seeds, tables))
        for each in ready
        if each.is_search
    ]
    return PublishedPlan(
        find_rankings(warehouse, space, rankings, vectors, ours, tables), compared, missing
    )


@flow(name="compare published", flow_run_name=run_name("space", "protocol"))
def compare_published(request: ComparePublishedRequest) -> dict[str, Any]:
    """Runs what is not stored yet of each protocol, and sets ours beside theirs.

    Raises:
        InputError: As `plan`.
    """
    made = planned(plan, request)
    with recorded_run(request.home, "compare published", request) as run:
        trials, skipped = run_rankings(run, [each for _, each in made.rankings])
        evaluations, known = 0, 0
        for _, comparison in made.searches:
            new, there = run_searches(run, comparison, request.processes or os.cpu_count() or 1)
            evaluations, known = evaluations + new, known + there
        rows = tabulate(run.warehouse, made)
        run.summary = {
            "trials": trials,
            "skipped": skipped,
            "evaluations": evaluations,
            "evaluations_skipped": known,
            "missing": made.missing,
            "finding": finding(rows),
            "rows": rows,
        }
    return run.summary


def run_rankings(run: Run, rankings: Sequence[Ranking]) -> tuple[int, int]:
    """Runs the trials that are not stored, the small ones first; how many, and how many were."""
    ids = [each.trial_id(*trial) for each in rankings for trial in each.trials]
    stored = set(run.warehouse.trial_results(ids)["trial_id"])
    with (
        track("published · trials", len(ids) - len(stored)) as advance,
        one_core_each() as cores,
    ):

        def store(rows: pl.DataFrame) -> None:
            with run.warehouse.writer("cole compare", run.run_id) as writer:
                writer.add_trials(rows)
            advance(rows.height)

        for ranking in rankings:
            missing = [each for each in ranking.trials if ranking.trial_id(*each) not in stored]
            if missing:
                run_trials(ranking, missing, store, cores)
    return len(ids) - len(stored), len(stored)


@task(
    name="published trials",
    task_run_name="rank as {ranking.protocol.name}",
    cache_policy=NO_CACHE,
    persist_result=False,
)
def run_trials(
    ranking: Ranking,
    trials: Sequence[tuple[int, int]],
    store: Callable[[pl.DataFrame], None],
    cores: int,
) -> None:
    """Runs trials, one on each core, and stores each as it ends."""
    with ThreadPoolExecutor(cores) as executor:
        running = [executor.submit(ranking.run, n, draw) for n, draw in trials]
        try:
            for done in as_completed(running):
                store(done.result())
        finally:
            for waiting in running:
                waiting.cancel()


def run_searches(run: Run, made: SearchComparison, processes: int) -> tuple[int, int]:
    """Runs the searches as far as they are not stored; how many evaluations, and how many were."""
    budget = made.protocol.budget
    ids = [id_ for each in made.searches for id_ in made.search_ids(each)]
    known = stored_steps(run.warehouse, ids, made.target.sign)
    there = sum(len(steps[:budget]) for steps in known.values())
    stacks = missing_searches(made, known, processes)
    with track("published · evaluations", len(ids) * budget - there) as advance:
        register(run, [stack.made.row(seed) for stack in stacks for seed in stack.seeds])
        store_steps(run, run_stacks(stacks, processes), advance)
    return len(ids) * budget - there, there


def tabulate(warehouse: Warehouse, made: PublishedPlan) -> list[Row]:
    """The figures, from what is stored alone."""
    rows: list[Row] = []
    for label, ranking in made.rankings:
        results = warehouse.trial_results([ranking.trial_id(*trial) for trial in ranking.trials])
        rows += ranking_rows(ranking.protocol, label, hash_json(ranking.configuration), results)
    for protocol, comparison in made.searches:
        sign = comparison.target.sign
        for label, search in zip(comparison.labels, comparison.searches, strict=True):
            labelled = search.labelled
            form_of = dict(zip(labelled.natives, labelled.canonical_ids, strict=True))
            steps = stored_steps(warehouse, comparison.search_ids(search))
            found = [
                [(form_of[step.native], step.value) for step in each[: comparison.protocol.budget]]
                for each in steps.values()
            ]
            best = labelled.canonical_ids[int(labelled.values.argmax())]
            rows += search_rows(protocol, label, search.configuration_id, found, best, sign)
    return rows
