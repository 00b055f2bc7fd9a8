"""`cole similar`, as a person or a script sees it."""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cole_core.encodings import TextEncoding
from cole_core.language_models import load, specify
from cole_core.spaces import get_space
from flows.questions.similar import SimilarRequest, similar
from flows.resolve.corpora import RunOptions
from tests.cole_core.spaces.corpus import networks
from tests.cole_core.spaces.corpus.networks import RESIDUAL
from tests.flows.conftest import SPACE, Cole, Small, make_small

OWN = '''
"""A network that somebody wrote."""
import os
os.system("touch ran-it")
raise SystemExit("this module was run")


class Block(nn.Module):
    def forward(self, x):
        return F.relu(x)


class Cell(nn.Module):
    block = Block()

    def forward(self, x):
        return x + self.conv3x3(x)
'''


def asking(small: Small, what: str, **options: Any) -> SimilarRequest:
    return SimilarRequest(what=what, home=small.home, **options)


def test_similar_by_native_string_and_by_id(cole: Cole, made: Small) -> None:
    native = next(iter(made.accuracies))
    id_ = SPACE.architecture_id(native)
    answers = []
    for what in (native, id_, id_[:8]):
        code, out, _ = cole("similar", what, "-k", "3", "--home", made.home, "--json")
        assert code == 0
        answers.append(json.loads(out)["rows"])
    assert answers[0] == answers[1] == answers[2]
    assert all(row["cifar10"] == made.accuracies[row["native"]] for row in answers[0])


def test_similar_with_a_condition_is_the_plain_loop(made: Small) -> None:
    native = next(iter(made.accuracies))
    spec_id = specify("minilm", precision="fp32").spec_id
    known = made.warehouse.architecture_vectors(SPACE, "code.bare", "none", spec_id)
    unit = known.vectors / np.linalg.norm(known.vectors, axis=1, keepdims=True)
    distance = 1 - unit @ unit[known.natives.index(native)]
    middle = float(np.median(list(made.accuracies.values())))
    expected = [
        known.natives[row]
        for row in np.argsort(distance, kind="stable")
        if made.accuracies[known.natives[row]] > middle and known.natives[row] != native
    ]
    found = similar(asking(made, native, k=5, where=f"cifar10 > {middle}", recall=True))
    assert [row["native"] for row in found["rows"]] == expected[:5]
    assert found["recall"] == 1.0
    canonical = SPACE.canonical_form(native)
    for row in found["rows"]:
        assert row["twin"] == (SPACE.canonical_form(row["native"]) == canonical)


def test_similar_knows_sizes_and_metrics_as_best_does(made: Small) -> None:
    native = next(iter(made.accuracies))
    sizes = {each: SPACE.parameter_count(each) for each in made.accuracies}
    small, middle = float(np.median(list(sizes.values()))), 90.0
    where = f"parameters < {small} AND accuracy > {middle}"
    found = similar(asking(made, native, k=60, where=where))
    expected = {each for each, value in made.accuracies.items() if value > middle}
    expected &= {each for each, size in sizes.items() if size < small}
    assert {row["native"] for row in found["rows"]} == expected - {native}
    assert found["fitting"] == len(expected)


def test_an_architecture_that_is_not_stored_and_its_text_find_the_same(made: Small) -> None:
    native = next(n for n in SPACE.enumerate() if n not in made.accuracies)
    encoding = get_space("nasbench201").encoding("code.bare")
    assert isinstance(encoding, TextEncoding)
    text = encoding.render(native)
    by_native = similar(asking(made, native, k=5))
    by_text = similar(asking(made, text, k=5, text=True))
    assert by_native["asked"] == "architecture"
    assert by_text["asked"] == by_text["read"] == "text"
    for one, other in zip(by_native["rows"], by_text["rows"], strict=True):
        assert one["distance"] == pytest.approx(other["distance"], abs=1e-5)
    vector = next(iter(load(specify("minilm", precision="fp32")).embed([text]))).vectors[0]
    nearest = made.warehouse.vectors.nearest(by_text["spec_id"], vector, 1)
    assert by_text["rows"][0]["distance"] == pytest.approx(nearest["distance"][0], abs=1e-5)


def test_a_file_is_parsed_and_not_run_without_being_asked(
    cole: Cole,
    made: Small,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its source is no text of what is stored here: it is of another language."""
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(OWN)
    modules = set(sys.modules)
    for option in ((), ("--encoding", "code.bare"), ("--encoding", "code.source")):
        code, out, err = cole("similar", "own.py", *option, "--home", made.home, "--json")
        assert (code, out) == (2, "")
        [line] = err.splitlines()
        assert "own.py was parsed and not run" in line
        assert "code.source" in line
        assert "--run" in line
    assert [path.name for path in tmp_path.iterdir()] == ["own.py"]
    assert "own" not in set(sys.modules) - modules
    code, _, err = cole("similar", "own.py", "--run", "--home", made.home)
    assert code == 2
    [line] = err.splitlines()
    assert "this module was run" in line
    assert Path("ran-it").exists()


BLOCK = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"


@pytest.fixture(scope="module")
def residual(made: Small, tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The small warehouse with the cell that is a residual block."""
    home = tmp_path_factory.mktemp("residual") / "home"
    shutil.copytree(made.home, home)
    table = home.parent / "block.csv"
    table.write_text(f"arch_str,cifar10_test_accuracy_200\n{BLOCK},93.0\n")
    return make_small(home, table)


@pytest.mark.parametrize("way", RESIDUAL)
def test_a_file_that_computes_a_cell_is_at_that_cell(
    residual: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("residual.py").write_text(RESIDUAL[way])
    found = similar(asking(residual, "residual.py", running=RunOptions(run=True), k=2))
    first, second = found["rows"]
    assert SPACE.canonical_form(first["native"]) == SPACE.canonical_form(BLOCK)
    assert first["distance"] == pytest.approx(0, abs=1e-6)
    assert second["distance"] > 1e-4
    assert found["read"] == "file residual.py, class Residual, run, traced by fx"


def test_the_first_line_says_what_was_read(
    cole: Cole, residual: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("residual.py").write_text(RESIDUAL["loop"])
    code, out, _ = cole("similar", "residual.py", "--run", "-k", 1, "--home", residual.home)
    assert code == 0
    assert out.splitlines()[0] == "file residual.py, class Residual, run, traced by fx"
    assert BLOCK in out


@pytest.mark.parametrize(
    ("code", "options", "said"),
    [
        (networks.NO_MODULE, (), "holds no class"),
        (networks.BROKEN, (), "line 3"),
        (networks.ENDLESS, ("--run-time-limit", "3"), "not done after 3 s"),
        (networks.HOARD, ("--run-memory-limit", "512"), "memory"),
        (networks.RAISES, (), "no such width"),
        (networks.NEEDS, (), "'channels'.*--arguments"),
        (networks.NEEDS, ("--arguments", '{"channels": "many"}'), "own.py"),
        (networks.NEEDS, ("--arguments", '{"channels": 4, "depth": 2}'), "depth"),
        (networks.NEEDS, ("--arguments", "16"), "JSON object"),
        (
            networks.NEEDS,
            ("--arguments", '{"channels": 4}', "--encoding", "arch_str"),
            "code.bare or code.expression",
        ),
        (networks.NEEDS, ("--run-time-limit", "0"), "limits of 0 s"),
    ],
)
def test_a_file_that_cannot_be_run_is_one_line(
    cole: Cole,
    made: Small,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    options: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(code)
    done, out, err = cole("similar", "own.py", "--run", *options, "--home", made.home)
    assert (done, out) == (2, "")
    [line] = err.splitlines()
    assert re.search(said, line)


def test_what_a_constructor_needs_is_given(made: Small, tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(networks.NEEDS)
    asked = asking(made, str(path), arguments='{"channels": 4}', running=RunOptions(run=True))
    assert similar(asked)["read"].endswith("run, traced by fx")


def test_a_long_file_is_read_as_a_short_one(made: Small, tmp_path: Path) -> None:
    answers = []
    for code in (networks.LONG, networks.CONV.format(width=8, act="ReLU")):
        path = tmp_path / "own.py"
        path.write_text(code)
        answers.append(similar(asking(made, str(path), running=RunOptions(run=True), k=5))["rows"])
    assert answers[0] == answers[1]


@pytest.mark.parametrize("option", [("--run",), ("--arguments", "{}")])
def test_what_is_no_file_is_not_run(cole: Cole, made: Small, option: tuple[str, ...]) -> None:
    native = next(iter(made.accuracies))
    for what in ((native,), ("two pools", "--text")):
        code, out, err = cole("similar", *what, *option, "--home", made.home)
        assert (code, out) == (2, "")
        assert f"{option[0]} is for a file" in err
