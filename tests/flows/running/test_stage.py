"""A stage's way from a request to a run: one plan, and no server for bad input."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prefect import flow

from cole_core.errors import InputError
from flows.resolve.requests import request
from flows.running.runs import recorded_run
from flows.running.server import LocalServer
from flows.running.stage import planned, run_stage
from flows.stages import enumerate
from flows.stages.enumerate import EnumerateRequest, enumerate_architectures
from tests.flows.conftest import Cole
from warehouse import Warehouse


@request
class DoubleRequest:
    """A number to double."""

    number: int = 1


class Plans:
    """Makes plans, and counts them."""

    def __init__(self) -> None:
        self.made: list[DoubleRequest] = []

    def __call__(self, request: DoubleRequest) -> int:
        if request.number < 0:
            raise InputError(f"--number {request.number}: at least 0")
        self.made.append(request)
        return 2 * request.number


plan = Plans()


@flow
def double(request: DoubleRequest) -> dict[str, Any]:
    return {"doubled": planned(plan, request)}


@flow
def double_twice(request: DoubleRequest) -> dict[str, Any]:
    """The same stage twice, and that of another request, as a pipeline has them."""
    first, second = double(request), double(request)
    return first | {"second": second, "other": double(replace(request, number=5))}


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[DoubleRequest]:
    monkeypatch.setattr(plan, "made", [])
    return plan.made


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault for whoever starts a server."""

    def started(self: LocalServer) -> None:
        pytest.fail("a server was started")

    monkeypatch.setattr(LocalServer, "__enter__", started)


@pytest.mark.usefixtures("prefect_server")
def test_a_run_takes_the_plan_that_was_made(plans: list[DoubleRequest]) -> None:
    asked = DoubleRequest(number=4)
    assert run_stage(double, plan, asked) == {"doubled": 8}
    assert plans == [asked]
    assert run_stage(double, plan, asked) == {"doubled": 8}
    assert plans == [asked, asked]  # what is there then is looked at again


@pytest.mark.usefixtures("prefect_server")
def test_a_flow_by_itself_makes_its_plan(plans: list[DoubleRequest]) -> None:
    asked = DoubleRequest(number=4)
    assert double(asked) == {"doubled": 8}
    assert plans == [asked]


@pytest.mark.usefixtures("prefect_server")
def test_a_plan_is_taken_once_and_by_its_own_request_alone(plans: list[DoubleRequest]) -> None:
    asked = DoubleRequest(number=4)
    made = run_stage(double_twice, plan, asked)
    assert made == {"doubled": 8, "second": {"doubled": 8}, "other": {"doubled": 10}}
    assert plans == [asked, asked, DoubleRequest(number=5)]


@pytest.mark.usefixtures("prefect_server")
def test_a_plan_of_another_function_is_not_taken(plans: list[DoubleRequest]) -> None:
    def other(request: DoubleRequest) -> int:
        return 0

    assert run_stage(double, other, DoubleRequest(number=3)) == {"doubled": 6}
    assert plans == [DoubleRequest(number=3)]


@pytest.mark.usefixtures("prefect_server")
def test_a_run_that_fails_leaves_no_plan_behind(plans: list[DoubleRequest]) -> None:
    @flow
    def failing(request: DoubleRequest) -> dict[str, Any]:
        raise ArithmeticError

    asked = DoubleRequest(number=4)
    with pytest.raises(ArithmeticError):
        run_stage(failing, plan, asked)
    assert planned(plan, asked) == 8
    assert plans == [asked, asked]


@pytest.mark.usefixtures("no_server")
def test_bad_input_starts_no_server(plans: list[DoubleRequest], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--number -1: at least 0"):
        run_stage(double, plan, DoubleRequest(number=-1))
    assert plans == []
    asked = EnumerateRequest(space="einspace", home=tmp_path / "home")
    with pytest.raises(InputError, match="open-ended"):
        run_stage(enumerate_architectures, enumerate.plan, asked)
    assert not asked.home.exists()


# A command of each stage, with something wrong that its plan finds.
WRONG = {
    "run": ("run", "nasbench201", "--lm", "no-such-model"),
    "run on a dataset": ("run", "einspace", "--samples", 3, "--dataset", "no-such-data"),
    "enumerate": ("enumerate", "nasbench201", "--samples", 20_000),
    "render": ("render", "nasbench201", "--encoding", "haiku"),
    "embed": ("embed", "nasbench201", "--lm", "no-such-model"),
    "ingest": ("ingest", "nasbench201", "no-such-source"),
    "evaluate": ("evaluate", "nasbench201", "--dataset", "no-such-data"),
    "train": ("train", "nasbench201", "--encoding", "haiku"),
    "search": ("search", "nasbench201", "--encoding", "haiku"),
    "search by training": ("search", "nasbench201", "--train", "--dataset", "no-such-data"),
    "compare predictors": ("compare", "predictors", "--encoding", "haiku"),
    "compare search": ("compare", "search", "-c", "preset=haiku"),
    "report": ("report", "darts"),
    "optimize": ("optimize",),
}


@pytest.mark.usefixtures("no_server")
@pytest.mark.parametrize("command", WRONG)
def test_no_command_starts_a_server_for_bad_input(cole: Cole, tmp_path: Path, command: str) -> None:
    home = tmp_path / "home"
    code, out, err = cole(*WRONG[command], "--home", home)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert not home.exists()


@pytest.mark.usefixtures("prefect_server")
def test_the_catalog_keeps_a_request_as_it_was(tmp_path: Path) -> None:
    asked = EnumerateRequest(space="nasbench201", home=tmp_path / "home", samples=3, seed=2)
    run_stage(enumerate_architectures, enumerate.plan, asked)
    with recorded_run(asked.home, "by hand", {"folder": "x"}):
        pass
    kept = Warehouse(asked.home).sql("SELECT flow, parameters::VARCHAR AS kept FROM runs")
    assert dict(kept.iter_rows()) == {
        "enumerate": ('{"space": "nasbench201", "samples": 3, "seed": 2, "arguments": null}'),
        "by hand": '{"folder": "x"}',
    }
