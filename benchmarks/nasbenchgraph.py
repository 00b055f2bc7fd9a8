"""How well a few trained graph neural networks rank the others: code, one-hot, side by side.

    python -m benchmarks.nasbenchgraph [--datasets cora,photo] [--encodings A,B+C] [--draws D]
                                       [--vectors FOLDER] [--json]

All 26,206 networks of NAS-Bench-Graph (2,021 on `proteins`), their validation accuracies from the
package `nas-bench-graph` (on `proteins` the ROC-AUC). Kendall tau on 600 held-out networks with n
labelled ones, mean of the draws; the language model is MiniLM as usual, the head is the usual
Gaussian process. Texts are embedded once, equal ones once; `--vectors` keeps their vectors.
"""

import argparse
import hashlib
import importlib.util
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.small_forms import MissingError, Rounds
from cole_core.encodings import TextEncoding
from cole_core.encodings.side_by_side import parts
from cole_core.language_models import load, specify
from cole_core.predictors import make_surrogate
from cole_core.sources import read_evaluations
from cole_core.spaces import get_space
from cole_core.spaces.base import SearchSpace
from cole_core.statistics.correlation import kendall_tau

SIZES = (14, 55, 220, 879)
HELD_OUT = 600
MODEL = "minilm"
CODE, ONE_HOT = "code.expression", "adjacency"
DATASETS = ("cora", "citeseer", "pubmed", "cs", "physics", "photo", "computers", "arxiv")
ALL_DATASETS = (*DATASETS, "proteins")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark and prints its table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--datasets", default=",".join(ALL_DATASETS))
    parser.add_argument("--encodings", default=f"{CODE},{ONE_HOT},{CODE}+{ONE_HOT}")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--vectors", type=Path, help="keeps the texts' vectors in this folder")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    space = get_space("nasbenchgraph")
    values = validation_values(space)
    encoded = Encoded(space, options.vectors)
    rows = []
    for dataset in options.datasets.split(","):
        labels = values.filter(pl.col("dataset") == dataset)
        natives, scores = labels["native"].to_list(), labels["value"].to_numpy()
        for encoding in options.encodings.split(","):
            blocks = [encoded.block(name, natives) for name in parts(encoding)]
            taus = [mean_tau(blocks, scores, n, options.draws) for n in SIZES]
            rows.append({"dataset": dataset, "encoding": encoding, "tau": taus})
            if not options.json:
                shown = "  ".join(f"{tau:.3f}" for tau in taus)
                print(f"{dataset:<10}{encoding:<28}{shown}", flush=True)
    if options.json:
        print(json.dumps({"sizes": SIZES, "draws": options.draws, "rows": rows}))
    return 0


def small() -> Rounds:
    """Reading the packaged values, the one-hot vectors of all, 10 fits on 55 that rank 600."""
    space = get_space("nasbenchgraph")
    need_tables()
    while True:
        started = time.process_time()
        values = validation_values(space).filter(pl.col("dataset") == DATASETS[0])
        read = time.process_time()
        block = Encoded(space, None).block(ONE_HOT, values["native"].to_list())
        encoded = time.process_time()
        mean_tau([block], values["value"].to_numpy(), 55, 10)
        ranked = time.process_time()
        yield {
            "reading": read - started,
            "encoding": encoded - read,
            "10 fits and rankings": ranked - encoded,
        }


def need_tables() -> None:
    """Says so where the package of the values is missing."""
    if importlib.util.find_spec("nas_bench_graph") is None:
        raise MissingError("the package nas-bench-graph: pip install 'cole-warehouse[graph]'")


def validation_values(space: SearchSpace) -> pl.DataFrame:
    """Accuracy, or ROC-AUC, of each network on each dataset's validation nodes."""
    values = read_evaluations("nas-bench-graph", space)
    return values.filter(pl.col("split") == "valid").select("dataset", "native", "value")


class Encoded:
    """Vectors of all architectures by encoding, made when they are first asked for.

    Args:
        space: The search space.
        folder: Where vectors of texts are kept, if anywhere.
    """

    def __init__(self, space: SearchSpace, folder: Path | None) -> None:
        self._space, self._folder = space, folder
        self._natives = list(space.enumerate())
        self._row = {native: row for row, native in enumerate(self._natives)}
        self._vectors: dict[str, np.ndarray] = {}

    def block(self, name: str, natives: Sequence[str]) -> tuple[np.ndarray, bool]:
        """Vectors of architectures, and whether they come without a language model."""
        encoding = self._space.encoding(name)
        is_text = isinstance(encoding, TextEncoding)
        if name not in self._vectors:
            self._vectors[name] = (
                self._embedded([encoding.render(native) for native in self._natives])
                if isinstance(encoding, TextEncoding)
                else encoding.encode(self._natives)
            )
        return self._vectors[name][[self._row[native] for native in natives]], not is_text

    def _embedded(self, texts: Sequence[str]) -> np.ndarray:
        specification = specify(MODEL)
        of_what = json.dumps([specification.spec_id, *texts])
        name = f"{hashlib.sha256(of_what.encode()).hexdigest()[:16]}.npy"
        if self._folder is not None and (self._folder / name).exists():
            return np.load(self._folder / name)
        print(f"{len(set(texts)):,} texts to embed", file=sys.stderr)
        batches = list(load(specification).embed(texts))
        rows = np.concatenate([batch.indices for batch in batches])
        vectors = np.concatenate([batch.vectors for batch in batches])[np.argsort(rows)]
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            np.save(self._folder / name, vectors)
        return vectors


def mean_tau(
    blocks: Sequence[tuple[np.ndarray, bool]], scores: np.ndarray, n: int, draws: int
) -> float:
    """Kendall tau on held-out architectures, mean over draws.

    Args:
        blocks: Vectors of each encoding, and whether it is structural.
        scores: Of the architectures.
        n: How many are labelled.
        draws: Of held-out and labelled ones.
    """
    vectors = np.hstack([block for block, _ in blocks])
    kind = (
        {"structural": blocks[0][1]}
        if len(blocks) == 1
        else {"blocks": [(block.shape[1], structural) for block, structural in blocks]}
    )
    first = make_surrogate(**kind)
    reduction = first.fit_reduction(vectors) if first.needs_space else None
    taus = []
    for draw in range(draws):
        order = np.random.default_rng([0, draw]).permutation(len(scores))
        held_out, labelled = order[:HELD_OUT], order[HELD_OUT : HELD_OUT + n]
        surrogate = make_surrogate(**kind)
        surrogate.fit(vectors[labelled], scores[labelled], unlabelled=reduction)
        taus.append(kendall_tau(surrogate.predict(vectors[held_out]), scores[held_out]))
    return float(np.mean(taus))


if __name__ == "__main__":
    sys.exit(main())
