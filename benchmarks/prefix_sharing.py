"""How much of the computation of a causal model is shared between texts with a common prefix.

    python -m benchmarks.prefix_sharing [--texts N] [--json]

Embeds a run of sorted neighbours among the `code.exclude_helper` texts of NAS-Bench-201 with a
randomly initialised Llama, twice in alternation: with prefix sharing and without it, the same
engine in all else.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from benchmarks.small_forms import Rounds
from cole_core.encodings import TextEncoding
from cole_core.language_models import load, specify
from cole_core.language_models.embedder import Embedder
from cole_core.language_models.prefix_tree import PrefixTreeBackend, build_tree
from cole_core.spaces import get_space

BATCH_TOKENS = 4096
RUNS = 3


def main() -> None:
    """Runs the benchmark and prints its figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--texts", type=int, default=2000, help="neighbours from the middle")
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    texts = neighbours(options.texts)
    with llama(options.hidden, options.layers) as embedder:
        result = measure(embedder, texts)
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:<24}{value:.4g}")


def measure(
    embedder: Embedder, texts: Sequence[str], clock: Callable[[], float] = time.perf_counter
) -> dict[str, Any]:
    """Medians of alternating runs, and the largest difference between the vectors."""
    seconds: dict[bool, list[float]] = {True: [], False: []}
    vectors = {}
    for _ in range(RUNS):
        for shared in (True, False):
            with patch.object(PrefixTreeBackend, "shares", lambda *_, shared=shared: shared):
                vectors[shared], elapsed, tokens = run(embedder, texts, clock)
            seconds[shared].append(elapsed)
    windows = embedder._tokenizer(texts).windows
    computed = sum(
        len(build_tree([window.ids for window in batch]).ids)
        for batch in embedder._backend.batches(windows, BATCH_TOKENS)
    )
    with_, without = (statistics.median(seconds[shared]) for shared in (True, False))
    return {
        "texts": len(texts),
        "tokens": tokens,
        "share_of_tokens_computed": computed / tokens,
        "seconds_shared": with_,
        "seconds_unshared": without,
        "ratio": without / with_,
        "largest_difference": float(np.abs(vectors[True] - vectors[False]).max()),
    }


def small() -> Rounds:
    """200 texts with a common prefix, with and without sharing it."""
    texts = neighbours(200)
    with llama(128, 2) as embedder:
        while True:
            found = measure(embedder, texts, time.process_time)
            yield {"shared": found["seconds_shared"], "unshared": found["seconds_unshared"]}


def run(
    embedder: Embedder, texts: Sequence[str], clock: Callable[[], float]
) -> tuple[np.ndarray, float, int]:
    """Vectors (n, d), seconds, tokens read."""
    started = clock()
    batches = list(embedder.embed(texts))
    elapsed = clock() - started
    order = np.argsort(np.concatenate([batch.indices for batch in batches]))
    vectors = np.concatenate([batch.vectors for batch in batches])[order]
    return vectors, elapsed, int(sum(batch.n_tokens.sum() for batch in batches))


def neighbours(count: int) -> list[str]:
    """Texts that follow each other in the sorted list, from its middle."""
    encoding = get_space("nasbench201").encoding("code.exclude_helper")
    assert isinstance(encoding, TextEncoding)
    texts = sorted({encoding.render(native) for native in get_space("nasbench201").enumerate()})
    start = max((len(texts) - count) // 2, 0)
    return texts[start : start + count]


@contextmanager
def llama(hidden: int, layers: int) -> Iterator[Embedder]:
    """A Llama of a size, loaded by the engine."""
    with tempfile.TemporaryDirectory() as folder:
        make_llama(Path(folder), hidden, layers)
        yield load(specify(folder, precision="fp32"), batch_tokens=BATCH_TOKENS)


def make_llama(folder: Path, hidden: int, layers: int) -> None:
    """A Llama with random weights and MiniLM's tokenizer."""
    import transformers

    from cole_core.language_models.files import find_model

    tokenizer = transformers.AutoTokenizer.from_pretrained(find_model("minilm").folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 64,
        num_key_value_heads=max(hidden // 128, 1),
        intermediate_size=int(hidden * 2.75),
        max_position_embeddings=2048,
    )
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    main()
