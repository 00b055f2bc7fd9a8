"""Packages that cannot be used are a line each, and everything else works."""

from pathlib import Path

import pytest

from tests.plugins.conftest import Run

TRAIN = ("train", "nasbench201", "--dataset", "shapes", "--head")
TABLE = """native,shapes_test_accuracy
|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x3~2|,71.5
"""


def lay_out(target: Path, package: str, module: str, points: dict[str, str]) -> None:
    """Writes what a wheel of one module leaves where it is installed."""
    name = package.replace("-", "_")
    (target / f"{name}.py").write_text(module)
    info = target / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    text = "".join(f"[{group}]\n{point}\n\n" for group, point in points.items())
    (info / "entry_points.txt").write_text(text)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_a_module_that_raises_is_one_line(cole: Run, tmp_path: Path, home: Path) -> None:
    points = {"cole.sources": "sick = cole_sick:Source", "cole.heads": "sick = cole_sick:Head"}
    lay_out(tmp_path, "cole-sick", 'raise RuntimeError("no\\nlicence")\n', points)
    table = tmp_path / "mine.csv"
    table.write_text(TABLE)
    done = cole("ingest", "nasbench201", table, "--home", home, "--json", folders=(tmp_path,))
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "sick" in line]
    assert said == [
        "cole: source 'sick' of the package cole-sick cannot be imported (RuntimeError: no "
        "licence): repair or uninstall cole-sick"
    ]
    assert "Warning" not in done.stderr
    named = cole(*TRAIN, "sick", "--home", home, folders=(tmp_path,))
    assert named.returncode == 2
    assert named.stderr.startswith("cole: head 'sick' of the package cole-sick cannot be imported")
    assert len(named.stderr.splitlines()) == 1


def test_a_name_that_is_taken_is_one_line(cole: Run, tmp_path: Path, home: Path) -> None:
    points = {"cole.heads": "ridge = cole_twin:Ridge\nother = cole_twin:Other"}
    module = "class Ridge: pass\nclass Other:\n    name = 'another'\n"
    lay_out(tmp_path, "cole-twin", module, points)
    done = cole("train", "--help", folders=(tmp_path,))
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "cole: the package cole-twin registers 'ridge' in cole.heads, and this project has that "
        "name: it is left out"
    ]
    assert "other" in done.stdout
    named = cole(*TRAIN, "other", "--home", home, folders=(tmp_path,))
    assert named.returncode == 2
    assert named.stderr.splitlines()[-1] == (
        "cole: head 'other' of the package cole-twin calls itself 'another': repair or uninstall "
        "cole-twin"
    )


@pytest.mark.parametrize(
    ("arguments", "known"),
    [
        (("train", "--head", "neighbours", "--head-parameter", "k=3"), "n_neighbors"),
        (("train", "--head-parameter", "head=mlp"), "kernel"),
        (("search", "--algorithm", "nearest_first", "--parameter", "begin=3"), "start"),
        (("search", "--head", "neighbours", "--parameter", "seed=3"), "n_candidates"),
    ],
)
def test_an_unknown_parameter_lists_the_known_ones(
    tiny_cole: Run, home: Path, arguments: tuple[str, ...], known: str
) -> None:
    stage, *rest = arguments
    done = tiny_cole(stage, "tiny", "--dataset", "shapes", *rest, "--home", home)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert f"has no parameter '{arguments[-1].partition('=')[0]}': choose one of" in line
    assert known in line
