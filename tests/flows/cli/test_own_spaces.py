"""Spaces and trainings of one's own on the command line: what is wrong with them is one line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cole_core.foreign_code import RunLimits
from cole_core.spaces.own import runs
from tests.flows.cli.test_bad_input import REMEDY
from tests.flows.conftest import Cole
from warehouse import Warehouse

HEAD = """from typing import Annotated, Literal
from annotated_types import Ge, Interval
from torch import nn

class Net(nn.Module):
    def __init__(self, {arguments}):
        super().__init__()
        {body}
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(x)

def evaluate(network):
    return 1
"""


def net(arguments: str = "wide: bool = False", body: str = "pass") -> str:
    return HEAD.format(arguments=arguments, body=body)


# Name: (file, words of the command after it, what the line names).
CASES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "no nn.Module": ("class Other:\n    pass\n", (), "mine.py has no class Net, and no nn.Module"),
    "another class": (
        net().replace("class Net", "class Nett"),
        (),
        "choose one of Nett",
    ),
    "no network": ("class Net:\n    pass\n", (), "mine.py:Net is no nn.Module"),
    "a syntax error": (net() + "\ndef f(:\n", (), "line 17, column 7: invalid syntax"),
    "an empty file": ("", (), "mine.py is empty"),
    "raises where it is imported": (net() + "\n1 / 0\n", (), "ZeroDivisionError: division by zero"),
    "ends where it is imported": (net() + "\nexit(3)\n", (), "it ends the process: exit(3)"),
    "imports what is not there": (net() + "\nimport nowhere_to_be_found\n", (), "nowhere_to_be_f"),
    "an untyped argument": (net("channels"), (), "argument 'channels' of Net may be anything"),
    "half a choice": (net("depth: Annotated[int, Ge(1)] = 2"), (), "'depth' of Net has no upper"),
    "a loop in the constructor": (net(body="while True: pass"), (), "not done after 3 s"),
    "a loop where it is imported": (net() + "\nwhile True: pass\n", (), "not done after 3 s"),
    "endless allocation": (
        net(body="kept = [bytearray(2**22) for _ in iter(int, 1)]"),
        (),
        "it takes more memory than its limit",
    ),
    "a constructor that raises": (
        net(body="raise RuntimeError('two\\nlines')"),
        (),
        "none of 2 networks can be made, RuntimeError: two lines (mine.py, line 8)",
    ),
    "arguments that it does not take": (
        net("channels"),
        ("--arguments", '{"depth": 3}'),
        "Net takes no argument 'depth': choose from channels",
    ),
    "arguments that are no JSON": (net("channels"), ("--arguments", "channels=3"), "channels=3"),
    "parameters that are none": (net(), (":wide",), "write them by name"),
    "a task's argument that is none": (net("classes"), (":classes=0",), "'classes' is 0"),
    "more samples than there are": (net(), ("--samples", "3"), "--samples 3"),
}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    runs.start_anew()
    monkeypatch.setattr(runs, "LIMITS", RunLimits(seconds=3.0, mebibytes=300))
    yield
    runs.start_anew()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.usefixtures("quick")
def test_what_is_wrong_with_a_file_is_one_line(name: str, tmp_path: Path, cole: Cole) -> None:
    text, words, said = CASES[name]
    file = tmp_path / "mine.py"
    file.write_text(text)
    space = f"{file}:Net"
    if words and words[0].startswith(":"):
        space, words = f"{space}{words[0]}", words[1:]
    code, out, err = cole("enumerate", space, *words, "--home", tmp_path / "home")
    assert (code, out) == (2, ""), err
    [line] = err.splitlines()
    assert said in line
    assert REMEDY.search(line), f"no remedy in: {line}"
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("enumerate", "{folder}/none.py:Net"), "no file at"),
        (("enumerate", "{folder}/mine.py"), "names no class: name one of the file"),
        (("enumerate", "{folder}/mine.py:"), "names no class: name one of the file"),
        (("enumerate", "{folder}/mine.py:Net:"), "after the colon give parameters"),
        (("enumerate", "nasbench201", "--arguments", "{{}}"), "is for FILE.py:CLASS"),
        (("search", "{space}", "--train", "{folder}/mine.py:train"), "has no function train"),
        (("search", "{space}", "--train", "mine"), "--train mine: name FILE.py:FUNCTION"),
        (("search", "{space}", "--train", "{train}", "--split", "test"), "--split test"),
        (("search", "{space}", "--train", "{train}", "--channels", 4), "--channels 4 is for our"),
        (("evaluate", "{space}", "--train", "{train}"), "add --samples N"),
        (("evaluate", "{space}", "--train", "{train}", "--batch-size", 8), "--batch-size is for"),
        (("evaluate", "{space}", "--train", "{train}", "--metric", "a b"), "--metric a b"),
        (("evaluate", "{space}", "--dataset", "digits", "--metric", "loss"), "--metric loss is"),
        (("evaluate", "{space}"), "--dataset is missing"),
    ],
)
def test_what_is_wrong_with_a_name_is_one_line(
    words: tuple[object, ...], said: str, tmp_path: Path, cole: Cole
) -> None:
    (tmp_path / "mine.py").write_text(net())
    places = {"folder": tmp_path, "space": f"{tmp_path}/mine.py:Net"}
    places["train"] = f"{tmp_path}/mine.py:evaluate"
    given = [str(word).format(**places) for word in words]
    code, out, err = cole(*given, "--home", tmp_path / "home")
    assert (code, out) == (2, ""), err
    line = err.splitlines()[-1]
    assert said in line
    assert REMEDY.search(line), f"no remedy in: {line}"
    assert not (tmp_path / "home").exists()


@pytest.mark.usefixtures("quick", "prefect_server")
def test_one_of_many_that_cannot_be_made_is_recorded(tmp_path: Path, cole: Cole) -> None:
    body = "while kind == 'hang': pass\n        assert kind != 'raise', 'not this one'"
    arguments = "kind: Literal['fine', 'good', 'hang', 'raise'] = 'fine'"
    file = tmp_path / "mine.py"
    file.write_text(net(arguments, body))
    home = tmp_path / "home"
    assert cole("enumerate", f"{file}:Net", "--home", home)[0] == 0
    code, out, err = cole("render", f"{file}:Net", "--home", home)
    assert code == 0
    assert "skipped Net(kind='hang'): not done after 3 s" in err
    assert "skipped Net(kind='raise'): AssertionError: not this one (mine.py, line 9)" in err
    rendered = Warehouse(home).sql("SELECT native FROM renderings ORDER BY native")
    assert rendered["native"].to_list() == ["Net(kind='fine')", "Net(kind='good')"]
    train = ("--train", f"{file}:evaluate", "--time-limit", 3)
    code, _, err = cole("evaluate", f"{file}:Net", *train, "--home", home)
    assert code == 0
    assert "taken as score, higher is better" in err.splitlines()[0]
    status = dict(Warehouse(home).sql("SELECT native, status FROM trainings").iter_rows())
    assert status == {
        "Net(kind='fine')": "ok",
        "Net(kind='good')": "ok",
        "Net(kind='hang')": "timed_out",
        "Net(kind='raise')": "failed",
    }


def test_five_thousand_lines_are_read(tmp_path: Path, cole: Cole) -> None:
    file = tmp_path / "mine.py"
    file.write_text(net() + "".join(f"VALUE_{i} = {i}\n" for i in range(5_000)))
    code, _, err = cole("enumerate", f"{file}:Net", "--samples", 9, "--home", tmp_path / "home")
    assert (code, "--samples 9" in err) == (2, True)
