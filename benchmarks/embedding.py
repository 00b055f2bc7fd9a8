"""How fast the engine embeds, beside a plain loop and sentence-transformers.

    python -m benchmarks.embedding [--json] [--texts N] [--model M] [--runs R] [--device D]

The same texts (`code.exclude_helper` of NAS-Bench-201), the same model, the same machine. The rows
take turns, so that a machine that others use is equally busy for each; the figures are medians.
Counted are the texts' own tokens, not padding, and the products that these tokens need.
"""

import argparse
import importlib.util
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers as hf
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.machine import cpu_name, matrix_rate
from benchmarks.small_forms import Rounds
from cole_core.encodings.base import TextEncoding
from cole_core.language_models import load, specify
from cole_core.language_models.files import find_model
from cole_core.language_models.loading import choose_device
from cole_core.language_models.precision import compute_dtype
from cole_core.spaces import get_space

# Configurations that are run with random weights, for their speed alone.
SHAPES: dict[str, Callable[[int], hf.PretrainedConfig]] = {
    "modernbert-large-shaped": lambda vocabulary: hf.ModernBertConfig(
        vocab_size=vocabulary,
        hidden_size=1024,
        intermediate_size=2624,
        num_hidden_layers=28,
        num_attention_heads=16,
        pad_token_id=0,
    ),
    "codellama-7b-shaped": lambda vocabulary: hf.LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=4096,
        intermediate_size=11008,
        num_hidden_layers=32,
        num_attention_heads=32,
        max_position_embeddings=16384,
    ),
    "llama-small-shaped": lambda vocabulary: hf.LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=512,
        intermediate_size=1408,
        num_hidden_layers=6,
        num_attention_heads=8,
    ),
}

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class Row:
    """One way to embed.

    Attributes:
        name: What it is.
        texts_per_second: Median over the runs.
        tokens_per_second: Median over the runs, the texts' own tokens.
        share_of_matrix_rate: Products that these tokens need, by the matrix rate of the precision
            that the row computes in.
        parity: Against the plain loop: largest absolute difference of unit vectors.
        centred_cosine: Against the plain loop: median.
    """

    name: str
    texts_per_second: float
    tokens_per_second: float
    share_of_matrix_rate: float
    parity: float
    centred_cosine: float


def benchmark(
    model: str,
    n_texts: int,
    runs: int,
    device_name: str,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Runs all rows in turn.

    Args:
        model: A name or path, or one of `SHAPES`.
        n_texts: Size of the sample, 0 for all.
        runs: Turns.
        device_name: As `load` takes it.
        clock: Of the rows' seconds.
    """
    device = choose_device(device_name)
    texts = sample_texts(n_texts)
    with model_folder(model) as folder:
        tokenizer = hf.AutoTokenizer.from_pretrained(folder)
        plain = hf.AutoModel.from_pretrained(folder, dtype=torch.float32).to(device).eval()
        lengths = [len(ids) for ids in tokenizer(texts, truncation=False)["input_ids"]]
        flops = products(plain, lengths)
        ways: dict[str, tuple[Embed, torch.dtype]] = {
            "plain loop": (plain_loop(plain, tokenizer, device), torch.float32)
        }
        if importlib.util.find_spec("sentence_transformers"):
            ways["sentence-transformers"] = (sentence_transformers(folder, device), torch.float32)
        else:
            print("sentence-transformers is not installed: no such row", file=sys.stderr)
        for name, precision in (("engine, fp32", "fp32"), ("engine, bf16", "bf16")):
            ways[name] = engine(folder, precision, device), compute_dtype(precision, device)
        vectors = {name: embed(texts) for name, (embed, _) in ways.items()}  # and warm-up
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        rates: dict[torch.dtype, list[float]] = {dtype: [] for _, dtype in ways.values()}
        for _ in range(runs):
            for dtype, measured in rates.items():
                measured.append(matrix_rate(device, dtype))
            for name, (embed, _) in ways.items():
                start = clock()
                embed(texts)
                seconds[name].append(clock() - start)
    rate = {dtype: statistics.median(measured) for dtype, measured in rates.items()}
    rows = []
    for name, (_, dtype) in ways.items():
        median = statistics.median(seconds[name])
        rows.append(
            Row(
                name,
                len(texts) / median,
                sum(lengths) / median,
                flops / median / rate[dtype],
                *agreement(vectors[name], vectors["plain loop"]),
            )
        )
    best = max(rows[-2:], key=lambda row: row.texts_per_second)
    by_name = {row.name: row.texts_per_second for row in rows}
    others = by_name.get("sentence-transformers")
    return {
        "model": model,
        "texts": len(texts),
        "tokens_per_text": sum(lengths) / len(texts),
        "runs": runs,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_name(),
        "threads": torch.get_num_threads(),
        "tflops": {str(dtype).removeprefix("torch."): r / 1e12 for dtype, r in rate.items()},
        "rows": [asdict(row) for row in rows],
        "best": best.name,
        "ratio_plain_loop": best.texts_per_second / by_name["plain loop"],
        "ratio_sentence_transformers": best.texts_per_second / others if others else None,
        "share_of_matrix_rate": best.share_of_matrix_rate,
    }


def small() -> Rounds:
    """Each way to embed, MiniLM, for one text of 12."""
    while True:
        found = benchmark("minilm", 12, 1, "cpu", time.process_time)
        yield {row["name"]: 1 / row["texts_per_second"] for row in found["rows"]}


def sample_texts(n: int) -> list[str]:
    """The `code.exclude_helper` texts, or an even sample of them, in the space's order."""
    encoding = get_space("nasbench201").encoding("code.exclude_helper")
    assert isinstance(encoding, TextEncoding)
    natives = list(get_space("nasbench201").enumerate())
    chosen = natives if n == 0 else [natives[i * len(natives) // n] for i in range(n)]
    return [encoding.render(native) for native in chosen]


@contextmanager
def model_folder(model: str) -> Iterator[Path]:
    """The folder of a model; one of `SHAPES` is made with random weights and gone afterwards."""
    if model not in SHAPES:
        yield find_model(model).folder
        return
    with tempfile.TemporaryDirectory() as name:
        tokenizer = hf.AutoTokenizer.from_pretrained(find_model("minilm").folder)
        tokenizer.save_pretrained(name)
        torch.manual_seed(0)
        with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
            random = hf.AutoModel.from_config(SHAPES[model](len(tokenizer)), dtype=torch.bfloat16)
        random.save_pretrained(name)
        del random
        yield Path(name)


def plain_loop(
    model: torch.nn.Module, tokenizer: hf.PreTrainedTokenizerBase, device: torch.device
) -> Embed:
    """Batches of 32 in order, padded, fp32, mean over the tokens."""

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = []
        with torch.inference_mode():
            for start in range(0, len(texts), 32):
                batch = tokenizer(
                    list(texts[start : start + 32]),
                    padding=True,
                    truncation=True,
                    max_length=512,
                    return_tensors="pt",
                ).to(device)
                states = model(**batch).last_hidden_state
                mask = batch["attention_mask"][..., None].to(states.dtype)
                vectors.append(((states * mask).sum(1) / mask.sum(1)).cpu().numpy())
        return np.concatenate(vectors)

    return embed


def sentence_transformers(folder: Path, device: torch.device) -> Embed:
    """`encode` as it comes, reading the same 512 tokens."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device=str(device))
    model.max_seq_length = 512
    if model.tokenizer.pad_token is None:
        model.tokenizer.pad_token = model.tokenizer.eos_token
    return lambda texts: model.encode(list(texts), show_progress_bar=False)


def engine(folder: Path, precision: str, device: torch.device) -> Embed:
    """This project's engine."""
    specification = specify(str(folder), pooling="mean", precision=precision)
    embedder = load(specification, str(device))

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), specification.dimensions), np.float32)
        for batch in embedder.embed(texts):
            vectors[batch.indices] = batch.vectors
        return vectors

    return embed


def products(model: torch.nn.Module, lengths: Sequence[int]) -> float:
    """Floating-point operations of the matrix products that texts of these lengths need.

    Two per weight of a linear layer and token, and four per layer, hidden unit and pair of tokens
    in attention (all pairs, though a causal model needs half of them).
    """
    linear = sum(
        module.weight.numel()
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and "pooler" not in name
    )
    config: Any = model.config
    pairs = sum(length**2 for length in lengths)
    return 2 * linear * sum(lengths) + 4 * config.num_hidden_layers * config.hidden_size * pairs


def agreement(vectors: NDArray[np.float32], reference: NDArray[np.float32]) -> tuple[float, float]:
    """Largest difference of unit vectors, and the median cosine of centred ones."""

    def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        return rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-12)

    ours, theirs = unit(vectors), unit(reference)
    cosines = (unit(ours - ours.mean(0)) * unit(theirs - theirs.mean(0))).sum(1)
    return float(np.abs(ours - theirs).max()), float(np.median(cosines))


def print_table(result: dict[str, Any]) -> None:
    """The result for people."""
    rates = ", ".join(f"{dtype} {rate:.2f} TFLOP/s" for dtype, rate in result["tflops"].items())
    table = Table(
        title=f"{result['model']}, {result['texts']} texts of {result['tokens_per_text']:.0f} "
        f"tokens, {result['device']}, {result['threads']} threads ({rates})",
    )
    for column in ("", "texts/s", "tokens/s", "matrix rate", "max difference", "centred cosine"):
        table.add_column(column, justify="right" if column else "left")
    for row in result["rows"]:
        table.add_row(
            row["name"],
            f"{row['texts_per_second']:.1f}",
            f"{row['tokens_per_second']:.0f}",
            f"{row['share_of_matrix_rate']:.0%}",
            f"{row['parity']:.1e}",
            f"{row['centred_cosine']:.5f}",
        )
    Console().print(table)
    others = result["ratio_sentence_transformers"]
    Console().print(
        f"{result['best']}: {result['ratio_plain_loop']:.1f} times the plain loop"
        + (f", {others:.1f} times sentence-transformers" if others else "")
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--texts", type=int, default=512, help="size of the sample, 0 for all")
    parser.add_argument("--model", default="minilm", help=f"name, path, or {', '.join(SHAPES)}")
    parser.add_argument("--runs", type=int, default=3, help="turns of which the median is taken")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    hf.utils.logging.disable_progress_bar()
    result = benchmark(arguments.model, arguments.texts, arguments.runs, arguments.device)
    if arguments.json:
        print(json.dumps(result))
    else:
        print_table(result)


if __name__ == "__main__":
    main()
