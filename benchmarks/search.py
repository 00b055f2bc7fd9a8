"""The search comparison of the design: one search, many seeds, only the encoding swapped.

    python -m benchmarks.search --table nasbench201.parquet --value cifar100_test_accuracy_200 \
        --seeds 30 --vectors code.expression=expression.npz

What the search sees is the metric it is given, for every encoding alike. Structural encodings are
computed; embeddings are read from an npz with `natives` and `vectors`, or embedded by the packaged
language model when none is named.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cole_core.encodings import get_encoding
from cole_core.encodings.base import VectorEncoding
from cole_core.search import SearchProblem, Step, make_algorithm
from cole_core.search.together import run_searches
from cole_core.spaces import get_space
from cole_core.statistics import (
    corrected_paired_t_test,
    evaluations_to_reach,
    mean_curve_crossing,
)

_SPACE = "nasbench201"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the comparison and prints its table."""
    options = _parser().parse_args(arguments)
    table = _read_table(options.table)
    natives = table[options.natives].to_list()
    values = table[options.value].to_numpy().astype(float)
    files = dict(pair.split("=", 1) for pair in options.vectors)
    jobs = [
        {
            "encoding": encoding,
            "natives": natives,
            "values": values,
            "vectors": _vectors(encoding, natives, files),
            "structural": _is_structural(encoding),
            "settings": _settings(options),
            "algorithm": options.algorithm,
            "budget": options.budget,
            "seeds": list(range(options.first_seed, options.first_seed + options.seeds)),
            "target": max(_thresholds(options, values).values()),
            "full": options.full,
        }
        for encoding in options.encodings
    ]
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as executor:
        runs = list(executor.map(_run, jobs))
    result = _summary(options, values, runs)
    _print(result)
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--table", required=True, help="Parquet or CSV of measured accuracies")
    parser.add_argument("--natives", default="arch_str", help="column of native strings")
    parser.add_argument("--value", default="cifar100_test_accuracy_200", help="column of values")
    parser.add_argument("--encodings", nargs="+", default=["code.expression", "path"])
    parser.add_argument("--vectors", nargs="*", default=[], metavar="ENCODING=NPZ")
    parser.add_argument("--algorithm", default="bananas")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--budget", type=int, default=500)
    parser.add_argument("--percent", type=float, nargs="+", default=[98, 98.5, 99, 99.5])
    parser.add_argument("--margin", type=float, nargs="*", default=[1.0], help="points below best")
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings, values as JSON"
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="spend the whole budget; without it a seed that is at every threshold ends once the"
        " mean curve is there too, after which neither metric changes by it",
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", help="file for the result, curves included")
    return parser


def _read_table(path: str) -> pl.DataFrame:
    return pl.read_parquet(path) if path.endswith(".parquet") else pl.read_csv(path)


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    def value(text: str) -> Any:
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text

    return {name: value(text) for name, text in (pair.split("=", 1) for pair in options.set)}


def _is_structural(encoding: str) -> bool:
    return isinstance(get_encoding(_SPACE, encoding), VectorEncoding)


def _vectors(encoding: str, natives: list[str], files: dict[str, str]) -> np.ndarray:
    """Vectors in the order of the natives."""
    if encoding in files:
        with np.load(files[encoding], allow_pickle=False) as file:
            row = {str(native): i for i, native in enumerate(file["natives"])}
            return np.asarray(file["vectors"])[[row[native] for native in natives]]
    encoder = get_encoding(_SPACE, encoding)
    if isinstance(encoder, VectorEncoding):
        return encoder.encode(natives)
    from cole_core.language_models import load

    texts = [encoder.render(native) for native in natives]
    unique = list(dict.fromkeys(texts))
    vectors: np.ndarray | None = None
    for batch in load("minilm").embed(unique):
        if vectors is None:
            vectors = np.empty((len(unique), batch.vectors.shape[1]), dtype=np.float32)
        vectors[batch.indices] = batch.vectors
    assert vectors is not None
    row = {text: i for i, text in enumerate(unique)}
    return vectors[[row[text] for text in texts]]


def _thresholds(options: argparse.Namespace, values: np.ndarray) -> dict[str, float]:
    best = float(values.max())
    return {
        **{f"{percent:g} %": percent / 100 * best for percent in options.percent},
        **{f"within {margin:g}": best - margin for margin in options.margin},
    }


def _run(job: dict[str, Any]) -> dict[str, Any]:
    import torch

    torch.set_num_threads(1)
    space = get_space(_SPACE)
    row = {native: i for i, native in enumerate(job["natives"])}
    forms = {native: space.canonical_form(native) for native in job["natives"]}
    problem = SearchProblem(
        space=space,
        canonical=forms.__getitem__,
        vectors=lambda natives: job["vectors"][[row[native] for native in natives]],
        evaluate=lambda native: float(job["values"][row[native]]),
        candidates=job["natives"],
    )
    settings = dict(job["settings"])
    if job["algorithm"] == "bananas":
        settings["structural"] = job["structural"]
    start = time.perf_counter()
    searches: list[list[Step]] = [[] for _ in job["seeds"]]
    for batch in run_searches(
        make_algorithm(job["algorithm"], **settings),
        problem,
        job["budget"],
        job["seeds"],
        finished=_progress(job["encoding"], job["target"], job["full"]),
    ):
        for place, steps in batch.items():
            searches[place] += steps
    return {
        "encoding": job["encoding"],
        "seconds": time.perf_counter() - start,
        "evaluations": [len(steps) for steps in searches],
        "values": _pad([[step.value for step in steps] for steps in searches]),
    }


def _progress(encoding: str, target: float, full: bool) -> Callable[[list[list[Step]]], list[bool]]:
    """Says how far the searches are, and which may end."""

    def finished(searches: list[list[Step]]) -> list[bool]:
        best = [max((step.value for step in steps), default=0.0) for steps in searches]
        there = [value >= target for value in best]
        longest = max(len(steps) for steps in searches)
        if longest % 50 == 0:
            sys.stderr.write(
                f"{encoding}: {longest} evaluations, {sum(there)} of {len(there)} at {target:.2f}\n"
            )
        # Until the mean curve is there, every seed's further way is part of it.
        return there if not full and np.mean(best) >= target else [False] * len(there)

    return finished


def _pad(curves: list[list[float]]) -> list[list[float]]:
    """Curves of equal length: a finished seed stays at its last value, below its best so far."""
    longest = max(map(len, curves))
    return [curve + [curve[-1]] * (longest - len(curve)) for curve in curves]


def _summary(
    options: argparse.Namespace, values: np.ndarray, runs: list[dict[str, Any]]
) -> dict[str, Any]:
    rows = []
    for label, threshold in _thresholds(options, values).items():
        reached = {r["encoding"]: evaluations_to_reach(r["values"], threshold) for r in runs}
        baseline = reached[runs[-1]["encoding"]]
        for run in runs:
            mine = reached[run["encoding"]]
            crossing = mean_curve_crossing(run["values"], threshold)
            against = {}
            if mine is not baseline:
                test = corrected_paired_t_test(mine.counts, baseline.counts, test_fraction=0.0)
                against = {"change": mine.mean / baseline.mean - 1, "p": test.p_value}
            rows.append(
                {
                    "threshold": label,
                    "value": threshold,
                    "encoding": run["encoding"],
                    "mean": mine.mean,
                    "standard_error": mine.standard_error,
                    "interval": mine.interval,
                    "median": mine.median,
                    "censored": sum(mine.censored),
                    "crossing": crossing.evaluation,
                    "crossing_standard_error": crossing.standard_error,
                    "crossing_interval": crossing.interval,
                    **against,
                }
            )
    return {
        "best": float(values.max()),
        "value": options.value,
        "algorithm": options.algorithm,
        "settings": _settings(options),
        "seeds": options.seeds,
        "budget": options.budget,
        "rows": rows,
        "runs": runs,
    }


def _print(result: dict[str, Any]) -> None:
    out = sys.stdout
    out.write(
        f"{result['algorithm']} on {result['value']}, {result['seeds']} seeds,"
        f" settings {result['settings'] or 'default'}; best {result['best']:.2f}\n"
    )
    for run in result["runs"]:
        least, most = min(run["evaluations"]), max(run["evaluations"])
        out.write(
            f"  {run['encoding']}: {least} to {most} evaluations a seed, {run['seconds']:.0f} s\n"
        )
    out.write(
        f"{'threshold':<12}{'encoding':<18}{'evaluations per seed':<24}{'95 %':<16}{'median':<8}"
        f"{'censored':<10}{'mean curve':<16}{'change':<9}p\n"
    )
    for row in result["rows"]:
        low, high = row["interval"]
        bound = "≥ " if row["censored"] else ""
        mean = f"{bound}{row['mean']:.1f} ± {row['standard_error']:.1f}"
        median = "-" if row["median"] is None else f"{row['median']:g}"
        crossing = (
            "-"
            if row["crossing"] is None
            else f"{row['crossing']} ± {row['crossing_standard_error']:.1f}"
        )
        change = f"{row['change']:+.0%}    {row['p']:.3g}" if "change" in row else ""
        out.write(
            f"{row['threshold']:<12}{row['encoding']:<18}{mean:<24}{f'{low:.0f} to {high:.0f}':<16}"
            f"{median:<8}{row['censored']:<10}{crossing:<16}{change}\n"
        )


if __name__ == "__main__":
    sys.exit(main())
