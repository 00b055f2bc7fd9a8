"""Stage: heads fitted on stored vectors, and how well they rank what they did not see."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import polars as pl
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from cole_core.encodings.vectors import Vectors
from cole_core.experiments.head_trials import (
    HeadTrials,
    Splits,
    Trial,
    make_head_trials,
    n_test,
    summarise,
)
from cole_core.parameters import parse_assignments
from cole_core.predictors import heads, make_surrogate, surrogate_parameters
from cole_core.predictors.transfer.old_values import NONE, OldValues
from cole_core.registry import check_parameters
from flows.resolve.requests import (
    AskedVectors,
    InWarehouse,
    Measured,
    Seed,
    one_of,
    repeatable,
    request,
)
from flows.resolve.spaces import find_space, known_space
from flows.resolve.transfer import (
    TransferOption,
    find_old_values,
    transferred,
)
from flows.resolve.values import answering, one_target
from flows.resolve.vectors import find_vectors, load_labelled, needs_file
from flows.running.names import run_name
from flows.running.progress import track
from flows.running.runs import Run, recorded_run
from flows.running.stage import planned
from flows.tasks.old_tasks import old_surrogates
from warehouse import Warehouse


@request
class FitHeadsRequest(InWarehouse):
    """A head, fitted for each training size and draw.

    Attributes:
        measured: Which measured values to predict.
        vectors: Which stored vectors to read.
        loss: Of the mlp head: mse or hinge.
        head_parameter: A parameter of the head or of its surrogate, as members=5; may be repeated.
        sizes: Labelled architectures; may be repeated.
        draws: Random splits for each size.
        seed: Seed of the splits and of the heads.
        transfer: Other tasks of the space that the head learns from.
    """

    measured: Measured = Measured()
    vectors: AskedVectors = Vectors()
    head: Annotated[str, one_of(heads, "The head")] = "gaussian_process"
    loss: str | None = None
    head_parameter: Annotated[tuple[str, ...], repeatable("--head-parameter")] = ()
    sizes: Annotated[tuple[int, ...], repeatable("-n")] = (220,)
    draws: int = 10
    seed: Seed = 0
    transfer: TransferOption = NONE

    @property
    def head_parameters(self) -> dict[str, Any]:
        """Arguments of `make_surrogate` that are not as usual.

        Raises:
            InputError: One is unknown; lists the known ones.
        """
        given = parse_assignments("--head-parameter", self.head_parameter)
        check_parameters(f"head '{self.head}'", given, surrogate_parameters(self.head))
        return given if self.loss is None else {"loss": self.loss} | given


@dataclass(frozen=True)
class FitHeadsPlan:
    """Trials whose names are resolved.

    Attributes:
        trials: What to fit and to test.
        old: What is learned from beside the labels, if anything.
    """

    trials: HeadTrials
    old: OldValues | None

    def ready(self, run: Run) -> HeadTrials:
        """The trials, with what old tasks expect beside the vectors."""
        if self.old is None:
            return self.trials
        return self.trials.learning_from(old_surrogates(run, self.old))


def plan(request: FitHeadsRequest) -> FitHeadsPlan:
    """Resolves and checks a request.

    Raises:
        InputError: No dataset is named, a name is unknown, something was not made yet, a size is
            above what there is, or an old task is none that could be learned from.
    """
    _ = request.measured.named_dataset
    parameters = request.head_parameters
    make_surrogate(request.head, **parameters)  # bad names are told before anything is read
    warehouse = Warehouse(request.home)
    space = known_space(warehouse, request.space)
    [source] = find_vectors(warehouse, space, [request.vectors])
    if needs_file(space, source.encoding):
        space = find_space(warehouse, request.space)
    target = one_target(warehouse, space, request.measured)
    labelled = load_labelled(warehouse, space, source, target)
    splits = Splits(request.sizes, request.draws, request.seed)
    old = find_old_values(warehouse, space, source, target, request.transfer)
    tasks = () if old is None else old.configuration
    made = make_head_trials(
        space, source, target, labelled, request.head, parameters, splits, tasks
    )
    return FitHeadsPlan(made, old)


@flow(name="train", flow_run_name=run_name("space", "measured.dataset", "head"))
def fit_heads(request: FitHeadsRequest) -> dict[str, Any]:
    """Fits the heads that are not stored yet, and keeps those of the first draw.

    Raises:
        InputError: As `plan`.
    """
    resolved = planned(plan, request)
    made = resolved.trials
    with recorded_run(request.home, "train", request) as run:
        warehouse, trial_ids = run.warehouse, [trial.trial_id for trial in made.trials]
        stored = set(warehouse.trial_results(trial_ids)["trial_id"])
        missing = [trial for trial in made.trials if trial.trial_id not in stored]
        if missing:
            made = resolved.ready(run)
        with track("train · trials", len(missing)) as advance:
            for trial in missing:
                row, surrogate = run_trial(made, trial)
                with warehouse.writer("cole train", run.run_id) as writer:
                    if trial.draw == 0:
                        writer.add_head(trial.trial_id, trial.trial_id, surrogate.save)
                    writer.add_trials(pl.DataFrame([row]))
                advance(1)
        results = warehouse.trial_results(trial_ids)
        run.summary = {
            "trials": len(missing),
            "skipped": len(stored),
            "values": answering(warehouse, request.space, made.columns["target"]),
            "n_test": n_test(len(made.labelled.values)),
            **transferred(resolved.old, weights_by_size(results)),
            "kendall_tau": summarise(made.trials, results),
        }
    return run.summary


def weights_by_size(results: pl.DataFrame) -> list[dict[str, Any]]:
    """How much the old tasks count, mean over draws: n and a weight for each of them."""
    learned = results.drop_nulls("old_task_weights").sort("n", "draw")
    return [
        {"n": n, "weights": np.mean(rows["old_task_weights"].to_list(), axis=0).tolist()}
        for (n,), rows in learned.group_by("n", maintain_order=True)
    ]


@task(
    name="run trial",
    task_run_name="train {trial.configuration[head]} · n = {trial.n} · draw {trial.draw}",
    cache_policy=NO_CACHE,
    persist_result=False,
)
def run_trial(made: HeadTrials, trial: Trial) -> tuple[dict[str, Any], Any]:
    """One trial's row, and its fitted surrogate."""
    return made.run(trial)
