"""Stage: networks trained on a dataset, and their zero-cost proxies, into the warehouse."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter
from prefect import flow

from cole_core.errors import InputError
from cole_core.evaluation.attempts import Evaluator, ProxyEvaluator
from cole_core.evaluation.network_training import NetworkTraining
from cole_core.evaluation.outcomes import CRASHED, DIVERGED, FAILED, OK, TIMED_OUT, TOO_LARGE
from cole_core.evaluation.settings import ProxySettings, source_name
from cole_core.evaluation.workers import Workers
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.sampling import sample_distinct
from flows.resolve.current import current
from flows.resolve.network_training import NetworkOptions, TrainingOptions, TrainingSeed
from flows.resolve.requests import Flag, InWarehouse, request
from flows.resolve.spaces import find_space_for
from flows.running.progress import track
from flows.running.runs import Run, recorded_run
from flows.running.stage import planned
from flows.tasks.architectures import add_architectures
from flows.tasks.evaluations import evaluate_all, not_evaluated, report_failures
from warehouse import Warehouse


@request
class TrainNetworksRequest(InWarehouse):
    """The networks that were not trained yet on a dataset under the same settings.

    Attributes:
        dataset: digits, add-digits, or the path of an .npz file or a folder of .npy files.
        samples: Draw so many architectures, add those that are new, and evaluate these alone.
        limit: Evaluate the first so many stored architectures.
        options: How networks are trained.
        networks: Which networks, and what they may cost.
        seed: Of the draw, the weights and the order of images.
        device: auto, cpu or cuda.
        train: Train the networks.
        proxies: Parameters, FLOPs, synflow and naswot as well.
        retry_failed: Try those again that failed before.
    """

    dataset: str
    samples: int | None = None
    limit: int | None = None
    options: TrainingOptions = TrainingOptions()
    networks: NetworkOptions = NetworkOptions()
    seed: TrainingSeed = 0
    device: str = "auto"
    train: Annotated[bool, Parameter(negative="--no-train")] = True
    proxies: Flag = False
    retry_failed: Flag = False

    def training(self) -> NetworkTraining:
        """The training that is asked for, checked."""
        settings = self.options.settings(self.networks.macro)
        return self.networks.training(self.dataset, settings, self.seed, self.device)


@dataclass(frozen=True)
class TrainNetworksPlan:
    """What the flow will do.

    Attributes:
        space: The search space whose architectures fit the dataset.
        training: What they are trained on, and how.
        evaluators: One for training, one for proxies, as asked for.
        natives: Architectures that are to be added before.
    """

    space: SearchSpace
    training: NetworkTraining
    evaluators: list[Evaluator]
    natives: list[str]


def plan(request: TrainNetworksRequest) -> TrainNetworksPlan:
    """Resolves and checks a request.

    Raises:
        InputError: A name is unknown, the dataset is not right, or there is no architecture.
    """
    warehouse = Warehouse(request.home)
    training = request.training()
    if request.samples is not None and request.limit is not None:
        raise InputError("--samples draws architectures and --limit takes stored ones: give one")
    if request.limit is not None and request.limit < 1:
        raise InputError(f"--limit {request.limit}: give at least 1")
    dataset = training.load()
    space = find_space_for(warehouse, training, request.space, dataset, request.networks.run)
    natives = []
    if request.samples is not None:
        natives = sample_distinct(space, request.samples, request.seed)
        space.prepare(natives)  # before anybody waits for the lock
    elif not warehouse.has_catalog or warehouse.architectures(space).is_empty():
        raise InputError(
            f"no architectures of {request.space} for images of shape {dataset.input_shape} in "
            f"{dataset.classes} classes: add --samples N"
        )
    evaluators: list[Evaluator] = []
    if request.train:
        evaluators.append(training.evaluator(space, dataset))
    if request.proxies:
        settings = ProxySettings(macro=training.settings_for(space).macro)
        evaluators.append(
            ProxyEvaluator(space, dataset, training.limits, training.place(), settings)
        )
    if not evaluators:
        raise InputError("nothing to do: train, or compute --proxies")
    return TrainNetworksPlan(space, training, evaluators, natives)


@flow(name="evaluate")
def train_networks(request: TrainNetworksRequest) -> dict[str, Any]:
    """Trains networks on a dataset and stores their accuracies; what is stored is skipped.

    Raises:
        InputError: As `plan`.
    """
    made = planned(plan, request)
    with recorded_run(request.home, "evaluate", request) as run:
        natives = architectures(run, made, request.limit)
        for evaluator in made.evaluators:
            wanted = not_evaluated(
                run.warehouse, evaluator, natives, request.seed, request.retry_failed
            )
            counts = evaluate_missing(run, evaluator, wanted, made.training)
            kind = "proxies" if isinstance(evaluator, ProxyEvaluator) else "trainings"
            run.summary |= {
                kind: counts[OK],
                f"{kind}_skipped" if kind == "proxies" else "skipped": len(natives) - len(wanted),
                **{
                    f"{kind}_{status}": counts[status]
                    for status in (DIVERGED, TOO_LARGE, TIMED_OUT, FAILED, CRASHED)
                    if counts[status]
                },
                f"{kind}_source": source_name(evaluator.settings_id),
            }
    return run.summary


def architectures(run: Run, made: TrainNetworksPlan, limit: int | None) -> list[str]:
    """The architectures to evaluate, in the warehouse by then."""
    if made.natives:
        with run.warehouse.writer("cole evaluate", run.run_id) as writer:
            add_architectures(run.warehouse, writer, made.space, made.natives)
        return made.natives
    stored = current(made.space, run.warehouse.architectures(made.space))
    return stored["native"].to_list()[:limit]


def evaluate_missing(
    run: Run, evaluator: Evaluator, natives: Sequence[str], training: NetworkTraining
) -> Counter[str]:
    """Evaluates networks and stores what comes of them, as it comes.

    Returns:
        How many came to which status.
    """
    what = "proxies" if isinstance(evaluator, ProxyEvaluator) else "trainings"
    with (
        Workers(evaluator, training.workers) as workers,
        track(f"evaluate · {what}", len(natives)) as advance,
    ):
        attempts = evaluate_all(run, evaluator, workers, natives, training.seed, advance)
    report_failures([attempt for attempt in attempts if attempt.status != OK])
    return Counter(attempt.status for attempt in attempts)
