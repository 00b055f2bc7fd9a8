"""What runs are called on Prefect's page, and what they leave there."""

import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import Artifact

from flows.resolve.requests import InWarehouse, Measured, request
from flows.running import results
from flows.running.names import run_name
from flows.running.progress import track
from flows.running.results import in_words
from flows.running.runs import recorded_run
from flows.running.server import LocalServer


@request
class NamedRequest(InWarehouse):
    """Something with a dataset."""

    measured: Measured = Measured()
    total: int = 3


@flow(name="count", flow_run_name=run_name("space", "measured.dataset"))
def count(request: NamedRequest) -> dict[str, Any]:
    from prefect.runtime import flow_run

    with recorded_run(request.home, "count", request) as run:
        with track("count · things", request.total) as advance:
            threads = [threading.Thread(target=advance, args=(1,)) for _ in range(request.total)]
            for thread in threads:
                thread.start()
                thread.join()
        run.summary = {"id": run.run_id, "name": flow_run.get_name(), "found": [{"n_a": "x|y"}]}
    return run.summary


def artifacts(run_id: str) -> list[Artifact]:
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

    of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
    with get_client(sync_client=True) as client:
        return list(client.read_artifacts(artifact_filter=of_run))


@pytest.mark.parametrize(
    ("about", "name"),
    [
        ({"measured": Measured(dataset="cifar10")}, "count tiny · cifar10"),
        ({}, "count tiny"),
        ({"space": "/some/where/own.py:Net"}, "count own.py:Net"),
    ],
)
def test_a_run_says_what_it_does(
    prefect_server: LocalServer, tmp_path: Path, about: dict[str, Any], name: str
) -> None:
    asked = {"space": "tiny", "home": tmp_path / "home"} | about
    assert count(NamedRequest(**asked))["name"] == name


def test_plain_values_as_a_schedule_has_them_name_a_run_too(
    prefect_server: LocalServer, tmp_path: Path
) -> None:
    plain: Any = {"space": "tiny", "home": str(tmp_path), "measured": {"dataset": "svhn"}}
    assert count(plain)["name"] == "count tiny · svhn"


def test_a_run_leaves_its_result_and_a_long_one_its_progress(
    prefect_server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = NamedRequest(space="tiny", home=tmp_path / "home")
    (only,) = artifacts(count(asked)["id"])
    assert only.key == "count-tiny"
    assert r"x\|y" in str(only.data)
    assert "cole ui --home" in str(only.data)
    monkeypatch.setattr(results, "_LONG", 0.0)
    found = {each.type: each for each in artifacts(count(asked)["id"])}
    assert found["progress"].data == 100.0
    assert found["progress"].description == "count · things: 3 of 3"


def test_a_page_that_does_not_answer_ends_no_run(
    prefect_server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise httpx.ConnectError("away")

    monkeypatch.setattr("prefect.artifacts.create_markdown_artifact", away)
    assert count(NamedRequest(space="tiny", home=tmp_path / "home"))["name"] == "count tiny"


def test_a_summary_is_told_in_tables() -> None:
    rows = [{"native": f"|a~{place}|", "value": place / 3} for place in range(25)]
    told = in_words(Path("home"), {"embedded": 15_625, "report": "/x/r.html", "best": rows})
    assert "| embedded | 15,625 |" in told
    assert "(file:///x/r.html)" in told
    assert r"| \|a\~0\| | 0 |" in told
    assert told.count("\n| \\|a") == 20
    assert "and 5 more" in told
    assert "cole ui --home home" in told
