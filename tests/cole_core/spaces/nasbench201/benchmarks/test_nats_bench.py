"""The official files, on tiny ones written in their formats (also by torch.save itself)."""

import bz2
import pickle
import re
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from cole_core.errors import InputError
from cole_core.sources import read_evaluations
from cole_core.sources.base import SCHEMA
from cole_core.spaces import get_space
from cole_core.spaces.base import SearchSpace

CELLS = [
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|none~2|",
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
]
SETS = {
    "cifar10-valid": ["x-valid", "ori-test"],
    "cifar10": ["ori-test"],
    "cifar100": ["ori-test", "x-valid", "x-test"],
    "ImageNet16-120": ["ori-test", "x-valid", "x-test"],
}
# What each official pair is called here.
NAMES = {
    ("cifar10-valid", "x-valid"): ("cifar10", "valid"),
    ("cifar10-valid", "ori-test"): ("cifar10-valid", "test"),
    ("cifar10", "ori-test"): ("cifar10", "test"),
    ("cifar100", "ori-test"): ("cifar100", "valid+test"),
    ("cifar100", "x-valid"): ("cifar100", "valid"),
    ("cifar100", "x-test"): ("cifar100", "test"),
    ("ImageNet16-120", "ori-test"): ("ImageNet16-120", "valid+test"),
    ("ImageNet16-120", "x-valid"): ("ImageNet16-120", "valid"),
    ("ImageNet16-120", "x-test"): ("ImageNet16-120", "test"),
}
SEEDS = {12: [777], 200: [777, 888]}


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return get_space("nasbench201")


def accuracy(index: int, dataset: str, name: str, epochs: int, seed: int, epoch: int) -> float:
    key = f"{index}{dataset}{name}{epochs}{seed}"
    return (sum(map(ord, key)) + epoch) % 1000 / 10


def run(index: int, dataset: str, epochs: int, seed: int) -> dict[str, Any]:
    """One training run, with the fields that the benchmark keeps for it."""
    names = SETS[dataset]
    # Runs of the older collection have the last epoch only on the sets evaluated afterwards.
    kept = {name: range(epochs) if name == names[0] else [epochs - 1] for name in names}
    accuracies = {
        f"{name}@{epoch}": accuracy(index, dataset, name, epochs, seed, epoch)
        for name in names
        for epoch in kept[name]
    }
    return {
        "name": dataset,
        "net_state_dict": None,
        "train_acc1es": dict.fromkeys(range(epochs), 50.0),
        "train_acc5es": None,
        "train_losses": dict.fromkeys(range(epochs), 1.0),
        "train_times": OrderedDict((epoch, 3.0) for epoch in range(epochs)),
        "arch_config": {"channel": 16, "num_cells": 5, "arch_str": CELLS[index], "class_num": 10},
        "params": np.float64(0.5),
        "flop": np.float32(7.5),
        "seed": str(seed),
        "epochs": epochs,
        "latency": [0.01],
        "eval_names": names,
        "eval_acc1es": accuracies,
        "eval_times": {},
        "eval_losses": dict.fromkeys(accuracies, 0.5),
    }


def results(index: int, epochs: int) -> dict[str, Any]:
    return {
        "arch_index": index,
        "arch_str": CELLS[index],
        "all_results": {
            (dataset, seed): run(index, dataset, epochs, seed)
            for dataset in SETS
            for seed in SEEDS[epochs]
        },
        "dataset_seed": dict.fromkeys(SETS, SEEDS[epochs]),
        "clear_net_done": True,
    }


def benchmark(less: str, full: str) -> dict[str, Any]:
    return {
        "meta_archs": CELLS,
        "total_archs": len(CELLS),
        "arch2infos": {
            index: {less: results(index, 12), full: results(index, 200)}
            for index in range(len(CELLS))
        },
        "evaluated_indexes": {0, 1},
    }


def save_bz2(path: Path, content: object) -> None:
    with bz2.open(path, "wb") as stream:
        pickle.dump(content, stream, protocol=4)


def folder(path: Path) -> Path:
    path.mkdir()
    meta = {"meta_archs": CELLS, "total_archs": 2, "arch2infos": None, "evaluated_indexes": set()}
    save_bz2(path / "meta.pickle.pbz2", meta)
    for index in range(len(CELLS)):
        content = OrderedDict({"12": results(index, 12), "200": results(index, 200)})
        save_bz2(path / f"{index:06d}.pickle.pbz2", content)
    return path


def expected(source: str) -> set[tuple[Any, ...]]:
    return {
        (
            CELLS[index],
            NAMES[dataset, name][0],
            "accuracy",
            NAMES[dataset, name][1],
            epochs,
            seed,
            source,
            accuracy(index, dataset, name, epochs, seed, epochs - 1),
        )
        for index in range(len(CELLS))
        for dataset, name in NAMES
        for epochs, seeds in SEEDS.items()
        for seed in seeds
    }


def check(frame: pl.DataFrame, source: str) -> None:
    assert frame.schema == SCHEMA
    assert frame.height == 2 * 9 * 3
    assert set(frame.rows()) == expected(source)


@pytest.mark.parametrize("zipped", [True, False])
def test_the_file_of_torch_save_is_read(tmp_path: Path, space: SearchSpace, zipped: bool) -> None:
    path = tmp_path / "NAS-Bench-201-v1_1-096897.pth"
    torch.save(benchmark("less", "full"), path, _use_new_zipfile_serialization=zipped)
    check(read_evaluations(str(path), space), path.name)


def test_the_nats_bench_folder_is_read(tmp_path: Path, space: SearchSpace) -> None:
    path = folder(tmp_path / "NATS-tss-v1_0-3ffb9-simple")
    check(read_evaluations(str(path), space), path.name)


def test_the_nats_bench_file_is_read(tmp_path: Path, space: SearchSpace) -> None:
    path = tmp_path / "NATS-tss-v1_0-3ffb9.pickle.pbz2"
    save_bz2(path, benchmark("12", "200"))
    check(read_evaluations(str(path), space), path.name)


def test_a_folder_with_a_part_of_the_architectures_gives_that_part(
    tmp_path: Path, space: SearchSpace
) -> None:
    path = folder(tmp_path / "nats")
    (path / "000000.pickle.pbz2").unlink()
    assert read_evaluations(str(path), space)["native"].unique().to_list() == [CELLS[1]]


class Touch:
    """Unpickled by pickle itself, it makes a file (protocol 2 spells that with getattr)."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_hostile_torch_file_is_refused(tmp_path: Path, space: SearchSpace, zipped: bool) -> None:
    path, trace = tmp_path / "a.pth", tmp_path / "ran"
    content = benchmark("less", "full") | {"extra": Touch(trace)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match=r"a\.pth: refused, because it asks for .*getattr"):
        read_evaluations(str(path), space)
    assert not trace.exists()


@pytest.mark.parametrize("name", ["meta.pickle.pbz2", "000001.pickle.pbz2"])
def test_a_hostile_folder_is_refused(tmp_path: Path, space: SearchSpace, name: str) -> None:
    path, trace = folder(tmp_path / "nats"), tmp_path / "ran"
    save_bz2(path / name, Touch(trace))
    with pytest.raises(InputError, match=f"{name}: refused"):
        read_evaluations(str(path), space)
    assert not trace.exists()


def test_a_pickle_cannot_change_what_the_next_one_is_read_with(
    tmp_path: Path, space: SearchSpace
) -> None:
    # BUILD with a slot state sets attributes on the class that the pickle named.
    hostile = b"cnumpy\ndtype\n(N}S'__init__'\ncbuiltins\nset\nstb."
    path = folder(tmp_path / "nats")
    good = (path / "000000.pickle.pbz2").read_bytes()
    with bz2.open(path / "000000.pickle.pbz2", "wb") as stream:
        stream.write(hostile)
    with pytest.raises(InputError, match=r"^000000\.pickle\.pbz2: not readable as a pickle"):
        read_evaluations(str(path), space)
    (path / "000000.pickle.pbz2").write_bytes(good)
    check(read_evaluations(str(path), space), "nats")


def test_files_with_weights_are_refused(tmp_path: Path, space: SearchSpace) -> None:
    content = benchmark("less", "full") | {"weights": torch.zeros(2)}
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(InputError, match=r"a\.pth: refused, because it asks for torch\._utils"):
        read_evaluations(str(tmp_path / "a.pth"), space)


def broken(change: str) -> dict[str, Any]:
    content = benchmark("less", "full")
    first = content["arch2infos"][0]
    a_run = first["full"]["all_results"]["cifar100", 777]
    if change == "another architecture":
        first["full"]["arch_str"] = CELLS[1]
    elif change == "no last epoch":
        del a_run["eval_acc1es"]["x-test@199"]
    elif change == "other epochs":
        a_run["epochs"] = 90
    elif change == "not a percentage":
        a_run["eval_acc1es"]["x-test@199"] = float("nan")
    elif change == "no list":
        del content["meta_archs"]
    elif change == "an unknown operation":
        content["meta_archs"] = [CELLS[0].replace("avg_pool_3x3", "max_pool_3x3"), CELLS[1]]
    return content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("another architecture", "of different downloads"),
        ("no last epoch", "x-test@199"),
        ("other epochs", "a run of 90 epochs"),
        ("not a percentage", "is nan; accuracy is a percentage from 0 to 100"),
        ("no list", "meta_archs"),
        ("an unknown operation", "max_pool_3x3"),
    ],
)
def test_content_of_another_shape_is_bad_input(
    tmp_path: Path, space: SearchSpace, change: str, message: str
) -> None:
    torch.save(broken(change), tmp_path / "a.pth")
    with pytest.raises(InputError, match=message):
        read_evaluations(str(tmp_path / "a.pth"), space)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02K\x01.", b"\x80\x02]q\x00."])
@pytest.mark.parametrize("name", ["a.pth", "a.pickle.pbz2"])
def test_a_damaged_file_is_bad_input(
    tmp_path: Path, space: SearchSpace, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    said = "not readable as a pickle|not a file that torch.save wrote"
    with pytest.raises(InputError, match=rf"^{re.escape(name)}: ({said}).*download it again$"):
        read_evaluations(str(tmp_path / name), space)


def test_a_cut_file_is_bad_input(tmp_path: Path, space: SearchSpace) -> None:
    path = tmp_path / "a.pth"
    torch.save(benchmark("less", "full"), path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="not readable as a pickle"):
        read_evaluations(str(path), space)


def test_a_folder_of_something_else_is_bad_input(tmp_path: Path, space: SearchSpace) -> None:
    with pytest.raises(InputError, match=r"no meta\.pickle\.pbz2"):
        read_evaluations(str(tmp_path), space)
