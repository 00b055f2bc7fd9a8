"""The command that each one prints at its end runs as it is printed."""

import shlex
from pathlib import Path

import pytest

from flows.cli import next_steps
from tests.cole_core.spaces.corpus.networks import CONV
from tests.flows.conftest import Cole


def _next(said: str) -> list[str]:
    [line] = [line for line in said.splitlines() if line.startswith("next: ")]
    return shlex.split(line.removeprefix("next: cole "))


@pytest.mark.usefixtures("prefect_server")
def test_a_corpus_can_be_followed_to_its_networks(
    cole: Cole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "nets"
    folder.mkdir()
    for act in ("ReLU", "GELU", "Tanh", "ELU"):
        for width in (2, 3, 4):
            (folder / f"{act}{width}.py").write_text(CONV.format(width=width, act=act))
    monkeypatch.chdir(tmp_path)
    words = ["ingest", "corpus:mine", str(folder)]
    done = []
    while "similar" not in done:
        few = ["--epochs", "1"] if words[0] == "evaluate" else []
        code, out, err = cole(*words, *few)
        assert code == 0, (words, err)
        done.append(words[0])
        words = _next(out)
    # What was never run has no class to write into a file.
    assert done == ["ingest", "render", "embed", "evaluate", "train", "best", "show", "similar"]
    for traced in (("render", "corpus:mine", "--run"), ("embed", "corpus:mine")):
        code, _, err = cole(*traced)
        assert code == 0, err
    code, out, _ = cole(*words)
    assert code == 0
    words = _next(out)
    assert words[2:] == ["--output", "net.py"]
    code, out, err = cole(*words)
    assert (code, (tmp_path / "net.py").is_file()) == (0, True), err
    assert cole(*_next(out))[0] == 0


def test_a_flag_stands_alone() -> None:
    said = next_steps.command(None, "evaluate", "corpus:a b", dataset="digits", run=True)
    assert said == "cole evaluate 'corpus:a b' --dataset digits --run"
    assert next_steps.command(None, "evaluate", run=None) == "cole evaluate"
