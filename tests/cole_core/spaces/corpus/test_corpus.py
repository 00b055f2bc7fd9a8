"""Corpora as search spaces, and what is read of their sources."""

import ast
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest

from cole_core.encodings import TextEncoding
from cole_core.errors import InputError
from cole_core.foreign_code import RunLimits, Runner
from cole_core.hashing import hash_text
from cole_core.sources.told import Told
from cole_core.spaces.corpus import Corpus, Member, read_arguments
from cole_core.spaces.corpus.folder import read_folder
from cole_core.spaces.corpus.running import trace_member
from cole_core.spaces.corpus.space import UntracedError
from cole_core.spaces.corpus.stored_forms import from_json, to_json
from cole_core.spaces.corpus.table import read_code_table
from cole_core.testing import SpaceContract
from cole_core.testing.checks import refused
from tests.cole_core.spaces.corpus import networks
from tests.cole_core.spaces.corpus.networks import CONV, RESIDUAL


@pytest.fixture(scope="module")
def runner() -> Any:
    with Runner(RunLimits(seconds=60.0, mebibytes=2_048)) as made:
        yield made


def collected(folder: Path, files: dict[str, str], **arguments: Any) -> tuple[Member, ...]:
    for name, code in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
    return read_folder(folder, arguments).members


def sample(folder: Path) -> list[Member]:
    """Members that were traced."""
    acts = ("ReLU", "GELU", "Tanh")
    files = {
        f"nets/{act.lower()}{width}.py": CONV.format(width=width, act=act)
        for act in acts
        for width in (4, 8)
    }
    found = collected(folder, files)
    with Runner() as runner:
        forms = [trace_member(runner, member, folder) for member in found]
    return [
        replace(member, form=form, canonical=form.expression)
        for member, form in zip(found, forms, strict=True)
    ]


class TestCorpus(SpaceContract):
    """What every search space promises; where it is made by its name alone, a corpus is made by
    its name and its members, which a warehouse has."""

    input_shape: ClassVar = (1, 8, 8)

    @pytest.fixture(autouse=True, scope="class")
    def _members(
        self, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        members = sample(tmp_path_factory.mktemp("corpus"))
        request.cls.space = Corpus("corpus:sample", members, may_run=True)

    def test_it_has_a_name(self) -> None:
        assert re.fullmatch(r"corpus:[A-Za-z0-9][A-Za-z0-9_.-]*", self.space.name)

    def test_parameters_and_full_name_make_the_space_again(self) -> None:
        assert self.space.full_name == self.space.name
        assert isinstance(self.space, Corpus)
        again = Corpus(self.space.name, self.space.members)
        native = self.drawn()[0]
        assert dict(again.parameters) == dict(self.space.parameters) == {}
        assert again.architecture_id(native) == self.space.architecture_id(native)
        refused(Corpus.parse_parameters, "no such:parameters")

    def test_a_network_is_built_for_a_task(self) -> None:
        from cole_core.testing.space import run

        refused(self.space.macro_architecture, {"no such part": 1})
        for native in self.drawn()[:3]:
            network = self.space.build_for(native, (2, 8, 8), 4, {})
            assert run(network, (2, 8, 8)).shape == (2, 4)


def test_native_strings_say_what_they_are_and_change_with_the_code(tmp_path: Path) -> None:
    [before] = collected(tmp_path, {"a/net.py": CONV.format(width=8, act="ReLU")})
    assert re.fullmatch(r"a/net\.py:Net#[0-9a-f]{10}", before.native)
    [again] = collected(tmp_path, {"a/net.py": CONV.format(width=8, act="ReLU")})
    assert again.native == before.native
    [other] = collected(tmp_path, {"a/net.py": CONV.format(width=9, act="ReLU")})
    assert other.native != before.native
    [given] = collected(tmp_path, {}, width=16)
    assert given.native not in (before.native, other.native)


def test_source_is_told_without_what_says_nothing(tmp_path: Path) -> None:
    [member] = collected(tmp_path, {"net.py": CONV.format(width=8, act="ReLU")}, width=4)
    encoding = Corpus("corpus:x", [member]).encoding("code.source")
    assert isinstance(encoding, TextEncoding)
    text = encoding.render(member.native)
    for gone in ("published", "which is nothing", "import", ": int", "def fit", '"""'):
        assert gone not in text
    assert text.endswith("Net(width=4)")
    names = [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    assert names == ["Net"]
    assert member.canonical == text


def test_nothing_is_run_unless_it_is_allowed(tmp_path: Path) -> None:
    told = tmp_path / "ran"
    code = f"open({str(told)!r}, 'w')\n" + CONV.format(width=8, act="ReLU")
    [member] = collected(tmp_path / "nets", {"net.py": code})
    corpus = Corpus("corpus:x", [member])
    native = member.native
    corpus.architecture_id(native)
    for call in (corpus.build, lambda name: corpus.build_for(name, (1, 8, 8), 10, {})):
        assert "--run" in refused(call, native)
    assert "--run" in refused(corpus.normal_form, native)
    with pytest.raises(UntracedError):
        corpus.normal_form(native)
    assert not told.exists()
    Corpus("corpus:x", [member], may_run=True).build(native)
    assert told.exists()


def test_normal_forms_come_back_from_json(tmp_path: Path, runner: Runner) -> None:
    files = {f"{name}.py": code for name, code in RESIDUAL.items()}
    files["conv.py"] = CONV.format(width=8, act="LeakyReLU")
    for member in collected(tmp_path, files):
        form = trace_member(runner, member, tmp_path)
        again = from_json(json.loads(json.dumps(to_json(form))))
        assert again == form
        assert again.digest == form.digest
        assert (again.expression, again.class_text) == (form.expression, form.class_text)
        assert (again.path, again.reason, again.source) == (form.path, form.reason, form.source)


@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"Runner": {}}', '{"NormalForm": {"path": "fx"}}', '{"eval": "1"}', "1"]
)
def test_what_is_no_normal_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        from_json(text)


def test_one_block_written_four_ways_is_one_twin(tmp_path: Path, runner: Runner) -> None:
    members = collected(tmp_path, {f"{name}.py": code for name, code in RESIDUAL.items()})
    texts = {trace_member(runner, member, tmp_path).expression for member in members}
    assert len(members) == 4
    assert texts == {
        "class Network(nn.Module):\n    def forward(self, x):\n"
        "        return x + self.conv3x3(self.conv3x3(x))"
    }


def test_modules_of_the_folder_can_be_imported(tmp_path: Path, runner: Runner) -> None:
    member = collected(
        tmp_path,
        {
            "blocks.py": RESIDUAL["modules"],
            "net.py": "from blocks import Residual\nfrom torch import nn\n\n"
            "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.a = Residual(4)\n\n    def forward(self, x):\n"
            "        return self.a(x)\n",
        },
    )[1]
    form = trace_member(runner, member, tmp_path)
    assert form.bare == "x + self.conv3x3(self.conv3x3(x))"


def test_arguments_go_to_the_constructor(tmp_path: Path, runner: Runner) -> None:
    [member] = collected(tmp_path, {"net.py": networks.NEEDS})
    said = refused(trace_member, runner, member, tmp_path)
    assert "channels" in said
    assert "--arguments" in said
    [member] = collected(tmp_path, {}, channels=4)
    assert trace_member(runner, member, tmp_path).path == "fx"
    [member] = collected(tmp_path, {}, channels=4, depth=2)
    assert "depth" in refused(trace_member, runner, member, tmp_path)


FACTORY = """
from torch import nn

def make(width=4, what="net"):
    if what == "net":
        return nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.ReLU())
    return what

net = nn.Sequential(nn.ReLU(), nn.Conv2d(1, 8, 3, padding=1))
nn.Sequential(nn.Tanh())
"""


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("make", {}, "relu(self.conv2d_3x3_4(x))"),
        ("make", {"width": 16}, "relu(self.conv2d_3x3_16(x))"),
        ("make", {"what": "text"}, "gives str, no nn.Module"),
        ("make", {"depth": 1}, "arguments of make"),
        ("net", {}, "self.conv2d_3x3_8(relu(x))"),
        ("net", {"width": 1}, "takes no arguments"),
        ("Sequential", {}, "has no name: assign it"),
        ("Other", {}, "no class Other"),
    ],
)
def test_functions_and_sequentials_are_networks_too(
    runner: Runner, name: str, arguments: dict[str, Any], said: str
) -> None:
    member = Member(name, name, FACTORY, arguments, "net.py")
    try:
        found = trace_member(runner, member, None).bare
    except InputError as error:
        found = str(error)
    assert said in found


@pytest.mark.parametrize("text", ["", "16", "[1]", '{"a b": 1}', "{channels: 1}", '"x"'])
def test_arguments_that_are_none(text: str) -> None:
    assert "JSON object" in refused(read_arguments, text, "--arguments")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (networks.RAISES, "KeyError: 'no such width' .*line 8"),
        (networks.LEAVES, r"exit\(3\)"),
        ("raise ValueError('on import')\n" + networks.NEEDS, "ValueError: on import"),
        ("import no_such_package\n" + networks.NEEDS, "no_such_package"),
    ],
)
def test_what_cannot_be_made_is_one_line(
    tmp_path: Path, runner: Runner, code: str, said: str
) -> None:
    [member] = collected(tmp_path, {"net.py": code})
    assert re.search(said, refused(trace_member, runner, member, tmp_path))


@pytest.mark.parametrize(
    ("code", "said"), [(networks.ENDLESS, "not done after 3 s"), (networks.HOARD, "memory")]
)
def test_what_does_not_end_is_ended(tmp_path: Path, code: str, said: str) -> None:
    [member] = collected(tmp_path, {"net.py": code})
    with Runner(RunLimits(seconds=3.0 if "pass" in code else 60.0, mebibytes=512)) as runner:
        assert said in refused(trace_member, runner, member, tmp_path)
        [fine] = collected(tmp_path, {"net.py": RESIDUAL["loop"]})
        assert trace_member(runner, fine, tmp_path).path == "fx"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (networks.NO_MODULE, "holds no class"),
        (networks.BROKEN, "line 3"),
        (networks.TWO, "2 networks .* 'class', of One, Two"),
        ("", "is empty"),
    ],
)
def test_files_that_are_no_network_are_failures(tmp_path: Path, code: str, said: str) -> None:
    (tmp_path / "bad.py").write_text(code)
    alone = read_folder(tmp_path, {})
    assert not alone.members
    assert re.search(said, refused(alone.check, "nets"))
    (tmp_path / "good.py").write_text(RESIDUAL["loop"])
    found = read_folder(tmp_path, {})
    assert [member.name for member in found.members] == ["good.py"]
    [failed] = found.failed
    assert re.search(said, failed)


def test_a_long_file_is_read(tmp_path: Path) -> None:
    [member] = collected(tmp_path, {"long.py": networks.LONG})
    assert len(member.code.splitlines()) > 5_000
    assert len(member.canonical.splitlines()) < 30


def test_a_folder_without_files(tmp_path: Path) -> None:
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden/net.py").write_text(networks.NEEDS)
    (tmp_path / "notes.txt").write_text("nothing")
    assert "no Python file" in refused(read_folder, tmp_path, {})


def test_a_notebook_is_a_file(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "source": RESIDUAL["sequential"]}]
    collected(tmp_path, {"nets/a.ipynb": json.dumps({"cells": cells, "metadata": {}})})
    [member] = read_folder(tmp_path, {}).members
    assert member.native.startswith("nets/a.ipynb:Residual#")


def a_table(folder: Path, **columns: list[Any]) -> Path:
    path = folder / "nets.parquet"
    pl.DataFrame(columns).write_parquet(path)
    return path


def read(path: Path, **said: Any) -> Any:
    return read_code_table(path, Told(**said), {})


def test_a_table_with_values_and_columns_of_its_own(tmp_path: Path) -> None:
    path = a_table(
        tmp_path,
        Code=[CONV.format(width=4, act=act) for act in ("ReLU", "ReLU", "GELU")],
        arguments=[None, '{"width": 16}', ""],
        name=["first", "second", "third"],
        author=["ann", "bob", " ann "],
        depth=[1, 2, 3],
        cifar10_test_accuracy_20=[91.0, None, 93.5],
        digits_latency_ms=[1.0, 2.0, 3.0],
    )
    found = read(path, columns=("digits_latency_ms=digits:unknown:latency[ms]",))
    first, second, third = found.members
    assert [member.name for member in found.members] == ["first", "second", "third"]
    assert second.arguments == {"width": 16}
    assert first.own == {"author": "ann", "depth": 1}
    assert third.own == {"author": "ann", "depth": 3}
    assert second.place == "nets.parquet, row 2"
    rows = found.rows.select("native", "dataset", "metric", "value").rows()
    assert rows == [
        (first.native, "cifar10", "accuracy", 91.0),
        (third.native, "cifar10", "accuracy", 93.5),
        *[(each.native, "digits", "latency", n) for n, each in enumerate(found.members, start=1)],
    ]
    assert "author → kept as a column of its own" in found.lines


def test_rows_that_fail_keep_the_others_and_their_numbers(tmp_path: Path) -> None:
    path = a_table(
        tmp_path,
        code=[networks.NO_MODULE, CONV.format(width=4, act="ReLU"), None, networks.TWO],
        cifar10_test_accuracy=[1.0, 92.0, 3.0, 4.0],
    )
    found = read(path)
    assert [member.place for member in found.members] == ["nets.parquet, row 2"]
    assert found.rows["value"].to_list() == [92.0]
    assert [failed[:19] for failed in found.failed] == [f"nets.parquet, row {n}" for n in (1, 3, 4)]
    path = a_table(
        tmp_path,
        code=[networks.NO_MODULE, CONV.format(width=4, act="ReLU")],
        cifar10_test_accuracy=["90", "high"],
    )
    assert "row 2" in refused(read, path)


def test_the_class_of_a_row_is_named(tmp_path: Path) -> None:
    path = a_table(tmp_path, code=[networks.TWO] * 3, **{"class": ["One", "Two", "Three"]})
    found = read(path)
    assert [member.class_name for member in found.members] == ["One", "Two"]
    assert "no class Three: choose one of One, Two" in found.failed[0]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"source": ["x"], "acc": [1.0]}, "no column 'code', but 'source', 'acc'"),
        ({"code": [1.5, 2.0]}, "holds no text"),
        ({"code": ["x"], "CODE": ["y"]}, "keep one of them"),
        ({"code": [networks.TWO], "class": [3]}, "'class' holds no text"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, columns: dict[str, list[Any]], said: str) -> None:
    assert said in refused(read, a_table(tmp_path, **columns))


def test_one_network_twice_is_one_and_contradictions_are_told(tmp_path: Path) -> None:
    code = [CONV.format(width=4, act="ReLU")] * 2
    found = read(a_table(tmp_path, code=code, cifar10_test_accuracy=[91.0, 91.0]))
    assert len(found.members) == found.rows.height == 1
    path = a_table(tmp_path, code=code, cifar10_test_accuracy=[91.0, 92.0])
    assert "row 2 repeats the architecture of row 1" in refused(read, path)


def test_a_column_of_which_half_is_said_is_not_kept_in_silence(tmp_path: Path) -> None:
    path = a_table(tmp_path, code=[CONV.format(width=4, act="ReLU")], accuracy=[91.0])
    [_, reading] = read(path).readings
    assert reading.unclear is not None
    assert read(path, dataset="cifar10").rows["value"].to_list() == [91.0]
    assert read(path, skipped=("accuracy",)).members[0].own == {}


def test_a_mutant_is_another_member(tmp_path: Path) -> None:
    files = {f"{n}.py": CONV.format(width=n, act="ReLU") for n in range(1, 6)}
    corpus = Corpus("corpus:x", collected(tmp_path, files))
    rng = np.random.default_rng(0)
    natives = list(corpus.enumerate())
    found = {corpus.mutate(natives[0], rng) for _ in range(200)}
    assert found == set(natives[1:])
    alone = Corpus("corpus:x", corpus.members[:1])
    assert "one member" in refused(alone.mutate, natives[0], rng)
    assert hash_text(corpus.members[0].code) == corpus.members[0].code_hash


def test_untraced_members_are_skipped_as_one_of_many_and_refused_alone(tmp_path: Path) -> None:
    [member] = collected(tmp_path, {"net.py": networks.NEEDS})
    corpus = Corpus("corpus:x", [member])
    encoding: Any = corpus.encoding("code.expression")
    with pytest.raises(InputError, match="--run"):
        encoding.render(member.native)
    assert "--run" in refused(corpus.check_known, "code.expression")
    corpus.check_known("code.source")
