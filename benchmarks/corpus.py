"""A corpus of networks as people publish them: what is best read of a file.

    python -m benchmarks.corpus [--networks 200] [--draws 20] [--seed 0] [--values FILE] [--json]

Writes N files, each a variant of a convolutional network with its training methods in the class,
trains each on `digits` by our own training, and ranks held-out networks from a few labelled ones:
by MiniLM's vectors of the raw source, of the normalised source and of the normal form, and by the
counts of the file's words, all with the default head. Kendall tau, mean over draws.
"""

import argparse
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.published_style import draw_shape, write_file
from benchmarks.small_forms import Rounds
from cole_core.evaluation.network_training import NetworkTraining
from cole_core.evaluation.outcomes import OK
from cole_core.evaluation.settings import TrainingSettings
from cole_core.evaluation.workers import Workers
from cole_core.foreign_code import Runner
from cole_core.language_models import specify
from cole_core.language_models.texts import EmbeddedTexts, embed_texts
from cole_core.predictors import make_surrogate
from cole_core.spaces.corpus import Corpus, Member
from cole_core.spaces.corpus.folder import read_folder
from cole_core.spaces.corpus.running import trace_member
from cole_core.statistics import kendall_tau

SIZES = (14, 55, 120)
HELD_OUT = 80
EPOCHS = 4
_WORD = re.compile(r"\w+")


def main() -> None:
    """Runs the benchmark and prints its table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--values", type=Path, help="a file that keeps what was trained")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    members = collect(options.networks, options.seed)
    values = known(options.values) or train(members)
    if options.values is not None:
        options.values.write_text(json.dumps(values))
    members = [member for member in members if member.native in values]
    labels = np.array([values[member.native] for member in members])
    texts = written(members)
    embedded = {name: embed(of_name) for name, of_name in texts.items()}
    vectors = {name: (made.vectors, False) for name, made in embedded.items()}
    vectors["bag of the file's words"] = bag(texts["raw source"]), True
    table = {
        name: ranks(X, labels, structural, options.draws)
        for name, (X, structural) in vectors.items()
    }
    found = {
        "networks": len(members),
        "accuracy": np.percentile(labels, [0, 25, 50, 75, 100]).round(1).tolist(),
        "tokens": {name: int(np.median(made.n_tokens)) for name, made in embedded.items()},
        "kendall_tau": table,
    }
    print(json.dumps(found) if options.json else in_words(found))


def small() -> Rounds:
    """12 files written and read, trained, written as text; 200 rows ranked from labelled ones."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 64), dtype=np.float32), rng.standard_normal(200)
    while True:
        started = time.perf_counter()
        members = collect(12, 0)
        collected = time.perf_counter()
        train(members)
        trained = time.perf_counter()
        written(members)
        done, started_ranking = time.perf_counter(), time.process_time()
        ranks(X, y, False, 2)
        yield {
            "reading": collected - started,
            "training": trained - collected,
            "tracing": done - trained,
            "ranking": time.process_time() - started_ranking,
        }


def known(path: Path | None) -> dict[str, float]:
    """What an earlier run trained; nothing without one."""
    found: dict[str, float] = {}
    if path is not None and path.exists():
        found = json.loads(path.read_text())
    return found


def collect(count: int, seed: int) -> list[Member]:
    """Files written into a folder and read as `cole ingest corpus:NAME FOLDER` reads them."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            text = write_file(draw_shape(rng), rng)
            Path(folder, f"net_{number:03}.py").write_text(text)
        collected = read_folder(Path(folder), {})
    assert not collected.failed, collected.failed[0]
    return list(collected.members)


def train(members: Sequence[Member]) -> dict[str, float]:
    """Validation accuracy of each network that could be trained, by native strings."""
    training = NetworkTraining(dataset="digits", settings=TrainingSettings(epochs=EPOCHS))
    dataset = training.load()
    evaluator = training.evaluator(Corpus("corpus:benchmark", members, may_run=True), dataset)
    with Workers(evaluator, training.workers) as workers:
        attempts = list(workers.run((member.native, 0) for member in members))
    return {
        attempt.native: score.value
        for attempt in attempts
        if attempt.status == OK
        for score in attempt.scores
        if (score.split, score.metric, score.epochs) == ("valid", "accuracy", EPOCHS)
    }


def written(members: Sequence[Member]) -> dict[str, list[str]]:
    """The texts of the networks, each way."""
    with Runner() as runner:
        forms = [trace_member(runner, member, None) for member in members]
    return {
        "raw source": [member.code for member in members],
        "normalised source": [member.canonical for member in members],
        "normal form": [form.expression for form in forms],
        "normal form, bare": [form.bare for form in forms],
    }


def embed(texts: Sequence[str]) -> EmbeddedTexts:
    """MiniLM's vectors (n, d), as `cole embed` makes them."""
    return embed_texts(specify("minilm"), "cpu", None, pa.array(texts))


def bag(texts: Sequence[str]) -> np.ndarray:
    """Counts (n, words) of the words of each text."""
    counts = [Counter(_WORD.findall(text)) for text in texts]
    words = sorted({word for each in counts for word in each})
    return np.array([[each[word] for word in words] for each in counts], dtype=np.float32)


def ranks(
    X: np.ndarray, y: np.ndarray, structural: bool, draws: int
) -> dict[int, tuple[float, float]]:
    """Mean Kendall tau on the held-out, and its standard error, at each number of labels."""
    found: dict[int, list[float]] = {n: [] for n in SIZES}
    for draw in range(draws):
        order = np.random.default_rng(draw).permutation(len(y))
        held_out, pool = order[:HELD_OUT], order[HELD_OUT:]
        for n in SIZES:
            rows = pool[:n]
            head = make_surrogate("gaussian_process", structural=structural)
            head.fit(X[rows], y[rows], unlabelled=X)
            found[n].append(kendall_tau(y[held_out], head.predict(X[held_out])))
    return {
        n: (float(np.mean(taus)), float(np.std(taus, ddof=1) / np.sqrt(len(taus))))
        for n, taus in found.items()
    }


def in_words(found: Mapping[str, Any]) -> str:
    """The table for people."""
    lines = [
        f"{found['networks']} networks, accuracy (least, quartiles, most) {found['accuracy']}",
        f"{'read as':<26}{'tokens':>8}" + "".join(f"{f'n = {n}':>16}" for n in SIZES),
    ]
    for name, taus in found["kendall_tau"].items():
        size = found["tokens"].get(name, "")
        cells = "".join(f"{f'{mean:.3f} ± {error:.3f}':>16}" for mean, error in taus.values())
        lines.append(f"{name:<26}{size:>8}{cells}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
