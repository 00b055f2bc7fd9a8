"""Somebody's own training in the worker processes: what comes of it is recorded, whatever it is."""

from pathlib import Path

import pytest

from cole_core.errors import InputError
from cole_core.evaluation import workers
from cole_core.evaluation.outcomes import CRASHED, DIVERGED, FAILED, OK, TIMED_OUT, TOO_LARGE
from cole_core.evaluation.own_training import OwnTraining, own_training
from cole_core.evaluation.settings import Limits
from cole_core.evaluation.workers import Workers
from cole_core.spaces import parse_space

FILE = """
import os
from typing import Literal
import torch

class Net(torch.nn.Linear):
    def __init__(self, what: Literal["fine", "names", "raise", "text", "nan", "leave", "hang",
                                     "die", "hoard", "make"]):
        if what == "make":
            raise ValueError("cannot be\\nmade")
        super().__init__(4, 2)
        self.what = what

def evaluate(network, seed, epochs):
    print("a line of somebody's own")
    what = network.what
    if what == "names":
        return {"valid_accuracy": 0.5, "latency_ms": 3}
    if what == "raise":
        return 1 / 0
    if what == "text":
        return "good"
    if what == "nan":
        return float("nan")
    if what == "leave":
        raise SystemExit(3)
    while what == "hang":
        pass
    if what == "die":
        os._exit(3)
    kept = []
    while what == "hoard":
        kept.append(torch.ones(2**22))
    return seed + epochs / 10 + torch.rand(1).item() / 1000

def alone(network):
    return 1

def no_network(seed):
    return 1

def wants(network, data):
    return 1
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


def training(file: Path, name: str = "evaluate", **said: object) -> OwnTraining:
    usual = {"metric": None, "dataset": None, "epochs": 2, "limits": Limits(6.0, 400)}
    return own_training(file, name, **{**usual, "seed": 7, "workers": 2, **said})  # type: ignore[arg-type]


def test_everything_that_can_come_of_it_is_recorded(
    file: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workers, "_GRACE_SECONDS", 1.0)
    space = parse_space(f"{file}:Net")
    evaluator = training(file).evaluator(space)
    with Workers(evaluator, 2) as pool:
        found = {each.native[10:-2]: each for each in pool.run((n, 7) for n in space.enumerate())}
    assert {what: each.status for what, each in found.items()} == {
        "fine": OK,
        "names": OK,
        "raise": FAILED,
        "text": FAILED,
        "nan": DIVERGED,
        "leave": FAILED,
        "hang": TIMED_OUT,
        "die": CRASHED,
        "hoard": TOO_LARGE,
        "make": FAILED,
    }
    said = {what: each.error for what, each in found.items() if each.error}
    assert said["raise"].startswith("ZeroDivisionError: division by zero (mine.py, line ")
    assert said["text"] == "it is str: give a number, or numbers by name"
    assert said["nan"] == "what it gives is not finite: it is nan"
    assert said["leave"].startswith("it ends the process: exit(3) (mine.py, line ")
    assert said["hang"] == "not done after 6 s"
    assert said["make"].startswith("ValueError: cannot be made (mine.py, line ")
    assert all("\n" not in line for line in said.values())
    [score] = found["fine"].scores
    assert (score.metric, score.epochs, round(score.value, 2)) == ("score", 2, 7.2)
    assert found["fine"].parameters == 10
    assert [(each.metric, each.value) for each in found["names"].scores] == [
        ("accuracy", 50.0),
        ("latency", 3.0),
    ]
    assert "somebody's own" not in "".join(capfd.readouterr())


def test_the_identity_is_what_the_function_does(file: Path) -> None:
    space = parse_space("nasbench201")
    before = training(file).evaluator(space).settings_id
    assert training(file, metric="loss", dataset="else").evaluator(space).settings_id == before
    assert training(file, epochs=3).evaluator(space).settings_id != before
    assert training(file, "alone", epochs=3).evaluator(space).settings.epochs is None
    file.write_text(FILE.replace("    kept = []", "    kept = []   # tensors"))
    assert training(file).evaluator(space).settings_id == before
    file.write_text(FILE.replace("epochs / 10", "epochs / 20"))
    assert training(file).evaluator(space).settings_id != before


def test_the_values_are_called_after_the_function(file: Path) -> None:
    space = parse_space("nasbench201")
    target = training(file).evaluator(space).target()
    assert (target.dataset, target.metric, target.direction) == ("mine.evaluate", "score", "higher")
    told = training(file, dataset="digits", metric="valid_loss").evaluator(space).target()
    assert (told.dataset, told.metric, told.split) == ("digits", "loss", "valid")
    assert told.sign == -1


@pytest.mark.parametrize(
    ("name", "said", "line"),
    [
        ("train", {}, "has no function train: choose one of evaluate, alone"),
        ("no_network", {}, "takes no network: give it one, as def no_network(network, seed)"),
        ("wants", {}, "wants 'data', and is told the network, seed and epochs alone"),
        ("evaluate", {"epochs": 0}, "--epochs 0: give at least 1"),
        ("evaluate", {"workers": 0}, "--workers 0: give at least 1"),
        ("evaluate", {"metric": "a b"}, "--metric a b: no metric is called so"),
        ("evaluate", {"limits": Limits(0)}, "give positive ones"),
    ],
)
def test_what_cannot_be_is_refused(
    file: Path, name: str, said: dict[str, object], line: str
) -> None:
    with pytest.raises(InputError) as refused:
        training(file, name, **said)
    assert line in str(refused.value)
