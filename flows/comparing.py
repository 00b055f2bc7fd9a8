"""Flow: surrogates compared on the same splits, by the protocol of the COLE paper.

Split first, subsample later (arXiv 2605.15649): stratified folds, repeated with other shuffles;
from each training pool exactly n architectures; the whole held-out fold is predicted.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
import torch
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from cole_core.errors import InputError
from cole_core.hashing import hash_bytes, hash_json
from cole_core.predictors import make_surrogate
from cole_core.predictors.blas import one_blas_thread
from cole_core.predictors.reductions import Reduction
from cole_core.predictors.surrogate import fit_together
from cole_core.spaces.base import SearchSpace
from cole_core.statistics import Fold, repeated_stratified_folds
from flows.choices import Measured, Vectors
from flows.comparison_table import comparison_table, finding
from flows.experiments import (
    CUSTOM,
    AtHand,
    Configuration,
    describe,
    labels,
    make_experiment,
)
from flows.pools import (
    Features,
    LabelledPool,
    fitting_specifications,
    is_structural,
    label_pool,
    load_pool,
    parts,
    surrogate_kind,
)
from flows.progress import track
from flows.runs import recorded_run
from flows.scores import score
from flows.spaces import find_space
from warehouse import Warehouse

STRATA = 5
BATCH = 16  # trials that train as one stack, and between two commits: what a crash can cost
SIZES = (14, 55, 220, 879)


@dataclass(frozen=True)
class Protocol:
    """How a comparison splits.

    Attributes:
        sizes: Numbers of labelled architectures.
        folds: Folds of each shuffle.
        repeats: Shuffles.
        canonical: Whether to take one architecture of each canonical form, the first in the
            space's order, so that no twin of a labelled one is held out.
        seed: Seed of the splits and, with the split, of the heads.
    """

    sizes: tuple[int, ...] = SIZES
    folds: int = 10
    repeats: int = 10
    canonical: bool = False
    seed: int = 0

    @property
    def population(self) -> str:
        """Which architectures, in a word."""
        return "canonical" if self.canonical else "all"


@dataclass(frozen=True)
class Contender:
    """One configuration, resolved.

    Attributes:
        label: What sets it apart from the others.
        columns: What all of its trials' rows share.
        configuration: Everything that decides their results but n and draw.
        parameters: Arguments of `make_surrogate`.
        pool: The architectures, the same for all contenders, with this one's vectors.
    """

    label: str
    columns: dict[str, Any]
    configuration: dict[str, Any]
    parameters: dict[str, Any]
    pool: LabelledPool

    @property
    def configuration_id(self) -> str:
        """Content hash of the configuration."""
        return hash_json(self.configuration)

    @cached_property
    def space(self) -> Reduction | None:
        """The reduction, where it learns from the whole space: the same in all trials."""
        surrogate = make_surrogate(**self.parameters)
        return surrogate.fit_reduction(self.pool.vectors) if surrogate.needs_space else None

    def trial_id(self, n: int, draw: int) -> str:
        """Content hash of the configuration with n and draw."""
        return hash_json(self.configuration | {"n": n, "draw": draw})


@dataclass(frozen=True)
class Comparison:
    """What the flow will do.

    Attributes:
        experiment: Its name.
        protocol: How it splits.
        target: What is predicted, as JSON.
        contenders: What it compares, the reference first.
        folds: The splits, in the order of the draws.
    """

    experiment: str
    protocol: Protocol
    target: str
    contenders: list[Contender]
    folds: list[Fold]

    @property
    def comparison_id(self) -> str:
        """Content hash of the contenders and the splits; the sizes may grow."""
        ids = [contender.configuration_id for contender in self.contenders]
        return hash_json({"configurations": ids, "repeats": self.protocol.repeats})

    @property
    def architectures(self) -> int:
        """How many there are to label and to hold out."""
        return len(self.contenders[0].pool.values)


@flow(name="compare predictors")
def compare_predictors(
    home: str,
    space: str,
    measured: Measured,
    experiment: str | None = None,
    base: Configuration = Configuration(),
    configurations: Sequence[Configuration] = (),
    protocol: Protocol = Protocol(),
) -> dict[str, Any]:
    """Runs the trials of a comparison that are not stored yet, and stores its table.

    Args:
        home: The warehouse.
        space: The search space.
        measured: Which measured values to predict.
        experiment: A named experiment; None compares `configurations`.
        base: What a named experiment varies.
        configurations: What to compare without a name, the reference first.
        protocol: How to split.

    Raises:
        InputError: A name is unknown, something was not made yet, or a size is above the pool.
    """
    made = plan(home, space, measured, experiment, base, configurations, protocol)
    parameters = {
        "experiment": made.experiment,
        "comparison_id": made.comparison_id,
        "space": space,
        "target": made.target,
        "sizes": list(protocol.sizes),
        "folds": protocol.folds,
        "repeats": protocol.repeats,
        "population": protocol.population,
        "seed": protocol.seed,
    }
    with recorded_run(home, "compare predictors", parameters) as run:
        warehouse = run.warehouse
        ids = [
            contender.trial_id(n, draw)
            for contender in made.contenders
            for n in protocol.sizes
            for draw in range(len(made.folds))
        ]
        stored = set(warehouse.trial_results(ids)["trial_id"])
        with track("compare · trials", len(ids) - len(stored)) as advance, one_core_each() as cores:

            def store(rows: pl.DataFrame) -> None:
                with warehouse.writer("cole compare", run.run_id) as writer:
                    writer.add_trials(rows)
                advance(rows.height)

            for n in protocol.sizes:  # the small ones are quick: they come first
                for contender in made.contenders:
                    draws = [
                        draw
                        for draw in range(len(made.folds))
                        if contender.trial_id(n, draw) not in stored
                    ]
                    if draws:
                        run_trials(contender, n, draws, made.folds, store, cores)
        table = tabulate(warehouse, made)
        with warehouse.writer("cole compare", run.run_id) as writer:
            writer.add_comparison(table)
        run.summary = {
            "trials": len(ids) - len(stored),
            "skipped": len(stored),
            "architectures": made.architectures,
            "comparison_id": made.comparison_id,
            "finding": finding(table),
        }
    return run.summary | {
        "experiment": made.experiment,
        "population": protocol.population,
        "rows": table.to_dicts(),
    }


def plan(
    home: str,
    space: str,
    measured: Measured,
    experiment: str | None = None,
    base: Configuration = Configuration(),
    configurations: Sequence[Configuration] = (),
    protocol: Protocol = Protocol(),
) -> Comparison:
    """Resolves and checks what the flow is given; its arguments and errors are the flow's."""
    warehouse = Warehouse(home)
    search_space = find_space(warehouse, space)
    target = warehouse.target(search_space, **vars(measured))
    if experiment is not None:
        configurations = make_experiment(experiment, base, at_hand(warehouse, search_space, base))
    configurations = list(dict.fromkeys(configurations))
    if len(configurations) < 2:
        raise InputError("nothing to compare: name an experiment, or give two or more --encoding")
    for each in configurations:  # bad names are told before anything is read
        make_surrogate(each.head, **each.surrogate_parameters())
    features = find_all_features(warehouse, search_space, configurations)
    pools = [
        label_pool(warehouse, search_space, load_pool(warehouse, search_space, each), target)
        for each in features
    ]
    pools = share(pools, protocol.canonical)
    check(pools, configurations, protocol)
    names = labels(
        [
            describe(replace(each, lm=found.language_model or each.lm), found.spec_id is None)
            for each, found in zip(configurations, features, strict=True)
        ]
    )
    contenders: list[Contender] = []
    for each, found, pool, name in zip(configurations, features, pools, names, strict=True):
        parameters = {
            "head": each.head,
            **surrogate_kind(search_space, found, pool),
            **each.surrogate_parameters(),
        }
        made = make_surrogate(**parameters)
        columns = {
            "space": search_space.name,
            "encoding": found.encoding,
            "context": found.context,
            "spec_id": found.spec_id,
            "head": each.head,
            "target": target.to_json(),
            "population": protocol.population,
            "folds": protocol.folds,
        }
        settings = {k: v for k, v in made.get_params().items() if k not in ("head", "head__seed")}
        configuration = columns | {
            "surrogate": settings,
            "labels_hash": pool.labels_hash,
            "strata": STRATA,
            "seed": protocol.seed,
        }
        contender = Contender(name, columns, configuration, parameters, pool)
        # The same surrogate under two names would be tested against itself.
        if contender.configuration_id not in {other.configuration_id for other in contenders}:
            contenders.append(contender)
    folds = repeated_stratified_folds(
        pools[0].values,
        folds=protocol.folds,
        repeats=protocol.repeats,
        strata=STRATA,
        seed=protocol.seed,
    )
    return Comparison(experiment or CUSTOM, protocol, target.to_json(), contenders, list(folds))


def at_hand(warehouse: Warehouse, space: SearchSpace, base: Configuration) -> AtHand:
    """The specifications that hold whole texts of the base's encoding."""
    stored = warehouse.specifications()
    seed = pl.col("specification").str.json_path_match("$.random_init").cast(pl.Int64)
    whole = warehouse.embedded(space, base.encoding, base.context).filter(pl.col("cut") == 0)
    held = stored.join(whole, on="spec_id", how="semi").with_columns(random_init=seed)
    return AtHand(held)


def find_all_features(
    warehouse: Warehouse, space: SearchSpace, configurations: Sequence[Configuration]
) -> list[Features]:
    """Where each configuration's vectors are.

    Raises:
        InputError: Some are not there; one line says which commands make them.
    """
    stored = warehouse.specifications()
    found: list[Features] = []
    commands: list[str] = []
    for each in configurations:
        names = [name for name in parts(each.encoding) if not is_structural(space, name)]
        if is_structural(space, each.encoding):
            found.append(Features(each.encoding, "none", None, None))
            continue
        held = [_whole(warehouse, space, replace(each, encoding=name), stored) for name in names]
        missing = [
            replace(each, encoding=name)
            for name, rows in zip(names, held, strict=True)
            if rows.is_empty()
        ]
        if missing:
            commands += [line for part in missing for line in _commands(warehouse, space, part)]
            continue
        row = held[0].row(0, named=True)
        found.append(Features(each.encoding, each.context, row["spec_id"], row["language_model"]))
    if commands:
        listed = "; ".join(dict.fromkeys(commands))
        raise InputError(f"embeddings of whole texts are missing: make them with: {listed}")
    return found


def _whole(
    warehouse: Warehouse, space: SearchSpace, each: Configuration, stored: pl.DataFrame
) -> pl.DataFrame:
    """The specification that holds whole texts of one text encoding, if one does."""
    vectors = Vectors(each.encoding, each.lm, each.context, each.pooling, each.precision)
    covered = warehouse.embedded(space, each.encoding, each.context)
    fitting = fitting_specifications(stored, vectors, each.random_init).join(
        covered, on="spec_id", how="inner", maintain_order="left"
    )
    whole = fitting.filter(pl.col("cut") == 0)  # a comparison never reads cut texts
    unlimited = pl.col("specification").str.json_path_match("$.max_length").is_null()
    if whole.select(unlimited.any()).item():
        whole = whole.filter(unlimited)  # a limit that no text reached changes nothing
    if whole.height > 1:
        raise InputError(
            f"several specifications of '{each.lm}' hold '{each.encoding}': give --lm one of "
            f"the ids {', '.join(whole['spec_id'].to_list())}"
        )
    return whole


def _commands(warehouse: Warehouse, space: SearchSpace, each: Configuration) -> list[str]:
    """What makes a configuration's vectors."""
    about = f"{space.name} --encoding {each.encoding}"
    if each.context != "none":
        about += f" --context {each.context}"
    embed = (
        f"cole embed {about} --lm {each.lm} --pooling {each.pooling} --precision {each.precision}"
    )
    if each.random_init is not None:
        embed += f" --random-init {each.random_init}"
    rendered = not warehouse.texts(space, each.encoding, each.context).is_empty()
    return [embed] if rendered else [f"cole render {about}", embed]


def share(pools: Sequence[LabelledPool], canonical: bool) -> list[LabelledPool]:
    """The pools cut to the architectures that all of them have, in the first one's order.

    Args:
        pools: One for each configuration.
        canonical: Whether to keep the first architecture of each canonical form alone.

    Raises:
        InputError: They have none in common.
    """
    common = set(pools[0].architecture_ids)
    for pool in pools[1:]:
        common &= set(pool.architecture_ids)
    kept: list[str] = []
    seen: set[str] = set()
    for id_, form in zip(pools[0].architecture_ids, pools[0].canonical_ids, strict=True):
        if id_ in common and not (canonical and form in seen):
            kept.append(id_)
            seen.add(form)
    if not kept:
        raise InputError("no architecture has vectors of all configurations: embed the same ones")
    return [_take(pool, kept) for pool in pools]


def _take(pool: LabelledPool, ids: list[str]) -> LabelledPool:
    if ids == pool.architecture_ids:
        return pool
    row_of = {id_: row for row, id_ in enumerate(pool.architecture_ids)}
    rows = [row_of[id_] for id_ in ids]
    values = pool.values[rows]
    return LabelledPool(
        architecture_ids=ids,
        natives=[pool.natives[row] for row in rows],
        canonical_ids=[pool.canonical_ids[row] for row in rows],
        vectors=pool.vectors[rows],
        values=values,
        labels_hash=hash_bytes(json.dumps([ids, values.tolist()]).encode()),
    )


def check(
    pools: Sequence[LabelledPool], configurations: Sequence[Configuration], protocol: Protocol
) -> None:
    """Checks what the trials rest on before the first of them.

    Raises:
        InputError: A value or vector is not finite, all values are equal, there is nothing to
            hold out, or a size is below 2 or above the smallest training pool.
    """
    values = pools[0].values
    if protocol.folds < 2 or protocol.repeats < 1:
        raise InputError(
            f"--folds {protocol.folds} --repeats {protocol.repeats}: at least 2 folds are needed "
            "to hold something out, and 1 repeat"
        )
    if len(values) < 2 * protocol.folds:
        raise InputError(
            f"{len(values)} architectures have vectors of all configurations: too few for "
            f"--folds {protocol.folds}"
        )
    if not np.isfinite(values).all():
        bad = pools[0].natives[int(np.argmin(np.isfinite(values)))]
        raise InputError(f"the measured value of {bad} is NaN or infinite: ingest it anew")
    if np.ptp(values) == 0:
        raise InputError(
            f"all {len(values)} measured values are {values[0]:g}: nothing can be ranked by them"
        )
    for pool, each in zip(pools, configurations, strict=True):
        finite = np.isfinite(pool.vectors).all(axis=1)
        if not finite.all():
            bad = pool.natives[int(np.argmin(finite))]
            raise InputError(
                f"the vector of {bad} under '{each.encoding}' holds NaN or infinity: embed it anew"
            )
    largest = len(values) - -(-len(values) // protocol.folds)
    for n in protocol.sizes:
        if not 2 <= n <= largest:
            raise InputError(
                f"-n {n}: {len(values)} architectures have vectors of all configurations, one of "
                f"{protocol.folds} folds is held out, so ask for 2 to {largest}"
            )


@contextlib.contextmanager
def one_core_each() -> Iterator[int]:
    """Lets batches run side by side, each on a core of its own.

    The networks of a trial are too small to be worth splitting over cores.

    Yields:
        How many cores there are.
    """
    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with one_blas_thread():
            yield cores
    finally:
        torch.set_num_threads(cores)


@task(name="compare trials", cache_policy=NO_CACHE, persist_result=False)
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


def run_batch(
    contender: Contender, n: int, draws: Sequence[int], folds: Sequence[Fold]
) -> pl.DataFrame:
    """Fits one contender on n architectures of several splits together, and scores each.

    Args:
        contender: The configuration.
        n: Number of labelled architectures.
        draws: Numbers of the splits.
        folds: The splits.

    Returns:
        Rows as `Writer.add_trials` takes them; seconds are the batch's, shared evenly.
    """
    started = time.perf_counter()
    pool = contender.pool
    labelled = [fold.labelled(n) for fold in folds]
    surrogates = [
        make_surrogate(**contender.parameters, seed=_seed(contender.configuration["seed"], fold))
        for fold in folds
    ]
    fit_together(
        surrogates,
        [pool.vectors[rows] for rows in labelled],
        [pool.values[rows] for rows in labelled],
        unlabelled=[contender.space] * len(folds),
    )
    rows = []
    for draw, fold, rows_in, surrogate in zip(draws, folds, labelled, surrogates, strict=True):
        ids = [pool.architecture_ids[row] for row in rows_in]
        predicted = surrogate.predict(pool.vectors[fold.held_out])
        rows.append(
            {
                "trial_id": contender.trial_id(n, draw),
                "configuration": json.dumps(contender.configuration),
                "configuration_id": contender.configuration_id,
                "n": n,
                "draw": draw,
                "n_test": len(fold.held_out),
                "training_hash": hash_bytes(
                    json.dumps([ids, pool.values[rows_in].tolist()]).encode()
                ),
                **score(
                    pool.values[fold.held_out],
                    predicted,
                    ranks_only=contender.parameters["loss"] == "hinge",
                ),
                **contender.columns,
            }
        )
    seconds = (time.perf_counter() - started) / len(draws)
    nullable = {"mse": pl.Float64, "top_recall": pl.Float64, "spec_id": pl.String}
    return pl.DataFrame(rows, schema_overrides=nullable).with_columns(seconds=pl.lit(seconds))


def tabulate(warehouse: Warehouse, made: Comparison) -> pl.DataFrame:
    """The comparison's table, from stored trials alone."""
    results = []
    for contender in made.contenders:
        ids = [
            contender.trial_id(n, draw)
            for n in made.protocol.sizes
            for draw in range(len(made.folds))
        ]
        folds = pl.lit(made.protocol.folds).alias("folds")
        results.append(warehouse.trial_results(ids).with_columns(folds))
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


def _seed(seed: int, fold: Fold) -> int:
    """Seed of a trial's head: another for each split, the same for each contender."""
    state = np.random.SeedSequence([seed, fold.repeat, fold.fold]).generate_state(1)[0]
    return int(state >> 1)  # XGBoost takes a signed integer
