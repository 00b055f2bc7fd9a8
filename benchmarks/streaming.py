"""A million short texts through the embed flow: rows per second, peak memory, a kill half-way.

    python -m benchmarks.streaming [--texts N] [--kill] [--json]

The texts are synthetic and go straight into a warehouse's catalog; the language model is a random
BERT of one layer made on the spot, so that what is measured is everything around the model. Each
flow runs in a process of its own, the first with a few thousand texts: what the second takes beyond
it is what grows with the number of texts. `--kill` ends a third process by SIGKILL when half of the
vectors are there, runs it again, and looks for lost and repeated rows.
"""

import argparse
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.small_forms import Rounds
from cole_core.language_models import specify
from cole_core.spaces import get_space
from warehouse import Warehouse
from warehouse.reader import space_parameters

_SPACE = get_space("nasbench201")
_ENCODING = "code.expression"
_FEW = 4_000
_FILL = 100_000  # rows of the catalog that are written at once
_VOCABULARY = 256

# The flow, then what its process took at most, Prefect's server (another process) not counted.
_EMBED = """
import json, resource, sys, time
from flows.resolve.requests import AskedEmbeddings
from flows.stages.embed import EmbedRequest, embed
home, model = sys.argv[1:]
started = time.perf_counter()
options = AskedEmbeddings(lm=model, precision="fp32", pooling="mean")
summary = embed(EmbedRequest(space="nasbench201", home=home, options=options))
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
print(json.dumps({**summary, "seconds": seconds, "peak_gb": peak}))
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark and prints what it found; 1 if a row was lost or is there twice."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        result = _measure(Path(folder), options.texts, options.hidden, options.kill)
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:<24} {value:,.2f}" if isinstance(value, float) else f"{name:<24} {value}")
    return 0 if result.get("lost", 0) == result.get("duplicates", 0) == 0 else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--hidden", type=int, default=32, help="width of the model's vectors")
    parser.add_argument("--kill", action="store_true", help="kill half-way, go on, and check")
    parser.add_argument("--folder", help="where the warehouses are made, and removed at the end")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser


def _measure(folder: Path, texts: int, hidden: int, kill: bool) -> dict[str, Any]:
    model = _make_model(folder / "model", hidden)
    result: dict[str, Any] = {"texts": texts, "hidden": hidden}

    _fill(folder / "few", min(_FEW, texts))
    result["peak_gb_few"] = _embed(folder / "few", model)["peak_gb"]

    home = folder / "home"
    _say(f"{texts:,} texts into a catalog")
    _fill(home, texts)
    if kill:
        half = _embed_until(home, model, texts // 2)
        result["stored_at_kill"] = half
        _say(f"killed with {half:,} vectors there")
    done = _embed(home, model)
    spec_id = done["spec_id"]
    stored = Warehouse(home).vectors.keys(spec_id)["text_hash"]
    promised = Warehouse(home).count_texts(_SPACE, _ENCODING, "none", spec_id)[0]
    dataset = Warehouse(home).vectors.dataset(spec_id)
    assert dataset is not None
    return result | {
        "embedded": done["embedded"],
        "recovered": done["recovered"],
        "seconds": done["seconds"],
        "rows_per_second": done["embedded"] / done["seconds"],
        "peak_gb": done["peak_gb"],
        "peak_gb_beyond_few": done["peak_gb"] - result["peak_gb_few"],
        "fragments": len(dataset.get_fragments()),
        "lost": promised - stored.n_unique(),
        "duplicates": len(stored) - stored.n_unique(),
    }


def small() -> Rounds:
    """The flow with a few thousand texts, Prefect's server with it."""
    with tempfile.TemporaryDirectory() as folder:
        model = _make_model(Path(folder) / "model", 32)
        for number in itertools.count():
            home = Path(folder) / str(number)
            _fill(home, _FEW)
            yield {"embed flow": _embed(home, model)["seconds"]}


def _make_model(folder: Path, hidden: int) -> Path:
    """A random BERT of one layer and its tokenizer, in the layout of the hub."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=_VOCABULARY, special_tokens=special, show_progress=False
    )
    tokenizer.train_from_iterator([_text(number) for number in range(2_000)], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]"
    )
    wrapped.save_pretrained(folder)
    torch.manual_seed(0)
    BertModel(
        BertConfig(
            vocab_size=len(wrapped),
            hidden_size=hidden,
            num_hidden_layers=1,
            num_attention_heads=hidden // 16,
            intermediate_size=2 * hidden,
            max_position_embeddings=64,
        )
    ).save_pretrained(folder)
    return folder


def _text(number: int) -> str:
    return f"return conv{number % 7}(x) + pool{number % 11}({number})"


def _fill(home: Path, texts: int) -> None:
    """Architectures that no space has, each with a text of its own."""
    with Warehouse(home).writer("benchmark", "benchmark") as writer:
        for start in range(0, texts, _FILL):
            numbers = range(start, min(start + _FILL, texts))
            ids = [f"synthetic-{number}" for number in numbers]
            writer.add_architectures(
                pl.DataFrame(
                    {
                        "architecture_id": ids,
                        "space": _SPACE.name,
                        "space_parameters": space_parameters(_SPACE),
                        "native": ids,
                        "canonical_id": ids,
                        "position": numbers,
                    }
                )
            )
            writer.add_renderings(
                pl.DataFrame(
                    {
                        "architecture_id": ids,
                        "encoding": _ENCODING,
                        "context": "none",
                        "text": [_text(number) for number in numbers],
                    }
                )
            )


def _start(home: Path, model: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _EMBED, str(home), str(model)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that a kill takes its Prefect server too
    )


def _embed(home: Path, model: Path) -> dict[str, Any]:
    process = _start(home, model)
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the flow ended with {process.returncode}")
    return json.loads(output.splitlines()[-1])


def _embed_until(home: Path, model: Path, rows: int) -> int:
    """Kills the flow when so many vectors are there; returns how many were."""
    spec_id = specify(str(model), precision="fp32", pooling="mean").spec_id
    process = _start(home, model)
    while process.poll() is None:
        dataset = Warehouse(home).vectors.dataset(spec_id)
        if dataset is not None and dataset.count_rows() >= rows:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return Warehouse(home).vectors.keys(spec_id).height
        time.sleep(0.2)
    raise RuntimeError(f"the flow ended before {rows} vectors were there")


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
