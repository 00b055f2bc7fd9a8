"""The README's recipes, run as they stand."""

import re
import shlex
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cole_core.encodings.vectors import Vectors
from flows.resolve.requests import Measured
from flows.stages.embed import EmbedRequest, embed
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from flows.stages.ingest import IngestRequest, ingest
from flows.stages.render import RenderRequest, render
from flows.stages.search import SearchRequest, search
from tests.cole_core.spaces.corpus.networks import RESIDUAL
from tests.flows.conftest import Cole, Small

README = Path(__file__).resolve().parents[3] / "README.md"


def recipes() -> dict[str, str]:
    """The commands of the section, by the question above each."""
    section = README.read_text().split("\n## Ten questions\n")[1].split("\n## ")[0]
    found = re.findall(r"\n(\*\*.+?\*\*.*)\n\n((?:    .*\n|\n(?=    ))+)", section)
    return {
        re.sub(r"\*\*(.+?)\*\*.*", r"\1", question): "\n".join(
            line.removeprefix("    ") for line in block.splitlines()
        )
        for question, block in found
    }


@pytest.fixture(scope="module")
def kitchen(made: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `cole-home`, filled as `cole run` does it but small, and a file of a user."""
    folder = tmp_path_factory.mktemp("kitchen")
    where: dict[str, Any] = {"space": "nasbench201", "home": folder / "cole-home"}
    table = folder / "baseline.csv"
    pl.read_csv(made.table).rename(
        {"cifar10_test_accuracy_200": "cifar10_baseline_accuracy"}
    ).write_csv(table)
    ingest(IngestRequest(**where, origin=str(table), source="analog-nasbench"))
    render(RenderRequest(**where))
    embed(EmbedRequest(**where))
    known = where | {"measured": Measured(dataset="cifar10"), "vectors": Vectors()}
    fit_heads(FitHeadsRequest(**known, sizes=(14, 30), draws=2))
    search(SearchRequest(**known, budget=30, seeds=(0, 1)))
    (folder / "my_cell.py").write_text(RESIDUAL["modules"])
    return folder


def test_there_are_ten() -> None:
    assert len(recipes()) >= 10


@pytest.mark.parametrize("question", recipes())
def test_a_recipe_runs_as_it_stands(
    cole: Cole, kitchen: Path, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    monkeypatch.chdir(kitchen)
    monkeypatch.delenv("COLE_HOME", raising=False)
    program, *arguments = shlex.split(recipes()[question])
    assert program == "cole"
    code, out, err = cole(*arguments)
    assert (code, err) == (0, "")
    assert len(out.splitlines()) > 0
    if "--output" in arguments:
        assert pl.read_parquet(arguments[arguments.index("--output") + 1]).height > 0
    else:
        code, out, _ = cole(*arguments, "--json")
        assert code == 0
        assert '"rows": [{' in out, "no rows"


def test_the_python_of_the_readme_runs_as_it_stands(
    kitchen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = README.read_text().split("\n## From Python and SQL\n")[1].split("\n## ")[0]
    block = "\n".join(
        line.removeprefix("    ")
        for line in section.splitlines()
        if line.startswith("    ") or not line
    )
    monkeypatch.chdir(kitchen)
    names: dict[str, pl.DataFrame] = {}
    exec(compile(block.strip(), str(README), "exec"), names)
    frame = names["frame"]
    assert frame.columns == ["native", "value", "text", "vector"]
    assert frame.height == 10
    assert frame["value"].is_sorted(descending=True)
