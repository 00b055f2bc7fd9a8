"""Flow: heads trained on stored vectors, and how well they rank what they did not see."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from cole_core.errors import InputError
from cole_core.hashing import hash_bytes, hash_json
from cole_core.predictors import make_surrogate
from cole_core.predictors.reductions import Reduction
from cole_core.predictors.surrogate import Surrogate
from flows.choices import Measured, Vectors
from flows.pools import LabelledPool, find_features, find_labelled_pool, surrogate_kind
from flows.progress import track
from flows.runs import recorded_run
from flows.scores import score
from flows.spaces import find_space
from warehouse import Warehouse

TEST_SHARE = 0.1


@dataclass(frozen=True)
class Trial:
    """One fit on n architectures and one test on the held-out ones.

    Attributes:
        configuration: Everything that decides the result.
        n: Number of labelled architectures.
        draw: Which random split; the test fold depends on it alone, not on n.
    """

    configuration: dict[str, Any]
    n: int
    draw: int

    @property
    def trial_id(self) -> str:
        """Content hash of the configuration with n and draw."""
        return hash_json(self.configuration | {"n": self.n, "draw": self.draw})


@flow(name="train")
def train(
    home: str,
    space: str,
    measured: Measured,
    vectors: Vectors = Vectors(),
    head: str = "gaussian_process",
    head_parameters: dict[str, Any] | None = None,
    sizes: Sequence[int] = (220,),
    draws: int = 10,
    seed: int = 0,
) -> dict[str, Any]:
    """Trains a head for each training size and draw, and keeps the first draw's heads.

    Args:
        home: The warehouse.
        space: The search space.
        measured: Which measured values to predict.
        vectors: Which stored vectors to read.
        head: The head's name.
        head_parameters: Parameters of `make_surrogate` other than the defaults.
        sizes: Numbers of labelled architectures.
        draws: Random splits for each size.
        seed: Seed of the splits and of the heads.

    Raises:
        InputError: A name is unknown, something was not made yet, or a size is above the pool.
    """
    made = plan(home, space, measured, vectors, head, head_parameters, sizes, draws, seed)
    with recorded_run(home, "train", made.configuration | {"sizes": list(sizes)}) as run:
        warehouse, trial_ids = run.warehouse, [trial.trial_id for trial in made.trials]
        stored = set(warehouse.trial_results(trial_ids)["trial_id"])
        missing = [trial for trial in made.trials if trial.trial_id not in stored]
        with track("train · trials", len(missing)) as advance:
            for trial in missing:
                result, surrogate = run_trial(trial, made.pool, made.space, head, made.parameters)
                with warehouse.writer("cole train", run.run_id) as writer:
                    if trial.draw == 0:
                        writer.add_head(trial.trial_id, trial.trial_id, surrogate.save)
                    writer.add_trials(pl.DataFrame([result | made.columns]))
                advance(1)
        run.summary = {
            "trials": len(missing),
            "skipped": len(stored),
            "n_test": n_test(len(made.pool.values)),
            "kendall_tau": summarise(made.trials, warehouse.trial_results(trial_ids)),
        }
    return run.summary


@dataclass(frozen=True)
class Plan:
    """What the flow will do.

    Attributes:
        pool: What it reads.
        configuration: Everything that decides the results but n and draw.
        trials: What it runs, unless stored.
        columns: What all of the trials' rows share.
        parameters: Arguments of `make_surrogate` beside the head's name.
    """

    pool: LabelledPool
    configuration: dict[str, Any]
    trials: list[Trial]
    columns: dict[str, Any]
    parameters: dict[str, Any]

    @cached_property
    def space(self) -> np.ndarray | Reduction:
        """What the reduction learns of the space: the same for all trials, so learned once."""
        surrogate = make_surrogate(self.columns["head"], **self.parameters)
        if not surrogate.needs_space:
            return self.pool.vectors
        return surrogate.fit_reduction(self.pool.vectors)


def plan(
    home: str,
    space: str,
    measured: Measured,
    vectors: Vectors = Vectors(),
    head: str = "gaussian_process",
    head_parameters: dict[str, Any] | None = None,
    sizes: Sequence[int] = (220,),
    draws: int = 10,
    seed: int = 0,
) -> Plan:
    """Resolves and checks what the flow is given; its arguments and errors are the flow's."""
    make_surrogate(head, **head_parameters or {})  # bad names are told before anything is read
    warehouse = Warehouse(home)
    search_space = find_space(warehouse, space)
    features = find_features(warehouse, search_space, vectors)
    parameters = {"seed": seed} | (head_parameters or {})
    target = warehouse.target(search_space, **vars(measured))
    pool = find_labelled_pool(warehouse, search_space, features, target)
    parameters |= surrogate_kind(search_space, features, pool)
    surrogate = make_surrogate(head, **parameters)
    check_sizes(sizes, draws, len(pool.values))
    columns = {
        "space": search_space.name,
        "encoding": features.encoding,
        "context": features.context,
        "spec_id": features.spec_id,
        "head": head,
        "target": target.to_json(),
    }
    configuration = columns | {
        "surrogate": {k: v for k, v in surrogate.get_params().items() if k != "head"},
        "labels_hash": pool.labels_hash,
        "test_share": TEST_SHARE,
        "seed": seed,
    }
    trials = [Trial(configuration, n, draw) for n in sizes for draw in range(draws)]
    return Plan(pool, configuration, trials, columns, parameters)


@task(name="run trial", cache_policy=NO_CACHE, persist_result=False)
def run_trial(
    trial: Trial,
    pool: LabelledPool,
    space: np.ndarray | Reduction,
    head: str,
    parameters: dict[str, Any],
) -> tuple[dict[str, Any], Surrogate]:
    """Fits on the trial's n architectures and tests on its held-out ones."""
    seed = trial.configuration["seed"]
    held_out, labelled = split_pool(len(pool.values), trial.n, seed, trial.draw)
    started = time.perf_counter()
    surrogate = make_surrogate(head, **parameters)
    surrogate.fit(pool.vectors[labelled], pool.values[labelled], unlabelled=space)
    predicted = surrogate.predict(pool.vectors[held_out])
    ids = [pool.architecture_ids[row] for row in labelled]
    row = {
        "trial_id": trial.trial_id,
        "configuration": json.dumps(trial.configuration),
        "configuration_id": hash_json(trial.configuration),
        "n": trial.n,
        "draw": trial.draw,
        "n_test": len(held_out),
        "training_hash": hash_bytes(json.dumps([ids, pool.values[labelled].tolist()]).encode()),
        **score(pool.values[held_out], predicted, ranks_only=parameters.get("loss") == "hinge"),
        "seconds": time.perf_counter() - started,
    }
    return row, surrogate


def split_pool(pool_size: int, n: int, seed: int, draw: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows held out and rows labelled; the larger sizes of a draw contain the smaller ones."""
    order = np.random.default_rng([seed, draw]).permutation(pool_size)
    held_out = n_test(pool_size)
    return order[:held_out], order[held_out : held_out + n]


def n_test(pool_size: int) -> int:
    """Number of architectures held out: a tenth, rounded up."""
    return -(-pool_size // 10)


def check_sizes(sizes: Sequence[int], draws: int, pool_size: int) -> None:
    """Checks training sizes before anything is trained.

    Raises:
        InputError: A size is below 2 or above what is left beside the held-out tenth.
    """
    largest = pool_size - n_test(pool_size)
    for n in sizes:
        if not 2 <= n <= largest:
            raise InputError(
                f"-n {n}: {pool_size} architectures have a vector and a value, a tenth is held "
                f"out, so ask for 2 to {largest}"
            )
    if draws < 1:
        raise InputError(f"--draws {draws}: ask for at least 1")


def summarise(trials: Sequence[Trial], results: pl.DataFrame) -> list[dict[str, Any]]:
    """Mean and standard deviation of Kendall's tau for each training size; None where a head
    collapsed."""
    of_trial = dict(results.select("trial_id", "kendall_tau").iter_rows())
    sizes: dict[int, list[float]] = {}
    for trial in trials:
        sizes.setdefault(trial.n, []).append(of_trial[trial.trial_id])
    return [
        {"n": n, "mean": _finite(np.mean(taus)), "std": _finite(np.std(taus)), "draws": len(taus)}
        for n, taus in sizes.items()
    ]


def _finite(value: np.floating) -> float | None:
    return float(value) if np.isfinite(value) else None
