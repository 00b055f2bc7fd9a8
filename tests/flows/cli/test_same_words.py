"""The same wrong name gets the same line from every command that takes it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.flows.conftest import Cole, Small

Commands = Mapping[str, tuple[object, ...]]

NB = "nasbench201"
CIFAR10 = ("--dataset", "cifar10")
FP32 = ("--precision", "fp32")
NATIVE = "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"

SPACE: Commands = {
    "run": ("run", "darts"),
    "enumerate": ("enumerate", "darts"),
    "render": ("render", "darts"),
    "embed": ("embed", "darts"),
    "ingest": ("ingest", "darts", "analog-nasbench"),
    "evaluate": ("evaluate", "darts", "--dataset", "digits"),
    "proxies": ("proxies", "darts"),
    "train": ("train", "darts", *CIFAR10),
    "search": ("search", "darts", *CIFAR10),
    "search by training": ("search", "darts", "--train", "--dataset", "digits"),
    "compare predictors": ("compare", "predictors", "primitives", "--space", "darts"),
    "compare search": ("compare", "search", "encodings", "--space", "darts"),
    "compare published": ("compare", "published", "--space", "darts"),
    "report": ("report", "darts"),
    "best": ("best", "--space", "darts"),
    "similar": ("similar", NATIVE, "--space", "darts"),
    "watch": ("watch", "add", "--space", "darts"),
}

HAIKU = ("--encoding", "haiku")
ENCODING: Commands = {
    "render": ("render", NB, *HAIKU),
    "embed": ("embed", NB, *HAIKU),
    "train": ("train", NB, *CIFAR10, *FP32, *HAIKU),
    "search": ("search", NB, *CIFAR10, *FP32, *HAIKU),
    "search by training": ("search", NB, "--train", "--dataset", "digits", *HAIKU),
    "compare predictors": ("compare", "predictors", *FP32, "--encoding", "path", *HAIKU),
    "compare search": (
        *("compare", "search", "--seeds", 2, "--budget", 10),
        *("-c", "encoding=path", "-c", "encoding=haiku"),
    ),
    "compare published": ("compare", "published", *HAIKU),
    "similar": ("similar", NATIVE, *HAIKU),
    "watch": ("watch", "add", "--space", NB, *HAIKU),
}

MODEL = ("--lm", "no-such-model")
MADE: Commands = {  # where vectors are made
    "run": ("run", NB, *MODEL),
    "embed": ("embed", NB, *MODEL),
    "search by training": ("search", NB, "--train", "--dataset", "digits", *MODEL),
    "watch": ("watch", "add", *MODEL),
}
LOOKED_UP: Commands = {  # where they must be there
    "train": ("train", NB, *CIFAR10, *MODEL),
    "search": ("search", NB, *CIFAR10, *MODEL),
    "similar": ("similar", NATIVE, *MODEL),
}
COMPARED: Commands = {  # where they must be of whole texts
    "compare predictors": (
        *("compare", "predictors", *MODEL),
        *("--encoding", "path", "--encoding", "code.bare"),
    ),
    "compare search": (
        *("compare", "search", "--seeds", 2, "--budget", 10, *MODEL),
        *("-c", "encoding=path", "-c", "encoding=code.bare"),
    ),
}
MISSING = (
    "are missing: make them with: cole embed nasbench201 --encoding code.bare "
    "--lm no-such-model --pooling avg_avg --precision bf16"
)

MNIST = ("--dataset", "mnist")
VALUES: Commands = {
    "train": ("train", NB, *MNIST, *FP32),
    "search": ("search", NB, *MNIST, *FP32),
    "compare predictors": ("compare", "predictors", "primitives", *MNIST),
    "compare search": ("compare", "search", "encodings", *MNIST),
    "report": ("report", NB, *MNIST),
    "best": ("best", *MNIST),
    "similar": ("similar", NATIVE, *MNIST),
}
IMAGES: Commands = {
    "evaluate": ("evaluate", NB, *MNIST, "--limit", 1),
    "proxies": ("proxies", NB, *MNIST),
    "search by training": ("search", NB, "--train", *MNIST),
    "run": ("run", "einspace", "--samples", 3, *MNIST),
}

CASES: dict[str, tuple[Commands, str]] = {
    "space": (
        SPACE,
        "unknown search space 'darts': choose one of einspace, nasbench201, nasbenchgraph",
    ),
    "encoding": (ENCODING, "unknown encoding of nasbench201 'haiku': choose one of adjacency, "),
    "language model to be read": (MADE, "no-such-model"),
    "language model that was read": (
        LOOKED_UP,
        f"embeddings {MISSING}",
    ),
    "language model that was compared": (COMPARED, f"embeddings of whole texts {MISSING}"),
    "dataset of stored values": (
        VALUES,
        "no evaluations of dataset mnist: choose from dataset cifar10 metric accuracy split test "
        "epochs 200 source mine.csv",
    ),
    "dataset of images": (IMAGES, "mnist"),
}


@pytest.mark.parametrize("name", CASES)
def test_one_line_for_all(cole: Cole, made: Small, name: str) -> None:
    commands, says = CASES[name]
    before = made.warehouse.status()
    lines = {}
    for command, arguments in commands.items():
        code, out, err = cole(*arguments, "--home", made.home)
        assert (code, out) == (2, ""), command
        lines[command] = err
    assert len(set(lines.values())) == 1, lines
    [line] = set(lines.values())
    assert line.startswith(f"cole: {says}" if len(says) > 20 else "cole: ")
    assert says in line
    assert line.count("\n") == 1
    assert made.warehouse.status() == before


@pytest.mark.parametrize("command", ["best", "train", "report"])
def test_a_home_without_a_warehouse_gets_one_line(cole: Cole, tmp_path: Path, command: str) -> None:
    space = () if command == "best" else (NB,)
    code, _, err = cole(command, *space, *CIFAR10, "--home", tmp_path / "nowhere")
    assert code == 2
    assert err == (
        f"cole: no warehouse at {tmp_path / 'nowhere'}: make one with 'cole run SPACE', or "
        "name another with --home\n"
    )
