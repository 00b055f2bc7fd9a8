"""What networks are trained on, and how: resolved from what people say."""

import pytest

from cole_core.errors import InputError
from cole_core.evaluation.network_training import NetworkTraining
from cole_core.evaluation.settings import Limits, TrainingSettings
from cole_core.spaces import get_space
from cole_core.spaces.einspace import Einspace


def test_the_space_fits_the_dataset() -> None:
    training = NetworkTraining(dataset="digits")
    dataset = training.load()
    space = training.space("einspace", dataset)
    assert space.full_name == "einspace:1x8x8:10"
    bounded = NetworkTraining(bounds={"max_activations": 5_000}).space("einspace", dataset)
    assert isinstance(space, Einspace)
    assert isinstance(bounded, Einspace)
    assert (space.bounds.activations, bounded.bounds.activations) == (3_000 * 8 * 8, 5_000)
    assert bounded.architecture_id("x") == space.architecture_id("x")  # what is drawn, not named
    assert training.space("nasbench201", dataset) == get_space("nasbench201")


def test_bounds_that_a_space_does_not_take_are_refused() -> None:
    training = NetworkTraining(bounds={"max_depth": 3})
    with pytest.raises(InputError, match="nasbench201 takes no bounds: leave out max_depth"):
        training.space("nasbench201", training.load())


def test_settings_name_the_whole_macro_architecture() -> None:
    cells = get_space("nasbench201")
    assert NetworkTraining().settings_for(cells).macro == {"channels": 8, "cells": 1}
    wider = NetworkTraining(settings=TrainingSettings(macro={"channels": 4}))
    assert wider.settings_for(cells).macro == {"channels": 4, "cells": 1}
    with pytest.raises(InputError, match="of einspace are whole networks: leave out channels"):
        wider.settings_for(get_space("einspace"))


def test_an_evaluator_trains_so() -> None:
    training = NetworkTraining(settings=TrainingSettings(epochs=1), device="cpu")
    dataset = training.load()
    native = "|nor_conv_1x1~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
    evaluator = training.evaluator(training.space("nasbench201", dataset), dataset)
    attempt = evaluator(native, 0)
    assert (attempt.native, attempt.status, attempt.error) == (native, "ok", None)


@pytest.mark.parametrize(
    ("training", "said"),
    [
        (NetworkTraining(workers=0), "--workers 0: give at least 1"),
        (NetworkTraining(settings=TrainingSettings(epochs=0)), "epochs = 0, batch size = 64: give"),
        (
            NetworkTraining(limits=Limits(seconds=0.0)),
            "limits of 0.0 s and 2048 MiB: give positive",
        ),
    ],
)
def test_values_that_are_not_possible(training: NetworkTraining, said: str) -> None:
    NetworkTraining().check()
    with pytest.raises(InputError, match=said):
        training.check()


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="--device tpu: choose auto, cpu or cuda"):
        NetworkTraining(device="tpu").place()
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert NetworkTraining().place() == "cpu"
    with pytest.raises(InputError, match="--device cuda: PyTorch finds no GPU here"):
        NetworkTraining(device="cuda").place()
