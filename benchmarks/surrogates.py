"""Surrogates against the plain way, both sides in one run: comparisons, searches, many seeds.

    python -m benchmarks.surrogates [--quick] [--json]

The plain way trains one network after the other in PyTorch's usual loop (`plain_mlp`)
and is measured on a sample and scaled by the number of trials, epochs and steps. All NAS-Bench-201
architectures take part; their embeddings and values are stand-ins of the same shape, because the
time of a training does not depend on them.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks.small_forms import Rounds
from cole_core.encodings import VectorEncoding
from cole_core.predictors import make_surrogate
from cole_core.predictors.networks import MLPTraining
from cole_core.predictors.plain_mlp import train_plain_mlp
from cole_core.predictors.surrogate import fit_together
from cole_core.search import SearchAlgorithm, SearchProblem, Step, make_algorithm, run_search
from cole_core.search.together import run_searches
from cole_core.spaces import get_space

_SIZES = (14, 55, 220, 879)
_TRIALS = 100  # of each size and encoding: 10 x 10 folds
_PLAIN_STEPS = 100  # of one network
_DIMENSIONS = 384  # of MiniLM
_ENSEMBLE = MLPTraining(epochs=200, dropout=0.0)
_GAUSSIAN_PROCESS = {
    "head": "gaussian_process",
    "acquisition": "ucb",
    "candidates": "space",
    "initial": 10,
    "batch": 5,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark and prints what it found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of it, in seconds")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    options = parser.parse_args(arguments)
    part = 10 if options.quick else 1
    pool = Pool()
    pool.compile()
    results = {
        "comparison": comparison(pool, trials=max(2, 16 // part)),
        "bananas_ensemble": ensemble_search(pool, budget=500 // part),
        "bananas_gaussian_process": gaussian_process_search(pool, budget=500 // part),
        "seeds_at_once": seeds_at_once(pool, seeds=100 // part),
    }
    if options.json:
        print(json.dumps({"threads": torch.get_num_threads(), **results}))
    else:
        print(f"{torch.get_num_threads()} threads; seconds of wall clock (of processor)")
        for name, result in results.items():
            sides = "; ".join(
                f"{side} {t['wall']:.1f} ({t['cpu']:.1f})" for side, t in result["seconds"].items()
            )
            print(f"{name:<26}{sides}; ratio {result['ratio']:.1f}")
    return 0


def small() -> Rounds:
    """This project's side of each."""
    pool = Pool()
    pool.compile()
    while True:
        parts = {
            "comparison": comparison(pool, trials=2)["seconds"]["ours"],
            "ensemble's search": ensemble_search(pool, budget=50)["seconds"]["ours"],
            "Gaussian process's search": gaussian_process_search(pool, budget=50)["seconds"][
                "ours"
            ],
            "10 seeds at once": seeds_at_once(pool, seeds=10)["seconds"]["10 at once"],
        }
        yield {name: seconds["cpu"] for name, seconds in parts.items()}


class Pool:
    """All architectures with a path encoding, stand-ins for embeddings, and values to rank."""

    def __init__(self) -> None:
        self.space = get_space("nasbench201")
        self.natives = list(self.space.enumerate())
        np.random.default_rng(0).shuffle(self.natives)
        self.row = {native: i for i, native in enumerate(self.natives)}
        self.forms = [self.space.canonical_form(native) for native in self.natives]
        rng = np.random.default_rng(0)
        counts = _encode("ngram", self.natives)
        counts = (counts - counts.mean(0)) / np.maximum(counts.std(0), 1e-3)
        mixed = counts @ rng.normal(0, counts.shape[1] ** -0.5, (counts.shape[1], _DIMENSIONS))
        self.vectors = {
            "embedding": np.tanh(mixed).astype(np.float32),
            "path": _encode("path", self.natives),
        }
        graf = _encode("graf", self.natives)
        graf = (graf - graf.mean(0)) / np.maximum(graf.std(0), 1e-3)
        self.values = 80 + graf @ rng.normal(0, 0.5, graf.shape[1])

    def compile(self) -> None:
        """Has the kernel compiled, or read from its cache, before anything is timed."""
        fit_together(
            [make_surrogate("mlp", epochs=1)],
            [self.vectors["embedding"][:20]],
            [self.values[:20]],
        )

    def problem(self) -> SearchProblem:
        """The search for the best value."""
        return SearchProblem(
            space=self.space,
            canonical=lambda native: self.forms[self.row[native]],
            vectors=lambda some: self.vectors["embedding"][[self.row[native] for native in some]],
            evaluate=lambda native: float(self.values[self.row[native]]),
            candidates=self.natives,
        )


def comparison(pool: Pool, trials: int) -> dict[str, Any]:
    """The paper's head on two encodings, 10 x 10 folds at each size."""
    ours, plain = _nothing(), _nothing()
    for encoding, vectors in pool.vectors.items():
        for n in _SIZES:
            draws = [
                np.random.default_rng([n, i]).permutation(len(vectors))[:n] for i in range(100)
            ]
            heads = [
                make_surrogate("mlp", structural=encoding == "path", seed=i) for i in range(trials)
            ]
            X, y = [vectors[rows] for rows in draws], [pool.values[rows] for rows in draws]
            seconds = _timed(partial(fit_together, heads, X[:trials], y[:trials]))
            ours = _add(ours, seconds, _TRIALS / trials)
            features, scores = heads[0].prepare(X[0], y[0])
            epochs = max(2, round(_PLAIN_STEPS / -(-n // 32)))
            training = MLPTraining(epochs=epochs)
            seconds = _plain(features, scores, training)
            plain = _add(plain, seconds, _TRIALS * 100 / epochs)
    return _result(ours, plain)


def ensemble_search(pool: Pool, budget: int) -> dict[str, Any]:
    """BANANAS with the paper's ensemble; the plain side is its trainings alone."""
    ours = _timed(lambda: list(run_search(make_algorithm("bananas"), pool.problem(), budget, 0)))
    plain, epochs = _nothing(), 10
    rounds = range(20, budget, 10)
    sampled = [20, rounds[len(rounds) // 2], rounds[-1]]
    for n in sampled:
        X, y = make_surrogate("mlp").prepare(pool.vectors["embedding"][:n], pool.values[:n])
        training = MLPTraining(epochs=epochs, dropout=0.0)
        seconds = _plain(X, y, training)
        scale = 3 * _ENSEMBLE.epochs / epochs * sum(-(-m // 32) for m in rounds)
        plain = _add(plain, seconds, scale / sum(-(-m // 32) for m in sampled))
    return _result(ours, plain)


def gaussian_process_search(pool: Pool, budget: int) -> dict[str, Any]:
    """The default search; the plain side is scikit-learn's fit and prediction at each step."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    algorithm = make_algorithm("bananas", **_GAUSSIAN_PROCESS)
    ours = _timed(lambda: list(run_search(algorithm, pool.problem(), budget, 0)))
    plain = _nothing()
    rounds = range(10, budget, 5)
    sampled = [rounds[len(rounds) // 4], rounds[len(rounds) // 2], rounds[3 * len(rounds) // 4]]
    surrogate = make_surrogate()
    space = surrogate.fit_reduction(pool.vectors["embedding"])
    candidates = space.transform(pool.vectors["embedding"])[: len(set(pool.forms))]
    for n in sampled:
        X, y = surrogate.prepare(pool.vectors["embedding"][:n], pool.values[:n], unlabelled=space)
        kernel = ConstantKernel() * Matern(40.0, (1.0, 1e4), nu=1.5) + WhiteKernel(0.1)

        def step(X: np.ndarray = X, y: np.ndarray = y, kernel: Any = kernel) -> None:
            model = GaussianProcessRegressor(kernel).fit(X, y)
            model.predict(candidates, return_std=True)

        plain = _add(plain, _timed(step), len(rounds) / len(sampled))
    return _result(ours, plain)


def seeds_at_once(pool: Pool, seeds: int, budget: int = 60) -> dict[str, Any]:
    """Many seeds of the paper's search in lockstep against one run after the other."""
    algorithm = make_algorithm("bananas")
    ours = _timed(lambda: list(run_searches(algorithm, pool.problem(), budget, range(seeds))))
    plain, sampled = _nothing(), 3
    for seed in range(sampled):
        seconds = _timed(partial(_search, pool, algorithm, budget, seed))
        plain = _add(plain, seconds, seeds / sampled)
    return _result(ours, plain, names=(f"{seeds} at once", "one by one"))


def _search(pool: Pool, algorithm: SearchAlgorithm, budget: int, seed: int) -> list[Step]:
    return list(run_search(algorithm, pool.problem(), budget, seed))


def _encode(name: str, natives: list[str]) -> np.ndarray:
    encoding = get_space("nasbench201").encoding(name)
    assert isinstance(encoding, VectorEncoding)
    return encoding.encode(natives)


def _plain(X: np.ndarray, y: np.ndarray, training: MLPTraining) -> dict[str, float]:
    """Seconds of the plain loop on one thread: more of them make so small a network slower."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        train_plain_mlp(X, y, 0, replace(training, epochs=1))  # PyTorch's own first call
        return _timed(lambda: train_plain_mlp(X, y, 0, training))
    finally:
        torch.set_num_threads(threads)


def _timed(work: Callable[[], object]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def _nothing() -> dict[str, float]:
    return {"wall": 0.0, "cpu": 0.0}


def _add(total: dict[str, float], seconds: dict[str, float], scale: float) -> dict[str, float]:
    return {clock: total[clock] + scale * seconds[clock] for clock in total}


def _result(
    ours: dict[str, float], plain: dict[str, float], names: tuple[str, str] = ("ours", "plain")
) -> dict[str, Any]:
    return {
        "seconds": dict(zip(names, (ours, plain), strict=True)),
        "ratio": plain["wall"] / ours["wall"],
        "cpu_ratio": plain["cpu"] / ours["cpu"],
    }


if __name__ == "__main__":
    sys.exit(main())
