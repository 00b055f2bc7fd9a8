"""The explorer at 15,625 and 10^5 architectures: seconds to the first map, of a click, of a filter.

    python -m benchmarks.explorer [--sizes N ...] [--folder DIR] [--real FILE] [--json]

The architectures are NAS-Bench-201's cells and, beyond those, made-up ones; each has a text, a
value and a vector of its own: real ones with noise, as in `benchmarks.growth`. All go through the
warehouse's writer. Then `cole ui` serves them in a process of its own, and a headless Chromium on
the same machine looks at the page: from the address until the map is painted in colours, by a
server that said its address at that moment, with a browser that has none of its scripts
(`first_map_s`), and by one that has drawn it before (`next_map_s`); from a click on a point until
the card of that architecture is laid out (`click_ms`); from Enter in the condition until the map
and the list show what fits (`filter_ms`); and how long the canvas takes to draw all points
(`paint_ms`). Times within the page are the browser's own, from the event to the change.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.growth import ENCODING, SPACE, SPEC, Vectors, real_vectors, shards, text_of
from benchmarks.small_forms import MissingError, Rounds
from cole_core.hashing import hash_text
from tests.browser import NAMES as BROWSERS
from tests.browser import Page, browser
from warehouse import Warehouse
from warehouse.reader import space_parameters

SIZES = (15_625, 100_000)
CLICKS = 15
CONDITIONS = (
    "cifar10 > 60",
    "cifar10 > 30 AND native LIKE '%conv%'",
    "position % 3 = 0",
    "cifar10 BETWEEN 20 AND 80",
    "source = 'benchmark' AND conv3x3 >= 1",
)
GOALS = {"first_map_s": 3.0, "click_ms": 300.0, "filter_ms": 1000.0}

_PAINTED = """(() => {
  const canvas = document.querySelector('.scatter canvas');
  if (!canvas || !document.querySelector('.legend .bar')) return false;
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  for (let i = 0; i < data.length; i += 4)
    if (data[i + 3] > 100 && Math.max(data[i], data[i+1], data[i+2])
        - Math.min(data[i], data[i+1], data[i+2]) > 60) return true;
  return false;
})()"""
_SPOTS = """(() => {
  const canvas = document.querySelector('.scatter canvas'), box = canvas.getBoundingClientRect();
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const found = [];
  for (let i = 3; i < data.length; i += 4) if (data[i] > 180) found.push((i - 3) / 4);
  return Array.from({length: %d}, (_, n) => found[Math.floor((n + 0.5) * found.length / %d)])
    .map((at) => [box.x + (at %% canvas.width) / canvas.width * box.width,
                  box.y + Math.floor(at / canvas.width) / canvas.height * box.height]);
})()"""
# The time from an event to the first change of the side that holds some words.
_WATCH = """(() => {
  const side = document.querySelector('.side');
  window.took = null;
  const start = () => { window.began = performance.now(); };
  addEventListener('%s', start, {capture: true, once: true});
  const watch = new MutationObserver(() => {
    if (window.began && side.querySelector('%s')?.innerText.includes('%s')) {
      watch.disconnect();
      requestAnimationFrame(() => { window.took = performance.now() - window.began;
                                    window.began = null; });
    }
  });
  watch.observe(side, {childList: true, subtree: true, characterData: true});
})()"""
_PAINT = """(() => {
  const began = performance.now();
  document.querySelector('.scatter').paint();
  return performance.now() - began;
})()"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 1 if a goal is missed."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        real = np.load(options.real) if options.real else real_vectors()
        results = []
        for size in options.sizes:
            home = Path(folder) / f"home-{size}"
            _say(f"{size:,} architectures are written")
            _fill(home, Vectors(real), size)
            _say("and looked at")
            results.append({"architectures": size} | _look(home, Path(folder)))
    print(json.dumps(results) if options.json else _table(results))
    missed = [name for each in results for name, goal in GOALS.items() if each[name] > goal]
    return int(bool(missed))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--folder", help="where the warehouses are made, and removed at the end")
    parser.add_argument("--real", help="a file with real vectors, as benchmarks.growth keeps it")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser


def small() -> Rounds:
    """2,000 architectures, the vectors drawn at random: values change no time here."""
    if not any(map(shutil.which, BROWSERS)):
        raise MissingError("Chromium: apt-get install chromium")
    real = np.random.default_rng(0).standard_normal((500, SPEC.dimensions), dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        _fill(home, Vectors(real), 2_000)
        while True:
            found = _look(home, Path(folder))
            maps = {name.removesuffix("_s"): found[name] for name in ("first_map_s", "next_map_s")}
            yield maps | {
                name.removesuffix("_ms"): found[name] / 1e3
                for name in ("click_ms", "filter_ms", "paint_ms")
            }


def _fill(home: Path, vectors: Vectors, size: int) -> None:
    cells = list(islice(SPACE.enumerate(), size))
    with Warehouse(home).writer("benchmark", "benchmark") as writer:
        writer.add_specification(
            *(SPEC.spec_id, SPEC.language_model, SPEC.pooling, SPEC.precision, SPEC.to_json()),
            SPEC.dimensions,
        )
        for numbers in shards(size):
            natives = [cells[n] if n < len(cells) else f"synthetic-{n}" for n in numbers]
            rows = _rows(natives, numbers)
            texts = [text_of(number) for number in numbers]
            writer.add_architectures(rows)
            writer.add_renderings(
                rows.select(
                    "architecture_id",
                    encoding=pl.lit(ENCODING),
                    context=pl.lit("none"),
                    text=pl.Series(texts),
                )
            )
            writer.add_evaluations(_evaluations(rows))
            drawn = vectors.draw(len(numbers), [0, numbers[0]])
            tokens = np.full(len(numbers), 60, np.int32)
            hashes = [hash_text(text) for text in texts]
            writer.add_embeddings(SPEC.spec_id, hashes, drawn, tokens, tokens == 0)
        writer.checkpoint()


def _rows(natives: Sequence[str], numbers: Sequence[int]) -> pl.DataFrame:
    ids = [SPACE.architecture_id(native) for native in natives]
    return pl.DataFrame(
        {
            "architecture_id": ids,
            "space": SPACE.name,
            "space_parameters": space_parameters(SPACE),
            "native": natives,
            "canonical_id": ids,
            "position": numbers,
        }
    )


def _evaluations(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        "architecture_id",
        "native",
        dataset=pl.lit("cifar10"),
        metric=pl.lit("accuracy"),
        split=pl.lit("test"),
        epochs=pl.lit(200, dtype=pl.Int32),
        seed=pl.lit(None, dtype=pl.Int32),
        source=pl.lit("benchmark"),
        value=(pl.col("position") * 7919 % 10_000 / 100).cast(pl.Float64),
    )


def _look(home: Path, folder: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=folder) as profile, browser(Path(profile)) as page:
        with _served(home) as address:
            page.open(f"{address}/runs")  # a browser at work, that keeps nothing of the next one
            page.wait_for("Runs")
        with _served(home) as address:
            return _measure(page, address)


def _measure(page: Page, address: str) -> dict[str, float]:
    first, following = (_until_painted(page, address) for _ in range(2))
    clicks = [_click(page, spot) for spot in page.evaluate(_SPOTS % (CLICKS, CLICKS))]
    return {
        "first_map_s": first,
        "next_map_s": following,
        "click_ms": float(np.median(clicks)),
        "click_most_ms": float(max(clicks)),
        "filter_ms": float(np.median([_filter(page, each) for each in CONDITIONS])),
        "paint_ms": float(np.median([page.evaluate(_PAINT) for _ in range(5)])),
    }


def _until_painted(page: Page, address: str) -> float:
    started = time.monotonic()
    page.open(address)
    _wait(page, _PAINTED)
    return time.monotonic() - started


def _click(page: Page, spot: tuple[float, float]) -> float:
    page.evaluate(_WATCH % ("pointerup", ".card h2 a", ""))
    page.click(*spot)
    return _took(page)


def _filter(page: Page, condition: str) -> float:
    page.type("input[placeholder*=conv3x3]", condition)
    page.evaluate(_WATCH % ("keydown", "h2", " fit"))
    page.press("Enter")
    return _took(page)


def _took(page: Page) -> float:
    _wait(page, "window.took !== null")
    return float(page.evaluate("window.took"))


def _wait(page: Page, condition: str) -> None:
    deadline = time.monotonic() + 120
    while not page.evaluate(condition):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited in vain for {condition}")
        time.sleep(0.02)


@contextlib.contextmanager
def _served(home: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "flows.cli", "ui", "--home", str(home), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://[\d.:]+", process.stdout.readline())
            assert found, "the explorer did not start"
            yield found[0]
        finally:
            process.terminate()
            process.wait(timeout=30)


def _table(results: Sequence[dict[str, Any]]) -> str:
    lines = [f"{'':<14}" + "".join(f"{each['architectures']:>10,}" for each in results)]
    for name in results[0]:
        if name != "architectures":
            line = f"{name:<14}" + "".join(f"{each[name]:>10.3g}" for each in results)
            lines.append(line + (f"   at most {GOALS[name]:g}" if name in GOALS else ""))
    return "\n".join(lines)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
