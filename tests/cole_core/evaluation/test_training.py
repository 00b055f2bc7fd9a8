"""Training, its measurements and its failures, against plain code."""

import math
import re
import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from cole_core.errors import InputError
from cole_core.evaluation.attempts import TrainingEvaluator
from cole_core.evaluation.datasets import Dataset, Part, load_dataset
from cole_core.evaluation.images import ImageTensors, augmentation, shift
from cole_core.evaluation.measuring import measure
from cole_core.evaluation.outcomes import (
    DIVERGED,
    FAILED,
    OK,
    TIMED_OUT,
    TOO_LARGE,
    DivergedError,
    OverTimeError,
)
from cole_core.evaluation.proxies import compute_proxies, naswot, synflow
from cole_core.evaluation.settings import Limits, TrainingSettings
from cole_core.evaluation.training import accuracy, train
from cole_core.spaces import get_space, get_space_for
from cole_core.spaces.nasbench201 import NASBench201

SPACE = get_space("nasbench201")
CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
QUICK = TrainingSettings(epochs=2, macro={"channels": 4, "cells": 1})


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits")


def small(dataset: Dataset, n: int = 64) -> Dataset:
    def first(part: Part) -> Part:
        return Part(part.images[:n], part.labels[:n])

    return Dataset("small", first(dataset.train), first(dataset.valid), first(dataset.test))


def evaluator(dataset: Dataset, **changes: object) -> TrainingEvaluator:
    usual = TrainingEvaluator(SPACE, dataset, Limits(), "cpu", QUICK)
    return replace(usual, **changes)  # type: ignore[arg-type]


def test_a_cell_learns_the_digits(digits: Dataset) -> None:
    attempt = evaluator(digits, training=replace(QUICK, epochs=4))(CELL, seed=0)
    assert attempt.status == OK
    assert attempt.error is None
    values = {(score.split, score.epochs): score.value for score in attempt.scores}
    assert set(values) == {(split, epoch) for split in ("valid", "test") for epoch in (1, 2, 4)}
    assert min(values["valid", 4], values["test", 4]) > 60  # chance is 10
    network = SPACE.build_for(CELL, (1, 8, 8), 10, QUICK.macro)
    assert attempt.parameters == sum(weight.numel() for weight in network.parameters())


def test_the_seed_decides_the_accuracies(digits: Dataset) -> None:
    evaluate = evaluator(small(digits))
    scores = [evaluate(CELL, seed).scores for seed in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "sgd"},
        {"augmentation": "shift+flip"},
        {"precision": "bf16"},
        {"batch_size": 1_000},  # more than there are images
    ],
)
def test_every_setting_trains_and_has_a_name(
    digits: Dataset, changes: Mapping[str, object]
) -> None:
    settings = replace(QUICK, **changes)  # type: ignore[arg-type]
    assert evaluator(small(digits), training=settings)(CELL, 0).status == OK
    assert settings.settings_id("hash") != QUICK.settings_id("hash")


def test_the_default_rate_is_one_setting_with_its_number() -> None:
    assert QUICK.settings_id("a") == replace(QUICK, learning_rate=QUICK.rate).settings_id("a")
    assert QUICK.settings_id("a") != QUICK.settings_id("b")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"epochs": 0}, "epochs = 0, batch size = 64: give at least 1 and 2"),
        ({"batch_size": 1}, "epochs = 2, batch size = 1: give at least 1 and 2"),
        ({"optimizer": "adam"}, "optimizer 'adam': choose one of adamw, sgd"),
        ({"augmentation": "shift,flip"}, "augmentation 'shift,flip': choose one of none, shift,"),
        ({"precision": "fp8"}, "precision 'fp8': choose one of fp32, bf16"),
        ({"learning_rate": 0.0}, "learning rate 0.0, .* give a positive number"),
        ({"learning_rate": math.nan}, "learning rate nan, .* give a positive number"),
        ({"weight_decay": -1.0}, "weight decay -1.0: give .* none below zero"),
    ],
)
def test_impossible_settings_are_refused(changes: Mapping[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        replace(QUICK, **changes).check()  # type: ignore[arg-type]


def test_accuracy_is_the_share_of_right_classes(digits: Dataset) -> None:
    images, labels = ImageTensors(digits).parts["test"]
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    right = [
        int(network(image[None]).argmax()) == int(label)
        for image, label in zip(images, labels, strict=True)
    ]
    assert accuracy(network, images, labels) == pytest.approx(100 * np.mean(right))
    network[1].weight.data.fill_(math.nan)
    with pytest.raises(DivergedError):
        accuracy(network, images, labels)


def test_images_are_standardized_by_the_training_images(digits: Dataset) -> None:
    shifted = Dataset(
        "x", digits.train, Part(digits.train.images + 1, digits.train.labels), digits.test
    )
    parts = ImageTensors(shifted).parts
    assert float(parts["train"][0].mean()) == pytest.approx(0, abs=1e-5)
    assert float(parts["train"][0].std()) == pytest.approx(1, abs=1e-4)
    difference = parts["valid"][0] - parts["train"][0]
    assert difference.numpy() == pytest.approx(1 / digits.train.images.std(), rel=1e-3)


def test_shifts_move_whole_images() -> None:
    images = torch.arange(1.0, 2 * 3 * 16 * 8 + 1).view(2, 3, 16, 8)
    moved = shift(images, torch.Generator().manual_seed(3))
    for before, after in zip(images, moved, strict=True):
        padded = nn.functional.pad(before, (1, 1, 2, 2))
        windows = [padded[:, y : y + 16, x : x + 8] for y in range(5) for x in range(3)]
        assert sum(torch.equal(after, window) for window in windows) == 1


def test_flips_mirror_about_half_of_the_images() -> None:
    images = torch.rand(200, 1, 2, 3)
    flipped = augmentation("flip")(images, torch.Generator().manual_seed(0))
    mirrored = [torch.equal(a, b.flip(-1)) for a, b in zip(flipped, images, strict=True)]
    kept = [torch.equal(a, b) for a, b in zip(flipped, images, strict=True)]
    assert sum(mirrored) + sum(kept) == 200
    assert 70 < sum(mirrored) < 130


def test_published_costs_of_the_largest_cell() -> None:
    largest = "|{0}~0|+|{0}~0|{0}~1|+|{0}~0|{0}~1|{0}~2|".format("nor_conv_3x3")
    size = measure(lambda: NASBench201().build(largest), (3, 32, 32))
    assert size.parameters == 1_531_546
    assert size.flops / 2 == pytest.approx(220.12e6, rel=1e-4)  # published: multiply-accumulates


def test_activations_are_what_operations_write() -> None:
    size = measure(
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 7)), (3, 2, 2)
    )
    assert size.parameters == 13 * 5 + 6 * 7
    assert size.flops == 2 * (12 * 5 + 5 * 7)
    assert size.activations == 5 + 5 + 7  # flattening is a view


# What can go wrong.


def test_a_diverging_network_is_recorded(digits: Dataset) -> None:
    settings = replace(QUICK, optimizer="sgd", learning_rate=1e30)
    attempt = evaluator(small(digits), training=settings)(CELL, 0)
    assert (attempt.status, attempt.scores) == (DIVERGED, ())


def test_a_network_beyond_the_memory_limit_is_not_built(digits: Dataset) -> None:
    huge = replace(QUICK, macro={"channels": 20_000, "cells": 1})  # its weights have 50 GB
    attempt = evaluator(digits, training=huge)(CELL, 0)
    assert attempt.status == TOO_LARGE
    assert attempt.memory is not None
    assert attempt.memory > 50e9
    assert "parameters" in str(attempt.error)


def test_time_is_limited(digits: Dataset) -> None:
    attempt = evaluator(digits, limits=Limits(seconds=1e-3))(CELL, 0)
    assert (attempt.status, attempt.error) == (TIMED_OUT, "not done after 0.001 s")
    network = SPACE.build_for(CELL, (1, 8, 8), 10, QUICK.macro)
    with pytest.raises(OverTimeError):
        train(network, ImageTensors(digits), QUICK, 0, time.monotonic() - 1)


class Broken(NASBench201):
    """Builds networks whose forward pass fails."""

    def build_for(self, *_: object) -> nn.Module:  # type: ignore[override]
        return nn.Linear(3, 10)


def test_an_error_of_the_network_is_one_line(digits: Dataset) -> None:
    attempt = evaluator(digits, space=Broken())(CELL, 0)
    assert attempt.status == FAILED
    assert attempt.error is not None
    assert attempt.error.startswith("RuntimeError: ")
    assert "\n" not in attempt.error


# Proxies.


def test_synflow_of_a_chain_is_the_sum_over_its_paths() -> None:
    torch.manual_seed(0)
    first, second = nn.Linear(4, 3, bias=False), nn.Linear(3, 2, bias=False)
    network = nn.Sequential(nn.Flatten(), first, nn.ReLU(), second)
    before = first.weight.clone()
    a, b = (layer.weight.detach().abs().double().numpy() for layer in (first, second))
    paths = sum(a[j, i] * b[k, j] for i in range(4) for j in range(3) for k in range(2))
    # Each path has two weights, and weight × gradient counts it for each of them.
    assert synflow(network, torch.Size((1, 2, 2))) == pytest.approx(math.log10(2 * paths))
    assert torch.equal(first.weight, before)


def test_naswot_is_the_determinant_of_shared_sides() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 30), nn.ReLU(), nn.Linear(30, 2))
    images = torch.randn(6, 1, 2, 2)
    codes = (network[1](images.flatten(1)) > 0).numpy()
    kernel = np.array([[np.sum(x == y) for y in codes] for x in codes], dtype=float)
    assert naswot(network, images) == pytest.approx(np.linalg.slogdet(kernel)[1])
    assert math.isnan(naswot(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), images))


def test_proxies_that_are_no_number_are_left_out(digits: Dataset) -> None:
    def build() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))

    scores = compute_proxies(build(), measure(build, (1, 8, 8)), ImageTensors(digits), 16)
    values = {score.metric: score.value for score in scores}
    assert set(values) == {"parameters", "flops", "synflow"}
    assert (values["parameters"], values["flops"]) == (650, 1_280)


# The task's shape.


def test_odd_images_of_many_channels_fit_a_cell() -> None:
    network = SPACE.build_for(CELL, (5, 27, 18), 7, SPACE.macro_architecture({"channels": 3}))
    assert network(torch.zeros(2, 5, 27, 18)).shape == (2, 7)
    for macro in ({"width": 3}, {"cells": 0}):
        with pytest.raises(
            InputError, match=f"takes channels and cells, 1 or more, not {re.escape(str(macro))}"
        ):
            SPACE.macro_architecture(macro)
    assert SPACE.macro_architecture({"cells": 2}) == {"channels": 8, "cells": 2}


def test_an_open_ended_space_takes_the_task_as_its_parameters() -> None:
    space = get_space_for("einspace", (1, 8, 8), 28)
    native = space.sample(np.random.default_rng(0))
    assert space.build_for(native, (1, 8, 8), 28, {})(torch.zeros(2, 1, 8, 8)).shape == (2, 28)
    with pytest.raises(InputError, match="of einspace are whole networks: leave out channels"):
        space.macro_architecture({"channels": 8})
    assert get_space_for("nasbench201", (1, 8, 8), 28).architecture_id(
        CELL
    ) == SPACE.architecture_id(CELL)
