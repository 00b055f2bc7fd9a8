"""A package from outside: installed, and used by its names alone, from `enumerate` to `report`."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.conftest import HERE, Run, environment

Cole = Callable[..., dict[str, Any]]

ARCHITECTURES = 4 + 16 + 64 + 256
FORMS = 1 + 3 + 9 + 27 + 81
SHAPES = ("tiny", "--dataset", "shapes")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny") / "home"


@pytest.fixture(scope="module")
def at_home(tiny_cole: Run, home: Path) -> Cole:
    """Runs `cole ARGUMENTS --home HOME --json` and gives the object that it prints."""

    def run(*arguments: object) -> dict[str, Any]:
        done = tiny_cole(*arguments, "--home", home, "--json")
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr
        made: dict[str, Any] = json.loads(done.stdout)
        return made

    return run


@pytest.fixture(scope="module")
def stages(at_home: Cole) -> dict[str, dict[str, Any]]:
    """What each stage did, in the order of the data."""
    neighbours = ("--head", "neighbours", "--head-parameter", "n_neighbors=3")
    walk = ("--algorithm", "nearest_first", "--parameter", "start=6")
    surrogate = ("--algorithm", "bananas", "--head", "neighbours", "--acquisition", "improvement")
    return {
        "enumerate": at_home("enumerate", "tiny"),
        "render": at_home("render", "tiny"),
        "embed": at_home("embed", "tiny", "--lm", "minilm"),
        "ingest": at_home("ingest", "tiny", "tiny-bench"),
        "train": at_home("train", *SHAPES, *neighbours, "-n", 40, "--draws", 2),
        "walk": at_home("search", *SHAPES, *walk, "--budget", 30),
        "search": at_home("search", *SHAPES, *surrogate, "--budget", 20, "--seed", 0, "--seed", 1),
        "compare": at_home(
            *("compare", "predictors", "primitives", "--space", "tiny", "--head", "neighbours"),
            *("-n", 30, "--folds", 4, "--repeats", 1, "-c", "encoding=letters"),
        ),
        "report": at_home("report", "tiny"),
    }


def test_the_authors_contracts_hold(tiny: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "contracts.py"],
        cwd=HERE / "cole-tiny",
        capture_output=True,
        text=True,
        check=False,
        env=environment(tiny),
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_stage_does_its_work(stages: dict[str, dict[str, Any]]) -> None:
    assert stages["enumerate"]["architectures"] == ARCHITECTURES
    assert stages["render"]["renderings"] == ARCHITECTURES
    assert stages["embed"]["embedded"] == FORMS  # a skip has no line
    assert (stages["ingest"]["evaluations"], stages["ingest"]["new_architectures"]) == (
        ARCHITECTURES,
        0,
    )
    [tau] = stages["train"]["kendall_tau"]
    assert tau["mean"] > 0.3


def test_its_searches_find_good_chains(stages: dict[str, dict[str, Any]]) -> None:
    for stage, budget in (("walk", 30), ("search", 20)):
        for found in stages[stage]["searches"]:
            assert found["evaluations"] == budget
            assert found["best"].startswith("conv3-conv3")


def test_experiments_compare_what_the_roles_say(stages: dict[str, dict[str, Any]]) -> None:
    labels = [row["label"] for row in stages["compare"]["rows"]]
    assert [label.split(" ")[0] for label in labels] == ["code", "counts", "letters"]


def test_the_report_names_the_space_and_draws_what_can_be_drawn(
    stages: dict[str, dict[str, Any]],
) -> None:
    html = Path(stages["report"]["report"]).read_text("utf-8")
    assert re.search(r"<h1[^>]*>[^<]*tiny", html)
    assert "tiny:4" in html
    assert "shapes test accuracy, 10 epochs" in html
    for name in ("nearest first", "neighbours", "cole-tiny"):
        assert name in html
    best = html[html.index('id="best"') : html.index('id="provenance"')]
    cells = best.split("<article")[1:]
    assert "conv3-conv3-conv3-conv3" in cells[0]
    for cell in cells:
        has_skip = re.search(r'<p class="mono">[^<]*skip', cell) is not None
        assert ('class="chain"' in cell) is not has_skip
        assert cell.startswith(' class="plain"') is has_skip
    assert any('class="chain"' in cell for cell in cells)
    assert any(cell.startswith(' class="plain"') for cell in cells)


def test_questions_are_answered(at_home: Cole, stages: dict[str, dict[str, Any]]) -> None:
    similar = at_home("similar", "conv3-pool", "--space", "tiny", "-k", 5)
    assert similar["asked"] == "architecture"
    assert similar["rows"][0]["twin"] is True
    assert similar["rows"][0]["distance"] == pytest.approx(0, abs=1e-6)
    best = at_home("best", "--space", "tiny", "--predicted", "-k", 3)
    assert best["head"] == "neighbours"
    assert all(row["std"] >= 0 for row in best["rows"])


def test_one_command_does_all_of_it(at_home: Cole, stages: dict[str, dict[str, Any]]) -> None:
    """With the space's own source, and sizes and budgets that so small a space has."""
    done = at_home("run", "tiny")
    assert done["enumerate"]["skipped"] == ARCHITECTURES
    assert [row["n"] for row in done["train"]["kendall_tau"]] == [14, 55, 220]
    assert done["search (bananas)"]["searches"][0]["evaluations"] == 100


def test_another_parameter_is_another_space(
    at_home: Cole, cole: Run, tiny: Path, home: Path
) -> None:
    """The refusal in a process of its own, as a person sees it."""
    assert at_home("enumerate", "tiny:8", "--samples", 5)["architectures"] == 5
    wrong = cole("enumerate", "tiny:wide", "--home", home, folders=(tiny,))
    assert wrong.returncode == 2
    assert wrong.stderr == "cole: search space 'tiny:wide': give channels, as tiny:4\n"
