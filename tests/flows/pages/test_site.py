"""The site: built with warnings as errors, whole, and without a request to another host."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from flows.cli.app import make_app
from tests.flows.pages.reading import ROOT

LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


class Loaded(HTMLParser):
    """What a page loads when it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        place = dict(attrs).get(LOADING.get(tag, ""))
        if place:
            self.places.append(place)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        assert loaded.places
        assert [place for place in loaded.places if re.match(r"(\w+:)?//", place)] == []
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", sheet.read_text())


def test_the_reference_has_every_command_and_its_options(site: Path) -> None:
    page = (site / "reference" / "command-line.html").read_text(encoding="utf-8")
    names = [name for name in make_app() if not name.startswith("-")]
    assert len(names) >= 20
    for name in names:
        assert f"cole {name}" in page
    assert {"--strict-length", "--retry-failed", "--acquisition"} <= set(
        re.findall(r"--[a-z-]+", page)
    )


def test_the_reference_has_what_python_is_asked_by(site: Path) -> None:
    page = (site / "reference" / "python.html").read_text(encoding="utf-8")
    for name in ("cole.notebook.Warehouse.similar", "cole_core.search.base.SearchAlgorithm"):
        assert f'id="{name}"' in page
