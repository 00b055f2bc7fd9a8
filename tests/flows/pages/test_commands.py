"""Every command of the pages: it runs as it stands, or this says where it does; and each one, in a
block or in a sentence, is one that today's command line takes."""

import contextlib
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest
from cyclopts.exceptions import MissingArgumentError

from cole_core.spaces.nasbench201 import NASBench201
from flows.cli.app import make_app
from flows.cli.vectors_option import vectors_named
from tests.cole_core.language_models.zoo import make_model
from tests.cole_core.spaces.corpus.networks import RESIDUAL
from tests.flows.conftest import SIZE, Cole, Small
from tests.flows.kitchen import fill
from tests.flows.pages.reading import PAGES, ROOT, commands, mentioned, name_of

# Pages whose commands another test runs, all of them and in their order.
ELSEWHERE = {
    "docs/ask.md": "tests/flows/cli/test_recipes.py",
    "docs/own-space.md": "tests/flows/test_own_space.py",
    "CONTRIBUTING.md": "tests/test_contributing.py",
}
# Commands that take minutes, serve until they are interrupted, or need a cluster: which test runs
# what they run.
LONG = {
    "cole run nasbench201": "tests/flows/running/test_faults.py",
    "cole run nasbench201 --vectors s3://bucket/nasbench201": (
        "tests/flows/cli/test_object_storage.py"
    ),
    "cole deploy --backups backups": "tests/flows/upkeep/test_serving.py",
    "cole ui": "tests/flows/explorer/test_browser.py",
    "cole embed nasbench201 --runner dask --workers 4": "tests/flows/running/test_cluster.py",
    "cole embed nasbench201 --runner ray --address ray://head:10001": (
        "tests/flows/running/test_cluster.py"
    ),
    "cole evaluate einspace --dataset digits --samples 60 --runner dask --workers 4": (
        "tests/flows/running/test_networks.py"
    ),
    "cole evaluate einspace --dataset digits --samples 60 --runner ray "
    "--address ray://head:10001 --gpus-per-network 0.25": "tests/flows/running/test_networks.py",
    "cole search einspace --train --dataset digits --budget 60 --asynchronous --runner dask "
    "--workers 4": "tests/flows/stages/test_search_by_training.py",
}
RESULTS = ROOT / "docs" / "results.md"  # whose commands take an hour: they run small
WITH_COMMANDS = [
    page for page in PAGES if commands(page) and name_of(page) not in ELSEWHERE and page != RESULTS
]
IN_SENTENCES = sorted({shlex.join(words) for page in PAGES for words in mentioned(page)})
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@pytest.fixture(scope="module")
def kitchen(made: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the pages speak of."""
    folder = fill(tmp_path_factory.mktemp("kitchen"), made)
    (folder / "nets").mkdir()
    (folder / "nets" / "mine.py").write_text(RESIDUAL["modules"])
    pl.DataFrame({"name": ["residual"], "code": [RESIDUAL["modules"]]}).write_parquet(
        folder / "zoo.parquet"
    )
    make_model("llama", folder / "my-model")
    heading = (ROOT / "docs" / "own-accuracies.md").read_text().split("\n    arch_str,")[1]
    names = heading.partition("\n")[0].split(",")
    table = pl.read_csv(made.table)
    table.select("arch_str", *(table.to_series(1).alias(name) for name in names)).write_csv(
        folder / "mine.csv"
    )
    return folder


@pytest.fixture
def own_kitchen(kitchen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, since each page begins where `cole run` ended; commands run there."""
    folder = tmp_path / "kitchen"
    shutil.copytree(kitchen, folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("COLE_HOME", raising=False)
    return folder


@pytest.fixture
def few_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The published protocols, but of as few architectures as the kitchen has."""
    text = NASBench201.published.read_text(encoding="utf-8")
    for asked in (f"architectures = {SIZE}", "sizes = [8, 20]", f"held_out = {SIZE - 30}"):
        text = re.sub(rf"^{asked.split(' = ')[0]} = .*$", asked, text, flags=re.MULTILINE)
    path = tmp_path / "published.toml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(NASBench201, "published", path)


def test_the_commands_are_found() -> None:
    found = {shlex.join(words) for page in PAGES for words in commands(page)}
    assert set(LONG) < found
    assert {name_of(page) for page in WITH_COMMANDS} >= {"README.md", "docs/own-model.md"}
    assert len(found) > 35
    assert len(IN_SENTENCES) > 40


def test_what_runs_elsewhere_is_there() -> None:
    for path in (*ELSEWHERE.values(), *LONG.values()):
        assert (ROOT / path).is_file()


@pytest.mark.usefixtures("own_kitchen")
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_the_commands_of_a_page_run_in_their_order(page: Path, cole: Cole) -> None:
    for program, *words in commands(page):
        if program == "make":
            made = ["make", "--dry-run", "--always-make", *words]  # `.ci/run` runs them
            done = subprocess.run(made, cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        elif program == "pip":
            installed(words)
        elif shlex.join((program, *words)) in LONG:
            assert taken(words)
        else:
            code, out, err = cole(*words)
            assert code == 0, (words, err)
            assert out, words


@pytest.mark.usefixtures("few_figures")
def test_the_commands_of_the_results_run(own_kitchen: Path, cole: Cole) -> None:
    table = pl.read_csv(own_kitchen / "baseline.csv")
    cells, values = table["arch_str"], table["cifar10_baseline_accuracy"]
    tests = {f"cifar{classes}_test_accuracy_200": values for classes in (10, 100)}
    pl.DataFrame({"arch_str": cells, **tests}).write_parquet("nasbench201.parquet")
    valid = {"arch_str": cells, "cifar10_valid_accuracy_200": values - 2}
    pl.DataFrame(valid).write_parquet("nasbench201_valid.parquet")
    everything, *each = commands(RESULTS)
    assert len(each) == RESULTS.read_text().count("\nThe protocol: ") >= 4
    for _, *words in (everything, *each):
        code, out, err = cole(*words, "--seeds", 2)
        assert code == 0, (words, err)
        assert "ours" in out


def installed(words: list[str]) -> None:
    """Checks that pip would install this package, with extras that it has."""
    install, what = words
    name, _, extra = what.partition("[")
    assert (install, name) == ("install", "cole-warehouse")
    assert not extra or extra.rstrip("]") in EXTRAS


def taken(words: list[str]) -> bool:
    """Whether the command line understands a command, all of it; runs nothing."""
    with vectors_named(words) as rest:
        app = make_app(*rest[:1])
        function, _, _ = app.parse_args(rest, print_error=False, exit_on_error=False)
    return function is not None


@pytest.mark.parametrize("command", IN_SENTENCES)
def test_a_command_in_a_sentence_is_one(command: str) -> None:
    _, *words = shlex.split(command)
    if words[0] == "COMMAND":
        words[0] = "embed"
    if len(words) == 1:  # the name of a command, whose arguments a sentence leaves out
        assert words[0] in make_app()
    else:
        with contextlib.suppress(MissingArgumentError):  # a sentence leaves out what it said
            assert taken(words)


def test_benchmarks_that_are_named_are_there() -> None:
    text = "".join(page.read_text() for page in PAGES)
    names = {re.split("[` ]", part)[0] for part in text.split("python -m ")[1:]}
    names = {name for name in names if name.startswith("benchmarks.")}
    assert len(names) >= 3
    for name in names:
        assert find_spec(name), name


def test_the_module_is_the_command() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "cole", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.startswith("cole-warehouse ")
