"""The space of docs/own-space.md: its whole life, and what its file may become."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cole_core.spaces.own import runs
from tests.flows.conftest import Cole
from warehouse import Warehouse

SECTION = (Path(__file__).resolve().parents[2] / "docs" / "own-space.md").read_text()
SPACE, TRAIN = "my_space.py:Net", ("--train", "my_space.py:evaluate", "--metric", "valid_accuracy")


def written() -> str:
    """The file as the page has it."""
    return SECTION.split("```python\n")[1].split("```")[0]


def commands() -> list[list[str]]:
    """The commands after it."""
    return [line.split()[1:] for line in re.findall(r"^    (cole .*)$", SECTION, re.MULTILINE)]


def _text(value: object) -> str:
    """As SQL writes it."""
    return "'" + str(value).replace("'", "''") + "'"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLE_HOME", "home")
    path = tmp_path / "my_space.py"
    path.write_text(written())
    return path


def test_it_is_short() -> None:
    assert len([line for line in written().splitlines() if line.strip()]) <= 20


@pytest.mark.usefixtures("prefect_server")
def test_its_whole_life(file: Path, cole: Cole) -> None:
    for words in commands():
        code, out, err = cole(*words)
        assert code == 0, (words, err)
    best = out
    warehouse = Warehouse("home")

    def rows(query: str) -> list[tuple[object, ...]]:
        return warehouse.sql(query).rows()

    assert rows("SELECT count(*) FROM architectures") == [(60,)]
    trained = rows("SELECT architecture_id, status, run_id FROM trainings")
    assert len(trained) == 40
    assert {status for _, status, _ in trained} == {"ok"}
    values = rows("SELECT native, value, unit, direction, split FROM evaluations")
    assert {row[2:] for row in values} == {("%", "higher", "valid")}
    native, value = max(((row[0], row[1]) for row in values), key=lambda row: row[1])
    assert value > 80  # of ten digits
    assert str(native) in best or f"{value:.4g}" in best

    # All of it is told, and its network is a file that runs with PyTorch alone.
    [(id_,)] = rows(f"SELECT architecture_id FROM architectures WHERE native = {_text(native)}")
    code, out, _ = cole("show", id_, "--space", SPACE, "--output", "net.py")
    assert (code, f"{value:.4g}" in out) == (0, True)
    ran = subprocess.run(
        [sys.executable, "-I", "net.py"], capture_output=True, text=True, check=False
    )
    counted = rows(f"SELECT parameters FROM trainings WHERE architecture_id = '{id_}'")
    assert (ran.stderr, ran.stdout) == ("", f"{counted[0][0]:,} trainable parameters\n")
    code, out, _ = cole("show", id_)  # which runs nothing
    assert (code, f"{value:.4g}" in out) == (0, True)

    # The file changes as files do, and nothing is trained twice.
    text = written().replace("Literal[8, 16, 24, 32]", "Literal[8, 16, 24, 32, 64]")
    text = text.replace("pairs", "layers")
    file.write_text(f'"""Mine."""\n{text}\n# the end\n')
    assert cole("enumerate", SPACE)[0] == 0
    assert rows("SELECT count(*), count(DISTINCT native) FROM architectures") == [(75, 75)]
    code, _, err = cole("search", SPACE, *TRAIN, "--budget", 12, "--algorithm", "random_search")
    assert code == 0, err
    after = rows("SELECT architecture_id, status, run_id FROM trainings")
    assert set(trained) <= set(after)
    steps = rows(
        "SELECT architectures.native, architecture_id FROM searches "
        "JOIN architectures USING (architecture_id) WHERE algorithm = 'random_search'"
    )
    known = {id_ for id_, _, _ in trained}
    new = {id_ for _, id_ in steps} - known
    assert len(steps) == 12
    assert {id_ for id_, _, _ in after} == known | new
    assert any("width=64" in str(native) for native, _ in steps)

    # What is stored can be asked without the file; what needs it says so.
    file.rename("elsewhere.py")
    runs.start_anew()
    [(top,)] = rows("SELECT max(value) FROM evaluations")
    assert f"{top:.4g}" in cole("best", "--space", SPACE, "-k", 1)[1]
    code, out, _ = cole("similar", native, "--space", SPACE, "-k", 2)
    assert (code, "architecture of my_space.py:Net" in out) == (0, True)
    for words in (("render", SPACE), ("enumerate", SPACE), ("search", SPACE, *TRAIN)):
        code, _, err = cole(*words)
        assert code == 2
        assert "my_space.py" in err
    Path("elsewhere.py").rename(file)

    # A network that is built otherwise is another one; the others are as they were.
    file.write_text(
        text.replace("getattr(torch.nn, act)()", "getattr(torch.nn, act.replace('Tanh', 'ELU'))()")
    )
    assert cole("enumerate", SPACE)[0] == 0
    changed = "SELECT count(*) FROM architectures WHERE native LIKE '%{}%'"
    assert rows(changed.format("ReLU")) == [(25,)]
    assert rows(changed.format("Tanh")) == [(2 * 25,)]
    assert rows("SELECT count(DISTINCT native) FROM architectures") == [(75,)]
