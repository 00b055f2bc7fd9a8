"""How well a committee ranks NAS-Bench-201, by the protocols of published figures.

    python -m benchmarks.committee [--protocols pinat,first,cifar100,canonical,suite-zero]
                                   [--encoding A+B] [--member M …] [--draws D] [--sizes N,N]
                                   [--tables FOLDER] [--vectors FOLDER] [--json]

- `pinat`: n random cells with CIFAR-10 validation accuracy, Kendall tau with the test accuracy of
  all 15,625 (PINAT, TNASP).
- `first`: the same with the first n cells in the file order of `nasbench201_valid.parquet`
  (NN-Former, NAR-Former V2).
- `cifar100`, `canonical`: n random cells with CIFAR-100 test accuracy, tau on a held-out tenth of
  all cells, or of the 5,260 canonical ones.
- `suite-zero`: CIFAR-100, n = 100, Spearman's rho on 1,000 others (NAS-Bench-Suite-Zero).
- `step`: processor seconds of a search step, a fit on n cells and means and deviations of the 5,260
  canonical ones, of the committee and of a Gaussian process alone.

Beside the committee stand its members, each alone, of the same fits. Draws below number 1000 are
held out: others (`--protocols validation --first-draw 1000`) were looked at while members were
chosen, with the validation accuracy of CIFAR-10 alone.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import spearmanr

from benchmarks.nasbenchgraph import Encoded
from benchmarks.small_forms import MissingError, Rounds
from cole_core.encodings.side_by_side import parts
from cole_core.predictors import make_surrogate
from cole_core.predictors.committee import CommitteeHead, default_members
from cole_core.predictors.reductions import Reduction
from cole_core.spaces import get_space
from cole_core.statistics.correlation import kendall_tau

TABLES = Path(__file__).parents[1] / ".." / "shared" / "data"
PINAT_SIZES, SIZES = (78, 156, 469, 781, 1563), (14, 55, 220, 879)
PROTOCOLS = {
    "pinat": PINAT_SIZES,
    "first": (156, 1563),
    "cifar100": SIZES,
    "canonical": SIZES,
    "suite-zero": (100,),
    "step": (60,),
    "validation": PINAT_SIZES,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the protocols and prints a table for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--protocols", default="pinat,first,cifar100,canonical,suite-zero")
    parser.add_argument("--encoding", default="code.bare+graf.twins")
    parser.add_argument("--member", action="append", help="one of them; by default the head's own")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--first-draw", type=int, default=0)
    parser.add_argument("--sizes", default="", help="by default those of the protocol")
    parser.add_argument("--tables", type=Path, default=TABLES)
    parser.add_argument("--vectors", type=Path, help="keeps the texts' vectors in this folder")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    cells = Cells(options.tables)
    encoded = Encoded(get_space("nasbench201"), options.vectors)
    blocks = [encoded.block(name, cells.natives) for name in parts(options.encoding)]
    members = tuple(options.member or default_members([structural for _, structural in blocks]))
    for protocol in options.protocols.split(","):
        sizes = [int(size) for size in options.sizes.split(",") if size] or PROTOCOLS[protocol]
        contest = Contest(blocks, members, cells.population(protocol))
        if protocol == "step":
            print(json.dumps(contest.seconds(cells.trial(protocol, sizes[0], options.first_draw))))
            continue
        for n in sizes:
            draws = range(options.first_draw, options.first_draw + options.draws)
            trials = [cells.trial(protocol, n, draw) for draw in draws]
            scores = [
                contest.scores(trial) for trial in (trials[:1] if protocol == "first" else trials)
            ]
            means = np.mean(scores, axis=0)
            if options.json:
                row = {"protocol": protocol, "n": n, "draws": len(scores)}
                print(json.dumps(row | dict(zip(contest.names, means.tolist(), strict=True))))
                continue
            print(f"{protocol}, n = {n}, {len(scores)} draws", flush=True)
            for name, mean, each in zip(contest.names, means, np.transpose(scores), strict=True):
                error = np.std(each) / np.sqrt(max(1, len(each) - 1))
                print(f"  {name:<44}{mean:.4f} ± {error:.4f}", flush=True)
    return 0


def small() -> Rounds:
    """A search step of a committee and of a Gaussian process, without a language model."""
    if not TABLES.is_dir():
        raise MissingError(f"the tables of NAS-Bench-201 in {TABLES.resolve()}")
    cells = Cells(TABLES)
    encoded = Encoded(get_space("nasbench201"), None)
    blocks = [encoded.block(name, cells.natives) for name in ("path", "graf.twins")]
    members = default_members([structural for _, structural in blocks])
    contest = Contest(blocks, members, cells.population("step"))
    while True:
        yield contest.seconds(cells.trial("step", 60, 0))


@dataclass(frozen=True)
class Trial:
    """Which cells are labelled, and what is ranked.

    Attributes:
        rows: Of the labelled cells.
        labels: Their values.
        held_out: Rows of the cells that are ranked.
        truth: Their values.
        is_spearman: Whether Spearman's rho judges and not Kendall's tau.
    """

    rows: np.ndarray
    labels: np.ndarray
    held_out: np.ndarray
    truth: np.ndarray
    is_spearman: bool = False


class Cells:
    """All cells with their accuracies after 200 epochs, in the order of the tables.

    Args:
        folder: Of `nasbench201.parquet` and `nasbench201_valid.parquet`.
    """

    def __init__(self, folder: Path) -> None:
        tested = pl.read_parquet(folder / "nasbench201.parquet")
        table = pl.read_parquet(folder / "nasbench201_valid.parquet").join(
            tested, on="arch_str", how="left", maintain_order="left"
        )
        self.natives = table["arch_str"].to_list()
        self._valid = table["cifar10_valid_accuracy_200"].to_numpy()
        self._test = table["cifar10_test_accuracy_200"].to_numpy().astype(float)
        self._other = table["cifar100_test_accuracy_200"].to_numpy().astype(float)
        space = get_space("nasbench201")
        forms: dict[str, int] = {}
        for row, native in enumerate(self.natives):
            forms.setdefault(space.canonical_form(native), row)
        self._canonical = np.array(list(forms.values()))

    def population(self, protocol: str) -> np.ndarray:
        """Rows that take part."""
        return (
            self._canonical if protocol in ("canonical", "step") else np.arange(len(self.natives))
        )

    def trial(self, protocol: str, n: int, draw: int) -> Trial:
        """One draw of a protocol."""
        rows = np.random.default_rng([201, draw]).permutation(self.population(protocol))
        if protocol in ("pinat", "first"):
            everything = np.arange(len(self.natives))
            labelled = everything[:n] if protocol == "first" else rows[:n]
            return Trial(labelled, self._valid[labelled], everything, self._test)
        if protocol == "step":
            return Trial(rows[:n], self._valid[rows[:n]], rows, self._valid[rows])
        values = self._valid if protocol == "validation" else self._other
        count = 1_000 if protocol == "suite-zero" else -(-len(rows) // 10)
        held_out, labelled = rows[:count], rows[count : count + n]
        judged = protocol == "suite-zero"
        return Trial(labelled, values[labelled], held_out, values[held_out], judged)


class Contest:
    """A committee on encodings side by side, and its members.

    Args:
        blocks: Vectors of all cells under each encoding, and whether it is structural.
        members: As the head takes them.
        population: Rows that the reductions are fitted on.
    """

    def __init__(
        self,
        blocks: Sequence[tuple[np.ndarray, bool]],
        members: tuple[str, ...],
        population: np.ndarray,
    ) -> None:
        self._vectors = np.hstack([block for block, _ in blocks])
        self._kind: dict[str, Any] = (
            {"structural": blocks[0][1]}
            if len(blocks) == 1
            else {"blocks": [(block.shape[1], structural) for block, structural in blocks]}
        )
        self._members = members
        self.names = ("committee", *members)
        surrogate = make_surrogate("committee", members=members, **self._kind)
        self._reduction: Reduction | None = (
            surrogate.fit_reduction(self._vectors[population]) if surrogate.needs_space else None
        )

    def scores(self, trial: Trial) -> list[float]:
        """Rank correlation of the committee, then of each member."""
        surrogate = make_surrogate("committee", members=self._members, **self._kind)
        labelled, held_out = self._vectors[trial.rows], self._vectors[trial.held_out]
        surrogate.fit(labelled, trial.labels, unlabelled=self._reduction)
        head = surrogate.head
        assert isinstance(head, CommitteeHead)
        each = head.member_scores(surrogate.reduction_.transform(held_out))
        return [_judged(trial, scores) for scores in (head.weights_ @ each, *each)]

    def seconds(self, trial: Trial) -> dict[str, float]:
        """Processor seconds of a fit and of all predictions, by head."""
        taken = {}
        labelled, others = self._vectors[trial.rows], self._vectors[trial.held_out]
        heads: dict[str, dict[str, Any]] = {
            "gaussian_process": {},
            "committee": {"members": self._members},
        }
        for head, given in heads.items():
            surrogate = make_surrogate(head, **given, **self._kind)
            X = self._reduced(others)
            for _ in range(2):  # the first one has kernels compiled
                start = time.process_time()
                surrogate.fit(labelled, trial.labels, unlabelled=self._reduction)
                surrogate.head.predict(X, return_std=True)
                taken[head] = time.process_time() - start
        return taken

    def _reduced(self, vectors: np.ndarray) -> np.ndarray:
        return vectors if self._reduction is None else self._reduction.transform(vectors)


def _judged(trial: Trial, scores: np.ndarray) -> float:
    if trial.is_spearman:
        return float(spearmanr(scores, trial.truth).statistic)
    return kendall_tau(scores, trial.truth)


if __name__ == "__main__":
    sys.exit(main())
