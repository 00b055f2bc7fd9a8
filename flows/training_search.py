"""Flow: a search in which an evaluation is a training run."""

import functools
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl
from prefect import flow

from cole_core.encodings import VectorEncoding, get_encoding
from cole_core.errors import InputError
from cole_core.evaluation.attempts import TrainingEvaluator
from cole_core.evaluation.workers import Workers
from cole_core.hashing import hash_text
from cole_core.language_models import EmbeddingSpecification, specify
from cole_core.search import SearchAlgorithm, SearchProblem, Step, make_algorithm
from cole_core.search.bananas import Bananas
from cole_core.search.together import run_searches
from cole_core.spaces.base import SearchSpace
from flows.candidates import CandidateAccuracies, CandidateVectors, accuracies, target_of
from flows.choices import Vectors
from flows.evaluating import training_evaluator
from flows.progress import track
from flows.rendering import get_text_encoding
from flows.runs import Run, recorded_run
from flows.search_plan import StoredSearches, outcome
from flows.searching import register, stored_steps
from flows.training_task import TrainingTask
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


@dataclass(frozen=True)
class Plan(StoredSearches):
    """What the flow will do.

    Attributes:
        searcher: The algorithm.
        evaluator: Trains what it proposes.
        vectors: What its surrogate reads.
        specification: Of the language model behind them; None for a structural encoding.
    """

    searcher: SearchAlgorithm
    evaluator: TrainingEvaluator
    vectors: Vectors
    specification: EmbeddingSpecification | None

    @property
    def space(self) -> SearchSpace:
        """The search space whose architectures fit the dataset."""
        return self.evaluator.space


@flow(name="search by training")
def search_by_training(
    home: str,
    space: str,
    work: TrainingTask = TrainingTask(),
    vectors: Vectors = Vectors(),
    algorithm: str = "bananas",
    algorithm_parameters: dict[str, Any] | None = None,
    budget: int = 100,
    seeds: Sequence[int] = (0,),
    lm_device: str = "auto",
) -> dict[str, Any]:
    """Searches a space by training what it proposes; what is stored is not trained again.

    Candidates are rendered, embedded and predicted as they come up. Accuracies are stored before
    the steps that rest on them, so a search that was killed goes on from its trainings.

    Args:
        home: The warehouse.
        space: The search space.
        work: What networks are trained on, and how.
        vectors: What the algorithm's surrogate reads, if it has one; made where missing.
        algorithm: The search algorithm.
        algorithm_parameters: Its parameters other than the defaults.
        budget: Trainings of each search, those included that another search made before.
        seeds: One search for each seed, side by side.
        lm_device: Where the language model runs.

    Raises:
        InputError: A name is unknown, or the dataset is not right.
    """
    made = plan(
        home, space, work, vectors, algorithm, algorithm_parameters, budget, seeds, lm_device
    )
    seeds = list(dict.fromkeys(seeds))
    parameters = made.configuration | {"budget": budget, "task": asdict(work)}
    with (
        recorded_run(home, "search", parameters) as run,
        Workers(made.evaluator, work.workers) as workers,
    ):
        known = stored_steps(run.warehouse, [made.search_id(seed) for seed in seeds])
        tried = trainings(run.warehouse, made, work.seed)
        problem = make_problem(run, made, workers, work.seed, lm_device)
        register(run, [made.row(seed) for seed in seeds])
        left = sum(max(budget - len(steps), 0) for steps in known.values())
        with track(f"search · {made.searcher.name}", left) as advance:
            for steps in rounds(made, problem, budget, seeds, list(known.values())):
                with run.warehouse.writer("cole search", run.run_id) as writer:
                    writer.add_search_steps(steps)
                advance(steps.height)
        test = accuracies(run.warehouse, made.evaluator, "test", work.seed)
        searches = [
            outcome(search_id, seed, steps[:budget], len(known[search_id][:budget]))
            for (search_id, steps), seed in zip(
                stored_steps(run.warehouse, list(known)).items(), seeds, strict=True
            )
        ]
        for each in searches:
            each["best_test"] = test.get(each["best"])
        run.summary = {
            "evaluations": sum(each["evaluations"] for each in searches),
            "skipped": sum(each["skipped"] for each in searches),
            "trained": trainings(run.warehouse, made, work.seed) - tried,
            "searches": searches,
        }
    return run.summary


def plan(
    home: str,
    space: str,
    work: TrainingTask = TrainingTask(),
    vectors: Vectors = Vectors(),
    algorithm: str = "bananas",
    algorithm_parameters: dict[str, Any] | None = None,
    budget: int = 100,
    seeds: Sequence[int] = (0,),
    lm_device: str = "auto",
) -> Plan:
    """Resolves and checks what the flow is given; its arguments and errors are the flow's."""
    Warehouse(home)
    work.check()
    dataset = work.load()
    search_space = work.space(space, dataset)
    evaluator = training_evaluator(search_space, dataset, work)
    given = algorithm_parameters or {}
    if algorithm == Bananas.name:
        given = RECOMMENDED | given
    searcher = make_algorithm(algorithm, **given)
    if isinstance(searcher, Bananas) and searcher.candidates != "mutation":
        raise InputError("--candidates space needs every vector at hand: search by mutation")
    if budget < 1 or (search_space.size is not None and budget > search_space.size):
        raise InputError(f"--budget {budget}: give at least 1 and at most the size of the space")
    specification = None
    columns: dict[str, Any] = {"encoding": "none", "context": "none", "spec_id": None}
    if searcher.reads_vectors:
        encoding = get_encoding(search_space.name, vectors.encoding, **search_space.parameters)
        if isinstance(encoding, VectorEncoding):
            searcher = make_algorithm(algorithm, **given, structural=True)
        else:
            get_text_encoding(search_space, vectors.encoding, vectors.context)
            specification = specify(
                vectors.lm, pooling=vectors.pooling, precision=vectors.precision
            )
        columns = {
            "encoding": vectors.encoding,
            "context": vectors.context,
            "spec_id": None if specification is None else specification.spec_id,
        }
    columns |= {
        "space": search_space.name,
        "algorithm": algorithm,
        "target": target_of(evaluator, "valid").to_json(),
    }
    configuration = columns | {
        "space_parameters": dict(search_space.parameters),
        "bounds": work.bounds,
        "parameters": searcher.get_params(),
        "training_seed": work.seed,
    }
    if isinstance(searcher, Bananas):
        configuration["surrogate"] = searcher.surrogate_params()
    return Plan(columns, configuration, searcher, evaluator, vectors, specification)


def make_problem(
    run: Run, made: Plan, workers: Workers, seed: int, lm_device: str
) -> SearchProblem:
    """The space as the searches see it: vectors and accuracies are made as they ask for them."""
    trained = CandidateAccuracies(run, made.evaluator, workers, seed)
    space = made.space

    @functools.cache
    def canonical(native: str) -> str:
        return hash_text(space.canonical_form(native))

    return SearchProblem(
        space=space,
        canonical=canonical,
        vectors=CandidateVectors(run, space, made.vectors, made.specification, lm_device),
        evaluate=trained,
        announce=trained.train,
    )


def rounds(
    made: Plan,
    problem: SearchProblem,
    budget: int,
    seeds: Sequence[int],
    histories: Sequence[Sequence[Step]],
) -> Iterator[pl.DataFrame]:
    """The new steps of each batch, as the warehouse takes them."""
    started = time.perf_counter()
    known = [steps[:budget] for steps in histories]
    for batch in run_searches(made.searcher, problem, budget, seeds, known):
        seconds = (time.perf_counter() - started) / sum(map(len, batch.values()))
        yield pl.DataFrame(
            [
                {
                    "search_id": made.search_id(seeds[place]),
                    "step": step.index + 1,
                    "architecture_id": made.space.architecture_id(step.native),
                    "value": step.value,
                    "predicted_mean": step.predicted_mean,
                    "predicted_std": step.predicted_std,
                    "seconds": seconds,
                }
                for place, steps in batch.items()
                for step in steps
            ],
            schema_overrides={"predicted_mean": pl.Float64, "predicted_std": pl.Float64},
        )
        started = time.perf_counter()


def trainings(warehouse: Warehouse, made: Plan, seed: int) -> int:
    """How many networks were tried under the settings of the searches."""
    return warehouse.trainings(made.space, made.evaluator.settings_id, seed).height
