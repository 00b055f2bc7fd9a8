"""The package: its wheel and its source hold all that runs, and its versions agree."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = ("cole", "cole_core", "warehouse", "flows")


def needed() -> set[str]:
    """Every file of the packages that the repository has: SQL, templates and styles as well."""
    return {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source, as the build backend makes them."""
    folder = tmp_path_factory.mktemp("dist")
    for kind in ("wheel", "sdist"):
        make = f"import hatchling.build as b; b.build_{kind}({str(folder)!r})"
        subprocess.run([sys.executable, "-c", make], cwd=ROOT, check=True, capture_output=True)
    return folder


def test_the_wheel_holds_what_runs_and_no_more(built: Path) -> None:
    [path] = built.glob("*.whl")
    assert path.name.startswith(f"cole_warehouse-{PROJECT['version']}-py3-none-any")
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        about = next(name for name in names if name.endswith("/METADATA"))
        metadata = wheel.read(about).decode()
    assert {name for name in names if ".dist-info/" not in name} == needed()
    suffixes = {Path(name).suffix for name in names}
    assert {".sql", ".toml", ".css", ".js", ".jinja"} <= suffixes
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "License-Expression: Apache-2.0" in metadata


def test_the_source_is_enough_to_build_from(built: Path) -> None:
    [path] = built.glob("*.tar.gz")
    with tarfile.open(path) as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    assert needed() <= names
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"} <= names


def test_versions_agree() -> None:
    version = PROJECT["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    released = re.findall(r"^## (\d\S+) - ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released[0] == version
    assert released == sorted(released, key=lambda each: list(map(int, each.split("."))))[::-1]


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
