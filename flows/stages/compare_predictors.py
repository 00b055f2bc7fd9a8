"""Stage: surrogates compared on the same splits, by the protocol of the COLE paper."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import field
from functools import partial
from typing import Annotated, Any

import polars as pl
from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.experiments.cross_validation import (
    SIZES,
    Comparison,
    Contender,
    Protocol,
    make_comparison,
    one_core_each,
    run_batch,
)
from cole_core.experiments.predictor_table import comparison_table, finding
from cole_core.experiments.predictors import (
    EXPERIMENTS,
    TRANSFER_SPACES,
    AtHand,
    Configuration,
    make_experiment,
    parse_configuration,
    with_transfer,
)
from cole_core.parameters import parse_assignments
from cole_core.predictors import heads, make_surrogate, surrogate_parameters
from cole_core.predictors.transfer.old_values import NONE
from cole_core.registry import check_parameters
from cole_core.spaces.base import SearchSpace
from cole_core.statistics import Fold
from flows.resolve.other_spaces import tasks_elsewhere
from flows.resolve.requests import (
    Compared,
    Flag,
    Seed,
    one_of,
    repeatable,
    request,
)
from flows.resolve.spaces import find_space
from flows.resolve.transfer import TransferOption, find_compared, transferred_in
from flows.resolve.values import answering, one_target
from flows.resolve.vectors import find_vectors, load_labelled
from flows.running.names import run_name
from flows.running.progress import track
from flows.running.runs import recorded_run
from flows.running.stage import planned
from flows.tasks.old_tasks import expected_by_old_tasks
from warehouse import Warehouse

BATCH = 16  # trials that train as one stack, and between two commits: what a crash can cost


@request
class ComparePredictorsRequest(Compared):
    """A named experiment, or encodings and configurations of one's own, the reference first.

    Attributes:
        encoding: What an experiment varies; or, repeated, what to compare.
        configuration: One more to compare, as encoding=graf,head=ridge; what is not named is as the
            options say. May be repeated.
        loss: Of the mlp head: mse or hinge.
        head_parameter: A parameter of the head, as epochs=50; may be repeated.
        reduction: none, zscore, pca, whiten or umap; by default the head's.
        components: Largest number of components.
        sizes: Labelled architectures; may be repeated.
        folds: Folds of each shuffle.
        repeats: Shuffles.
        canonical: One architecture of each canonical form alone.
        seed: Seed of every random choice.
        transfer: Each is compared with the same that learns from other tasks too.
    """

    experiment: Annotated[
        str | None, one_of(EXPERIMENTS, "A named experiment, or two or more --encoding")
    ] = field(default=None, kw_only=False)
    encoding: Annotated[tuple[str, ...], repeatable("--encoding")] = ()
    head: Annotated[str, one_of(heads, "The head")] = Configuration.head
    loss: str = Configuration.loss
    head_parameter: Annotated[tuple[str, ...], repeatable("--head-parameter")] = ()
    reduction: str | None = None
    components: Annotated[int | None, Field(ge=1)] = None
    sizes: Annotated[tuple[int, ...], repeatable("-n")] = SIZES
    folds: int = 10
    repeats: int = 10
    canonical: Flag = False
    seed: Seed = 0
    transfer: TransferOption = NONE

    def base(self, space: SearchSpace) -> Configuration:
        """What an experiment varies."""
        return Configuration(
            encoding=self.encoding[0] if self.encoding else space.reference(self.context),
            **self.vectors,
            head=self.head,
            loss=self.loss,
            reduction=self.reduction,
            n_components=self.components,
            given=tuple(sorted(parse_assignments("--head-parameter", self.head_parameter).items())),
        )

    def configurations(self, space: SearchSpace) -> list[Configuration]:
        """What is compared beside a named experiment, or without one."""
        listed = [f"encoding={name}" for name in self.encoding if self.experiment is None]
        return [
            parse_configuration(text, self.base(space)) for text in (*listed, *self.configuration)
        ]

    @property
    def protocol(self) -> Protocol:
        """How it splits."""
        return Protocol(self.sizes, self.folds, self.repeats, self.canonical, self.seed)


def plan(request: ComparePredictorsRequest) -> Comparison:
    """Resolves and checks a request.

    Raises:
        InputError: A name is unknown, something was not made yet, or a size is above what there is.
    """
    warehouse = Warehouse(request.home)
    space = find_space(warehouse, request.space)
    target = one_target(warehouse, space, request.measured)
    configurations = request.configurations(space)
    if request.experiment is not None:
        base = request.base(space)
        at_hand = find_at_hand(warehouse, space, base, request.experiment, target)
        configurations = make_experiment(request.experiment, space, base, at_hand) + configurations
    elif request.transfer != NONE:
        configurations = configurations or [request.base(space)]
    configurations = with_transfer(configurations, request.transfer)
    for each in configurations:  # bad names are told before anything is read
        check_parameters(f"head '{each.head}'", dict(each.given), surrogate_parameters(each.head))
        make_surrogate(each.head, **each.surrogate_parameters())
    if len(configurations) < 2:
        raise InputError(
            "nothing to compare: name an experiment, or give two or more --encoding, or --transfer"
        )
    asked = [each.vectors for each in configurations]
    sources = find_vectors(warehouse, space, asked, whole=True)
    labelled = [load_labelled(warehouse, space, source, target) for source in sources]
    old = [
        None
        if each.transfer == NONE
        else find_compared(warehouse, space, source, target, each.transfer)
        for each, source in zip(configurations, sources, strict=True)
    ]
    return make_comparison(
        space, request.experiment, configurations, sources, labelled, target, request.protocol, old
    )


@flow(name="compare predictors", flow_run_name=run_name("space", "experiment", "measured.dataset"))
def compare_predictors(request: ComparePredictorsRequest) -> dict[str, Any]:
    """Runs the trials of a comparison that are not stored yet, and stores its table.

    Raises:
        InputError: As `plan`.
    """
    made = planned(plan, request)
    with recorded_run(request.home, "compare predictors", request) as run:
        warehouse = run.warehouse
        ids = [id_ for contender in made.contenders for id_ in made.trial_ids(contender)]
        stored = set(warehouse.trial_results(ids)["trial_id"])
        ready = made
        if len(stored) < len(ids):
            ready = made.with_expectations(partial(expected_by_old_tasks, run))
        with track("compare · trials", len(ids) - len(stored)) as advance, one_core_each() as cores:

            def store(rows: pl.DataFrame) -> None:
                with warehouse.writer("cole compare", run.run_id) as writer:
                    writer.add_trials(rows)
                advance(rows.height)

            for n in made.protocol.sizes:  # the small ones are quick: they come first
                for contender in ready.contenders:
                    draws = [
                        draw
                        for draw in range(len(made.folds))
                        if contender.trial_id(n, draw) not in stored
                    ]
                    if draws:
                        run_trials(contender, n, draws, ready.folds, store, cores)
        table = tabulate(warehouse, made)
        with warehouse.writer("cole compare", run.run_id) as writer:
            writer.add_comparison(table)
        run.summary = {
            "trials": len(ids) - len(stored),
            "skipped": len(stored),
            "values": answering(warehouse, request.space, made.target),
            "architectures": made.architectures,
            "comparison_id": made.comparison_id,
            **transferred_in(contender.old for contender in made.contenders),
            "finding": finding(table),
        }
    return run.summary | {
        "experiment": made.experiment,
        "population": made.protocol.population,
        "rows": table.to_dicts(),
    }


def find_at_hand(
    warehouse: Warehouse,
    space: SearchSpace,
    base: Configuration,
    experiment: str,
    target: Target,
) -> AtHand:
    """The specifications that hold whole texts of the base's encoding; and for the experiment that
    asks for them, tasks of other spaces under the base's."""
    stored = warehouse.specifications()
    seed = pl.col("specification").str.json_path_match("$.random_init").cast(pl.Int64)
    whole = warehouse.embedded(space, base.encoding, base.context).filter(pl.col("cut") == 0)
    held = stored.join(whole, on="spec_id", how="semi").with_columns(random_init=seed)
    if experiment != TRANSFER_SPACES:
        return AtHand(held)
    [source] = find_vectors(warehouse, space, [base.vectors], whole=True)
    return AtHand(held, tasks_elsewhere(warehouse, space, source, target))


@task(
    name="compare trials",
    task_run_name="compare {contender.label} · n = {n}",
    cache_policy=NO_CACHE,
    persist_result=False,
)
def run_trials(
    contender: Contender,
    n: int,
    draws: Sequence[int],
    folds: Sequence[Fold],
    store: Callable[[pl.DataFrame], None],
    cores: int,
) -> None:
    """Runs one contender's trials of one size in batches, and stores each batch as it ends."""
    batches = [draws[start : start + BATCH] for start in range(0, len(draws), BATCH)]
    with ThreadPoolExecutor(cores) as executor:
        running = [
            executor.submit(run_batch, contender, n, batch, [folds[draw] for draw in batch])
            for batch in batches
        ]
        try:
            for done in as_completed(running):
                store(done.result())
        finally:
            for waiting in running:
                waiting.cancel()


def tabulate(warehouse: Warehouse, made: Comparison) -> pl.DataFrame:
    """The comparison's table, from stored trials alone."""
    results = []
    for contender in made.contenders:
        folds = pl.lit(made.protocol.folds).alias("folds")
        rows = warehouse.trial_results(made.trial_ids(contender))
        results.append(rows.with_columns(folds))
    table = comparison_table(results, [contender.label for contender in made.contenders])
    ids = [contender.configuration_id for contender in made.contenders]
    about: Mapping[str, Any] = {
        "comparison_id": made.comparison_id,
        "experiment": made.experiment,
        "space": made.contenders[0].columns["space"],
        "target": made.target,
        "population": made.protocol.population,
        "architectures": made.architectures,
        "folds": made.protocol.folds,
        "repeats": made.protocol.repeats,
    }
    return table.with_columns(
        pl.col("position").replace_strict(list(range(len(ids))), ids).alias("configuration_id"),
        **{name: pl.lit(value) for name, value in about.items()},
    )
