"""`cole show`: everything about one architecture, and its network as a file that runs alone."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from cole_core.evaluation.datasets import digits
from cole_core.evaluation.images import ImageTensors
from cole_core.evaluation.settings import TrainingSettings
from cole_core.evaluation.training import accuracy, train
from cole_core.evaluation.training_source import write_training
from cole_core.spaces import parse_space
from cole_core.spaces.base import SearchSpace, Task
from cole_core.spaces.nasbench201 import NASBench201
from flows.questions.show import ShowRequest, show
from flows.resolve.network_training import NetworkOptions, TrainingOptions
from flows.stages.train_networks import TrainNetworksRequest, train_networks
from tests.flows.conftest import SPACE, Cole, Small
from warehouse import Warehouse

CELL = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|"
    "+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
)
TREE = "sequential(routing[im2col(3,1,1), computation<linear(16)>, col2im], computation<relu>)"

# Nothing of ours can be imported there.
_ALONE = """
import json, runpy, sys
for name in ("cole_core", "flows", "warehouse"):
    sys.modules[name] = None
import torch
names = runpy.run_path(sys.argv[1])
network = names["Network"]().eval()
shape = list(network(torch.randn(2, *map(int, sys.argv[2].split("x")))).shape)
print(json.dumps([shape, sum(p.numel() for p in network.parameters())]))
if len(sys.argv) > 3:
    arrays = torch.load(sys.argv[3])
    trained = names["train"](arrays["images"], arrays["labels"])
    torch.save(trained(arrays["images"]), sys.argv[3])
"""


def alone(path: Path, shape: str, *more: object) -> tuple[list[int], int]:
    """Output shape and parameters of a file's network, in a process that has only PyTorch."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _ALONE, str(path), shape, *map(str, more)],
        capture_output=True,
        text=True,
        cwd=path.parent,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    size, count = json.loads(done.stdout.splitlines()[0])
    return size, count


def parameters(network: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def test_what_is_said_is_what_is_stored(made: Small) -> None:
    accuracies = made.accuracies
    native = sorted(accuracies, key=lambda each: accuracies[each])[-3]
    found = show(ShowRequest(what=native, home=made.home))
    assert found["native"] == native
    assert found["architecture_id"] == SPACE.architecture_id(native)
    assert found["stored"]
    [value] = found["values"]
    assert (value["dataset"], value["epochs"], value["source"]) == ("cifar10", 200, "mine.csv")
    assert value["value"] == accuracies[native]
    better = sum(other > accuracies[native] for other in accuracies.values())
    assert (value["rank"], value["architectures"]) == (better + 1, len(accuracies))
    same = {
        other
        for other in accuracies
        if other != native and SPACE.canonical_form(other) == SPACE.canonical_form(native)
    }
    assert {twin["native"] for twin in found["twins"]} == same
    assert found["parameters"] == parameters(SPACE.build(native))
    [text] = found["texts"]
    encoding = SPACE.encoding("code.bare")
    assert text["text"] == encoding.render(native)  # type: ignore[union-attr]
    assert list(text["tokens"]) == ["minilm"]
    vectors = made.warehouse.sql(
        "SELECT native, vector FROM renderings "
        "JOIN embeddings_minilm_avg_avg_fp32 USING (text_hash)"
    )
    unit = np.array(vectors["vector"].to_list())
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    own = unit[vectors["native"].to_list().index(native)]
    nearest = 1 - np.sort(unit @ own)[::-1]
    shown = [row["distance"] for row in found["neighbours"]["rows"]]
    np.testing.assert_allclose(shown, nearest[1:6], atol=1e-4)
    assert found["predictions"] == []
    assert found["trainings"] == []


def test_every_twin_is_named(made: Small, tmp_path: Path) -> None:
    natives = made.warehouse.sql("SELECT native FROM architectures")["native"].to_list()
    groups: dict[str, set[str]] = {}
    for native in natives:
        groups.setdefault(SPACE.canonical_form(native), set()).add(native)
    largest = max(groups.values(), key=len)
    for native in sorted(largest)[:2]:
        found = show(ShowRequest(what=native, home=made.home))
        assert {twin["native"] for twin in found["twins"]} == largest - {native}


def test_predictions_are_those_of_the_best(cole: Cole, small: Small) -> None:
    asked = ("--dataset", "cifar10", "--home", small.home)
    assert cole("train", "nasbench201", "-n", "14", "--head", "ridge", *asked)[0] == 0
    listed = json.loads(cole("best", "--predicted", "-k", "60", "--json", *asked)[1])["rows"]
    for place in (0, 7, 59):
        row = listed[place]
        out = cole("show", row["architecture_id"], "--home", small.home, "--json")[1]
        [prediction] = json.loads(out)["predictions"]
        assert prediction["predicted"] == pytest.approx(row["predicted"])
        assert prediction["std"] == pytest.approx(row["std"])
        above = sum(other["predicted"] > row["predicted"] for other in listed)
        assert (prediction["rank"], prediction["architectures"]) == (above + 1, 60)
    text = cole("show", listed[0]["architecture_id"], "--home", small.home)[1]
    assert "Predicted" in text
    assert "ridge on code.bare, trained on 14" in text


@pytest.mark.parametrize("width", [60, 80, 200])
def test_it_is_readable_at_any_width(
    cole: Cole, made: Small, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.chdir(made.home.parent)  # a path is never broken, whatever its length
    native = max(made.accuracies, key=lambda each: made.accuracies[each])
    code, out, err = cole("show", native, "--home", made.home.name)
    assert (code, err) == (0, "")
    assert out.startswith("architecture of nasbench201\n" + native)
    whole = ("|", "conv", "x +", "class Cell", "return", "def forward", "pool")
    for line in out.splitlines():
        assert len(line) <= width or any(mark in line for mark in whole), line
    said = " ".join(out.split())
    for words in ("Measured", "1 of 60", "mine.csv", "Nearest by code.bare", "of minilm"):
        assert words in said
    assert "next: cole show " in said
    assert "--output net.py" in said


def test_commands_that_find_architectures_name_it(cole: Cole, made: Small) -> None:
    for command in (("best", "--dataset", "cifar10"), ("similar", CELL)):
        out = cole(*command, "-k", "3", "--home", made.home)[1]
        first = json.loads(cole(*command, "-k", "3", "--json", "--home", made.home)[1])["rows"][0]
        assert f"next: cole show {first['architecture_id'][:12]} --home {made.home}" in out


def test_a_search_names_the_best_that_it_found(cole: Cole, small: Small) -> None:
    search = ("search", "nasbench201", "--dataset", "cifar10", "--algorithm", "random_search")
    code, out, _ = cole(*search, "--budget", "20", "--home", small.home)
    assert code == 0
    searched = small.warehouse.sql("SELECT architecture_id FROM searches ORDER BY value DESC, step")
    assert f"next: cole show {searched['architecture_id'][0][:12]} " in out


def test_what_is_not_in_the_warehouse_is_shown_too(cole: Cole, made: Small) -> None:
    out = cole("show", CELL.replace("+", ""), "--home", made.home)[1]
    assert "read as a native string without plus signs" in out
    assert "not in the warehouse" in out
    assert "Measured: nothing" in out
    assert f"next: cole show '{CELL}' --output net.py --home {made.home}" in out


def test_a_file_is_no_architecture(cole: Cole, made: Small, tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text("import torch\nclass Net(torch.nn.Module):\n    def forward(self, x): ...\n")
    code, _, err = cole("show", path, "--home", made.home)
    assert (code, err.count("\n")) == (2, 1)
    assert "is a file: give an architecture or its id" in err


@pytest.mark.parametrize(
    ("space", "native", "shape"),
    [
        ("nasbench201", CELL, "3x32x32"),
        ("nasbench201", "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", "3x32x32"),
        ("einspace", TREE, "3x32x32"),
        ("einspace:1x8x8:7", TREE, "1x8x8"),
    ],
)
def test_the_file_runs_alone(
    cole: Cole, made: Small, tmp_path: Path, space: str, native: str, shape: str
) -> None:
    path = tmp_path / "net.py"
    asked = ("show", native, "--space", space, "--output", path, "--home", made.home)
    code, out, _ = cole(*asked)
    assert code == 0
    assert f"written: {path}" in " ".join(out.split())
    network = parse_space(space).build(native).eval()
    images = torch.randn(2, *map(int, shape.split("x")))
    assert alone(path, shape) == (list(network(images).shape), parameters(network))
    assert native in path.read_text()
    again = path.read_bytes()
    assert "there already" in cole(*asked)[1]
    assert path.read_bytes() == again


def test_other_spaces_have_the_class_of_their_normal_form(tmp_path: Path) -> None:
    class Plain(NASBench201):  # which writes its networks, and their cells, better itself
        normal_form = SearchSpace.normal_form

    space = Plain()
    path = tmp_path / "net.py"
    path.write_text(SearchSpace.runnable(space, CELL))
    assert alone(path, "3x32x32") == ([2, 10], parameters(space.build(CELL)))
    task = Task((1, 8, 8), 4, {"channels": 4, "cells": 1})
    path.write_text(SearchSpace.runnable(space, CELL, task))
    network = space.build_for(CELL, task.input_shape, task.classes, task.macro)
    assert alone(path, "1x8x8") == ([2, 4], parameters(network))


def test_images_that_do_not_halve_are_padded(tmp_path: Path) -> None:
    space, task = NASBench201(), Task((2, 10, 7), 3, {"channels": 4, "cells": 1})
    source = space.runnable(CELL, task)
    names: dict[str, Any] = {}
    exec(source, names)
    built = space.build_for(CELL, task.input_shape, task.classes, task.macro).eval()
    written = names["Network"]().eval()
    weights = zip(written.state_dict(), built.state_dict().values(), strict=True)
    written.load_state_dict(dict(weights))
    images = torch.randn(2, *task.input_shape)
    torch.testing.assert_close(written(images), built(images))


def test_another_file_is_never_written_over(cole: Cole, made: Small, tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text("mine\n")
    code, out, err = cole("show", CELL, "--output", path, "--home", made.home)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "there is another file of that name: name another, or remove it" in err
    assert path.read_text() == "mine\n"
    code, _, err = cole("show", CELL, "--output", made.home / "net.py", "--home", made.home)
    assert code == 2
    assert "is inside the warehouse" in err
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("space", ["nasbench201", "einspace"])
def test_the_file_trains_as_it_was_trained_here(cole: Cole, tmp_path: Path, space: str) -> None:
    home, path, arrays = tmp_path / "home", tmp_path / "net.py", tmp_path / "arrays.pt"
    sizes = {"channels": 2, "cells": 1} if space == "nasbench201" else {}
    train_networks(
        TrainNetworksRequest(
            space=space,
            home=home,
            dataset="digits",
            samples=1,
            seed=3,
            options=TrainingOptions(epochs=1, augmentation="shift"),
            networks=NetworkOptions(workers=1, **sizes),
        )
    )
    known = Warehouse(home).sql("SELECT * FROM trainings").row(0, named=True)
    code, out, _ = cole("show", known["architecture_id"], "--output", path, "--home", home)
    assert code == 0
    assert "Trained here" in out
    tensors = ImageTensors(digits())
    images, labels = tensors.parts["train"]
    torch.save({"images": images, "labels": labels}, arrays)
    torch.set_num_threads(1)
    assert alone(path, "1x8x8", arrays)[1] == known["parameters"]
    logits = torch.load(arrays)
    right = 100 * float((logits.argmax(dim=1) == labels).float().mean())
    stored = Warehouse(home).sql("SELECT split, value FROM evaluations ORDER BY split")
    [settings] = [TrainingSettings(1, 64, augmentation="shift")]
    again = parse_space("einspace:1x8x8:10") if space == "einspace" else NASBench201()
    torch.manual_seed(3)
    network = again.build_for(known["native"], (1, 8, 8), 10, sizes)
    scores = train(network, tensors, settings, seed=3)
    assert {score.split: score.value for score in scores} == pytest.approx(
        dict(stored.iter_rows()), abs=1.0
    )
    assert right == pytest.approx(accuracy(network, images, labels), abs=0.5)
    said = path.read_text()
    for value in stored["value"]:
        assert f"{value:.6g} %" in said


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("augmentation", ["none", "shift", "flip", "shift+flip"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_written_trainings_train_as_ours(optimizer: str, augmentation: str, precision: str) -> None:
    settings = TrainingSettings(2, 16, optimizer, None, 1e-3, augmentation, precision)
    data = digits()
    tensors = ImageTensors(data)
    images, labels = (each[:64] for each in tensors.parts["train"])
    tensors.parts["train"] = images, labels
    task = Task((1, 8, 8), 10, {"channels": 2, "cells": 1})
    source = NASBench201().runnable(CELL, task) + write_training(settings, seed=5)
    names: dict[str, Any] = {}
    exec(source, names)
    written = names["train"](images, labels)
    torch.manual_seed(5)
    network = NASBench201().build_for(CELL, task.input_shape, task.classes, task.macro)
    train(network, tensors, settings, seed=5)
    ours, theirs = network.state_dict().values(), written.state_dict().values()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.usefixtures("prefect_server")
def test_values_without_a_better_have_no_rank(cole: Cole, tmp_path: Path) -> None:
    table, home = tmp_path / "scores.csv", tmp_path / "home"
    other = NASBench201().sample(np.random.default_rng(0))
    pl.DataFrame({"arch_str": [CELL, other], "s": [1.0, 2.0]}).write_csv(table)
    column = ("--column", "s=cifar10:test:my_score")
    assert cole("ingest", "nasbench201", table, *column, "--home", home)[0] == 0
    [value] = show(ShowRequest(what=CELL, home=home))["values"]
    assert (value["rank"], value["architectures"], value["direction"]) == (None, 2, None)
