"""The recipes of docs/ask.md, run as they stand."""

import re
import shlex
from pathlib import Path

import polars as pl
import pytest

from tests.flows.conftest import Cole, Small
from tests.flows.kitchen import fill

PAGE = Path(__file__).resolve().parents[3] / "docs" / "ask.md"


def recipes() -> dict[str, str]:
    """The commands of the section, by the question above each."""
    section = PAGE.read_text().split("\n## Ten questions\n")[1].split("\n## ")[0]
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
    return fill(tmp_path_factory.mktemp("kitchen"), made)


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


def test_the_python_of_the_page_runs_as_it_stands(
    kitchen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = PAGE.read_text().split("\n## From Python and SQL\n")[1].split("\n## ")[0]
    block = "\n".join(
        line.removeprefix("    ")
        for line in section.splitlines()
        if line.startswith("    ") or not line
    )
    monkeypatch.chdir(kitchen)
    names: dict[str, pl.DataFrame] = {}
    exec(compile(block.strip(), str(PAGE), "exec"), names)
    frame = names["frame"]
    assert frame.columns == ["native", "value", "text", "vector"]
    assert frame.height == 10
    assert frame["value"].is_sorted(descending=True)
