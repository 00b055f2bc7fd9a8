"""Stage: networks trained on a dataset, and their zero-cost proxies, into the warehouse."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter
from prefect import flow

from cole_core.errors import InputError
from cole_core.evaluation.attempts import AnyEvaluator, ProxyEvaluator
from cole_core.evaluation.network_training import NetworkTraining
from cole_core.evaluation.outcomes import CRASHED, DIVERGED, FAILED, OK, TIMED_OUT, TOO_LARGE
from cole_core.evaluation.own_training import OwnTraining
from cole_core.evaluation.settings import ProxySettings
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.sampling import sample_distinct
from flows.resolve.current import current
from flows.resolve.network_training import NetworkOptions, TrainingOptions, TrainingSeed
from flows.resolve.requests import Flag, InWarehouse, request
from flows.resolve.spaces import find_space_for, find_to_build, with_arguments
from flows.resolve.values import check_direction
from flows.running.cluster_networks import Pools
from flows.running.names import run_name
from flows.running.networks import check_place, pools
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
        dataset: digits, add-digits, or the path of an .npz file or a folder of .npy files; with
            --train FILE.py:FUNCTION what the values are called to be of.
        samples: Draw so many architectures, add those that are new, and evaluate these alone.
        limit: Evaluate the first so many stored architectures.
        options: How networks are trained.
        networks: Which networks, and what they may cost.
        seed: Of the draw, the weights and the order of images.
        device: auto, cpu or cuda.
        train: Train the networks: on --dataset, or with FILE.py:FUNCTION by that function of the
            network (and of seed and epochs, if it has them), which gives a number or numbers by
            name.
        metric: What the function's bare number is, as METRIC[UNIT]:higher or :lower; by default a
            score of which a higher one is better.
        proxies: Parameters, FLOPs, synflow and naswot as well.
        retry_failed: Try those again that failed before.
        arguments: Of the constructor of FILE.py:CLASS, those that all networks share, as JSON.
    """

    dataset: str | None = None
    samples: int | None = None
    limit: int | None = None
    options: TrainingOptions = TrainingOptions()
    networks: NetworkOptions = NetworkOptions()
    seed: TrainingSeed = 0
    device: str = "auto"
    train: Annotated[bool | str, Parameter(negative="--no-train")] = True
    metric: str | None = None
    proxies: Flag = False
    retry_failed: Flag = False
    arguments: str | None = None

    def training(self) -> NetworkTraining:
        """The training that is asked for, checked."""
        if self.dataset is None:
            raise InputError("--dataset is missing: name one, such as --dataset digits")
        if self.metric is not None:
            raise InputError(
                f"--metric {self.metric} is for --train FILE.py:FUNCTION: leave it out"
            )
        settings = self.options.settings(self.networks.macro)
        return self.networks.training(self.dataset, settings, self.seed, self.device)

    def own_training(self) -> OwnTraining:
        """Somebody's own training, checked.

        Raises:
            InputError: There is no such function, or something is said of our training.
        """
        for name, usual in vars(TrainingOptions()).items():
            if name != "epochs" and getattr(self.options, name) != usual:
                raise InputError(
                    f"--{name.replace('_', '-')} is for our own training, and --train "
                    f"{self.train} is yours: leave it out"
                )
        if self.proxies:
            raise InputError("--proxies needs --dataset: compute them without --train FILE.py")
        return self.networks.own_training(
            str(self.train),
            metric=self.metric,
            dataset=self.dataset,
            epochs=self.options.epochs,
            seed=self.seed,
        )


@dataclass(frozen=True)
class TrainNetworksPlan:
    """What the flow will do.

    Attributes:
        space: The search space whose architectures fit the dataset.
        seed: Of the training.
        dataset: What evaluations call the dataset.
        evaluators: One for training, one for proxies, as asked for.
        natives: Architectures that are to be added before.
    """

    space: SearchSpace
    seed: int
    dataset: str
    evaluators: list[AnyEvaluator]
    natives: list[str]


def plan(request: TrainNetworksRequest) -> TrainNetworksPlan:
    """Resolves and checks a request.

    Raises:
        InputError: A name is unknown, the dataset is not right, or there is no architecture.
    """
    warehouse = Warehouse(request.home)
    if request.samples is not None and request.limit is not None:
        raise InputError("--samples draws architectures and --limit takes stored ones: give one")
    if request.limit is not None and request.limit < 1:
        raise InputError(f"--limit {request.limit}: give at least 1")
    check_place(request.networks)
    evaluators = _own(warehouse, request) or _ours(warehouse, request)
    space = evaluators[0].space
    natives = []
    if request.samples is not None:
        natives = sample_distinct(space, request.samples, request.seed)
        space.prepare(natives)  # before anybody waits for the lock
        space.check_makeable(natives)
    elif not warehouse.has_catalog or warehouse.architectures(space).is_empty():
        raise InputError(f"no architectures of {_described(request, space)}: add --samples N")
    about = (request.seed, evaluators[0].dataset_name)
    return TrainNetworksPlan(space, *about, evaluators, natives)


def named(request: TrainNetworksRequest) -> str:
    """The space's name with what is said of it."""
    return with_arguments(request.space, request.arguments)


def _own(warehouse: Warehouse, request: TrainNetworksRequest) -> list[AnyEvaluator]:
    """Somebody's own training; none where it is ours that is asked for."""
    if isinstance(request.train, bool):
        return []
    training = request.own_training()
    evaluator = training.evaluator(find_to_build(warehouse, named(request), request.networks.run))
    check_direction(warehouse, evaluator.space, evaluator.target())
    return [evaluator]


def _ours(warehouse: Warehouse, request: TrainNetworksRequest) -> list[AnyEvaluator]:
    training = request.training()
    dataset = training.load()
    space = find_space_for(warehouse, training, named(request), dataset, request.networks.run)
    evaluators: list[AnyEvaluator] = []
    if request.train:
        evaluators.append(training.evaluator(space, dataset))
    if request.proxies:
        settings = ProxySettings(macro=training.settings_for(space).macro)
        evaluators.append(
            ProxyEvaluator(space, dataset, training.limits, training.place(), settings)
        )
    if not evaluators:
        raise InputError("nothing to do: train, or compute --proxies")
    return evaluators


def _described(request: TrainNetworksRequest, space: SearchSpace) -> str:
    if isinstance(request.train, str):
        return space.full_name
    dataset = request.training().load()
    return f"{request.space} for images of shape {dataset.input_shape} in {dataset.classes} classes"


@flow(name="evaluate", flow_run_name=run_name("space", "dataset"))
def train_networks(request: TrainNetworksRequest) -> dict[str, Any]:
    """Trains networks on a dataset and stores their accuracies; what is stored is skipped.

    Raises:
        InputError: As `plan`.
    """
    made = planned(plan, request)
    with (
        pools(request.networks, request.device) as start,
        recorded_run(request.home, "evaluate", request) as run,
    ):
        natives = architectures(run, made, request.limit)
        for evaluator in made.evaluators:
            wanted = not_evaluated(
                run.warehouse, evaluator, natives, request.seed, request.retry_failed
            )
            counts = evaluate_missing(run, start, evaluator, wanted, made.seed)
            kind = "proxies" if isinstance(evaluator, ProxyEvaluator) else "trainings"
            run.summary |= {
                kind: counts[OK],
                f"{kind}_skipped" if kind == "proxies" else "skipped": len(natives) - len(wanted),
                **{
                    f"{kind}_{status}": counts[status]
                    for status in (DIVERGED, TOO_LARGE, TIMED_OUT, FAILED, CRASHED)
                    if counts[status]
                },
                f"{kind}_source": evaluator.source,
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
    run: Run, start: Pools, evaluator: AnyEvaluator, natives: Sequence[str], seed: int
) -> Counter[str]:
    """Evaluates networks and stores what comes of them, as it comes.

    Args:
        run: Writes.
        start: Gives what runs the networks.
        evaluator: What is run.
        natives: The networks.
        seed: Of each.

    Returns:
        How many came to which status.
    """
    what = "proxies" if isinstance(evaluator, ProxyEvaluator) else "trainings"
    with (
        start(evaluator) as pool,
        track(f"evaluate · {what}", len(natives)) as advance,
    ):
        attempts = evaluate_all(run, evaluator, pool, natives, seed, advance)
    report_failures([attempt for attempt in attempts if attempt.status != OK])
    return Counter(attempt.status for attempt in attempts)
