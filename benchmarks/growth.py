"""10^4, 10^5 and 10^6 architectures with vectors of 384 dimensions: what grows, and how.

    python -m benchmarks.growth [--sizes N ...] [--folder DIR] [--vectors s3://BUCKET] [--json]

Each size runs in a process of its own, so that its peak memory is its own. The architectures and
texts are synthetic and go through the warehouse's writer; the vectors are real ones with noise:
all-MiniLM-L6-v2's of 2,000 NAS-Bench-201 expressions, each used again and again with seeded noise
of the covariance of all 2,000, scaled by `NOISE`. Their ten nearest are as near to each other as
those of a space that is so much denser; isotropic noise in 384 dimensions would make all of them
equally far, which no embeddings are.

Per size: rows per second into the vector table and its promises (`ingest`), and of architectures
with their texts into the catalog; seconds to find what is missing when a hundredth is (what the
embed flow does before it loads a model); a SQL join of measured values, texts and vectors with a
filter that a hundredth passes; the ten nearest, exactly and by the index, with the share found;
bytes on disk; peak memory. Then the slope of each in powers of the number of rows, and what it
comes to at 10^8.

With `--vectors` each size is measured a second time, right after the first, with its vectors in
that object store; what is written there stays.
"""

import argparse
import json
import math
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.small_forms import Rounds
from cole_core.encodings.registry import make_text_encoding
from cole_core.hashing import hash_text
from cole_core.language_models import load, specify
from cole_core.spaces import get_space
from warehouse import Warehouse
from warehouse.optimizing import INDEX_ABOVE, optimize_table
from warehouse.reader import space_parameters
from warehouse.writer import Writer

SIZES = (10_000, 100_000, 1_000_000)
FAR = 10**8
SPACE = get_space("nasbench201")
ENCODING = "code.expression"
SPEC = specify("minilm")
REAL, NOISE, SEED = 2_000, 0.3, 0
SHARD = 20_000  # rows of a commit
QUERIES, K = 100, 10
MISSING = 100  # one of so many is missing at first, and so many pass the filter
VIEW = "embeddings_minilm_avg_avg_bf16"

GOALS: dict[str, tuple[str, float]] = {
    "ingest_rows_per_s": ("≥", 40_000),
    "missing_s": ("≤", 3),
    "join_s": ("≤", 1),
    "ann_p50_ms": ("≤", 15),
    "ann_recall": ("≥", 0.95),
    "peak_gb": ("≤", 3),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 1 if the largest size, at 10^6, misses a goal."""
    options = _parser().parse_args(arguments)
    if options.child:
        where = (Path(options.folder), Path(options.real))
        print(json.dumps(_measure(*where, options.child, options.vectors)))
        return 0
    results, stored = [], []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        real = Path(options.real or Path(folder) / "real.npy")
        if not real.exists():
            _say(f"{REAL:,} real vectors")
            np.save(real, real_vectors())
        for size in options.sizes:
            _say(f"{size:,} architectures")
            results.append(_measured(folder, real, size))
            if options.vectors:
                _say(f"{size:,} architectures, vectors in {options.vectors}")
                place = f"{options.vectors}/growth-{uuid.uuid4().hex[:8]}"
                stored.append(_measured(folder, real, size, "--vectors", place))
    slopes = _slopes(results)
    if options.json:
        print(json.dumps({"sizes": results, "slopes": slopes, "in_store": stored}))
    else:
        _print(results, slopes)
        if stored:
            print(f"\nvectors in {options.vectors}")
            _print(stored, {})
    missed = [name for name in GOALS if not _holds(name, results[-1])]
    return int(results[-1]["rows"] == SIZES[-1] and bool(missed))


def small() -> Rounds:
    """10,000 architectures, the vectors drawn at random: values change no time here."""
    rng = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as folder:
        real = Path(folder) / "real.npy"
        np.save(real, rng.standard_normal((500, SPEC.dimensions), dtype=np.float32))
        while True:
            found = _measured(folder, real, SIZES[0])
            yield {
                "catalog": found["rows"] / found["catalog_rows_per_s"],
                "ingest": found["rows"] / found["ingest_rows_per_s"],
                **{what: found[f"{what}_s"] for what in ("missing", "join", "optimize")},
                "nearest, exactly": found["exact_p50_ms"] / 1e3,
                "nearest, by the index": found["ann_p50_ms"] / 1e3,
            }


def _measured(folder: str, real: Path, size: int, *more: str) -> dict[str, Any]:
    """What a process of its own measures of one size."""
    command = [sys.executable, "-m", "benchmarks.growth", "--real", str(real), "--folder", folder]
    output = subprocess.run(
        [*command, "--child", str(size), *more], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    shutil.rmtree(Path(folder) / "home")
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--folder", help="where the warehouses are made, and removed at the end")
    parser.add_argument("--real", help="a file that keeps the real vectors for the next time")
    parser.add_argument("--vectors", help="an object store to measure beside the disk")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    return parser


def real_vectors() -> np.ndarray:
    """(REAL, 384) of distinct expressions, drawn with a seed."""
    encoding = make_text_encoding(SPACE, ENCODING)
    texts = sorted({encoding.render(native) for native in SPACE.enumerate()})
    drawn = np.random.default_rng(SEED).choice(len(texts), REAL, replace=False)
    batches = list(load(SPEC).embed([texts[i] for i in drawn]))
    order = np.argsort(np.concatenate([batch.indices for batch in batches]))
    return np.concatenate([batch.vectors for batch in batches])[order]


class Vectors:
    """Real vectors with noise of their own covariance.

    Args:
        real: (n, d).
    """

    def __init__(self, real: np.ndarray) -> None:
        self._real = real.astype(np.float32)
        centred = real - real.mean(axis=0)
        _, scales, axes = np.linalg.svd(centred, full_matrices=False)
        self._noise = (NOISE * scales[:, None] * axes / math.sqrt(len(real))).astype(np.float32)

    def draw(self, count: int, seed: Sequence[int]) -> np.ndarray:
        """(count, d) float32, the seed's alone."""
        rng = np.random.default_rng(seed)
        normal = rng.standard_normal((count, len(self._noise)), dtype=np.float32)
        return self._real[rng.integers(len(self._real), size=count)] + normal @ self._noise


def _measure(folder: Path, real: Path, size: int, place: str | None) -> dict[str, Any]:
    vectors = Vectors(np.load(real))
    warehouse = Warehouse(folder / "home", place)
    result: dict[str, Any] = {"rows": size}
    with warehouse.writer("benchmark", "benchmark") as writer:
        seconds = sum(_fill_catalog(writer, size))
        result["catalog_rows_per_s"] = size / seconds
        seconds = sum(_fill_vectors(writer, vectors, size))
        result["ingest_rows_per_s"] = (size - size // MISSING) / seconds
        result["compact_s"] = _time(lambda: writer.compact_embeddings(SPEC.spec_id))
    warehouse = Warehouse(folder / "home")  # which has read nothing yet
    result["missing_s"] = _time(lambda: _find_missing(warehouse, size))
    result["join_s"] = min(_time(lambda: _join(warehouse, size)) for _ in range(3))
    queries = vectors.draw(QUERIES, [SEED, 1 << 40])
    with warehouse.writer("benchmark", "benchmark") as writer:
        result["optimize_s"] = _time(
            lambda: optimize_table(
                warehouse.vectors, SPEC.spec_id, timedelta(0), min(INDEX_ABOVE, size // 2)
            )
        )
        writer.checkpoint()
    result |= _nearest(warehouse, queries)
    if place is None:
        result["disk_gb"] = _disk(folder / "home") / 1e9
    result["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return result


def _fill_catalog(writer: Writer, size: int) -> Iterator[float]:
    """Architectures that no space has, each with a text and a value; seconds of each commit."""
    parameters = space_parameters(SPACE)
    for numbers in shards(size):
        ids = [f"synthetic-{number}" for number in numbers]
        architectures = pl.DataFrame(
            {
                "architecture_id": ids,
                "space": SPACE.name,
                "space_parameters": parameters,
                "native": ids,
                "canonical_id": ids,
                "position": numbers,
            }
        )
        renderings = pl.DataFrame(
            {
                "architecture_id": ids,
                "encoding": ENCODING,
                "context": "none",
                "text": [text_of(number) for number in numbers],
            }
        )
        evaluations = pl.DataFrame(
            {
                "architecture_id": ids,
                "native": ids,
                "dataset": "cifar10",
                "metric": "accuracy",
                "split": "test",
                "epochs": pl.Series([200] * len(ids), dtype=pl.Int32),
                "seed": pl.Series([None] * len(ids), dtype=pl.Int32),
                "source": "benchmark",
                "value": [number % MISSING for number in numbers],
            }
        ).with_columns(pl.col("value").cast(pl.Float64))
        started = time.perf_counter()
        writer.add_architectures(architectures)
        writer.add_renderings(renderings)
        writer.add_evaluations(evaluations)
        yield time.perf_counter() - started


def _fill_vectors(writer: Writer, vectors: Vectors, size: int) -> Iterator[float]:
    """All vectors but the last hundredth; seconds of each commit."""
    writer.add_specification(
        *(SPEC.spec_id, SPEC.language_model, SPEC.pooling, SPEC.precision, SPEC.to_json()),
        SPEC.dimensions,
    )
    for numbers in shards(size - size // MISSING):
        hashes = [hash_text(text_of(number)) for number in numbers]
        drawn = vectors.draw(len(numbers), [SEED, numbers[0]])
        tokens = np.full(len(numbers), 60, np.int32)
        started = time.perf_counter()
        writer.add_embeddings(SPEC.spec_id, hashes, drawn, tokens, tokens == 0)
        yield time.perf_counter() - started


def shards(size: int) -> Iterator[range]:
    """The numbers below a size, a commit's at a time."""
    for start in range(0, size, SHARD):
        yield range(start, min(start + SHARD, size))


def text_of(number: int) -> str:
    """As long as an expression is."""
    return (
        "class Cell(nn.Module):\n    def forward(self, x):\n        return "
        f"x + self.conv3x3(self.conv{number % 7}x{number % 5}(x)) + F.avg_pool2d({number})"
    )


def _find_missing(warehouse: Warehouse, size: int) -> None:
    with warehouse.missing_texts(SPACE, ENCODING, "none", SPEC.spec_id) as missing:
        assert missing.height == size // MISSING


def _join(warehouse: Warehouse, size: int) -> None:
    rows = warehouse.sql(
        f"""
        SELECT evaluations.native, value, text, vector
        FROM evaluations
        JOIN renderings USING (architecture_id)
        JOIN {VIEW} USING (text_hash)
        WHERE dataset = 'cifar10' AND metric = 'accuracy' AND value >= {MISSING - 1}
        """
    )
    assert 0 < rows.height <= size // MISSING


def _nearest(warehouse: Warehouse, queries: np.ndarray) -> dict[str, float]:
    def search(query: np.ndarray, use_index: bool) -> tuple[float, pl.DataFrame]:
        started = time.perf_counter()
        found = warehouse.vectors.nearest(SPEC.spec_id, query, K, use_index)
        return 1e3 * (time.perf_counter() - started), found

    search(queries[0], True)  # reads the index once
    exact = [search(query, False) for query in queries]
    near = [search(query, True) for query in queries]
    hits = sum(
        found["text_hash"].is_in(true["text_hash"].implode()).sum()
        for (_, true), (_, found) in zip(exact, near, strict=True)
    )
    return {
        "exact_p50_ms": float(np.median([ms for ms, _ in exact])),
        "exact_p95_ms": float(np.percentile([ms for ms, _ in exact], 95)),
        "ann_p50_ms": float(np.median([ms for ms, _ in near])),
        "ann_p95_ms": float(np.percentile([ms for ms, _ in near], 95)),
        "ann_recall": float(hits) / (QUERIES * K),
    }


def _slopes(results: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Powers of the number of rows, from the two largest sizes, and the value at `FAR`."""
    if len(results) < 2:
        return {}
    before, last = results[-2:]
    found = {}
    for name in last:
        if name in ("rows", "ann_recall", "compact_s"):  # compaction begins at a few dozen commits
            continue
        power = math.log(last[name] / before[name]) / math.log(last["rows"] / before["rows"])
        found[name] = {"power": power, "far": last[name] * (FAR / last["rows"]) ** power}
    return found


def _holds(name: str, result: dict[str, Any]) -> bool:
    sign, goal = GOALS[name]
    return result[name] >= goal if sign == "≥" else result[name] <= goal


def _print(results: Sequence[dict[str, Any]], slopes: dict[str, dict[str, float]]) -> None:
    print(f"{'':<20}" + "".join(f"{r['rows']:>12,}" for r in results) + f"{'power':>8}{'10^8':>14}")
    for name in results[-1]:
        if name == "rows":
            continue
        line = f"{name:<20}" + "".join(f"{result[name]:>12,.3g}" for result in results)
        if name in slopes:
            line += f"{slopes[name]['power']:>8.2f}{slopes[name]['far']:>14,.3g}"
        if name in GOALS and results[-1]["rows"] == SIZES[-1]:
            sign, goal = GOALS[name]
            line += f"   {sign} {goal:g}: {'holds' if _holds(name, results[-1]) else 'MISSED'}"
        print(line)


def _time(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
