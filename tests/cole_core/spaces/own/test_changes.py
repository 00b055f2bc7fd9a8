"""What a file's changes do to its architectures, and what runs where."""

import sys
from pathlib import Path

import numpy as np
import pytest

from cole_core.encodings.base import RenderingError
from cole_core.errors import InputError
from cole_core.spaces import get_space, get_space_for, parse_space
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.own import AbsentSpace

FILE = Path(__file__).with_name("my_space.py")
TEXT = FILE.read_text()
NATIVE = (
    "Net(activation=Activation.RELU, depth=1, dropout={dropout}, pools=({pooled}, '{pool}'), "
    "stem=Stem(bias=False, kernel=3), width=8)"
)


def native(dropout: object = None, pooled: bool = False, pool: str = "max") -> str:
    return NATIVE.format(dropout=dropout, pooled=pooled, pool=pool)


def named(folder: Path, text: str) -> SearchSpace:
    file = folder / "my_space.py"
    file.write_text(text)
    return parse_space(f"{file}:Net")


def test_an_argument_that_nothing_reads_makes_twins(tmp_path: Path) -> None:
    space = named(tmp_path, TEXT)
    twins = {space.canonical_form(native(pool=pool)) for pool in ("max", "mean")}
    assert len(twins) == 1
    others = {space.canonical_form(native(pooled=True, pool=pool)) for pool in ("max", "mean")}
    assert len(others | twins) == 3
    assert space.canonical_form(native(dropout=0.5)) not in twins  # it trains otherwise


def test_what_keeps_an_architecture_and_what_makes_another(tmp_path: Path) -> None:
    before = named(tmp_path, TEXT)
    kept, pooled = before.architecture_id(native()), before.architecture_id(native(pooled=True))
    for old, new in (
        ("Literal[4, 8]", "Literal[4, 8, 16]"),
        ("le=3)]", "le=9)]"),
        ("layers", "parts"),
        ("        if dropout", "        # of training\n        if dropout"),
        ("verbose=False", "verbose=True"),
        ("nn.ReLU() if", "nn.ReLU(inplace=True) if"),
    ):
        assert old in TEXT
        space = named(tmp_path, TEXT.replace(old, new))
        assert space.architecture_id(native()) == kept, new
    space = named(tmp_path, TEXT.replace('"max": nn.MaxPool2d', '"max": nn.AvgPool2d'))
    assert space.architecture_id(native()) == kept
    assert space.architecture_id(native(pooled=True)) != pooled
    space = named(tmp_path, TEXT.replace("width, 3, padding=1", "width, 5, padding=2"))
    assert space.architecture_id(native()) != kept


def test_a_file_beside_it_counts_as_well(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text("SIZE = 3\n")
    text = TEXT.replace("import torch\n", "import torch\nfrom parts import SIZE\n", 1)
    text = text.replace("width, 3, padding=1", "width, SIZE, padding=SIZE // 2")
    before = named(tmp_path, text).architecture_id(native())
    assert named(tmp_path, text).architecture_id(native()) == before
    (tmp_path / "parts.py").write_text("SIZE = 5\n")
    assert named(tmp_path, text).architecture_id(native()) != before


def test_the_file_runs_elsewhere(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    text = f"import os\nopen({str(ran)!r}, 'a').write(f'{{os.getpid()}}\\n')\n{TEXT}"
    import os

    before = set(sys.modules)
    space = named(tmp_path, text)
    space.canonical_form(space.sample(np.random.default_rng(0)))

    assert ran.read_text().split()
    assert str(os.getpid()) not in ran.read_text().split()
    new = set(sys.modules) - before
    assert not [name for name in new if name.startswith("_foreign_")]


def test_a_task_gives_its_arguments(tmp_path: Path) -> None:
    named(tmp_path, TEXT)
    file = tmp_path / "my_space.py"
    assert named(tmp_path, TEXT).parameters == {"in_channels": 3, "classes": 10}
    space = get_space_for(f"{file}:Net", (1, 8, 8), 4)
    assert space.parameters == {"in_channels": 1, "classes": 4}
    assert space.full_name == "my_space.py:Net:classes=4,in_channels=1"
    with pytest.raises(InputError, match="is not that of the task"):
        get_space_for(f"{file}:Net:classes=7", (1, 8, 8), 4)
    fixed = get_space_for(f"{file}:Net:width=8", (1, 8, 8), 4)
    assert fixed.parameters == {"in_channels": 1, "classes": 4, "width": 8}
    assert "width" not in fixed.sample(np.random.default_rng(0))


def test_a_warehouse_that_names_a_file_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "theirs.py").write_text("open('ran', 'w').write('')\n")
    space = get_space("theirs.py:Net", classes=3)
    assert isinstance(space, AbsentSpace)
    assert space.full_name == "theirs.py:Net:classes=3"
    for call in (
        lambda: space.validate("Net()"),
        lambda: next(space.enumerate()),
        lambda: space.build("Net()"),
        lambda: space.architecture_id("Net()"),
        lambda: space.normal_form("Net()"),
    ):
        with pytest.raises(InputError, match=r"name it with its folder, as path/to/theirs\.py:Net"):
            call()
    assert not (tmp_path / "ran").exists()


def test_one_that_cannot_be_made_is_an_architecture_without_a_text(tmp_path: Path) -> None:
    broken = TEXT.replace("super().__init__()", "super().__init__()\n        assert width == 8", 1)
    space = named(tmp_path, broken)
    bad = native().replace("width=8", "width=4")
    with pytest.raises(RenderingError, match=r"AssertionError: +\(my_space.py, line \d+\)"):
        space.normal_form(bad)
    assert space.architecture_id(bad) != space.architecture_id(native())
    assert space.canonical_form(bad).startswith(bad)
    space.check_makeable([bad, native()])
    with pytest.raises(InputError, match="its network cannot be made, AssertionError"):
        space.check_makeable([bad])
