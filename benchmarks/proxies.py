"""What zero-cost proxies bring beside other encodings, and what they cost.

    python -m benchmarks.proxies HOME [--dataset cifar100] [--epochs 200] [--draws D] [--sizes N,…]
                                 [--encodings A+proxies,B] [--json]

HOME is a warehouse with the space's embeddings, measured values, and proxies of one source or more:
computed (`cole proxies nasbench201`) or taken in as a table. For each source, Kendall tau of the
usual head on held-out architectures, mean of the draws: on those that have proxies of their own in
it, and on the first of each of their canonical forms. Below, the processor time of computing the
proxies of one network, on a sample. Head, kernel and transform were chosen by CIFAR-10 validation
accuracy.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.small_forms import Rounds
from benchmarks.stand_ins import SPACE, fill
from cole_core.encodings.proxies import COMPUTED, PROXIES
from cole_core.encodings.side_by_side import surrogate_kind
from cole_core.encodings.vectors import LabelledVectors, Vectors, VectorSource, share
from cole_core.evaluation.proxy_encoding import proxies_of
from cole_core.evaluation.settings import EncodedProxySettings
from cole_core.predictors import make_surrogate
from cole_core.predictors.reductions import Reduction
from cole_core.spaces.base import SearchSpace
from cole_core.statistics.correlation import kendall_tau
from flows.resolve.proxies import METRICS, sources
from flows.resolve.requests import Measured
from flows.resolve.spaces import find_space
from flows.resolve.values import one_target
from flows.resolve.vectors import find_vectors, load_labelled
from warehouse import Warehouse

SIZES = (5, 14, 55, 220, 879)
ENCODINGS = (
    *("code.expression", "code.expression+graf"),
    *("proxies", "code.expression+proxies", "code.expression+graf+proxies"),
)
HELD_OUT = 1_563  # at most, and a tenth of what there is
TIMED = 20  # networks


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark and prints its table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("home", type=Path)
    parser.add_argument("--space", default="nasbench201")
    parser.add_argument("--dataset", default="cifar100")
    parser.add_argument("--split", default="test")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--sources", help="of the proxies; by default all that there are")
    parser.add_argument("--encodings", default=",".join(ENCODINGS))
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--draws", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    warehouse = Warehouse(options.home)
    space = find_space(warehouse, options.space)
    measured = Measured(dataset=options.dataset, split=options.split, epochs=options.epochs)
    target = one_target(warehouse, space, measured)
    sizes = [int(size) for size in options.sizes.split(",")]
    rows = []
    chosen = options.sources.split(",") if options.sources else None
    for source in chosen or sources(warehouse, space)["source"]:
        encodings = [
            name.replace(PROXIES, f"{PROXIES}:{source}") for name in options.encodings.split(",")
        ]
        found = find_vectors(warehouse, space, [Vectors(encoding=name) for name in encodings])
        labelled = [load_labelled(warehouse, space, each, target) for each in found]
        own = set(warehouse.read_proxies(space, source, METRICS)["architecture_id"])
        for population in ("all", "canonical"):
            shared = share([_only(each, own) for each in labelled], population == "canonical")
            if not options.json:
                print(f"{source}, {population}: {len(shared[0].natives):,} architectures")
            for of, each in zip(found, shared, strict=True):
                taus = [mean_tau(space, of, each, n, options.draws) for n in sizes]
                about = {"source": source, "population": population, "encoding": of.encoding}
                rows.append(about | {"architectures": len(each.natives), "tau": taus})
                if not options.json:
                    name = of.encoding.replace(f":{source}", "")
                    print(f"  {name:<30}", *(f"{tau:.3f}" for tau in taus), flush=True)
    seconds = seconds_each(space, labelled[0].natives)
    if options.json:
        print(json.dumps({"sizes": sizes, "rows": rows, "seconds_per_network": seconds}))
    else:
        print(f"computing them: {seconds:.3f} s of a processor for each network")
    return 0


def small() -> Rounds:
    """The proxies of a network computed; those of 2,000 read; 10 fits on 55 that rank others."""
    with tempfile.TemporaryDirectory() as folder:
        natives = fill(Path(folder), 2_000, {"test": ("accuracy",), "train": COMPUTED})
        measured = Measured(dataset="cifar10", split="test", epochs=200)
        while True:
            warehouse, space = Warehouse(Path(folder)), SPACE
            started = time.process_time()
            target = one_target(warehouse, space, measured)
            [source] = find_vectors(warehouse, space, [Vectors(encoding=PROXIES)])
            labelled = load_labelled(warehouse, space, source, target)
            read = time.process_time()
            mean_tau(space, source, labelled, 55, 10)
            ranked = time.process_time()
            yield {
                "reading": read - started,
                "10 fits and rankings": ranked - read,
                "computing": seconds_each(space, natives),
            }


def mean_tau(
    space: SearchSpace, source: VectorSource, labelled: LabelledVectors, n: int, draws: int
) -> float:
    """Mean Kendall tau of the usual head over draws of n labelled architectures."""
    kind = surrogate_kind(space, source, labelled)
    surrogate = make_surrogate(**kind)
    reduction: Reduction | None = None
    if surrogate.needs_space:
        reduction = surrogate.fit_reduction(labelled.vectors)
    found = []
    for draw in range(draws):
        rows = np.random.default_rng([n, draw]).permutation(len(labelled.values))
        tested = rows[n : n + min(HELD_OUT, len(rows) // 10)]
        made = make_surrogate(**kind)
        X, y = labelled.vectors, labelled.values
        made.fit(X[rows[:n]], y[rows[:n]], unlabelled=reduction)
        found.append(kendall_tau(y[tested], made.predict(X[tested])))
    return float(np.mean(found))


def seconds_each(space: SearchSpace, natives: Sequence[str]) -> float:
    """Processor time of the proxies of one network, on one thread."""
    import torch

    torch.set_num_threads(1)
    settings = EncodedProxySettings.of(space)
    sample = np.random.default_rng(0).choice(natives, TIMED + 1, replace=False)
    proxies_of(space, str(sample[0]), settings, None)  # PyTorch's own first call
    begun = time.process_time()
    for native in sample[1:]:
        proxies_of(space, str(native), settings, None)
    return (time.process_time() - begun) / TIMED


def _only(labelled: LabelledVectors, ids: set[str]) -> LabelledVectors:
    return labelled.take([id_ for id_ in labelled.architecture_ids if id_ in ids])


if __name__ == "__main__":
    sys.exit(main())
