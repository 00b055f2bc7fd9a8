"""What `cole similar` is given, and what it was read as or the line that refused it."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from flows.questions.asked import Asked, Question, read_asked
from tests.flows.cli.test_bad_input import REMEDY
from tests.flows.conftest import SPACE, Cole, Small

CELL = "|nor_conv_1x1~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"
TREE = "sequential(computation<linear(32)>, computation<relu>)"
NET = """import torch

class Half(torch.nn.Module):
    def forward(self, x):
        return x / 2
"""


@dataclass(frozen=True)
class Given:
    """What somebody gives, with the words of options, and a file's content where it is one."""

    what: str
    options: tuple[str, ...] = ()
    space: str = "nasbench201"
    file: str | None = None
    content: bytes = b""


def a_file(name: str, content: str | bytes = NET, *options: str, ask: str | None = None) -> Given:
    data = content if isinstance(content, bytes) else content.encode()
    return Given(name if ask is None else ask, options, file=name, content=data)


ARCHITECTURE = "architecture of nasbench201"

READ: dict[str, tuple[Given, str]] = {
    "a cell": (Given(CELL), ARCHITECTURE),
    "blanks around it": (Given(f"  {CELL}\t"), ARCHITECTURE),
    "blanks around its nodes": (Given(CELL.replace("+", " + ")), ARCHITECTURE),
    "a line end": (Given(f"{CELL}\n"), ARCHITECTURE),
    "no plus signs": (
        Given(CELL.replace("|+|", "||")),
        f"{ARCHITECTURE}, read as a native string without plus signs",
    ),
    "a tree": (Given(TREE, space="einspace"), "architecture of einspace"),
    "a tree without blanks": (
        Given(TREE.replace(" ", ""), space="einspace"),
        "architecture of einspace",
    ),
    "words": (Given("two pools side by side", ("--text",)), "text"),
    "one word": (Given("pool", ("--text",)), "text"),
    "source": (Given(NET, ("--text",)), "text"),
    "a tuple, as a text": (Given("(3, 1, 2)", ("--text",)), "text"),
    "a file's name, as a text": (a_file("net.py", NET, "--text"), "text"),
    "a file": (a_file("net.py"), "file net.py, class Half"),
    "large letters": (a_file("NET.PY"), "file NET.PY, class Half"),
    "a blank": (a_file("my net.py"), "file my net.py, class Half"),
    "blanks and brackets": (a_file("net (2) [old].py"), "file net (2) [old].py, class Half"),
    "no suffix": (a_file("network"), "file network, class Half"),
    "no suffix, and a blank": (a_file("my network"), "file my network, class Half"),
    "another suffix": (a_file("net.txt"), "file net.txt, class Half"),
    "letters of an id": (a_file("decade"), "file decade, class Half"),
    "in a folder": (a_file("a/b c/net.py"), "file a/b c/net.py, class Half"),
    "by a dot": (a_file("./net.py"), "file net.py, class Half"),
    "a name like a notation": (a_file("(1, 2)"), "file (1, 2), class Half"),
    "its class": (a_file("net.py", ask="net.py:Half"), "file net.py, class Half"),
    "its class, by an option": (
        a_file("net.py", NET, "--class", "Half"),
        "file net.py, class Half",
    ),
    "a class of a file without a suffix": (
        a_file("my net", ask="my net:Half"),
        "file my net, class Half",
    ),
    "a colon in its name": (a_file("net:1.py"), "file net:1.py, class Half"),
}

LIKE_A_CELL = r"no NAS-Bench-201 cell.*write \|op"
SO_WRITTEN = r"and no architecture of nasbench201 is written so: write it.* as in \|"
SAY_TEXT = "no architecture of nasbench201, no stored id and no file: .* --text"

REFUSED: dict[str, tuple[Given, str]] = {
    "a missing bar": (Given(CELL[:-1]), LIKE_A_CELL),
    "a missing first bar": (Given(CELL[1:]), LIKE_A_CELL),
    "an unknown operation": (Given(CELL.replace("nor_", "")), "unknown operation 'conv_1x1'"),
    "all unknown": (Given("|a~0|+|a~0|a~1|+|a~0|a~1|a~2|"), "unknown operation 'a'"),
    "an edge too many": (Given(CELL + "+|none~0|"), LIKE_A_CELL),
    "no sources": (Given("|none|+|none|none|+|none|none|none|"), "not of the form operation~"),
    "a cell in quotes": (Given(f"'{CELL}'"), "in quotes of its own, " + SO_WRITTEN),
    "a tuple": (Given("(3, 1, 2, 0, 4, 4)"), "a tuple, " + SO_WRITTEN),
    "a tuple of names": (Given("('none', 'skip_connect')"), "a tuple, " + SO_WRITTEN),
    "a tuple that is cut": (Given("(3, 1, 2"), "a tuple that is not complete, " + SO_WRITTEN),
    "a list": (Given("[3, 1, 2, 0, 4, 4]"), "a list, " + SO_WRITTEN),
    "a matrix": (Given("[[0, 1], [0, 0]]"), "a list, " + SO_WRITTEN),
    "a list that is cut": (Given("['conv', 'po"), "a list that is not complete, " + SO_WRITTEN),
    "a dictionary": (Given("{'0_1': 'conv_3x3', '0_2': None}"), "a dictionary, " + SO_WRITTEN),
    "JSON": (Given('{"depth": 3, "pool": true, "act": null}'), "is JSON, " + SO_WRITTEN),
    "JSON that is cut": (Given('{"depth": 3, "pool"'), "a dictionary that is not complete"),
    "an index": (Given("731"), "a number, which stands for another.*, " + SO_WRITTEN),
    "an index like an id": (Given("1234567"), "a number, .*" + SO_WRITTEN),
    "a decimal": (Given("94.37"), "a number, .*" + SO_WRITTEN),
    "a genotype": (
        Given("Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1)], normal_concat=[2])"),
        "a genotype of DARTS, " + SO_WRITTEN,
    ),
    "half a genotype": (Given("normal=[('max_pool_3x3', 0)]"), "a genotype of DARTS"),
    "a tree here": (Given(TREE), "is an architecture of einspace, .*: give --space einspace"),
    "a tree that is cut": (Given(TREE[:-1]), "no einspace derivation: .* give --space einspace"),
    "a cell there": (Given(CELL, space="einspace"), "of nasbench201, not of einspace: give --sp"),
    "a tree that is cut, there": (Given(TREE[:-3], space="einspace"), "no einspace derivation"),
    "an unknown function there": (Given("branching(2){a, b}", space="einspace"), "no einspace"),
    "prose": (Given("two pools side by side"), SAY_TEXT),
    "prose with a bracket": (Given("a pool (3 x 3), then a sum"), SAY_TEXT),
    "prose with a bar": (Given("conv | norm | relu"), SAY_TEXT),
    "prose with an operation": (Given("a cell with a skip_connect"), SAY_TEXT),
    "prose that begins with class": (Given("class of residual networks"), SAY_TEXT),
    "prose that is long": (
        Given("a pool\n then " * 40),
        f"'a pool then a .* … .*then' is {SAY_TEXT}",
    ),
    "one word": (Given("pool"), SAY_TEXT),
    "an operation alone": (Given("skip_connect"), SAY_TEXT),
    "source": (Given(NET), "is Python source: give its file, or --text"),
    "a call": (Given("nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())"), "is Python source"),
    "an id that is not there": (Given("0badc0de"), "begins none that is stored; find one"),
    "no file": (Given("net.py"), r"no file at net\.py: give the path"),
    "no file, with blanks": (Given("my first net.py"), r"no file at my first net\.py: give"),
    "no file, in large letters": (Given("NET.PY"), r"no file at NET\.PY"),
    "no notebook": (Given("my net.ipynb"), r"no file at my net\.ipynb"),
    "no model": (Given("resnet18.onnx"), r"no file at resnet18\.onnx"),
    "no folder": (Given("nets/residual"), "no file at nets/residual"),
    "a class of no file": (Given("net.py:Half"), r"no file at net\.py:"),
    "no class of it": (a_file("net.py", ask="net.py:Full"), "no class Full: choose one of Half"),
    "nothing after the colon": (a_file("net.py", ask="net.py:"), "after the colon name a class"),
    "a class twice": (a_file("net.py", NET, "--class", "Half", ask="net.py:Half"), "give one of"),
    "a class of an architecture": (Given(CELL, ("--class", "Cell")), "is for a file: give FILE"),
    "a class of a text": (Given("x", ("--text", "--class", "C")), "is for a file: leave out"),
    "a file and a cell": (a_file(CELL), r"a file, and an architecture as well: give \./\|"),
    "a folder": (a_file("nets/net.py", ask="nets"), "nets is a folder: give one of its files"),
    "an empty file": (a_file("net.py", ""), r"net\.py is empty: give"),
    "a broken file": (a_file("net.py", NET.replace("x)", "x")), "line 4, column 16"),
    "a file of Python 2": (a_file("net.py", "def f(x):\n    print x\n"), "is Python 2, line 2"),
    "Latin-1": (a_file("net.py", ("# é\n" + NET).encode("latin-1")), "line 1 .byte 0xe9"),
    "a table": (a_file("mine.csv", "arch,acc\n1,2\n"), r"mine\.csv holds no class: give"),
    "a file of bytes": (a_file("net.pt", b"PK\x03\x04\x00"), r"net\.pt is no text, .* give Python"),
    "nothing": (Given(" "), "is empty: give"),
    "very much": (Given("pool " * 250_000, ("--text",)), "give at most 1,000,000 bytes"),
}


def ask(home: Path, given: Given) -> Asked:
    named = (
        given.options[given.options.index("--class") + 1] if "--class" in given.options else None
    )
    question = Question(given.what, given.space, named, "--text" in given.options)
    return read_asked(Small(home, home).warehouse, question, Vectors())


def put(given: Given) -> None:
    """Writes the file of a case where the test is."""
    if given.file is not None:
        path = Path(given.file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(given.content)


@pytest.mark.parametrize("case", READ)
def test_what_is_sure_is_read(
    made: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    given, expected = READ[case]
    monkeypatch.chdir(tmp_path)
    put(given)
    asked = ask(made.home, given)
    assert asked.read == expected
    if asked.kind == "file":
        assert ast.dump(ast.parse(asked.text)) == ast.dump(ast.parse(NET[NET.index("class") :]))
        assert asked.encoding == "code.source"
    elif asked.kind == "text":
        assert asked.text == given.what
    else:
        assert asked.native == (CELL if asked.space == SPACE else TREE)


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_sure_is_refused_in_one_line(
    cole: Cole, made: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    given, said = REFUSED[case]
    monkeypatch.chdir(tmp_path)
    put(given)
    code, out, err = cole(
        "similar", given.what, *given.options, "--space", given.space, "--home", made.home
    )
    assert (code, out) == (2, "")
    [line] = err.splitlines()
    assert line.startswith("cole: ")
    assert REMEDY.search(line), line
    assert re.search(said, line), line


# What the files of the public cases are read as; of the others a word of the line.
PUBLIC = {
    "alias.py": "class Net",
    "bom_crlf.py": "class Net",
    "broken.py": "line 5, column 25",
    "empty.py": "is empty",
    "factory.py": "class make.Block",
    "gnn.py": "class Layer",
    "house.py": "class Cell",
    "keras_like.py": "Keras",
    "latin1.py": "line 2",
    "latin1_declared.py": "class Net",
    "lightning.py": "class Classifier",
    "lightning_one.py": "class Classifier",
    "many_classes.py": "of Tagger, OldGelu",
    "no_suffix": "class Residual",
    "notebook.ipynb": "class Net",
    "pool_only.py": "class Pools",
    "py2.py": "Python 2, line 5",
    "residual.py": "class Residual",
    "residual_named.py": "class Cell",
    "sequential_only.py": "nn.Sequential model",
    "upper.PY": "class Residual",
    "with space.py": "class Residual",
}


def test_the_public_files(shared: Path, made: Small) -> None:
    folder = shared / "cases" / "networks"
    if not folder.is_dir():
        pytest.skip(f"needs the public cases, {folder}")
    assert {path.name for path in folder.iterdir()} == set(PUBLIC)
    for name, expected in PUBLIC.items():
        path = folder / name
        try:
            said = ask(made.home, Given(f"{path}")).read
        except InputError as error:
            said = str(error)
        assert str(path) in said
        assert expected in said


def test_there_are_enough_of_them() -> None:
    assert len(READ) + len(REFUSED) >= 60
