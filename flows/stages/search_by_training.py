"""Stage: a search in which an evaluation is a training run."""

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from prefect import flow

from cole_core.encodings.vectors import Vectors, VectorSource
from cole_core.errors import InputError
from cole_core.evaluation.network_training import NetworkTraining
from cole_core.evaluation.own_training import OwnTraining
from cole_core.evaluation.pool import NetworkPool
from cole_core.evaluation.settings import TrainingSettings
from cole_core.experiments.searches import WITH_TRANSFER
from cole_core.hashing import hash_text
from cole_core.language_models import EmbeddingSpecification
from cole_core.predictors.transfer.old_values import BY_ITS_OWN, NONE, OldValues
from cole_core.search import SearchAlgorithm, SearchProblem, Step, make_algorithm
from cole_core.search.asynchronous import AsynchronousSearch
from cole_core.search.tabular import StoredSearches, make_reader, source_columns
from cole_core.spaces.base import SearchSpace
from flows.resolve.algorithms import AlgorithmOptions
from flows.resolve.made_vectors import find_made_vectors
from flows.resolve.models import check_model
from flows.resolve.network_training import NetworkOptions, TrainingSeed
from flows.resolve.requests import (
    AskedVectors,
    Device,
    Flag,
    InWarehouse,
    Seeds,
    request,
)
from flows.resolve.spaces import find_space_for, find_to_build, with_arguments
from flows.resolve.transfer import (
    TransferOption,
    find_old_values,
    may_transfer,
    transferred,
)
from flows.resolve.values import check_direction
from flows.running.names import run_name
from flows.running.networks import check_place, pools
from flows.running.progress import track
from flows.running.runs import Run, recorded_run
from flows.running.stage import planned
from flows.tasks.arrivals import arrival_row, arriving_steps, stored_running
from flows.tasks.new_architectures import NewValues, NewVectors, SearchEvaluator, values
from flows.tasks.old_tasks import WithExpectations, old_surrogates
from flows.tasks.searches import register, step_rows, stored_steps, summarise
from warehouse import Warehouse

# What `bananas` does here unless asked otherwise. The space has no list to score or to fit a
# reduction on, and every candidate is a text to embed.
RECOMMENDED: dict[str, Any] = {
    "head": "gaussian_process",
    "acquisition": "ucb",
    "candidates": "mutation",
    "initial": 10,
    "batch": 5,
    "n_candidates": 50,
    "reduction": "zscore",
    "fitted_on": "labelled",
}


@request
class SearchByTrainingRequest(InWarehouse):
    """A space, by training what a search proposes; what is stored is not trained again.

    Attributes:
        dataset: digits, add-digits, or the path of an .npz file or a folder of .npy files.
        function: FILE.py:FUNCTION, somebody's own training, in the place of a dataset's.
        metric: What the number is that it gives, or which of its numbers to better.
        epochs: Epochs of training.
        vectors: What the algorithm's surrogate reads, if it has one; made where missing.
        algorithm: The search algorithm.
        networks: Which networks are trained, and what they may cost.
        training_seed: Seed of every training.
        budget: Trainings of each search, those included that another search made before.
        seeds: Seed of a search; may be repeated. They run side by side.
        lm_device: Where the language model runs.
        arguments: Of the constructor of FILE.py:CLASS, those that all networks share, as JSON.
        transfer: Other tasks of the space that are learned from.
        asynchronous: Propose the next architecture whenever a worker is free, and not batch by
            batch; what still runs is believed to come out as expected.
    """

    dataset: str | None
    function: str | None = None
    metric: str | None = None
    epochs: int = TrainingSettings.epochs
    vectors: AskedVectors = Vectors()
    algorithm: AlgorithmOptions = AlgorithmOptions()
    networks: NetworkOptions = NetworkOptions()
    training_seed: TrainingSeed = 0
    budget: int = 100
    seeds: Seeds = (0,)
    lm_device: Device = "auto"
    arguments: str | None = None
    transfer: TransferOption = NONE
    asynchronous: Flag = False

    def training(self) -> NetworkTraining:
        """The training that is asked for, checked."""
        settings = TrainingSettings(epochs=self.epochs, macro=self.networks.macro)
        assert self.dataset is not None
        return self.networks.training(self.dataset, settings, self.training_seed)

    def own_training(self) -> OwnTraining:
        """Somebody's own training, checked."""
        assert self.function is not None
        return self.networks.own_training(
            self.function,
            metric=self.metric,
            dataset=self.dataset,
            epochs=self.epochs,
            seed=self.training_seed,
        )


@dataclass(frozen=True)
class TrainingSearch(StoredSearches):
    """Searches that train what they propose.

    Attributes:
        searcher: The algorithm.
        training: What networks are trained on, and how.
        evaluator: Trains what it proposes.
        source: Where the vectors of its surrogate are from.
        specification: Of the language model behind them; None for a structural encoding.
        old: What was measured on other tasks and is learned from, if anything.
    """

    searcher: SearchAlgorithm
    training: NetworkTraining | OwnTraining
    evaluator: SearchEvaluator
    source: VectorSource
    specification: EmbeddingSpecification | None
    old: OldValues | None

    @property
    def space(self) -> SearchSpace:
        """The search space whose architectures fit the dataset."""
        return self.evaluator.space

    def step_row(self, seed: int, step: Step) -> dict[str, Any]:
        """What the warehouse keeps of a step, values as they were measured."""
        mean = step.predicted_mean
        return {
            "search_id": self.search_id(seed),
            "step": step.index + 1,
            "architecture_id": self.space.architecture_id(step.native),
            "value": self.sign * step.value,
            "predicted_mean": None if mean is None else self.sign * mean,
            "predicted_std": step.predicted_std,
            "old_task_weights": list(step.old_task_weights) or None,
        }


def plan(request: SearchByTrainingRequest) -> TrainingSearch:
    """Resolves and checks a request.

    Raises:
        InputError: A name is unknown, or the dataset is not right.
    """
    warehouse = Warehouse(request.home)
    check_place(request.networks)
    training, evaluator = _trained(warehouse, request)
    space, target = evaluator.space, evaluator.target()
    check_direction(warehouse, space, target)
    bounds = dict(training.bounds) if isinstance(training, NetworkTraining) else {}
    name, given = request.algorithm.name, request.algorithm.parameters(RECOMMENDED)
    searcher = make_algorithm(name, **given)
    if searcher.needs_candidates:
        raise InputError("--candidates space needs every vector at hand: search by mutation")
    if request.budget < 1 or (space.size is not None and request.budget > space.size):
        raise InputError(
            f"--budget {request.budget}: give at least 1 and at most the size of the space"
        )
    source, specification, old = VectorSource("none", "none", None, None), None, None
    reads = may_transfer(searcher, request.transfer)
    if searcher.reads_vectors:
        source, specification = find_made_vectors(space, request.vectors)
        if specification is not None:
            check_model(warehouse, specification, request.lm_device)
        if reads:
            old = find_old_values(warehouse, space, source, target, request.transfer, BY_ITS_OWN)
        kind: dict[str, Any] = {} if specification is not None else {"structural": True}
        if old is not None:
            given = request.algorithm.parameters({**RECOMMENDED, **WITH_TRANSFER})
            kind |= {"old_tasks": len(old.targets)}
        if kind:
            searcher = make_reader(searcher, name, given, kind)
    columns = source_columns(searcher, source) | {
        "space": space.name,
        "algorithm": name,
        "target": target.to_json(),
    }
    configuration = columns | {
        "space_parameters": dict(space.parameters),
        "bounds": bounds,
        "parameters": searcher.get_params(),
        "training_seed": training.seed,
    }
    if space.definition is not None:  # another constructor draws otherwise
        configuration["definition"] = space.definition
    configuration |= target.orientation
    if request.asynchronous:
        configuration["asynchronous"] = True
    if old is not None:
        configuration["transfer"] = old.configuration
    surrogate = searcher.surrogate_params()
    if surrogate is not None:
        configuration["surrogate"] = surrogate
    return TrainingSearch(
        columns, configuration, searcher, training, evaluator, source, specification, old
    )


@flow(name="search by training", flow_run_name=run_name("space", "dataset", "algorithm.name"))
def search_by_training(request: SearchByTrainingRequest) -> dict[str, Any]:
    """Searches a space by training what it proposes.

    Candidates are rendered, embedded and predicted as they come up. Accuracies are stored before
    the steps that rest on them, so a search that was killed goes on from its trainings.

    Raises:
        InputError: As `plan`.
    """
    made = planned(plan, request)
    seeds, budget = list(dict.fromkeys(request.seeds)), request.budget
    with (
        pools(request.networks) as start,
        recorded_run(request.home, "search", request) as run,
        start(made.evaluator) as pool,
    ):
        known = stored_steps(run.warehouse, [made.search_id(seed) for seed in seeds], made.sign)
        tried = count_trainings(run.warehouse, made)
        trained = make_problem(run, made, pool, request.lm_device)
        register(run, [made.row(seed) for seed in seeds])
        left = sum(max(budget - len(steps), 0) for steps in known.values())
        with track(f"search · {request.algorithm.name}", left) as advance:
            histories = list(known.values())
            new = (
                arrivals(run, made, trained, budget, dict(zip(seeds, histories, strict=True)))
                if request.asynchronous
                else rounds(made, trained.problem, budget, seeds, histories)
            )
            for steps in new:
                with run.warehouse.writer("cole search", run.run_id) as writer:
                    writer.add_search_steps(steps)
                advance(steps.height)
        found = summarise(run.warehouse, known, seeds, budget, made.sign)
        tested = made.evaluator.target("test")
        test = values(run.warehouse, made.evaluator, tested, made.training.seed)
        if test or isinstance(made.training, NetworkTraining):
            for each in found:
                each["best_test"] = test.get(made.space.architecture_id(each["best"]))
        run.summary = {
            "evaluations": sum(each["evaluations"] for each in found),
            "skipped": sum(each["skipped"] for each in found),
            "trained": count_trainings(run.warehouse, made) - tried,
            "direction": "lower" if made.sign < 0 else "higher",
            **transferred(made.old),
            "searches": found,
        }
    return run.summary


@dataclass(frozen=True)
class Trained:
    """What a search asks of networks.

    Attributes:
        problem: The space as searches see it: vectors and values are made as they ask for them.
        values: Trains.
        pool: Where that runs.
    """

    problem: SearchProblem
    values: NewValues
    pool: NetworkPool


def make_problem(run: Run, made: TrainingSearch, pool: NetworkPool, lm_device: str) -> Trained:
    """The space as the searches see it."""
    trained = NewValues(run, made.evaluator, pool, made.training.seed)
    space = made.space

    @functools.cache
    def canonical(native: str) -> str:
        return hash_text(space.canonical_form(native))

    vectors: Callable[[Sequence[str]], np.ndarray]
    vectors = NewVectors(run, space, made.source, made.specification, lm_device)
    if made.old is not None:
        vectors = WithExpectations(vectors, old_surrogates(run, made.old))
    problem = SearchProblem(
        space=space,
        canonical=canonical,
        vectors=vectors,
        evaluate=trained,
        announce=trained.train,
    )
    return Trained(problem, trained, pool)


def rounds(
    made: TrainingSearch,
    problem: SearchProblem,
    budget: int,
    seeds: Sequence[int],
    histories: Sequence[Sequence[Step]],
) -> Iterator[pl.DataFrame]:
    """The new steps of each batch, as the warehouse takes them."""
    from cole_core.search.together import run_searches

    started = time.perf_counter()
    known = [steps[:budget] for steps in histories]
    for batch in run_searches(made.searcher, problem, budget, seeds, known):
        seconds = (time.perf_counter() - started) / sum(map(len, batch.values()))
        yield step_rows(
            made.step_row(seeds[place], step) | {"seconds": seconds}
            for place, steps in batch.items()
            for step in steps
        )
        started = time.perf_counter()


def arrivals(
    run: Run,
    made: TrainingSearch,
    trained: Trained,
    budget: int,
    known: Mapping[int, Sequence[Step]],
) -> Iterator[pl.DataFrame]:
    """The steps of asynchronous searches, each as it arrives. One search keeps all workers busy,
    so those of several seeds go one after the other.

    Args:
        run: Reads.
        made: The searches.
        trained: What they search, and where networks run.
        budget: Evaluations of each.
        known: Their stored steps, by seed.
    """
    for seed, steps in known.items():
        if len(steps) >= budget:
            continue
        running = stored_running(run.warehouse, made.search_id(seed), made.sign)
        about = (made.searcher, trained.problem, budget, seed, steps, running)
        search = AsynchronousSearch(*about)
        for each in arriving_steps(search, trained.values, trained.pool):
            kept = arrival_row(each.was, each.running, made.sign)
            yield step_rows([made.step_row(seed, each.step) | {"seconds": each.seconds} | kept])


def count_trainings(warehouse: Warehouse, made: TrainingSearch) -> int:
    """How many networks were tried under the settings of the searches."""
    return warehouse.trainings(made.space, made.evaluator.settings_id, made.training.seed).height


def _trained(
    warehouse: Warehouse, request: SearchByTrainingRequest
) -> tuple[NetworkTraining | OwnTraining, SearchEvaluator]:
    """What networks are trained on, and what trains them."""
    name = with_arguments(request.space, request.arguments)
    if request.function is not None:
        own = request.own_training()
        return own, own.evaluator(find_to_build(warehouse, name, request.networks.run))
    training = request.training()
    dataset = training.load()
    return training, training.evaluator(
        find_space_for(warehouse, training, name, dataset, request.networks.run), dataset
    )
